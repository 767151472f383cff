//! A simulated log as German clinics write it.

use super::canonical::{self, gone, scaled};
use super::course::{Course, EXFOLIANT, GENTLE, MOISTURISER, PICKING, SUN, SUNSCREEN};
use super::draws::Draws;
use super::field;
use super::german_words::{side_effect, word};
use super::ills::{Fields, Ill, Verdict};
use super::model::Model;
use super::row::Row;
use super::scores::Score;
use super::treatment::{Heard, Occurred, Treatment};
use super::world::DEVICES;
use crate::domain::codes::{Condition, Side, Topical};
use crate::domain::{Day, Fitzpatrick};

type Put = fn(&Model<'_>, &Treatment, &mut Row);

/// A column of theirs: the canonical name, their header, and how a value is written. `Put` appends to the field;
/// a value that the log leaves out is not asked for.
struct GermanColumn {
    canonical: &'static str,
    header: &'static str,
    put: Put,
}

const fn column(canonical: &'static str, header: &'static str, put: Put) -> GermanColumn {
    GermanColumn { canonical, header, put }
}

#[rustfmt::skip]
const COLUMNS: &[GermanColumn] = &[
    column("session_id", "Sitzungs-ID", |m, t, row| canonical::push_session_id(m, t.session, row)),
    column("patient_id", "Patient", |m, t, row| canonical::push_patient_id(m, t.patient, row)),
    column("clinic_id", "Standort", |m, t, row| row.push(m.clinics[t.clinic].clinic_id.as_bytes())),
    column("state", "Bundesland", |m, t, row| row.push(m.clinics[t.clinic].state.as_bytes())),
    column("practitioner_id", "Behandler", |m, t, row| row.push(practitioner(m, t).as_bytes())),
    column("practitioner_credential", "Qualifikation", |m, t, row| put_word("practitioner_credential", credential(m, t), row)),
    column("practitioner_experience_years", "Berufsjahre", experience),
    column("session_date", "Datum", |m, t, row| row.push(&m.calendar.dotted(t.date))),
    column("course_session", "Sitzung Nr.", |_, t, row| row.push_whole(u64::from(t.course_session), 1)),
    column("setting", "Ort", |_, t, row| put_word("setting", if t.home { "home" } else { "professional" }, row)),
    column("modality", "Gerät", |_, t, row| put_word("modality", t.modality.code(), row)),
    column("device_model", "Modell", |_, t, row| row.push(DEVICES[t.device].model.as_bytes())),
    column("device_lot", "Charge", canonical::push_lot),
    column("needle_depth_mm", "Nadeltiefe (µm)", |_, t, row| row.push_whole(u64::from(t.depth_um), 1)),
    column("needle_count", "Nadelzahl", |_, t, row| row.push_whole(u64::from(t.needle_count), 1)),
    column("passes", "Durchgänge", |_, t, row| row.push_whole(u64::from(t.passes), 1)),
    column("rf_energy_mj", "RF-Energie (mJ)", |_, t, row| push_if(t.rf_energy_mj, row)),
    column("rf_pulse_ms", "RF-Puls (ms)", |_, t, row| push_if(t.rf_pulse_ms, row)),
    column("body_area", "Körperregion", |_, t, row| put_word("body_area", t.body_area.code(), row)),
    column("side", "Seite", |_, t, row| put_word("side", t.side.code(), row)),
    column("indication", "Indikation", |_, t, row| put_word("indication", t.indication.code(), row)),
    column("age_years", "Alter", |_, t, row| row.push_whole(u64::from(t.age_years), 1)),
    column("sex", "Geschlecht", |_, t, row| put_word("sex", t.sex.code(), row)),
    column("fitzpatrick", "Hauttyp", |_, t, row| row.push(Fitzpatrick::new(t.fitzpatrick).map_or("", Fitzpatrick::numeral).as_bytes())),
    column("skin_sensitivity", "Empfindliche Haut", |_, t, row| yes_no(t.sensitive_skin, row)),
    column("skin_thickness", "Hautdicke", |_, t, row| put_word("skin_thickness", t.skin_thickness.code(), row)),
    column("conditions", "Begleiterkrankungen", |_, t, row| codes("conditions", (t.conditions, Condition::CODES), row)),
    column("numbing_agent", "Betäubung", |_, t, row| put_word("numbing_agent", t.numbing_agent.code(), row)),
    column("topicals", "Wirkstoffe", |_, t, row| codes("topicals", (t.topicals, Topical::CODES), row)),
    column("sterile_single_use", "Sterile Einmalnadel", |_, t, row| yes_no(t.sterile, row)),
    column("sunscreen_daily", "Sonnenschutz täglich", |_, t, row| told(t, SUNSCREEN, row)),
    column("sun_exposure", "Sonne", |_, t, row| told(t, SUN, row)),
    column("gentle_products", "Milde Pflege", |_, t, row| told(t, GENTLE, row)),
    column("moisturiser", "Feuchtigkeitspflege", |_, t, row| told(t, MOISTURISER, row)),
    column("picking", "Gekratzt", |_, t, row| told(t, PICKING, row)),
    column("exfoliant", "Peeling", |_, t, row| told(t, EXFOLIANT, row)),
    column("pain_vas", "Schmerz (0-10)", |_, t, row| row.push_decimal(scaled(t.pain_tenths), 1, b',')),
    column("return_to_activity_days", "Wieder aktiv nach (Tage)", |_, t, row| push_if(Some(t.return_days).filter(|_| t.asked), row)),
    column("last_follow_up_date", "Letzte Nachfrage", |m, t, row| day_if(m, t.last_follow_up, row)),
    column("side_effects", "Nebenwirkungen", side_effects),
];

const EVENT_HEADERS: [&str; 9] = [
    "Sitzungs-ID",
    "Patient",
    "Körperregion",
    "Nebenwirkung",
    "Schweregrad",
    "Beginn",
    "Ende",
    "Schwerwiegend",
    "Gemeldet am",
];
const SCORE_HEADERS: [&str; 6] = ["Patient", "Sitzungs-ID", "Datum", "Skala", "Wert", "Bewertet von"];

/// Position of a canonical column in their files.
pub(super) fn position(canonical: &str) -> usize {
    COLUMNS.iter().position(|column| column.canonical == canonical).unwrap_or(0)
}

/// Header row of the session log.
pub(super) fn session_header(row: &mut Row) {
    row.clear();
    COLUMNS.iter().for_each(|column| row.text(column.header));
}

/// Header row of the events file.
pub(super) fn event_header(row: &mut Row) {
    row.clear();
    EVENT_HEADERS.iter().for_each(|header| row.text(header));
}

/// Header row of the scores file.
pub(super) fn score_header(row: &mut Row) {
    row.clear();
    SCORE_HEADERS.iter().for_each(|header| row.text(header));
}

/// The row of a session.
pub(super) fn session_row(model: &Model<'_>, treatment: &Treatment, row: &mut Row) {
    row.clear();
    for column in COLUMNS {
        let left_out = field::position(column.canonical).is_some_and(|at| treatment.leaves_out(at));
        // One side of a split-face pair is never left out: the pair would fall apart.
        let pair = column.canonical == "side" && treatment.side != Side::Both;
        if !left_out || pair {
            (column.put)(model, treatment, row);
        }
        row.end();
    }
}

/// The row of a late event.
pub(super) fn event_row(model: &Model<'_>, treatment: &Treatment, occurred: &Occurred, row: &mut Row) {
    row.clear();
    let by_patient = occurred.heard == Heard::LateByPatient;
    if !by_patient {
        canonical::push_session_id(model, treatment.session, row);
    }
    row.end();
    if by_patient {
        canonical::push_patient_id(model, treatment.patient, row);
    }
    row.end();
    row.text_if(by_patient.then(|| word("body_area", treatment.body_area.code())));
    row.text(effect_word(model, treatment, occurred));
    row.whole_if(Some(u32::from(occurred.grade)).filter(|_| occurred.grade_given));
    day_if(model, Some(occurred.onset).filter(|_| occurred.dates_given), row);
    row.end();
    match gone(treatment, occurred).filter(|_| occurred.dates_given) {
        None if occurred.dates_given => row.push("andauernd".as_bytes()),
        day => day_if(model, day, row),
    }
    row.end();
    yes_no(occurred.grade == 3 && model.effects[occurred.effect].group == 2, row);
    row.end();
    day_if(model, treatment.last_follow_up, row);
    row.end();
}

/// The row of a score.
pub(super) fn score_row(model: &Model<'_>, course: &Course, score: &Score, row: &mut Row) {
    row.clear();
    canonical::push_patient_id(model, course.patient.number, row);
    row.end();
    if let Some(session) = score.session {
        canonical::push_session_id(model, session, row);
    }
    row.end();
    day_if(model, Some(score.date), row);
    row.end();
    row.text(match score.scale {
        "goodman_baron" => "Goodman-Baron",
        "gais" => "GAIS",
        _ => "Zufriedenheit",
    });
    row.whole_if(Some(score.score));
    row.text(if score.by_patient {
        "Patient"
    } else {
        course.treatments.first().map_or("", |t| practitioner(model, t))
    });
}

fn put_word(column: &str, code: &'static str, row: &mut Row) {
    row.push(word(column, code).as_bytes());
}

fn practitioner<'a>(model: &'a Model<'_>, treatment: &Treatment) -> &'a str {
    let clinic = &model.clinics[treatment.clinic];
    treatment.practitioner.map_or("", |at| &clinic.practitioners[at].practitioner_id)
}

fn credential(model: &Model<'_>, treatment: &Treatment) -> &'static str {
    let clinic = &model.clinics[treatment.clinic];
    treatment.practitioner.map_or("self", |at| clinic.practitioners[at].credential.code())
}

fn experience(_: &Model<'_>, treatment: &Treatment, row: &mut Row) {
    if treatment.practitioner.is_some() {
        row.push_decimal(scaled(treatment.experience_tenths), 1, b',');
    }
}

fn push_if(number: Option<u32>, row: &mut Row) {
    if let Some(number) = number {
        row.push_whole(u64::from(number), 1);
    }
}

fn day_if(model: &Model<'_>, day: Option<Day>, row: &mut Row) {
    if let Some(day) = day {
        row.push(&model.calendar.dotted(day));
    }
}

fn yes_no(yes: bool, row: &mut Row) {
    row.push(if yes { b"ja" } else { b"nein" });
}

fn told(treatment: &Treatment, habit: usize, row: &mut Row) {
    if treatment.asked {
        yes_no(treatment.aftercare[habit], row);
    }
}

fn codes(column: &str, (set, all): (crate::domain::codes::CodeSet, &'static [&'static str]), row: &mut Row) {
    let chosen = all.iter().enumerate().filter(|(at, _)| set.has(*at)).map(|(_, code)| word(column, code));
    let mut any = false;
    for text in chosen {
        row.push(if any { b"; " } else { b"" });
        row.push(text.as_bytes());
        any = true;
    }
    if !any {
        row.push(word(column, "none").as_bytes());
    }
}

fn effect_word(model: &Model<'_>, treatment: &Treatment, occurred: &Occurred) -> &'static str {
    let second = treatment.practitioner.is_some_and(|at| at % 2 == 1);
    side_effect(model.plan.truth.side_effects[occurred.effect].code, second)
}

fn side_effects(model: &Model<'_>, treatment: &Treatment, row: &mut Row) {
    let mut any = false;
    for occurred in treatment.occurred.iter().filter(|occurred| occurred.heard == Heard::InRow) {
        row.push(if any { b"; " } else { b"" });
        row.push(effect_word(model, treatment, occurred).as_bytes());
        any = true;
        if !occurred.grade_given {
            continue;
        }
        row.push(&[b':', b'0' + occurred.grade]);
        if occurred.dates_given {
            row.push(b":");
            row.push(&model.calendar.dotted(occurred.onset));
            row.push(b"/");
            day_if(model, gone(treatment, occurred), row);
        }
    }
    if treatment.asked && !any {
        row.push(b"keine");
    }
}

/// From UTF-8 to Windows-1252; every letter of ours is in the half that it shares with Latin-1.
pub(super) fn windows_1252(utf_8: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8_lossy(&utf_8);
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect()
}

/// What is wrong with their rows.
#[rustfmt::skip]
pub(super) const ILLS: &[Ill] = &[
    Ill { name: "too_many_fields", verdict: Verdict::Refused, rate: 0.002, spoil: |fields, _, _| { fields.push(b"siehe Akte".to_vec()); true } },
    Ill { name: "bad_date", verdict: Verdict::Refused, rate: 0.003, spoil: |fields, _, draws| set(fields, "session_date", &["31.02.2025", "12.2024", "gestern"], draws) },
    Ill { name: "impossible_number", verdict: Verdict::Refused, rate: 0.003, spoil: |fields, _, draws| set(fields, "needle_depth_mm", &["15000", "-1500"], draws) },
    Ill { name: "unknown_code", verdict: Verdict::Refused, rate: 0.002, spoil: |fields, _, draws| set(fields, "modality", &["Laser", "Fruchtsäure"], draws) },
    Ill { name: "missing_required", verdict: Verdict::Refused, rate: 0.002, spoil: |fields, _, draws| set(fields, "clinic_id", &[""], draws) },
    Ill { name: "fitzpatrick_spelling", verdict: Verdict::Accepted, rate: 0.060, spoil: fitzpatrick_spelling },
    Ill { name: "depth_with_unit", verdict: Verdict::Accepted, rate: 0.030, spoil: depth_with_unit },
    Ill { name: "case_and_space", verdict: Verdict::Accepted, rate: 0.020, spoil: |fields, t, draws| {
        let word = word("modality", t.modality.code());
        set(fields, "modality", &[&word.to_uppercase(), &format!(" {word} "), &word.to_lowercase()], draws)
    } },
    Ill { name: "unknown_term", verdict: Verdict::AcceptedWithUncodedTerm, rate: 0.010, spoil: unknown_term },
];

fn set(fields: &mut Fields, canonical: &str, texts: &[&str], draws: &mut Draws) -> bool {
    let at = position(canonical);
    draws.one_of(texts).is_some_and(|text| {
        fields[at] = text.as_bytes().to_vec();
        true
    })
}

fn fitzpatrick_spelling(fields: &mut Fields, treatment: &Treatment, draws: &mut Draws) -> bool {
    let Some(number) = treatment.recorded_fitzpatrick() else { return false };
    let numeral = Fitzpatrick::new(number).map_or("", Fitzpatrick::numeral);
    set(fields, "fitzpatrick", &[&format!("Typ {numeral}"), &number.to_string(), &format!("Typ {number}")], draws)
}

fn depth_with_unit(fields: &mut Fields, treatment: &Treatment, draws: &mut Draws) -> bool {
    let there = !treatment.leaves_out(field::NEEDLE_DEPTH_MM);
    let tenths = treatment.depth_um / 100;
    let in_mm = format!("{},{} mm", tenths / 10, tenths % 10);
    let in_um = format!("{} µm", treatment.depth_um);
    let exact = treatment.depth_um.is_multiple_of(100);
    there && set(fields, "needle_depth_mm", &[if exact { &in_mm } else { &in_um }, &in_um], draws)
}

fn unknown_term(fields: &mut Fields, treatment: &Treatment, draws: &mut Draws) -> bool {
    let term = draws.one_of(&["Glanz", "Wärmegefühl", "Gittermuster"]).copied().unwrap_or("Glanz");
    let at = position("side_effects");
    let text = String::from_utf8_lossy(&fields[at]).into_owned();
    let bare = text.trim_matches('"');
    fields[at] = match bare {
        "keine" => term.as_bytes().to_vec(),
        _ => format!("\"{bare}; {term}\"").into_bytes(),
    };
    treatment.asked
}

#[cfg(test)]
mod tests {
    use super::super::german_words::{SIDE_EFFECTS, VALUES};
    use super::*;

    fn mapping() -> toml::Table {
        toml::from_str(super::super::sample::NORDLICHT_MAPPING).expect("TOML")
    }

    #[test]
    fn the_mapping_knows_every_header() {
        let mapping = mapping();
        for column in COLUMNS {
            let found = &mapping["columns"][column.canonical];
            let header = found.as_str().or_else(|| found["from"].as_str());
            assert_eq!(header, Some(column.header), "{}", column.canonical);
        }
        for (table, headers) in [("events", &EVENT_HEADERS[..]), ("assessments", &SCORE_HEADERS[..])] {
            let columns = mapping[table]["columns"].as_table().expect("a table");
            let named: Vec<&str> = columns.values().filter_map(toml::Value::as_str).collect();
            assert!(headers.iter().all(|header| named.contains(header)), "{table}: {named:?}");
        }
    }

    #[test]
    fn the_mapping_knows_every_word() {
        let mapping = mapping();
        for (column, words) in VALUES {
            for (code, word) in *words {
                assert_eq!(mapping["values"][*column][*word].as_str(), Some(*code), "{column}: {word}");
            }
        }
        for (code, first, second) in SIDE_EFFECTS {
            for word in [first, second] {
                assert_eq!(mapping["side_effects"][*word].as_str(), Some(*code), "{word}");
            }
        }
    }

    #[test]
    fn umlauts_are_one_byte() {
        assert_eq!(windows_1252("Rötung µ".as_bytes().to_vec()), b"R\xF6tung \xB5");
    }
}
