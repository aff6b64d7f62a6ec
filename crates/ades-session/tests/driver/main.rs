//! The driver with a scripted signer and a store in memory: every stage, every return, and a death
//! at every point at which a process can die.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

mod application;
mod faults;
mod flow;
mod imports;
mod invariants;
mod kills;
mod returns;
mod runtimes;
mod service;
mod stops;
mod world;
