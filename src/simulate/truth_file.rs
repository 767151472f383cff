//! `truth.json`: what was put in, what an estimator should find, and what is exactly there.

use super::messy::Planted;
use super::model::Model;
use super::plan::Clinics;
use super::reference::{Reference, nine_digits, reference};
use super::tally::Tally;
use super::truth::Truth;
use super::world::{Clinic, DEVICES};
use super::write::Summary;
use serde::Serialize;
use std::io::{self, Write};

/// Reference patients that the true risks are averaged over.
const REFERENCE_PATIENTS: usize = 40_000;

#[derive(Serialize)]
struct File<'a> {
    format: u32,
    how_to_read: [&'static str; 7],
    seed: u64,
    sessions: u64,
    messy: bool,
    first_day: String,
    last_day: String,
    data_cut: String,
    true_pih_risk: Reference,
    parameters: &'a Truth,
    sites: &'a Clinics,
    clinics: &'a [Clinic],
    bad_lot_model: &'static str,
    never_occurs: Vec<&'static str>,
    rows: Rows,
    in_this_log: Tally,
    planted: &'a Planted,
}

#[derive(Serialize)]
struct Rows {
    session_rows: u64,
    session_rows_to_be_refused: u64,
    session_rows_to_be_superseded: u64,
    event_rows: u64,
    assessment_rows: u64,
}

const HOW_TO_READ: [&str; 7] = [
    "parameters.side_effects: base_risk is the risk of a session without any factor; each influence multiplies the odds.",
    "The odds ratios are conditional and population-averaged at once: a side effect occurs when a uniform number is below \
     the session's risk, and sessions of one patient are alike because they share that number with probability \
     patient_copy_probability, not because of a random effect on the logit.",
    "true_pih_risk: mean of the model's exact risks over reference patients; what a complete count would find.",
    "in_this_log: exact counts of the rows that can be accepted, by the rules of the three states; a reader of the log \
     must find these very numbers.",
    "present counts whatever was heard of, confirmed absent only what was followed up to the end of its window; patients \
     lost early therefore raise present / (present + confirmed absent) a little over the true risk.",
    "planted: faults by name, and the verdict that a reader must come to.",
    "Sizes without a published source are assumed: skin type mix, PIH odds ratios, infection, scarring and burn risks, \
     effects of training and experience, durations, missing values.",
];

/// Writes the file.
pub(super) fn write(model: &Model<'_>, summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let plan = model.plan;
    let never = plan.truth.side_effects.iter().filter(|effect| effect.base_risk <= 0.0);
    let refused = summary.planted.of(super::ills::Verdict::Refused);
    let mut tally = summary.tally.clone();
    for count in tally.pih_by_recorded_fitzpatrick.iter_mut().chain(&mut tally.pih_by_true_fitzpatrick) {
        count.expected = nine_digits(count.expected);
        count.mean_depth_mm = nine_digits(count.mean_depth_mm);
    }
    let file = File {
        format: 1,
        how_to_read: HOW_TO_READ,
        seed: plan.seed,
        sessions: plan.sessions,
        messy: plan.messy,
        first_day: plan.first_day.to_string(),
        last_day: plan.last_day.to_string(),
        data_cut: plan.data_cut.to_string(),
        true_pih_risk: reference(model, REFERENCE_PATIENTS),
        parameters: &plan.truth,
        sites: &plan.clinics,
        clinics: &model.clinics,
        bad_lot_model: DEVICES.get(plan.truth.bad_lot.device).map_or("", |device| device.model),
        never_occurs: never.map(|effect| effect.code).collect(),
        rows: Rows {
            session_rows: summary.session_rows,
            session_rows_to_be_refused: refused,
            session_rows_to_be_superseded: summary.planted.of(super::ills::Verdict::Superseded),
            event_rows: summary.event_rows,
            assessment_rows: summary.assessment_rows,
        },
        in_this_log: tally,
        planted: &summary.planted,
    };
    serde_json::to_writer_pretty(&mut *out, &file)?;
    out.write_all(b"\n")
}
