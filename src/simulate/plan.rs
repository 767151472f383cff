//! What to simulate: how much, when, where, and with which truth.

use super::truth::Truth;
use crate::domain::Day;
use serde::Serialize;

/// A log to be simulated.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Number of sessions: exactly so many rows are drawn (faults of `messy` come on top).
    pub sessions: u64,
    /// Same plan and seed, same bytes.
    pub seed: u64,
    /// Whether the files have the faults that real ones have.
    pub messy: bool,
    /// The known truth.
    pub truth: Truth,
    /// The clinics.
    pub clinics: Clinics,
    /// First day of a session.
    pub first_day: Day,
    /// Last day of a session.
    pub last_day: Day,
    /// Last day of which anything is known; at least 90 days after `last_day` where PIH shall be assessed throughout.
    pub data_cut: Day,
}

/// The clinics of a log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Clinics {
    /// Name of the chain, in front of each site's name; may be empty.
    pub chain: String,
    /// Site and state of each.
    pub sites: Vec<Site>,
    /// In front of each session and patient id, so that ids of two sources never meet.
    pub id_prefix: String,
}

/// One clinic of a chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Site {
    /// Name of the site, without the chain.
    pub name: String,
    /// Region.
    pub state: String,
}

impl Plan {
    /// `sessions` sessions with the default truth: twelve clinics, 2024-01-01 to 2026-03-31, data cut 2026-06-30.
    #[must_use]
    pub fn new(sessions: u64, seed: u64) -> Plan {
        Plan {
            sessions,
            seed,
            messy: false,
            truth: Truth::default(),
            clinics: Clinics::numbered("HARBOUR", 12),
            first_day: Day(19_723),
            last_day: Day(20_543),
            data_cut: Day(20_634),
        }
    }

    /// The plain log of coverage tests (see [`Truth::plain`]).
    #[must_use]
    pub fn plain(sessions: u64, seed: u64) -> Plan {
        Plan { truth: Truth::plain(), ..Plan::new(sessions, seed) }
    }
}

const SITES: [(&str, &str); 12] = [
    ("EAST", "North Coast"),
    ("WEST", "North Coast"),
    ("CENTRAL", "Midlands"),
    ("QUAY", "North Coast"),
    ("MILL-LANE", "Midlands"),
    ("PARKSIDE", "Lake District"),
    ("BRIDGE", "Midlands"),
    ("LIGHTHOUSE", "South Coast"),
    ("GARDEN", "Lake District"),
    ("OLD-TOWN", "South Coast"),
    ("HILLTOP", "Highlands"),
    ("STATION", "South Coast"),
];

impl Clinics {
    /// A chain with these sites, each with its state.
    #[must_use]
    pub fn named(chain: &str, sites: &[(&str, &str)]) -> Clinics {
        let site = |(name, state): &(&str, &str)| Site { name: (*name).to_owned(), state: (*state).to_owned() };
        Clinics { chain: chain.to_owned(), sites: sites.iter().map(site).collect(), id_prefix: String::new() }
    }

    /// A chain with so many sites (at least one); from the thirteenth on their names are numbered.
    #[must_use]
    pub fn numbered(chain: &str, count: usize) -> Clinics {
        let mut clinics = Clinics::named(chain, &[]);
        for at in 0..count.max(1) {
            let (name, state) = SITES[at % SITES.len()];
            let round = at / SITES.len();
            let name = if round == 0 { name.to_owned() } else { format!("{name}-{}", round + 1) };
            clinics.sites.push(Site { name, state: state.to_owned() });
        }
        clinics
    }

    /// The same clinics with this in front of each session and patient id.
    #[must_use]
    pub fn with_prefix(mut self, prefix: &str) -> Clinics {
        prefix.clone_into(&mut self.id_prefix);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_are_what_they_are_said_to_be() {
        let plan = Plan::new(1, 1);
        assert_eq!(plan.first_day.to_string(), "2024-01-01");
        assert_eq!(plan.last_day.to_string(), "2026-03-31");
        assert_eq!(plan.data_cut.to_string(), "2026-06-30");
        assert_eq!(plan.truth.bad_lot.used.map(|day| day.to_string()), ["2025-04-01", "2025-09-30"]);
        assert_eq!(plan.truth.rising_clinic.from.to_string(), "2025-09-01");
    }

    #[test]
    fn numbered_clinics_have_each_name_once() {
        let mut names: Vec<String> = Clinics::numbered("X", 40).sites.into_iter().map(|site| site.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 40);
    }
}
