//! Rows of a session log.

use super::cells::{
    CodeCell, DateCell, FitzpatrickCell, ListCell, MonkCell, NumberCell, Row, TextCell, WholeCell, need,
};
use super::duplicates::{EffectCodes, Fingerprint, Values};
use super::frame::Frame;
use super::header::{HeaderError, Ignored};
use super::mapping::Mapping;
use super::outcome::{Complaint, Judged, Problem};
use super::plan::Plan;
use super::rules;
use super::side_effects::{EffectsCell, Terms};
use crate::domain::codes::{
    BodyArea, Credential, Indication, Modality, NumbingAgent, Setting, Sex, Side, SkinThickness, YesNo,
};
use crate::domain::{Asked, Catalogue, ReportedEffect, Session, Table};
use crate::ingest::RawBatch;

/// A pen or roller deeper than this is remarked on.
const DEEPEST_PLAUSIBLE_MM: f64 = 3.5;
/// Home use deeper than this is remarked on.
const DEEPEST_HOME_MM: f64 = 1.0;

/// Judges the rows of one session log; may be shared between threads.
pub struct SessionJudge {
    frame: Frame,
    ignored: Vec<Ignored>,
    cells: Cells,
    terms: Terms,
}

/// One cell a column, in the order of the canonical columns.
struct Cells {
    session_id: TextCell,
    patient_id: TextCell,
    clinic_id: TextCell,
    practitioner_id: TextCell,
    state: TextCell,
    practitioner_credential: CodeCell<Credential>,
    practitioner_experience_years: NumberCell,
    session_date: DateCell,
    course_session: WholeCell,
    setting: CodeCell<Setting>,
    modality: CodeCell<Modality>,
    device_model: TextCell,
    device_lot: TextCell,
    firmware: TextCell,
    needle_depth_mm: NumberCell,
    needle_count: WholeCell,
    passes: WholeCell,
    rf_energy_mj: NumberCell,
    rf_pulse_ms: NumberCell,
    body_area: CodeCell<BodyArea>,
    side: CodeCell<Side>,
    indication: CodeCell<Indication>,
    age_years: WholeCell,
    sex: CodeCell<Sex>,
    fitzpatrick: FitzpatrickCell,
    monk: MonkCell,
    ita_degrees: NumberCell,
    skin_sensitivity: CodeCell<YesNo>,
    skin_thickness: CodeCell<SkinThickness>,
    conditions: ListCell,
    numbing_agent: CodeCell<NumbingAgent>,
    topicals: ListCell,
    retinoid_stop_days: WholeCell,
    sterile_single_use: CodeCell<YesNo>,
    sunscreen_daily: CodeCell<YesNo>,
    sun_exposure: CodeCell<YesNo>,
    gentle_products: CodeCell<YesNo>,
    moisturiser: CodeCell<YesNo>,
    picking: CodeCell<YesNo>,
    exfoliant: CodeCell<YesNo>,
    pain_vas: NumberCell,
    return_to_activity_days: WholeCell,
    last_follow_up_date: DateCell,
    side_effects: EffectsCell,
}

impl SessionJudge {
    /// Settles the columns of a header. `catalogue` holds the site's side effects too ([`Mapping::extend`]).
    ///
    /// # Errors
    /// When columns are missing or two headers fit one column.
    pub fn new(header: &[String], mapping: &Mapping, catalogue: &Catalogue) -> Result<SessionJudge, HeaderError> {
        let mut plan = Plan::new(header, mapping, Table::Sessions);
        let cells = Cells::plan(&mut plan);
        let (frame, ignored) = plan.finish()?;
        Ok(SessionJudge { frame, ignored, cells, terms: Terms::new(catalogue, &mapping.terms) })
    }

    /// Headers that nothing maps.
    #[must_use]
    pub fn ignored(&self) -> &[Ignored] {
        &self.ignored
    }

    /// Judges a batch.
    #[must_use]
    pub fn judge(&self, batch: &RawBatch) -> Judged<Session> {
        let fingerprint =
            |session: &Session, values: &mut Values| Fingerprint::of_session(session, &self.terms, values);
        self.frame.judge(batch, |row, remarks| self.session(row, remarks), fingerprint)
    }

    fn session(&self, row: &Row<'_>, remarks: &mut Vec<Complaint>) -> Result<Session, Complaint> {
        let session = self.cells.read(row, &self.terms)?;
        check_follow_up(&session)?;
        self.check_effects(&session, remarks)?;
        check_device(&session, remarks);
        Ok(session)
    }

