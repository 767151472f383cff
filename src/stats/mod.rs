//! Numbers → [`Estimate`] and [`Test`]: one file per method family. Imports nothing of ours; knows no patient, file,
//! column or cube. Every method id is described in [`methods`].

pub mod clustered;
pub mod distributions;
pub mod estimate;
pub mod firth;
pub mod logistic;
pub mod mean;
pub mod methods;
pub mod multiplicity;
pub mod odds_ratio;
pub mod proportion;
pub mod risk_difference;
pub mod risk_ratio;
mod roots;
pub mod trend;
pub mod two_by_two;

pub use estimate::{Estimate, Interval, Level, Test};
