use super::*;
use proptest::prelude::*;

fn told(text: &str) -> Result<Vec<String>, Mistake> {
    let mut members = Vec::new();
    Walker::new(text).object(&mut |path, leaf| {
        members.push(match leaf {
            Leaf::Missing => format!("{path}:"),
            Leaf::Text(text) | Leaf::Number(text) => format!("{path}={text}"),
            Leaf::Nested(text) => format!("{path}~{text}"),
        });
    })?;
    Ok(members)
}

#[test]
fn values_become_the_text_of_fields() {
    let text = r#" {"a":"x","n":-1.50,"m":NaN,"t":true,"f":false,"z":null,"e":"","l":["p","q",3,null],"o":[]} "#;
    assert_eq!(told(text).unwrap(), ["a=x", "n=-1.50", "m:", "t=true", "f=false", "z:", "e=", "l=p;q;3", "o:"]);
    assert_eq!(told(r#"{"a":{"b":1,"c":{"d":"x"}},"e":{}}"#).unwrap(), ["a.b=1", "a.c.d=x"]);
    assert_eq!(told(r#"{"a":[{"b":1}, 2]}"#).unwrap(), [r#"a~[{"b":1}, 2]"#]);
    assert_eq!(told(r#"{"a":"\"\\\/\n\u00e4\ud83d\ude00\u0000"}"#).unwrap(), ["a=\"\\/\nä😀\0"]);
    assert_eq!(told(r#"{"a":1,"a":2}"#).unwrap(), ["a=1", "a=2"]);
}

#[test]
fn no_digit_of_a_number_is_lost() {
    for (written, expected) in [
        ("12345678901234567890123", "12345678901234567890123"),
        ("0.1000", "0.1000"),
        ("1001.0", "1001"),
        ("-2.0", "-2"),
        ("10.00", "10.00"),
        ("1e3", "1000"),
        ("1.5E+1", "15"),
        ("1.25e1", "12.5"),
        ("-1.5e-3", "-0.0015"),
        ("0e5", "0"),
        ("0.5e1", "5"),
        ("0.05e1", "0.5"),
        ("1e999", "1e999"),
    ] {
        assert_eq!(told(&format!("{{\"n\":{written}}}")).unwrap(), [format!("n={expected}")]);
    }
}

#[test]
fn a_value_that_ends_too_early_is_told_from_a_wrong_one() {
    let whole = r#"{"a":"x\u00e4\ud83d\ude00","b":[1,{"c":null}],"d":-1.5e3,"t":true}"#;
    assert!(told(whole).is_ok());
    for length in 0..whole.len() {
        assert_eq!(told(&whole[..length]), Err(Mistake::Cut), "{}", &whole[..length]);
    }
    for wrong in [r#"{"a":"x"y"}"#, r#"{"a":1,}"#, r#"{a:1}"#, r#"{"a":01}"#, r#"{"a":"\x"}"#, "{\"a\":\"\n\"}", "[]"] {
        assert!(matches!(told(wrong), Err(Mistake::Wrong(_))), "{wrong}");
    }
    assert!(told(&format!("{{\"a\":{}", "[".repeat(100_000))).is_err());
}

/// As serde_json sees it: members in the order of the text, flattened.
fn judged(value: &serde_json::Value, path: &str, told: &mut Vec<String>) {
    let serde_json::Value::Object(members) = value else { return };
    for (key, value) in members {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            serde_json::Value::Object(_) => judged(value, &path, told),
            serde_json::Value::Null => told.push(format!("{path}:")),
            serde_json::Value::String(text) => told.push(format!("{path}={text}")),
            serde_json::Value::Array(_) => {}
            other => told.push(format!("{path}={other}")),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn it_accepts_what_serde_json_accepts(text in r#"[{}\[\]",:\\eE+.0-9a-u \n-]{0,24}"#) {
        let text = format!("{{\"k\":{text}}}");
        // serde_json refuses numbers that no f64 holds.
        let judge = serde_json::from_str::<serde_json::Value>(&text);
        let out_of_range = judge.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
        prop_assert!(out_of_range || judge.is_ok() == told(&text).is_ok(), "{text} {judge:?}");
    }

    #[test]
    fn it_reads_what_serde_json_writes(
        texts in proptest::collection::vec(("[a-z]{1,6}[0-9]{1,9}", any::<String>(), any::<i64>()), 0..6),
    ) {
        let mut object = serde_json::Map::new();
        for (at, (key, text, number)) in texts.iter().enumerate() {
            object.insert(format!("{at}{key}"), serde_json::json!({"t": text, "n": number, "z": null}));
        }
        let value = serde_json::Value::Object(object);
        let mut expected = Vec::new();
        judged(&value, "", &mut expected);
        prop_assert_eq!(told(&value.to_string()).unwrap(), expected);
    }
}