    fn check_effects(&self, session: &Session, remarks: &mut Vec<Complaint>) -> Result<(), Complaint> {
        let Asked::Yes(effects) = &session.side_effects else { return Ok(()) };
        effects.iter().try_for_each(|effect| self.check_effect(session, effect, remarks))
    }

    fn check_effect(
        &self,
        session: &Session,
        effect: &ReportedEffect,
        remarks: &mut Vec<Complaint>,
    ) -> Result<(), Complaint> {
        const COLUMN: &str = "side_effects";
        let code = self.terms.code(effect.effect);
        if effect.effect == Catalogue::UNCODED {
            let hint = "not a known side effect; kept as uncoded. Map it in [side_effects] of the mapping file";
            let term = effect.verbatim.as_deref().unwrap_or(Catalogue::UNCODED_CODE);
            remarks.push(Problem::new(rules::UNCODED_TERM, hint).of(COLUMN, term));
        }
        if let Some(onset) = effect.onset {
            let days = onset.since(session.session_date);
            if days < 0 {
                let hint = format!("{code} began {} days before its session; check both dates", -days);
                return Err(Complaint::bare(rules::EVENT_BEFORE_SESSION, COLUMN, hint));
            }
            let window = self.terms.window_days(effect.effect);
            if days > window && effect.effect != Catalogue::UNCODED {
                let hint = format!("{code} began {days} days after the session; its window is {window} days");
                remarks.push(Complaint::bare(rules::LATE_ONSET, COLUMN, hint));
            }
        }
        if self.terms.rf_only(effect.effect) && session.modality != Modality::Rf {
            let hint = format!("{code} comes of radiofrequency, but the modality is {}", session.modality.code());
            remarks.push(Complaint::bare(rules::RF_EFFECT_WITHOUT_RF, COLUMN, hint));
        }
        Ok(())
    }
}

fn check_follow_up(session: &Session) -> Result<(), Complaint> {
    match session.last_follow_up_date {
        Some(day) if day < session.session_date => Err(Complaint::bare(
            rules::FOLLOW_UP_BEFORE_SESSION,
            "last_follow_up_date",
            format!(
                "the last follow-up is {} days before the session; check both dates",
                session.session_date.since(day)
            ),
        )),
        _ => Ok(()),
    }
}

fn check_device(session: &Session, remarks: &mut Vec<Complaint>) {
    const DEPTH: &str = "needle_depth_mm";
    let depth = session.needle_depth_mm.unwrap_or(0.0);
    let modality = session.modality.code();
    if depth > DEEPEST_PLAUSIBLE_MM && matches!(session.modality, Modality::Pen | Modality::Roller) {
        let hint = format!("{depth} mm is deep for a {modality}; check the value and its unit");
        remarks.push(Complaint::bare(rules::IMPLAUSIBLE_DEPTH, DEPTH, hint));
    }
    if depth > DEEPEST_HOME_MM && session.setting == Setting::Home {
        let hint = format!("{depth} mm is deep for use at home; check the value and the setting");
        remarks.push(Complaint::bare(rules::DEEP_FOR_HOME, DEPTH, hint));
    }
    let rf_column = match (session.rf_energy_mj, session.rf_pulse_ms) {
        (Some(_), _) => "rf_energy_mj",
        (None, Some(_)) => "rf_pulse_ms",
        (None, None) => return,
    };
    if session.modality != Modality::Rf {
        let hint = format!("only rf devices have it, but the modality is {modality}");
        remarks.push(Complaint::bare(rules::RF_SETTING_WITHOUT_RF, rf_column, hint));
    }
}

