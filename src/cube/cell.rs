//! What a cell holds: only counts and sums, so that cells of different parts of the data merge.

/// Sums over the patients of a cell, for one side effect and one denominator. For a patient with n counted sessions,
/// x of them with the side effect.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PatientSums {
    /// Patients with at least one counted session.
    pub patients: u64,
    /// Σ n: counted sessions.
    pub sessions: u64,
    /// Σ x: sessions with the side effect.
    pub events: u64,
    /// Σ n².
    pub sessions_squared: u64,
    /// Σ x².
    pub events_squared: u64,
    /// Σ n·x.
    pub sessions_times_events: u64,
    /// Patients with x > 0.
    pub patients_with_event: u64,
    /// Σ x²/n, for the intraclass correlation.
    pub events_squared_over_sessions: f64,
}

impl PatientSums {
    /// Adds `patients` patients, each with `sessions` counted sessions, `events` of them with the side effect.
    pub fn add_patients(&mut self, patients: u64, sessions: u32, events: u32) {
        if sessions == 0 {
            return;
        }
        let (n, x) = (u64::from(sessions), u64::from(events));
        self.patients += patients;
        self.sessions += patients * n;
        self.events += patients * x;
        self.sessions_squared += patients * n * n;
        self.events_squared += patients * x * x;
        self.sessions_times_events += patients * n * x;
        self.patients_with_event += if events > 0 { patients } else { 0 };
        #[expect(clippy::cast_precision_loss, reason = "patients are far below 2^53")]
        let patients = patients as f64;
        self.events_squared_over_sessions += patients * (f64::from(events).powi(2) / f64::from(sessions));
    }
}

/// Counts of one side effect in one cell.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cell {
    /// Over the sessions that were assessed for the side effect.
    pub assessed: PatientSums,
    /// Over all sessions of the cell, assessed or not.
    pub all: PatientSums,
    /// Patients confirmed absent in at least one session and present in none.
    pub patients_absent: u64,
}

impl Cell {
    /// Sessions not assessed for the side effect.
    #[must_use]
    pub fn sessions_not_assessed(&self) -> u64 {
        self.all.sessions - self.assessed.sessions
    }

    /// Patients neither present nor confirmed absent.
    #[must_use]
    pub fn patients_not_assessed(&self) -> u64 {
        self.all.patients - self.assessed.patients_with_event - self.patients_absent
    }

    /// Adds patients that are alike: all sessions of each in the cell, those present and those confirmed absent.
    pub fn add_patients(&mut self, patients: u64, (sessions, present, absent): (u32, u32, u32)) {
        self.assessed.add_patients(patients, present + absent, present);
        self.all.add_patients(patients, sessions, present);
        self.patients_absent += if present == 0 && absent > 0 { patients } else { 0 };
    }
}

/// Sums of a numeric column over the patients of a cell, sessions with a value counted. For a patient with n such
/// sessions whose values add up to t.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MeasureSums {
    /// Patients with a value.
    pub patients: u64,
    /// Σ n: sessions with a value.
    pub sessions: u64,
    /// Σ t.
    pub total: f64,
    /// Σ n².
    pub sessions_squared: f64,
    /// Σ t².
    pub total_squared: f64,
    /// Σ n·t.
    pub sessions_times_total: f64,
}
