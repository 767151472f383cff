//! Every integration test in one binary: the data stack is linked once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]

mod analyses;
mod architecture;
mod arrow_files;
mod by_hand;
mod charts;
mod commands;
mod counting;
mod coverage;
mod fhir;
mod folders;
mod formats;
mod fused;
mod init;
mod intake;
mod interruptions;
#[cfg(feature = "object-stores")]
mod object_stores;
mod oracle_models;
mod oracle_proportions;
mod patterns;
mod postgres;
mod real_trial;
mod redcap;
mod report;
#[cfg(feature = "object-stores")]
mod s3_server;
mod simulate;
mod store;
mod store_commands;
mod workbooks;
