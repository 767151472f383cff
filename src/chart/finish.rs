//! Dresses the SVG that plotters wrote: name and description for those who do not see it, the font stack, the page's
//! own text colour, and on every number the id of its row.

use super::Words;
use super::canvas::{Anchor, INK, Label, MARKS, Role, pixels};
use super::font::{self, STACK, Weight};
use super::theme::{Paint, Rgb, Width};

/// The finished SVG. Relies on plotters writing one element a line and a text's content on a line of its own.
pub(super) fn finish(raw: &str, labels: &[&Label], words: &Words, width: Width) -> String {
    let mut svg = String::with_capacity(raw.len());
    let ink = format!("\"{}\"", hex(INK));
    let mut lines = raw.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("<svg") {
            svg.push_str(&head(line, words, width));
        } else if line.starts_with("<text") {
            let label = lines.next().and_then(number).and_then(|at| labels.get(at));
            svg.push_str(&label.map_or_else(String::new, |label| text(label)));
            lines.next();
        } else {
            svg.push_str(
                &line.replace(&ink, "\"currentColor\"").replace("opacity=\"1\" ", "").replace(" \"/>", "\"/>"),
            );
        }
        svg.push('\n');
    }
    svg
}

fn hex(Rgb(red, green, blue): Rgb) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

/// Number of a text, as it stands between the marks.
fn number(content: &str) -> Option<usize> {
    content.trim().strip_prefix(MARKS[0])?.strip_suffix(MARKS[1])?.parse().ok()
}

fn head(line: &str, words: &Words, width: Width) -> String {
    let view = attribute(line, "viewBox").unwrap_or_default();
    let height = view.rsplit(' ').next().and_then(|height| height.parse::<f64>().ok()).unwrap_or_default() / 10.0;
    let id = format!("chart-{}-{}", plain(&words.id), width.name());
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"{id}\" class=\"chart {name}\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-desc\" width=\"{units}\" height=\"{height}\" viewBox=\"{view}\" \
         font-family=\"{STACK}\" fill=\"currentColor\">\n\
         <title id=\"{id}-title\">{title}</title>\n<desc id=\"{id}-desc\">{alt}</desc>",
        name = width.name(),
        units = width.units(),
        title = escaped(&words.title),
        alt = escaped(&words.alt),
    )
}

fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let rest = line.split_once(&format!("{name}=\""))?.1;
    rest.split_once('"').map(|(value, _)| value)
}

/// Letters that an id may hold everywhere.
fn plain(id: &str) -> String {
    id.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '-' }).collect()
}

/// The text element. Where the font's widths are exact, `textLength` holds the text to them in whatever font the
/// viewer has.
fn text(label: &Label) -> String {
    let (x, y) = (pixels(label.at.0), pixels(label.at.1));
    let mut parts = vec![format!("<text x=\"{x}\" y=\"{y}\" font-size=\"{}\"", pixels(label.size))];
    match label.anchor {
        Anchor::Start => {}
        Anchor::Middle => parts.push("text-anchor=\"middle\"".to_owned()),
        Anchor::End => parts.push("text-anchor=\"end\"".to_owned()),
    }
    if label.weight == Weight::Bold {
        parts.push("font-weight=\"bold\"".to_owned());
    }
    if let Paint::Colour(colour) = label.paint {
        parts.push(format!("fill=\"{}\"", hex(colour)));
    }
    if label.opacity < 1.0 {
        parts.push(format!("opacity=\"{}\"", label.opacity));
    }
    if label.upright {
        parts.push(format!("transform=\"rotate(270, {x}, {y})\""));
    }
    if label.held && font::knows(&label.text, label.weight) && label.text.chars().count() > 1 {
        parts.push(format!("textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\"", pixels(label.width())));
    }
    let class = match label.role {
        Role::Name => "name",
        Role::Tick => "tick",
        Role::Number => "number",
    };
    parts.push(format!("class=\"{class}\""));
    if let Some(row_id) = &label.row_id {
        parts.push(format!("data-row=\"{}\"", escaped(row_id)));
    }
    let whole = label.whole.as_ref().map_or_else(String::new, |whole| format!("<title>{}</title>", escaped(whole)));
    format!("{}>{whole}{}</text>", parts.join(" "), escaped(&label.text))
}

/// Text as XML holds it; letters that XML forbids become `?`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\0'..='\x1f' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => out.push('?'),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_forbidden_letters_are_replaced() {
        assert_eq!(escaped("A & B <\"x\">\u{1}\n"), "A &amp; B &lt;&quot;x&quot;&gt;? ");
        assert_eq!(plain("rates by tone/1"), "rates-by-tone-1");
    }

    #[test]
    fn a_number_carries_its_row_and_a_cut_name_its_whole() {
        let label = Label::new("8.8 %", (10.0, 20.0)).of("rates/pih//rate");
        let svg = text(&label);
        assert!(svg.starts_with("<text x=\"100\" y=\"200\" font-size=\"120\""), "{svg}");
        assert!(svg.contains("class=\"number\" data-row=\"rates/pih//rate\">8.8 %</text>"), "{svg}");
        let cut = text(&Label::new("Harb…", (0.0, 0.0)).whole("Harbour & Sons"));
        assert!(cut.ends_with("<title>Harbour &amp; Sons</title>Harb…</text>"), "{cut}");
    }
}
