//! Writes a simulated log: sessions, events, assessments and the truth.

use super::canonical;
use super::course::Course;
use super::dialect::CANONICAL;
use super::messy::{Mess, Planted};
use super::model::Model;
use super::plan::Plan;
use super::row::Row;
use super::scores::scores;
use super::tally::Tally;
use super::treatment::Treatment;
use super::{Courses, truth_file};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Where the files of a log go.
#[derive(Debug)]
pub struct Outputs<W> {
    /// `sessions.csv`.
    pub sessions: W,
    /// `sessions_2.csv`: of a messy log the last fifth, with a byte-order mark and CRLF, and with repeats and
    /// amendments of rows of the first file.
    pub second: W,
    /// `events.csv`.
    pub events: W,
    /// `assessments.csv`.
    pub assessments: W,
    /// `truth.json`.
    pub truth: W,
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Rows in the session files, headers not counted.
    pub session_rows: u64,
    /// Rows in the events file.
    pub event_rows: u64,
    /// Rows in the assessments file.
    pub assessment_rows: u64,
    /// Exact counts of the log.
    pub tally: Tally,
    /// What was planted into a messy log.
    pub planted: Planted,
}

/// Writes a log into a directory, which is made when it is missing: `sessions.csv` (and `sessions_2.csv` when messy),
/// `events.csv`, `assessments.csv` and `truth.json`.
///
/// # Errors
/// When a file cannot be made or written.
pub fn simulate_into(plan: &Plan, directory: &Path) -> io::Result<Summary> {
    std::fs::create_dir_all(directory)?;
    let create = |name: &str| -> io::Result<Box<dyn Write>> {
        Ok(Box::new(BufWriter::with_capacity(1 << 18, File::create(directory.join(name))?)))
    };
    let second = directory.join("sessions_2.csv");
    if !plan.messy && second.exists() {
        // Left by an earlier messy run: it would be read as part of this log.
        std::fs::remove_file(&second)?;
    }
    let mut outputs = Outputs {
        sessions: create("sessions.csv")?,
        second: if plan.messy { create("sessions_2.csv")? } else { Box::new(io::sink()) },
        events: create("events.csv")?,
        assessments: create("assessments.csv")?,
        truth: create("truth.json")?,
    };
    simulate(plan, &mut outputs)
}

/// Writes a log.
///
/// # Errors
/// When an output cannot be written.
pub fn simulate<W: Write>(plan: &Plan, outputs: &mut Outputs<W>) -> io::Result<Summary> {
    let model = Model::new(plan);
    let mut writer = Writer::new(&model, outputs)?;
    for course in Courses::new(&model) {
        writer.course(&course)?;
    }
    let summary = writer.finish()?;
    truth_file::write(&model, &summary, &mut outputs.truth)?;
    for output in
        [&mut outputs.sessions, &mut outputs.second, &mut outputs.events, &mut outputs.assessments, &mut outputs.truth]
    {
        output.flush()?;
    }
    Ok(summary)
}

struct Writer<'m, 'p, 'o, W> {
    model: &'m Model<'p>,
    outputs: &'o mut Outputs<W>,
    mess: Option<Mess<'static>>,
    row: Row,
    in_second: bool,
    tally: Tally,
    event_rows: u64,
    assessment_rows: u64,
}

impl<'m, 'p, 'o, W: Write> Writer<'m, 'p, 'o, W> {
    fn new(model: &'m Model<'p>, outputs: &'o mut Outputs<W>) -> io::Result<Self> {
        let mut row = Row::default();
        canonical::session_header(&mut row);
        row.write(b',', b"\n", &mut outputs.sessions)?;
        canonical::event_header(&mut row);
        row.write(b',', b"\n", &mut outputs.events)?;
        canonical::score_header(&mut row);
        row.write(b',', b"\n", &mut outputs.assessments)?;
        Ok(Writer {
            model,
            outputs,
            mess: model.plan.messy.then(|| Mess::new(model, &CANONICAL)),
            row,
            in_second: false,
            tally: Tally::new(model),
            event_rows: 0,
            assessment_rows: 0,
        })
    }

    fn course(&mut self, course: &Course) -> io::Result<()> {
        for treatment in &course.treatments {
            if self.session(treatment)? {
                self.tally.count(self.model, treatment);
                self.events(treatment)?;
            }
        }
        for score in scores(self.model, course) {
            canonical::score_row(self.model, course, &score, &mut self.row);
            self.row.write(b',', b"\n", &mut self.outputs.assessments)?;
            self.assessment_rows += 1;
        }
        Ok(())
    }

    /// Writes the row; `false` when it was spoilt beyond use.
    fn session(&mut self, treatment: &Treatment) -> io::Result<bool> {
        let Some(mess) = &mut self.mess else {
            canonical::session_row(self.model, treatment, &mut self.row);
            self.row.write(b',', b"\n", &mut self.outputs.sessions)?;
            return Ok(true);
        };
        if !self.in_second && treatment.session * 5 > self.model.plan.sessions * 4 {
            self.in_second = true;
            second_file(mess, self.outputs, &mut self.row)?;
        }
        canonical::session_row(self.model, treatment, &mut self.row);
        let out = if self.in_second { &mut self.outputs.second } else { &mut self.outputs.sessions };
        mess.session(&mut self.row, treatment, out)
    }

    fn events(&mut self, treatment: &Treatment) -> io::Result<()> {
        for occurred in treatment.late() {
            canonical::event_row(self.model, treatment, occurred, &mut self.row);
            self.row.write(b',', b"\n", &mut self.outputs.events)?;
            self.event_rows += 1;
        }
        if let Some(mess) = &mut self.mess {
            mess.stray_events(self.model, treatment, &mut self.outputs.events)?;
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<Summary> {
        let mut planted = Planted::default();
        if let Some(mut mess) = self.mess.take() {
            if !self.in_second {
                second_file(&mut mess, self.outputs, &mut self.row)?;
            }
            mess.end_file(&mut self.outputs.second)?;
            mess.break_off(self.model, &mut self.outputs.second)?;
            planted = mess.planted;
        }
        let more = planted.of(super::ills::Verdict::Superseded) + planted.count("truncated_last_line");
        Ok(Summary {
            session_rows: self.model.plan.sessions + more,
            event_rows: self.event_rows + planted.of(super::ills::Verdict::EventSetAside),
            assessment_rows: self.assessment_rows,
            tally: self.tally,
            planted,
        })
    }
}

/// Ends the first file of a messy log and begins the second.
fn second_file<W: Write>(mess: &mut Mess<'_>, outputs: &mut Outputs<W>, row: &mut Row) -> io::Result<()> {
    mess.end_file(&mut outputs.sessions)?;
    mess.may_keep_back = false;
    canonical::session_header(row);
    mess.begin_file(row, true, &mut outputs.second)
}
