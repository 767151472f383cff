//! What is counted, over what, and with which interval: one rule for every analysis.

use crate::cube::{Cell, PatientSums};
use crate::stats::clustered::{self, ClusterSums, ClusteredMethod};
use crate::stats::proportion::{self, Proportion, ProportionMethod};
use crate::stats::{Estimate, Level};

/// Over which sessions or patients a rate is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denominator {
    /// Present and confirmed absent.
    Assessed,
    /// All, assessed or not.
    AllSessions,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Every session.
    Sessions,
    /// Every patient once.
    Patients,
}

impl Counted {
    /// Text of the `counted` column.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Counted::Sessions => "sessions",
            Counted::Patients => "patients",
        }
    }
}

/// Interval of a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntervalMethod {
    /// Takes every count as independent.
    Independent(ProportionMethod),
    /// Allows for repeated sessions of one patient.
    Clustered(ClusteredMethod),
}

impl IntervalMethod {
    /// The method of an id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<IntervalMethod> {
        ClusteredMethod::from_id(id)
            .map(IntervalMethod::Clustered)
            .or_else(|| ProportionMethod::from_id(id).map(IntervalMethod::Independent))
    }

    /// Ids of every method.
    #[must_use]
    pub fn ids() -> Vec<&'static str> {
        let clustered = ClusteredMethod::ALL.iter().map(|method| method.id());
        clustered.chain(ProportionMethod::ALL.iter().map(|method| method.id())).collect()
    }
}

/// Correction for the number of tests in a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Multiplicity {
    /// For screening: the share of false findings is held.
    BenjaminiHochberg,
    /// For confirmation: the chance of any false finding is held.
    Holm,
}

/// The counting rule of an analysis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counting {
    /// Over which sessions or patients.
    pub denominator: Denominator,
    /// What is counted.
    pub counted: Counted,
    /// Interval of a rate.
    pub interval: IntervalMethod,
    /// Level of the intervals.
    pub level: Level,
}

/// A rate with what stands beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    /// The rate with its interval.
    pub estimate: Estimate,
    /// Counted with the side effect.
    pub events: u64,
    /// Counted in all.
    pub n: u64,
    /// Sums over patients, where sessions are counted.
    pub clusters: Option<ClusterSums>,
    /// Counted but not assessed.
    pub not_assessed: u64,
    /// All, assessed or not.
    pub all: u64,
}

impl Counting {
    /// The rate of a cell.
    #[must_use]
    pub fn rate(&self, cell: &Cell) -> Rate {
        match self.counted {
            Counted::Sessions => self.rate_of_sessions(cell),
            Counted::Patients => self.rate_of_patients(cell),
        }
    }

    /// The sums of a cell over the denominator's sessions.
    #[must_use]
    pub fn sums<'a>(&self, cell: &'a Cell) -> &'a PatientSums {
        match self.denominator {
            Denominator::Assessed => &cell.assessed,
            Denominator::AllSessions => &cell.all,
        }
    }

    fn rate_of_sessions(&self, cell: &Cell) -> Rate {
        let sums = cluster_sums(self.sums(cell));
        let estimate = match self.interval {
            IntervalMethod::Clustered(method) => clustered::estimate(&sums, method, self.level),
            IntervalMethod::Independent(method) => {
                let mut estimate =
                    proportion::estimate(Proportion { events: sums.events, n: sums.n }, method, self.level);
                if estimate.warning.is_none() && sums.n > sums.clusters {
                    estimate.warning = Some("interval takes repeated sessions of a patient as independent".to_owned());
                }
                estimate
            }
        };
        Rate {
            estimate,
            events: sums.events,
            n: sums.n,
            clusters: Some(sums),
            not_assessed: cell.sessions_not_assessed(),
            all: cell.all.sessions,
        }
    }

    fn rate_of_patients(&self, cell: &Cell) -> Rate {
        let events = cell.assessed.patients_with_event;
        let n = match self.denominator {
            Denominator::Assessed => events + cell.patients_absent,
            Denominator::AllSessions => cell.all.patients,
        };
        let method = match self.interval {
            IntervalMethod::Independent(method) => method,
            // Each patient counts once: nothing is repeated.
            IntervalMethod::Clustered(ClusteredMethod::WilsonRaoScott) => ProportionMethod::Wilson,
            IntervalMethod::Clustered(ClusteredMethod::KornGraubard) => ProportionMethod::ClopperPearson,
        };
        Rate {
            estimate: proportion::estimate(Proportion { events, n }, method, self.level),
            events,
            n,
            clusters: None,
            not_assessed: cell.patients_not_assessed(),
            all: cell.all.patients,
        }
    }
}

/// The sums of a cell in the words of the statistics room.
#[must_use]
pub fn cluster_sums(sums: &PatientSums) -> ClusterSums {
    ClusterSums {
        clusters: sums.patients,
        n: sums.sessions,
        events: sums.events,
        n_n: sums.sessions_squared,
        e_e: sums.events_squared,
        n_e: sums.sessions_times_events,
        clusters_with_event: sums.patients_with_event,
        e_e_over_n: sums.events_squared_over_sessions,
    }
}
