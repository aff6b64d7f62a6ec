//! Where an answer is written.

use std::fs::File;
use std::io::{self, Seek, Write};

use crate::policy::Limits;

/// Takes the octets of an answer.
pub(crate) enum Sink<'a> {
    Held(Vec<u8>),
    File { file: &'a mut File, len: u64 },
}

impl Sink<'_> {
    pub(crate) const fn limit(&self, limits: &Limits) -> u64 {
        match self {
            Self::Held(_) => limits.held,
            Self::File { .. } => limits.length,
        }
    }

    pub(crate) const fn len(&self) -> u64 {
        match self {
            Self::Held(octets) => octets.len() as u64,
            Self::File { len, .. } => *len,
        }
    }

    /// Forgets what an answer that broke off has left.
    pub(crate) fn restart(&mut self) -> io::Result<()> {
        match self {
            Self::Held(octets) => octets.clear(),
            Self::File { file, len } => {
                file.set_len(0)?;
                file.rewind()?;
                *len = 0;
            }
        }
        Ok(())
    }

    pub(crate) fn add(&mut self, piece: &[u8]) -> io::Result<()> {
        match self {
            Self::Held(octets) => octets.extend_from_slice(piece),
            Self::File { file, len } => {
                file.write_all(piece)?;
                *len += piece.len() as u64;
            }
        }
        Ok(())
    }
}
