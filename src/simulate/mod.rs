//! Session logs with a known truth, for tests and for trying things out.
//!
//! A [`Plan`] says how much, when and where, and holds the [`Truth`]: every parameter with its size. The same plan
//! gives the same bytes on every machine. Patients are drawn one after another from streams of their own, so a log of
//! any size needs the memory of one patient.
//!
//! Knows no clock, no environment and no random number but the seed's. Imports domain only.

mod calendar;
mod canonical;
mod course;
mod dialect;
mod draws;
mod effect_table;
mod effects;
mod field;
mod german;
mod german_words;
mod ills;
pub mod influence;
mod messy;
mod model;
mod patient;
mod plan;
mod reference;
mod row;
mod sample;
mod scores;
mod session;
mod tally;
mod treatment;
pub mod truth;
mod truth_file;
mod world;
mod write;

pub use course::Course;
pub use ills::Verdict;
pub use messy::Planted;
pub use model::Model;
pub use patient::Patient;
pub use plan::{Clinics, Plan, Site};
pub use reference::{Reference, TypeRisk, base_risk_for, reference};
pub use sample::{write_foreign, write_sample_data};
pub use scores::{Score, scores};
pub use session::SimulatedSession;
pub use tally::{ClinicCount, EffectCount, States, Tally, TypeCount};
pub use treatment::{Heard, Occurred, Treatment};
pub use truth::Truth;
pub use world::{Clinic, DEVICES, Device, Practitioner};
pub use write::{Outputs, Summary, simulate, simulate_into};

/// The courses of a plan, patient by patient, until its number of sessions is reached.
///
/// ```
/// use stipple::simulate::{Courses, Model, Plan};
/// let plan = Plan::new(1_000, 7);
/// let model = Model::new(&plan);
/// let sessions: usize = Courses::new(&model).map(|course| course.treatments.len()).sum();
/// assert_eq!(sessions, 1_000);
/// ```
#[derive(Debug)]
pub struct Courses<'m, 'p> {
    model: &'m Model<'p>,
    first_stream: u64,
    patients: u64,
    sessions: u64,
    most_sessions: u64,
}

impl<'m, 'p> Courses<'m, 'p> {
    /// The courses of a plan made ready.
    #[must_use]
    pub fn new(model: &'m Model<'p>) -> Courses<'m, 'p> {
        Courses { model, first_stream: 0, patients: 0, sessions: 0, most_sessions: model.plan.sessions }
    }

    /// Courses without end, from streams that the log does not use.
    fn of_streams(model: &'m Model<'p>, first_stream: u64) -> Courses<'m, 'p> {
        Courses { model, first_stream, patients: 0, sessions: 0, most_sessions: u64::MAX }
    }
}

impl Iterator for Courses<'_, '_> {
    type Item = Course;

    fn next(&mut self) -> Option<Course> {
        let left = self.most_sessions - self.sessions;
        if left == 0 {
            return None;
        }
        let mut draws = self.model.streams.stream(self.first_stream + self.patients);
        self.patients += 1;
        let mut course = course::draw(self.model, self.patients, self.sessions + 1, &mut draws);
        course.treatments.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        self.sessions += course.treatments.len() as u64;
        Some(course)
    }
}

/// The sessions of a plan as a reader of the log would see them, each with its late events and its hidden truth.
///
/// ```
/// use stipple::simulate::{Model, Plan, sessions};
/// let plan = Plan::plain(200, 7);
/// let model = Model::new(&plan);
/// let mean_risk = sessions(&model).map(|one| one.truth.pih_risk).sum::<f64>() / 200.0;
/// assert!((0.01..0.08).contains(&mean_risk));
/// ```
pub fn sessions<'m>(model: &'m Model<'_>) -> impl Iterator<Item = SimulatedSession> + 'm {
    Courses::new(model).flat_map(|course| course.treatments).map(|treatment| SimulatedSession::of(model, treatment))
}
