//! Validated sessions into columns, row by row.

use super::table::{self, SessionTable};
use crate::domain::codes::{
    BodyArea, CodeSet, Condition, Credential, Indication, Modality, NumbingAgent, Setting, Sex, Side, SkinThickness,
    Topical, YesNo,
};
use crate::domain::{Asked, Day, EffectId, Fitzpatrick, Grade, ItaClass, Monk, Place, Resolution, Session};
use arrow::array::{
    ArrayRef, Date32Builder, DictionaryArray, Float64Builder, Int32Builder, StringArray, StringDictionaryBuilder,
    UInt8Array, UInt8Builder,
};
use arrow::datatypes::{UInt8Type, UInt32Type};
use std::sync::Arc;

/// A side effect of a session, from its own row or from an events file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occurrence {
    /// Row of the session in the table.
    pub session: u32,
    /// Which side effect.
    pub effect: EffectId,
    /// Severity, when given.
    pub grade: Option<Grade>,
    /// First day, when given.
    pub onset: Option<Day>,
    /// Day of the report, when it came apart from the session's row.
    pub reported: Option<Day>,
    /// How it ended.
    pub resolution: Resolution,
}

/// A column under construction, with the way to read it from a session.
enum Building {
    Text(StringDictionaryBuilder<UInt32Type>, fn(&Session) -> Option<&str>),
    Code(UInt8Builder, &'static [&'static str], fn(&Session) -> Option<u8>),
    Member(UInt8Builder, usize, fn(&Session) -> Option<CodeSet>),
    Number(Float64Builder, fn(&Session) -> Option<f64>),
    Integer(Int32Builder, fn(&Session) -> Option<i32>),
    Date(Date32Builder, fn(&Session) -> Option<Day>),
    Month(StringDictionaryBuilder<UInt32Type>, Option<(Day, String)>),
}

/// Collects sessions into columns; [`SessionsBuilder::finish`] drops the superseded ones.
pub struct SessionsBuilder {
    columns: Vec<(String, Building)>,
    patients: StringDictionaryBuilder<UInt32Type>,
    patient_key: String,
    asked: Vec<bool>,
    places: Vec<Place>,
    occurrences: Vec<Occurrence>,
    superseded: Vec<bool>,
}

impl Default for SessionsBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl SessionsBuilder {
    /// A builder of no sessions, with every column.
    #[must_use]
    pub fn new() -> SessionsBuilder {
        Self::with_columns(|_| true)
    }

    /// A builder of no sessions that keeps only what joining events needs.
    #[must_use]
    pub fn for_joining() -> SessionsBuilder {
        Self::with_columns(|name| ["session_date", "last_follow_up_date", "body_area"].contains(&name))
    }

    fn with_columns(keep: impl Fn(&str) -> bool) -> SessionsBuilder {
        let columns = canonical_columns().into_iter().chain(derived_columns());
        SessionsBuilder {
            columns: columns.filter(|(name, _)| keep(name)).collect(),
            patients: StringDictionaryBuilder::new(),
            patient_key: String::new(),
            asked: Vec::new(),
            places: Vec::new(),
            occurrences: Vec::new(),
            superseded: Vec::new(),
        }
    }

    /// Adds a session of source number `source` and returns its row. Patients of different sources are different
    /// patients, whatever their identifiers.
    pub fn push(&mut self, source: usize, place: Place, session: &Session) -> u32 {
        let row = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        for (_, column) in &mut self.columns {
            column.push(session);
        }
        self.set_patient_key(source, &session.patient_id);
        self.patients.append_value(&self.patient_key);
        self.places.push(place);
        self.superseded.push(false);
        let asked = matches!(session.side_effects, Asked::Yes(_));
        self.asked.push(asked);
        if let Asked::Yes(reported) = &session.side_effects {
            self.occurrences.extend(reported.iter().map(|effect| Occurrence {
                session: row,
                effect: effect.effect,
                grade: effect.grade,
                onset: effect.onset,
                reported: None,
                resolution: effect.resolution,
            }));
        }
        row
    }