impl Cells {
    fn plan(plan: &mut Plan<'_>) -> Cells {
        Cells {
            session_id: plan.text("session_id"),
            patient_id: plan.text("patient_id"),
            clinic_id: plan.text("clinic_id"),
            practitioner_id: plan.text("practitioner_id"),
            state: plan.text("state"),
            practitioner_credential: plan.code("practitioner_credential", Credential::ALL),
            practitioner_experience_years: plan.number("practitioner_experience_years"),
            session_date: plan.date("session_date"),
            course_session: plan.whole("course_session"),
            setting: plan.code("setting", Setting::ALL),
            modality: plan.code("modality", Modality::ALL),
            device_model: plan.text("device_model"),
            device_lot: plan.text("device_lot"),
            firmware: plan.text("firmware"),
            needle_depth_mm: plan.number("needle_depth_mm"),
            needle_count: plan.whole("needle_count"),
            passes: plan.whole("passes"),
            rf_energy_mj: plan.number("rf_energy_mj"),
            rf_pulse_ms: plan.number("rf_pulse_ms"),
            body_area: plan.code("body_area", BodyArea::ALL),
            side: plan.code("side", Side::ALL),
            indication: plan.code("indication", Indication::ALL),
            age_years: plan.whole("age_years"),
            sex: plan.code("sex", Sex::ALL),
            fitzpatrick: plan.fitzpatrick("fitzpatrick"),
            monk: plan.monk("monk"),
            ita_degrees: plan.number("ita_degrees"),
            skin_sensitivity: plan.code("skin_sensitivity", YesNo::ALL),
            skin_thickness: plan.code("skin_thickness", SkinThickness::ALL),
            conditions: plan.list("conditions"),
            numbing_agent: plan.code("numbing_agent", NumbingAgent::ALL),
            topicals: plan.list("topicals"),
            retinoid_stop_days: plan.whole("retinoid_stop_days"),
            sterile_single_use: plan.code("sterile_single_use", YesNo::ALL),
            sunscreen_daily: plan.code("sunscreen_daily", YesNo::ALL),
            sun_exposure: plan.code("sun_exposure", YesNo::ALL),
            gentle_products: plan.code("gentle_products", YesNo::ALL),
            moisturiser: plan.code("moisturiser", YesNo::ALL),
            picking: plan.code("picking", YesNo::ALL),
            exfoliant: plan.code("exfoliant", YesNo::ALL),
            pain_vas: plan.number("pain_vas"),
            return_to_activity_days: plan.whole("return_to_activity_days"),
            last_follow_up_date: plan.date("last_follow_up_date"),
            side_effects: plan.effects("side_effects"),
        }
    }

    /// The first column that cannot be read is the row's complaint.
    fn read(&self, row: &Row<'_>, terms: &Terms) -> Result<Session, Complaint> {
        Ok(Session {
            session_id: need(self.session_id.read(row)?, "session_id")?,
            patient_id: need(self.patient_id.read(row)?, "patient_id")?,
            clinic_id: need(self.clinic_id.read(row)?, "clinic_id")?,
            practitioner_id: self.practitioner_id.read(row)?,
            state: self.state.read(row)?,
            practitioner_credential: self.practitioner_credential.read(row)?,
            practitioner_experience_years: self.practitioner_experience_years.read(row)?,
            session_date: need(self.session_date.read(row)?, "session_date")?,
            course_session: self.course_session.read(row)?,
            setting: need(self.setting.read(row)?, "setting")?,
            modality: need(self.modality.read(row)?, "modality")?,
            device_model: self.device_model.read(row)?,
            device_lot: self.device_lot.read(row)?,
            firmware: self.firmware.read(row)?,
            needle_depth_mm: self.needle_depth_mm.read(row)?,
            needle_count: self.needle_count.read(row)?,
            passes: self.passes.read(row)?,
            rf_energy_mj: self.rf_energy_mj.read(row)?,
            rf_pulse_ms: self.rf_pulse_ms.read(row)?,
            body_area: need(self.body_area.read(row)?, "body_area")?,
            side: self.side.read(row)?,
            indication: need(self.indication.read(row)?, "indication")?,
            age_years: self.age_years.read(row)?,
            sex: self.sex.read(row)?,
            fitzpatrick: self.fitzpatrick.read(row)?,
            monk: self.monk.read(row)?,
            ita_degrees: self.ita_degrees.read(row)?,
            skin_sensitivity: self.skin_sensitivity.read(row)?,
            skin_thickness: self.skin_thickness.read(row)?,
            conditions: self.conditions.read(row)?,
            numbing_agent: self.numbing_agent.read(row)?,
            topicals: self.topicals.read(row)?,
            retinoid_stop_days: self.retinoid_stop_days.read(row)?,
            sterile_single_use: self.sterile_single_use.read(row)?,
            sunscreen_daily: self.sunscreen_daily.read(row)?,
            sun_exposure: self.sun_exposure.read(row)?,
            gentle_products: self.gentle_products.read(row)?,
            moisturiser: self.moisturiser.read(row)?,
            picking: self.picking.read(row)?,
            exfoliant: self.exfoliant.read(row)?,
            pain_vas: self.pain_vas.read(row)?,
            return_to_activity_days: self.return_to_activity_days.read(row)?,
            last_follow_up_date: self.last_follow_up_date.read(row)?,
            side_effects: self.side_effects.read(row, terms)?,
        })
    }
}

#[cfg(test)]
mod tests;
