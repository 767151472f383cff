//! Every integration test in one binary: the data stack is linked once.

mod architecture;
mod by_hand;
mod charts;
mod commands;
mod counting;
mod intake;
mod oracle_models;
mod oracle_proportions;
mod real_trial;
mod simulate;
