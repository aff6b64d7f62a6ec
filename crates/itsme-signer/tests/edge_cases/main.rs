//! The negative and edge cases of the protocol. `docs/edge-cases.md` lists them
//! by number, with the required behaviour and the files of the tests.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

mod elsewhere;
mod flow;
mod languages;
mod logs;
mod requests;
mod script;
mod terms;
mod unclear;
mod values;
mod wire;
