use super::*;
use crate::domain::{Direction, Group};

fn fault(text: &str) -> (Option<u64>, String) {
    let error = Mapping::from_toml(text, "site.mapping.toml").unwrap_err();
    (error.line, error.problem.to_string())
}

#[test]
fn nothing_said_maps_nothing() {
    assert_eq!(Mapping::from_toml("", "m.toml").unwrap(), Mapping::default());
    assert_eq!(Mapping::from_toml("version = 1\n", "m.toml").unwrap(), Mapping::default());
}

#[test]
fn mistakes_are_told_with_their_line_and_the_nearest_known_word() {
    let error = Mapping::from_toml("version = 1\n[read]\ndecimals = \",\"", "site.mapping.toml").unwrap_err();
    assert_eq!(error.to_string(), "site.mapping.toml:3: «decimals» is not known in [read]; did you mean «decimal»?");
    assert_eq!(fault("[columns\n").0, Some(1));
    assert_eq!(fault("version = 2").1, "version 2 is not known; this program reads version 1");
    assert_eq!(fault("\n[read]\ndate_order = \"DDMM\"").1, "«date_order» must be one of dmy, mdy, ymd");
    assert_eq!(fault("[read]\nheader_row = 0").0, Some(2));
    assert!(fault("[read]\nencoding = \"utf-16\"").1.contains("utf-8, latin-1, windows-1252"));
    assert!(fault("[read]\ndelimiter = \"ab\"").1.contains("one character"));
    assert!(fault("[colums]\n").1.contains("did you mean «columns»?"));
    assert!(fault("[columns]\nmodality = { const = \"laser\" }").1.contains("not a code of modality"));
    assert!(fault("[columns]\nmodality = { form = \"x\" }").1.contains("did you mean «from»?"));
    assert!(fault("[columns]\nmodality = [\"a\"]").1.contains("must be their header"));
    assert!(
        fault("[columns]\nmodality = { from = [\"a\", \"b\"], const = \"pen\" }").1.contains("must be their header")
    );
    assert!(fault("[values.conditions]\nAkne = \"aktive_acne\"").1.contains("did you mean «active_acne»?"));
    assert!(fault("[events.columns]\nside_effect = { const = \"erytema\" }").1.contains("did you mean «erythema»?"));
    assert!(fault("[values.fitzpatrick]\nhell = \"VII\"").1.contains("I…VI"));
    assert!(fault("[side_effects]\n\"Rötung\" = \"erytema\"").1.contains("did you mean «erythema»?"));
    assert!(fault("[side_effects]\npetechiae = { label = \"P\" }").1.contains("label and window_days"));
    assert!(fault("[side_effects]\npih = { grades = 9 }").1.contains("1…5"));
    assert!(fault("[scales.glow]\nlowest = 3\nhighest = 1\ndirection = \"higher_better\"").1.contains("lowest"));
    assert!(fault("[events.column]\n").1.contains("did you mean «columns»?"));
    assert!(fault("[events.columns]\nsetting = \"x\"").1.contains("not a canonical column of events file"));
}

#[test]
fn a_site_adds_side_effects_and_changes_windows() {
    let text = "[side_effects]\npih = { window_days = 120 }\n\
                petechiae = { label = \"Petechiae\", short = \"Pet.\", window_days = 14, grades = 3, group = \"expected\" }\n";
    let mut catalogue = Catalogue::built_in();
    let before = catalogue.len();
    Mapping::from_toml(text, "m.toml").unwrap().extend(&mut catalogue);
    assert_eq!(catalogue.len(), before + 1);
    let pih = catalogue.get(catalogue.find("pih").unwrap());
    assert_eq!((pih.window_days, pih.grades, pih.short.as_deref()), (120, 2, Some("PIH")));
    let petechiae = catalogue.get(catalogue.find("petechiae").unwrap());
    assert_eq!((petechiae.group, petechiae.grades), (Group::Expected, 3));
}

#[test]
fn scales_of_the_site_win() {
    let text = "[scales.gais]\nlowest = 0\nhighest = 4\ndirection = \"higher_better\"";
    let scales = Mapping::from_toml(text, "m.toml").unwrap().scales();
    let gais: Vec<&Scale> = scales.iter().filter(|scale| scale.id == "gais").collect();
    assert_eq!(gais.len(), 1);
    assert_eq!((gais[0].highest, gais[0].direction), (4.0, Direction::HigherBetter));
}

#[test]
fn habits_are_handed_on_to_the_other_files_and_layout_is_not() {
    let text = "[read]\ndelimiter = \";\"\nencoding = \"latin-1\"\nheader_row = 3\ndecimal = \",\"\n[events.read]\ndecimal = \".\"";
    let mapping = Mapping::from_toml(text, "m.toml").unwrap();
    let log = mapping.read_options(Table::Sessions);
    assert_eq!((log.delimiter, log.header_row), (Some(b';'), Some(3)));
    let events = mapping.read_options(Table::Events);
    assert_eq!((events.delimiter, events.header_row), (None, None));
    assert_eq!(events.encoding, Some(TextEncoding::Windows1252));
    assert_eq!(mapping.events.read.decimal, Some(Decimal::Point));
    assert_eq!(mapping.assessments.read.decimal, Some(Decimal::Comma));
}

#[test]
fn the_reference_names_every_key_once() {
    let mut keys: Vec<(&str, &str)> = KEYS.iter().map(|key| (key.table, key.name)).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), KEYS.len());
    assert!(KEYS.iter().all(|key| !key.about.is_empty()));
}
