//! The unit of numbers that name none: by the header, else by the limits of the column.

use super::assign::Choice;
use super::fit::number_of;
use super::headers::{Name, own_unit};
use super::survey::Survey;
use crate::domain::{Column, Kind};
use crate::validate::number::{Unit, units};

/// The proposed unit, and why.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct UnitChoice {
    /// To be written; `None` = the column's own.
    pub(super) unit: Option<&'static str>,
    pub(super) why: Option<String>,
    pub(super) unsure: bool,
}

/// Numbers without a unit behind them.
struct Bare {
    column: &'static Column,
    values: Vec<f64>,
}

impl Bare {
    fn lowest(&self) -> f64 {
        self.values.iter().copied().fold(f64::INFINITY, f64::min)
    }

    fn highest(&self) -> f64 {
        self.values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// Share of the values that lie within the column's limits when they are given in `unit`.
    #[expect(clippy::cast_precision_loss, reason = "counts of a sample")]
    fn within(&self, unit: &Unit) -> f64 {
        let (lowest, highest) = match self.column.kind {
            Kind::Number { lowest, highest, .. } => (lowest, highest),
            Kind::Integer { lowest, highest, .. } => (f64::from(lowest), f64::from(highest)),
            _ => return 0.0,
        };
        let inside = |value: &&f64| (lowest..=highest).contains(&unit.convert(**value));
        self.values.iter().filter(inside).count() as f64 / self.values.len() as f64
    }

    fn told(&self, unit: &Unit) -> String {
        let own = own_unit(self.column);
        let (low, high) = (self.lowest(), self.highest());
        format!(
            "values {low}–{high} without unit: {} would give {}–{} {own}",
            unit.names[0],
            unit.convert(low),
            unit.convert(high)
        )
    }
}

pub(super) fn unit(survey: &Survey, choice: &Choice) -> UnitChoice {
    let all = units(own_unit(choice.column));
    let [own, others @ ..] = all else { return UnitChoice::default() };
    let is_bare = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b".,-+ ".contains(&byte));
    let values = survey.columns[choice.at].list.iter().filter(|value| is_bare(&value.text));
    let values = values.filter_map(|value| number_of(&value.text, choice.column, None)).collect();
    let bare = Bare { column: choice.column, values };
    let named = Name::new(&survey.header[choice.at]).unit(choice.column);
    if bare.values.is_empty() {
        let unit = named.filter(|unit| unit.names[0] != own.names[0]).map(|unit| unit.names[0]);
        return UnitChoice { unit, why: unit.map(|_| "the header names the unit".to_owned()), unsure: false };
    }
    match named {
        Some(unit) if unit.names[0] != own.names[0] => by_header(&bare, unit, own),
        _ => by_limits(&bare, own, others, named.is_some()),
    }
}

fn by_header(bare: &Bare, unit: &'static Unit, own: &Unit) -> UnitChoice {
    let name = unit.names[0];
    if bare.within(unit) >= 0.9 {
        let why = format!("the header names the unit; {}", bare.told(unit));
        return UnitChoice { unit: Some(name), why: Some(why), unsure: false };
    }
    if bare.within(own) >= 0.9 {
        let (low, high) = (bare.lowest(), bare.highest());
        let why = format!("the header says {name}, but values {low}–{high} look like {}", own.names[0]);
        return UnitChoice { unit: None, why: Some(why), unsure: true };
    }
    UnitChoice { unit: Some(name), why: Some("many values are outside the column's limits".to_owned()), unsure: true }
}

fn by_limits(bare: &Bare, own: &Unit, others: &'static [Unit], own_named: bool) -> UnitChoice {
    let share = bare.within(own);
    let fitting: Vec<&Unit> = others.iter().filter(|unit| bare.within(unit) >= 0.9).collect();
    match fitting.as_slice() {
        _ if share >= 0.95 => UnitChoice::default(),
        [only] if share < 0.05 => {
            let against = if own_named { format!("the header says {}, but ", own.names[0]) } else { String::new() };
            let why = format!("{against}{}", bare.told(only));
            UnitChoice { unit: (!own_named).then_some(only.names[0]), why: Some(why), unsure: true }
        }
        _ => {
            let (low, high) = (bare.lowest(), bare.highest());
            let why = format!("values {low}–{high}: some are outside the column's limits; are there two units?");
            UnitChoice { unit: None, why: Some(why), unsure: true }
        }
    }
}
