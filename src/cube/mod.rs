//! Counts by dimension: one plan of all cubes that a run needs, and one pass over the sessions that fills them.
//!
//! A cell holds only what merges: sessions, present, confirmed absent, not assessed, and sums over patients. Rates are
//! derived elsewhere. Knows no statistic and no analysis.

pub mod cell;
pub mod dimension;
pub mod plan;
pub mod scan;
pub mod slow;

pub use cell::{Cell, MeasureSums, PatientSums};
pub use dimension::{Dimension, DimensionError};
pub use plan::{Cube, CubeKey, Cubes, Plan, PlanError};
