//! Appending to a document: one incremental update (ISO 32000-2, 7.5.6).

mod cross_reference;
mod edited;
mod numbers;
mod update;

pub(crate) use edited::Edited;
pub(crate) use numbers::reserve_numbers;
pub(crate) use update::{Update, WrittenUpdate};
