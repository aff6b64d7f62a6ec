#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod cases;
mod config;
mod contents;
mod download;
mod error;
mod options;
mod pages;
mod preview;
mod server;
mod signing;
mod texts;
mod upload;
mod visitor;

pub use config::Config;
pub use error::Error;
pub use server::Demo;
