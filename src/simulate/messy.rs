//! A log as real ones are: spoilt rows, repeats, amendments, stray events; each planted fault is counted.

use super::canonical;
use super::dialect::Dialect;
use super::draws::{Draws, whole_between};
use super::ills::{Fields, Ill, Verdict};
use super::model::Model;
use super::row::{Row, push_field};
use super::treatment::{Heard, Occurred, Treatment};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};

/// Number of the stream of faults.
const FAULT_STREAM: u64 = u64::MAX - 1;
/// Share of rows that come twice with the same content.
const REPEATED: f64 = 0.004;
/// Share of rows that come first with other content.
const AMENDED: f64 = 0.003;
/// Share of sessions that get a stray event of each kind.
const STRAY_EVENT: f64 = 0.0015;
/// Most rows kept back for the next file, so that memory stays bounded.
const MOST_KEPT_BACK: usize = 200;

/// What was planted, and how often.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Planted {
    /// How often, by name.
    pub counts: BTreeMap<&'static str, u64>,
    /// What a reader must make of it, by name.
    pub verdicts: BTreeMap<&'static str, Verdict>,
}

impl Planted {
    /// Counts one.
    pub(super) fn add(&mut self, name: &'static str, verdict: Verdict) {
        *self.counts.entry(name).or_default() += 1;
        self.verdicts.insert(name, verdict);
    }

    /// How many of this verdict.
    #[must_use]
    pub fn of(&self, verdict: Verdict) -> u64 {
        let same = |name: &&'static str| self.verdicts.get(*name) == Some(&verdict);
        self.counts.iter().filter(|(name, _)| same(name)).map(|(_, count)| count).sum()
    }

    /// How often this one.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }
}

/// Writes session rows with faults.
pub(super) struct Mess<'d> {
    dialect: &'d Dialect,
    draws: Draws,
    /// What was planted so far.
    pub(super) planted: Planted,
    written: u64,
    /// Rows that come later in the same file: when, and the line without its end.
    waiting: VecDeque<(u64, Vec<u8>)>,
    /// Rows that come in the next file.
    kept_back: Vec<Vec<u8>>,
    /// Whether there is a next file.
    pub(super) may_keep_back: bool,
    line_end: &'static [u8],
}

