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
pub(super) enum Building {
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
    /// Number of each row's patient.
    patient_of: Vec<u32>,
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
        let canonical = CANONICAL.iter().map(|(name, reading)| ((*name).to_owned(), reading.building()));
        let columns = canonical.chain(derived_columns());
        SessionsBuilder {
            columns: columns.filter(|(name, _)| keep(name)).collect(),
            patients: StringDictionaryBuilder::new(),
            patient_key: String::new(),
            patient_of: Vec::new(),
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
        self.patient_of.push(self.patients.append(&self.patient_key).unwrap_or(u32::MAX));
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

    /// Last follow-up of a row.
    #[must_use]
    pub fn follow_up(&self, row: usize) -> Option<Day> {
        let (_, column) = self.columns.iter().find(|(name, _)| name == "last_follow_up_date")?;
        let Building::Date(days, _) = column else { return None };
        let known = days.validity_slice().is_none_or(|known| arrow::util::bit_util::get_bit(known, row));
        days.values_slice().get(row).filter(|_| known).map(|day| Day(*day))
    }

    /// Whether two rows are of the same patient.
    #[must_use]
    pub fn same_patient(&self, one: usize, other: usize) -> bool {
        self.patient_of.get(one) == self.patient_of.get(other)
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

/// How a column is read from a session.
#[derive(Clone, Copy)]
pub(super) enum Reading {
    Text(fn(&Session) -> Option<&str>),
    Code(&'static [&'static str], fn(&Session) -> Option<u8>),
    Number(fn(&Session) -> Option<f64>),
    Integer(fn(&Session) -> Option<i32>),
    Date(fn(&Session) -> Option<Day>),
}

impl Reading {
    fn building(self) -> Building {
        match self {
            Reading::Text(read) => Building::Text(StringDictionaryBuilder::new(), read),
            Reading::Code(codes, read) => Building::Code(UInt8Builder::new(), codes, read),
            Reading::Number(read) => Building::Number(Float64Builder::new(), read),
            Reading::Integer(read) => Building::Integer(Int32Builder::new(), read),
            Reading::Date(read) => Building::Date(Date32Builder::new(), read),
        }
    }
}

const fn whole(value: Option<u32>) -> Option<i32> {
    match value {
        // Every whole number of a session is far below 2^31 (`domain::COLUMNS`).
        #[expect(clippy::cast_possible_wrap, reason = "checked")]
        Some(value) if value <= i32::MAX as u32 => Some(value as i32),
        _ => None,
    }
}

/// The canonical columns but for the ids of session and patient and the lists, which are held otherwise.
pub(super) const CANONICAL: &[(&str, Reading)] = &[
    ("clinic_id", Reading::Text(|s| Some(&s.clinic_id))),
    ("practitioner_id", Reading::Text(|s| s.practitioner_id.as_deref())),
    ("state", Reading::Text(|s| s.state.as_deref())),
    ("practitioner_credential", Reading::Code(Credential::CODES, |s| s.practitioner_credential.map(|c| c as u8))),
    ("practitioner_experience_years", Reading::Number(|s| s.practitioner_experience_years)),
    ("session_date", Reading::Date(|s| Some(s.session_date))),
    ("course_session", Reading::Integer(|s| whole(s.course_session))),
    ("setting", Reading::Code(Setting::CODES, |s| Some(s.setting as u8))),
    ("modality", Reading::Code(Modality::CODES, |s| Some(s.modality as u8))),
    ("device_model", Reading::Text(|s| s.device_model.as_deref())),
    ("device_lot", Reading::Text(|s| s.device_lot.as_deref())),
    ("firmware", Reading::Text(|s| s.firmware.as_deref())),
    ("needle_depth_mm", Reading::Number(|s| s.needle_depth_mm)),
    ("needle_count", Reading::Integer(|s| whole(s.needle_count))),
    ("passes", Reading::Integer(|s| whole(s.passes))),
    ("rf_energy_mj", Reading::Number(|s| s.rf_energy_mj)),
    ("rf_pulse_ms", Reading::Number(|s| s.rf_pulse_ms)),
    ("body_area", Reading::Code(BodyArea::CODES, |s| Some(s.body_area as u8))),
    ("side", Reading::Code(Side::CODES, |s| s.side.map(|c| c as u8))),
    ("indication", Reading::Code(Indication::CODES, |s| Some(s.indication as u8))),
    ("age_years", Reading::Integer(|s| whole(s.age_years))),
    ("sex", Reading::Code(Sex::CODES, |s| s.sex.map(|c| c as u8))),
    ("fitzpatrick", Reading::Code(Fitzpatrick::NUMERALS, |s| s.fitzpatrick.map(|f| f.number() - 1))),
    ("monk", Reading::Code(Monk::TONES, |s| s.monk.map(|m| m.number() - 1))),
    ("ita_degrees", Reading::Number(|s| s.ita_degrees)),
    ("skin_sensitivity", Reading::Code(YesNo::CODES, |s| s.skin_sensitivity.map(|c| c as u8))),
    ("skin_thickness", Reading::Code(SkinThickness::CODES, |s| s.skin_thickness.map(|c| c as u8))),
    ("numbing_agent", Reading::Code(NumbingAgent::CODES, |s| s.numbing_agent.map(|c| c as u8))),
    ("retinoid_stop_days", Reading::Integer(|s| whole(s.retinoid_stop_days))),
    ("sterile_single_use", Reading::Code(YesNo::CODES, |s| s.sterile_single_use.map(|c| c as u8))),
    ("sunscreen_daily", Reading::Code(YesNo::CODES, |s| s.sunscreen_daily.map(|c| c as u8))),
    ("sun_exposure", Reading::Code(YesNo::CODES, |s| s.sun_exposure.map(|c| c as u8))),
    ("gentle_products", Reading::Code(YesNo::CODES, |s| s.gentle_products.map(|c| c as u8))),
    ("moisturiser", Reading::Code(YesNo::CODES, |s| s.moisturiser.map(|c| c as u8))),
    ("picking", Reading::Code(YesNo::CODES, |s| s.picking.map(|c| c as u8))),
    ("exfoliant", Reading::Code(YesNo::CODES, |s| s.exfoliant.map(|c| c as u8))),
    ("pain_vas", Reading::Number(|s| s.pain_vas)),
    ("return_to_activity_days", Reading::Integer(|s| whole(s.return_to_activity_days))),
    ("last_follow_up_date", Reading::Date(|s| s.last_follow_up_date)),
];

/// Columns made from canonical ones, so that a pipeline can group and filter by them.
fn derived_columns() -> Vec<(String, Building)> {
    let mut columns = vec![
        (
            "fitzpatrick_number".to_owned(),
            Reading::Integer(|s| s.fitzpatrick.map(|f| i32::from(f.number()))).building(),
        ),
        (
            "ita_class".to_owned(),
            Reading::Code(ItaClass::CODES, |s| s.ita_degrees.map(|degrees| ItaClass::of(degrees) as u8)).building(),
        ),
        ("session_month".to_owned(), Building::Month(StringDictionaryBuilder::new(), None)),
        (
            "follow_up_days".to_owned(),
            Reading::Integer(|s| s.last_follow_up_date.map(|day| day.since(s.session_date))).building(),
        ),
    ];
    for (index, name) in Condition::CODES.iter().enumerate() {
        columns.push(((*name).to_owned(), Building::Member(UInt8Builder::new(), index, |s| s.conditions)));
    }
    for (index, name) in Topical::CODES.iter().enumerate() {
        columns.push((format!("topical_{name}"), Building::Member(UInt8Builder::new(), index, |s| s.topicals)));
    }
    columns
}
