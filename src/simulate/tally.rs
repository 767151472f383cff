//! What is in the log that was written: exact counts, by the rules of the three states, and what the model expected.

use super::model::Model;
use super::treatment::Treatment;
use serde::Serialize;

/// How often a side effect is present, confirmed absent and not assessed, by what the log says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct States {
    /// Listed for the session, in its row or in the events file.
    pub present: u64,
    /// Not listed, asked, and followed up to the end of the window.
    pub confirmed_absent: u64,
    /// Neither.
    pub not_assessed: u64,
}

impl States {
    fn add(&mut self, present: bool, absent: bool) {
        match (present, absent) {
            (true, _) => self.present += 1,
            (false, true) => self.confirmed_absent += 1,
            (false, false) => self.not_assessed += 1,
        }
    }
}

/// Counts of one side effect.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct EffectCount {
    /// Code in the catalogue.
    pub code: &'static str,
    /// Sessions after which it truly occurred, whether or not anybody heard of it.
    pub truly_occurred: u64,
    /// What the log says.
    pub in_the_log: States,
}

/// PIH of one Fitzpatrick type.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TypeCount {
    /// `I` … `VI`, or `(missing)`.
    pub fitzpatrick: &'static str,
    /// Sessions.
    pub sessions: u64,
    /// Sum of the model's exact risks over these very sessions.
    pub expected: f64,
    /// Sessions after which PIH truly occurred.
    pub truly_occurred: u64,
    /// What the log says.
    pub in_the_log: States,
    /// Mean needle depth: treated more shallowly, the darker the skin.
    pub mean_depth_mm: f64,
}

/// Counts of one clinic.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ClinicCount {
    /// Id in the log.
    pub clinic_id: String,
    /// Sessions.
    pub sessions: u64,
    /// Sessions after which somebody asked.
    pub asked: u64,
    /// PIH, by what the log says.
    pub pih: States,
}

/// Exact counts of a log; in a messy one of the rows that can be accepted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tally {
    /// Sessions.
    pub sessions: u64,
    /// Patients with at least one session.
    pub patients: u64,
    /// Each side effect.
    pub side_effects: Vec<EffectCount>,
    /// PIH by the type as the log has it.
    pub pih_by_recorded_fitzpatrick: Vec<TypeCount>,
    /// PIH by the true type, missing ones included.
    pub pih_by_true_fitzpatrick: Vec<TypeCount>,
    /// Each clinic.
    pub clinics: Vec<ClinicCount>,
    /// One bit a patient that was seen: rows may come in any order, and there may be millions.
    #[serde(skip)]
    seen_patients: Vec<u64>,
}

const TYPES: [&str; 7] = ["I", "II", "III", "IV", "V", "VI", "(missing)"];

impl Tally {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(model: &Model<'_>) -> Tally {
        let types = |count: usize| {
            TYPES[..count].iter().map(|name| TypeCount { fitzpatrick: name, ..TypeCount::default() }).collect()
        };
        let clinic = |clinic: &super::world::Clinic| ClinicCount {
            clinic_id: clinic.clinic_id.clone(),
            ..ClinicCount::default()
        };
        let effect = |effect: &super::truth::EffectTruth| EffectCount { code: effect.code, ..EffectCount::default() };
        Tally {
            sessions: 0,
            patients: 0,
            side_effects: model.plan.truth.side_effects.iter().map(effect).collect(),
            pih_by_recorded_fitzpatrick: types(7),
            pih_by_true_fitzpatrick: types(6),
            clinics: model.clinics.iter().map(clinic).collect(),
            seen_patients: Vec::new(),
        }
    }

    fn see_patient(&mut self, patient: u64) {
        let (word, bit) = (usize::try_from(patient / 64).unwrap_or(usize::MAX), 1 << (patient % 64));
        if self.seen_patients.len() <= word {
            self.seen_patients.resize(word + 1, 0);
        }
        self.patients += u64::from(self.seen_patients[word] & bit == 0);
        self.seen_patients[word] |= bit;
    }

    /// Counts a session.
    pub fn count(&mut self, model: &Model<'_>, treatment: &Treatment) {
        self.sessions += 1;
        self.see_patient(treatment.patient);
        let clinic = &mut self.clinics[treatment.clinic];
        clinic.sessions += 1;
        clinic.asked += u64::from(treatment.asked);
        let followed_days =
            treatment.recorded_follow_up().filter(|_| treatment.asked).map(|day| day.since(treatment.date));
        for (at, coded) in model.effects.iter().enumerate() {
            let truly = treatment.had(at);
            let present = truly && treatment.listed().any(|listed| listed.effect == at);
            let absent = followed_days.is_some_and(|days| days >= coded.window_days);
            let count = &mut self.side_effects[at];
            count.truly_occurred += u64::from(truly);
            count.in_the_log.add(present, absent);
            if coded.is_pih {
                clinic.pih.add(present, absent);
                let recorded = treatment.recorded_fitzpatrick().map_or(6, |number| usize::from(number - 1));
                self.pih_by_recorded_fitzpatrick[recorded].add(treatment, truly, (present, absent));
                let true_type = usize::from(treatment.fitzpatrick - 1);
                self.pih_by_true_fitzpatrick[true_type].add(treatment, truly, (present, absent));
            }
        }
    }
}

impl TypeCount {
    fn add(&mut self, treatment: &Treatment, truly: bool, (present, absent): (bool, bool)) {
        self.sessions += 1;
        self.expected += treatment.pih_risk;
        self.truly_occurred += u64::from(truly);
        self.in_the_log.add(present, absent);
        // A running mean, so that the field is right at every moment.
        let n = f64::from(u32::try_from(self.sessions).unwrap_or(u32::MAX));
        self.mean_depth_mm += (f64::from(treatment.depth_um) / 1_000.0 - self.mean_depth_mm) / n;
    }
}
