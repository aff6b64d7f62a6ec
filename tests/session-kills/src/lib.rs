//! Kill tests of the real driver: two processes (*nodes*) share a store and a folder, users sign with
//! them through the itsme® sandbox, and one of the nodes is killed again and again, at random times.
//!
//! A test calls [`race`] with a database, and has a test of the name [`NODE`] that calls [`node`]: the
//! race starts this test in processes of its own. At the end, [`race`] checks that nothing is lost or
//! doubled.

mod check;
mod node;
mod nodes;
mod race;
mod random;
mod user;
mod wire;
mod world;

pub use node::node;
pub use race::race;

/// The name of the test that [`race`] starts as a node.
pub const NODE: &str = "node";
/// The environment variable with the number of kills.
const KILLS: &str = "ADES_SESSION_KILLS";
/// The number of kills without it, in short batches only: what CI has time for.
const DEFAULT_KILLS: u32 = 8;
const SHORT_BATCHES: &[usize] = &[1, 5];
/// The numbers of documents in one batch. itsme® Sign takes at most 70.
const BATCHES: &[usize] = &[1, 5, 70];