    /// Rows pushed so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether nothing was pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    fn set_patient_key(&mut self, source: usize, patient_id: &str) {
        self.patient_key.clear();
        self.patient_key.push_str(&source.to_string());
        self.patient_key.push('/');
        self.patient_key.push_str(patient_id);
    }

    /// Marks an earlier row as superseded by a later one.
    pub fn supersede(&mut self, row: usize) {
        if let Some(mark) = self.superseded.get_mut(row) {
            *mark = true;
        }
    }

    /// The table of the sessions that stand, and for each row pushed its row in the table (`None` = superseded).
    #[must_use]
    pub fn finish(self) -> (SessionTable, Vec<Option<u32>>) {
        let mut next = 0;
        let rows: Vec<Option<u32>> = self
            .superseded
            .iter()
            .map(|superseded| {
                (!superseded).then(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        let columns = self.columns.into_iter().map(|(name, column)| (name, column.finish())).collect();
        let mut patients = self.patients;
        let occurrences = self
            .occurrences
            .into_iter()
            .filter_map(|occurrence| Some(Occurrence { session: rows[occurrence.session as usize]?, ..occurrence }))
            .collect();
        let raw = table::Raw {
            columns,
            patients: patients.finish(),
            asked: self.asked,
            places: self.places,
            keep: self.superseded.iter().map(|superseded| !superseded).collect(),
        };
        (SessionTable::new(raw, occurrences), rows)
    }
}

impl Building {
    fn push(&mut self, session: &Session) {
        match self {
            Building::Text(builder, read) => builder.append_option(read(session)),
            Building::Code(builder, _, read) => builder.append_option(read(session)),
            Building::Member(builder, index, read) => {
                builder.append_option(read(session).map(|set| u8::from(set.has(*index))));
            }
            Building::Number(builder, read) => builder.append_option(read(session)),
            Building::Integer(builder, read) => builder.append_option(read(session)),
            Building::Date(builder, read) => builder.append_option(read(session).map(|day| day.0)),
            Building::Month(builder, last) => {
                let day = session.session_date;
                if last.as_ref().is_none_or(|(known, _)| *known != day) {
                    *last = Some((day, day.month_text()));
                }
                builder.append_option(last.as_ref().map(|(_, text)| text.as_str()));
            }
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Building::Text(mut builder, _) | Building::Month(mut builder, _) => Arc::new(builder.finish()),
            Building::Code(mut builder, codes, _) => Arc::new(coded(&builder.finish(), codes)),
            Building::Member(mut builder, ..) => Arc::new(coded(&builder.finish(), YesNo::CODES)),
            Building::Number(mut builder, _) => Arc::new(builder.finish()),
            Building::Integer(mut builder, _) => Arc::new(builder.finish()),
            Building::Date(mut builder, _) => Arc::new(builder.finish()),
        }
    }
}

fn coded(keys: &UInt8Array, codes: &[&str]) -> DictionaryArray<UInt8Type> {
    DictionaryArray::new(keys.clone(), Arc::new(StringArray::from(codes.to_vec())))
}

fn text(name: &str, read: fn(&Session) -> Option<&str>) -> (String, Building) {
    (name.to_owned(), Building::Text(StringDictionaryBuilder::new(), read))
}

fn code(name: &str, codes: &'static [&'static str], read: fn(&Session) -> Option<u8>) -> (String, Building) {
    (name.to_owned(), Building::Code(UInt8Builder::new(), codes, read))
}

fn yes_no(name: &str, read: fn(&Session) -> Option<u8>) -> (String, Building) {
    code(name, YesNo::CODES, read)
}

fn number(name: &str, read: fn(&Session) -> Option<f64>) -> (String, Building) {
    (name.to_owned(), Building::Number(Float64Builder::new(), read))
}

fn integer(name: &str, read: fn(&Session) -> Option<i32>) -> (String, Building) {
    (name.to_owned(), Building::Integer(Int32Builder::new(), read))
}

fn date(name: &str, read: fn(&Session) -> Option<Day>) -> (String, Building) {
    (name.to_owned(), Building::Date(Date32Builder::new(), read))
}

fn whole(value: Option<u32>) -> Option<i32> {
    value.and_then(|value| i32::try_from(value).ok())
}

/// The canonical columns but for the patient and the lists, which are held otherwise.
fn canonical_columns() -> Vec<(String, Building)> {
    vec![
        text("clinic_id", |s| Some(&s.clinic_id)),
        text("practitioner_id", |s| s.practitioner_id.as_deref()),
        text("state", |s| s.state.as_deref()),
        code("practitioner_credential", Credential::CODES, |s| s.practitioner_credential.map(|c| c as u8)),
        number("practitioner_experience_years", |s| s.practitioner_experience_years),
        date("session_date", |s| Some(s.session_date)),
        integer("course_session", |s| whole(s.course_session)),
        code("setting", Setting::CODES, |s| Some(s.setting as u8)),
        code("modality", Modality::CODES, |s| Some(s.modality as u8)),
        text("device_model", |s| s.device_model.as_deref()),
        text("device_lot", |s| s.device_lot.as_deref()),
        text("firmware", |s| s.firmware.as_deref()),
        number("needle_depth_mm", |s| s.needle_depth_mm),
        integer("needle_count", |s| whole(s.needle_count)),
        integer("passes", |s| whole(s.passes)),
        number("rf_energy_mj", |s| s.rf_energy_mj),
        number("rf_pulse_ms", |s| s.rf_pulse_ms),
        code("body_area", BodyArea::CODES, |s| Some(s.body_area as u8)),
        code("side", Side::CODES, |s| s.side.map(|c| c as u8)),
        code("indication", Indication::CODES, |s| Some(s.indication as u8)),
        integer("age_years", |s| whole(s.age_years)),
        code("sex", Sex::CODES, |s| s.sex.map(|c| c as u8)),
        code("fitzpatrick", Fitzpatrick::NUMERALS, |s| s.fitzpatrick.map(|f| f.number() - 1)),
        code("monk", Monk::TONES, |s| s.monk.map(|m| m.number() - 1)),
        number("ita_degrees", |s| s.ita_degrees),
        yes_no("skin_sensitivity", |s| s.skin_sensitivity.map(|c| c as u8)),
        code("skin_thickness", SkinThickness::CODES, |s| s.skin_thickness.map(|c| c as u8)),
        code("numbing_agent", NumbingAgent::CODES, |s| s.numbing_agent.map(|c| c as u8)),
        integer("retinoid_stop_days", |s| whole(s.retinoid_stop_days)),
        yes_no("sterile_single_use", |s| s.sterile_single_use.map(|c| c as u8)),
        yes_no("sunscreen_daily", |s| s.sunscreen_daily.map(|c| c as u8)),
        yes_no("sun_exposure", |s| s.sun_exposure.map(|c| c as u8)),
        yes_no("gentle_products", |s| s.gentle_products.map(|c| c as u8)),
        yes_no("moisturiser", |s| s.moisturiser.map(|c| c as u8)),
        yes_no("picking", |s| s.picking.map(|c| c as u8)),
        yes_no("exfoliant", |s| s.exfoliant.map(|c| c as u8)),
        number("pain_vas", |s| s.pain_vas),
        integer("return_to_activity_days", |s| whole(s.return_to_activity_days)),
        date("last_follow_up_date", |s| s.last_follow_up_date),
    ]
}

/// Columns made from canonical ones, so that a pipeline can group and filter by them.
fn derived_columns() -> Vec<(String, Building)> {
    let mut columns = vec![
        integer("fitzpatrick_number", |s| s.fitzpatrick.map(|f| i32::from(f.number()))),
        code("ita_class", ItaClass::CODES, |s| s.ita_degrees.map(|degrees| ItaClass::of(degrees) as u8)),
        ("session_month".to_owned(), Building::Month(StringDictionaryBuilder::new(), None)),
        integer("follow_up_days", |s| s.last_follow_up_date.map(|day| day.since(s.session_date))),
    ];
    for (index, name) in Condition::CODES.iter().enumerate() {
        columns.push(((*name).to_owned(), Building::Member(UInt8Builder::new(), index, |s| s.conditions)));
    }
    for (index, name) in Topical::CODES.iter().enumerate() {
        columns.push((format!("topical_{name}"), Building::Member(UInt8Builder::new(), index, |s| s.topicals)));
    }
    columns
}
