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
    /// Adds one patient with `sessions` counted sessions, `events` of them with the side effect.
    pub fn add_patient(&mut self, sessions: u32, events: u32) {
        if sessions == 0 {
            return;
        }
        let (n, x) = (u64::from(sessions), u64::from(events));
        self.patients += 1;
        self.sessions += n;
        self.events += x;
        self.sessions_squared += n * n;
        self.events_squared += x * x;
        self.sessions_times_events += n * x;
        self.patients_with_event += u64::from(events > 0);
        self.events_squared_over_sessions += f64::from(events).powi(2) / f64::from(sessions);
    }

    fn merge(&mut self, other: &PatientSums) {
        self.patients += other.patients;
        self.sessions += other.sessions;
        self.events += other.events;
        self.sessions_squared += other.sessions_squared;
        self.events_squared += other.events_squared;
        self.sessions_times_events += other.sessions_times_events;
        self.patients_with_event += other.patients_with_event;
        self.events_squared_over_sessions += other.events_squared_over_sessions;
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

    /// Adds one patient: all sessions in the cell, those present and those confirmed absent.
    pub fn add_patient(&mut self, sessions: u32, present: u32, absent: u32) {
        self.assessed.add_patient(present + absent, present);
        self.all.add_patient(sessions, present);
        self.patients_absent += u64::from(present == 0 && absent > 0);
    }

    /// Adds the counts of other patients.
    pub fn merge(&mut self, other: &Cell) {
        self.assessed.merge(&other.assessed);
        self.all.merge(&other.all);
        self.patients_absent += other.patients_absent;
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

impl MeasureSums {
    /// Adds one patient with `sessions` values that add up to `total`.
    pub fn add_patient(&mut self, sessions: u32, total: f64) {
        if sessions == 0 {
            return;
        }
        let n = f64::from(sessions);
        self.patients += 1;
        self.sessions += u64::from(sessions);
        self.total += total;
        self.sessions_squared += n * n;
        self.total_squared += total * total;
        self.sessions_times_total += n * total;
    }

    /// Adds the sums of other patients.
    pub fn merge(&mut self, other: &MeasureSums) {
        self.patients += other.patients;
        self.sessions += other.sessions;
        self.total += other.total;
        self.sessions_squared += other.sessions_squared;
        self.total_squared += other.total_squared;
        self.sessions_times_total += other.sessions_times_total;
    }
}