impl<'d> Mess<'d> {
    /// Nothing planted yet.
    pub(super) fn new(model: &Model<'_>, dialect: &'d Dialect) -> Mess<'d> {
        Mess {
            dialect,
            draws: model.streams.stream(FAULT_STREAM),
            planted: Planted::default(),
            written: 0,
            waiting: VecDeque::new(),
            kept_back: Vec::new(),
            may_keep_back: true,
            line_end: b"\n",
        }
    }

    /// Writes a session's row, perhaps spoilt; `false` when a reader must refuse it.
    pub(super) fn session(&mut self, row: &mut Row, treatment: &Treatment, out: &mut impl Write) -> io::Result<bool> {
        let u = self.draws.uniform();
        let accepted = if u < REPEATED {
            self.repeat(row, out)?;
            true
        } else if u < REPEATED + AMENDED {
            self.amend(row, out)?;
            true
        } else {
            self.spoil(row, treatment, (u - REPEATED - AMENDED, out))?
        };
        self.written += 1;
        while let Some((_, line)) = self.waiting.pop_front_if(|(due, _)| *due <= self.written) {
            self.line(&line, out)?;
        }
        Ok(accepted)
    }

    fn spoil(&mut self, row: &mut Row, treatment: &Treatment, (u, out): (f64, &mut impl Write)) -> io::Result<bool> {
        let Some(ill) = self.ill_of(u) else {
            row.write(self.dialect.delimiter, self.line_end, out)?;
            return Ok(true);
        };
        let mut fields = self.fields(row);
        // Events of a refused session would be set aside with it; rows with events are left whole, so that the
        // counts of stray events stay what they are said to be.
        let has_events = treatment.late().next().is_some();
        let spared = ill.verdict == Verdict::Refused && has_events;
        let spoilt = !spared && (ill.spoil)(&mut fields, treatment, &mut self.draws);
        if spoilt {
            self.planted.add(ill.name, ill.verdict);
        }
        self.line(&self.joined(&fields), out)?;
        Ok(!(spoilt && ill.verdict == Verdict::Refused))
    }

    fn repeat(&mut self, row: &Row, out: &mut impl Write) -> io::Result<()> {
        let line = self.joined(&self.fields(row));
        self.line(&line, out)?;
        self.later(line);
        self.planted.add("duplicate_identical", Verdict::Superseded);
        Ok(())
    }

    /// The session's first row says something else about pain; the true row comes later.
    fn amend(&mut self, row: &Row, out: &mut impl Write) -> io::Result<()> {
        let mut fields = self.fields(row);
        let true_line = self.joined(&fields);
        let (column, [one, other]) = (self.dialect.amended)();
        let first = if fields[column] == one.as_bytes() { other } else { one };
        fields[column] = first.as_bytes().to_vec();
        self.line(&self.joined(&fields), out)?;
        self.later(true_line);
        self.planted.add("amended", Verdict::Superseded);
        Ok(())
    }

    fn later(&mut self, line: Vec<u8>) {
        let next_week = self.may_keep_back && self.kept_back.len() < MOST_KEPT_BACK && self.draws.chance(0.3);
        if next_week {
            self.kept_back.push(line);
        } else {
            let after = self.written + u64::from(self.draws.between(1, 40));
            let at = self.waiting.partition_point(|(due, _)| *due <= after);
            self.waiting.insert(at, (after, line));
        }
    }

    fn line(&self, line: &[u8], out: &mut impl Write) -> io::Result<()> {
        out.write_all(line)?;
        out.write_all(self.line_end)
    }

    /// Begins a file, with a byte-order mark and CRLF when it is `from_spreadsheet`, and with what was kept back.
    pub(super) fn begin_file(
        &mut self,
        header: &mut Row,
        from_spreadsheet: bool,
        out: &mut impl Write,
    ) -> io::Result<()> {
        self.line_end = if from_spreadsheet { b"\r\n" } else { b"\n" };
        out.write_all(if from_spreadsheet { b"\xEF\xBB\xBF" } else { b"" })?;
        header.write(self.dialect.delimiter, self.line_end, out)?;
        for line in std::mem::take(&mut self.kept_back) {
            self.line(&line, out)?;
        }
        Ok(())
    }

    /// Ends a file: what still waits is written.
    pub(super) fn end_file(&mut self, out: &mut impl Write) -> io::Result<()> {
        while let Some((_, line)) = self.waiting.pop_front() {
            self.line(&line, out)?;
        }
        Ok(())
    }

    /// Lets a file in the canonical columns break off in the middle of a row.
    pub(super) fn break_off(&mut self, model: &Model<'_>, out: &mut impl Write) -> io::Result<()> {
        let mut row = Row::default();
        canonical::push_session_id(model, 99_999_998, &mut row);
        row.end();
        canonical::push_patient_id(model, 99_999_998, &mut row);
        row.end();
        row.text(&model.clinics[0].clinic_id);
        row.text("");
        row.text(&model.clinics[0].state[..3.min(model.clinics[0].state.len())]);
        self.planted.add("truncated_last_line", Verdict::Refused);
        row.write(b',', b"", out)
    }

    /// Writes stray events beside those of an accepted session.
    pub(super) fn stray_events(
        &mut self,
        model: &Model<'_>,
        treatment: &Treatment,
        out: &mut impl Write,
    ) -> io::Result<()> {
        const KINDS: [&str; 3] = ["event_without_session", "event_before_session", "event_after_data_cut"];
        if self.draws.uniform() >= 3.0 * STRAY_EVENT {
            return Ok(());
        }
        // Only a redness that the session's row has already, so that no count hangs on what is made of it.
        let truth = &model.plan.truth;
        let Some(redness) = treatment.listed().find(|listed| truth.side_effects[listed.effect].code == "erythema")
        else {
            return Ok(());
        };
        let kind = self.draws.index_below(KINDS.len());
        let days = i32::try_from(whole_between(self.draws.normal(20.0, 8.0), 3, 50)).unwrap_or(20);
        let onset = [redness.onset, treatment.date.plus(-days), model.plan.data_cut.plus(days)][kind];
        let stray = Occurred { onset, resolved: onset.plus(3), heard: Heard::LateBySession, ..*redness };
        let mut of = treatment.clone();
        if kind == 0 {
            of.session += 90_000_000;
        }
        let mut row = Row::default();
        (self.dialect.event_row)(model, &of, &stray, &mut row);
        self.planted.add(KINDS[kind], Verdict::EventSetAside);
        row.write(self.dialect.delimiter, b"\n", out)
    }

    fn ill_of(&self, u: f64) -> Option<&'static Ill> {
        let mut left = u;
        self.dialect.ills.iter().find(|ill| {
            left -= ill.rate;
            left < 0.0
        })
    }

    /// The fields of a row, quoted where they must be.
    fn fields(&self, row: &Row) -> Fields {
        let quoted = |field: &[u8]| {
            let mut bytes = Vec::new();
            push_field(field, self.dialect.delimiter, &mut bytes);
            bytes
        };
        row.fields().map(quoted).collect()
    }

    fn joined(&self, fields: &Fields) -> Vec<u8> {
        fields.join(&[self.dialect.delimiter][..])
    }
}
