//! Counts by dimension: one plan of all cubes that a run needs, one pass over the sessions and one over their patients
//! that fill them all.
//!
//! A cell holds only what merges: how many patients have the same sessions. Rates are derived elsewhere. Knows no
//! statistic and no analysis.

pub mod cell;
pub mod dimension;
mod fields;
pub mod filled;
mod kernel;
mod kinds;
pub mod patterns;
pub mod plan;
mod records;
mod rollup;
pub mod slow;
mod tally;

pub use cell::{Cell, MeasureSums, PatientSums};
pub use dimension::{Dimension, DimensionError};
pub use filled::{Filled, FilledKey};
pub use patterns::{Facet, PatternKey, Patterns};
pub use plan::{Cube, CubeKey, Cubes, Plan, PlanError};
pub use tally::SEVERE;
