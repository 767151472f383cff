//! Side-effect rates and outcome trends from microneedling session logs. `ARCHITECTURE.md` is the map; the rooms
//! stand here in the order in which data walks through them.

pub mod analysis;
pub mod bucket;
pub mod chart;
pub mod cli;
pub mod cube;
pub mod domain;
pub mod ingest;
pub mod pipeline;
pub mod report;
pub mod results;
pub mod simulate;
pub mod stats;
pub mod store;
pub mod validate;
