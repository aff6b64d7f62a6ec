//! The arguments of `ades c14n`.

use std::path::PathBuf;

use ades::Canonicalization;
use clap::ValueEnum;

use super::ReadingArgs;
use crate::exit::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    C14n10,
    C14n11,
    Exclusive,
}

impl From<Method> for Canonicalization {
    fn from(method: Method) -> Self {
        match method {
            Method::C14n10 => Self::C14N_1_0,
            Method::C14n11 => Self::C14N_1_1,
            Method::Exclusive => Self::EXCLUSIVE,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct C14nArgs {
    /// The document; - is standard input
    pub(crate) document: PathBuf,
    /// The algorithm
    #[arg(long, value_enum, default_value = "c14n10")]
    pub(crate) method: Method,
    /// Keep comments
    #[arg(long)]
    pub(crate) with_comments: bool,
    /// Exclusive only: the prefixes of the InclusiveNamespaces list; #default is the default
    /// namespace
    #[arg(long, value_name = "PREFIXES")]
    pub(crate) inclusive_prefixes: Option<String>,
    /// Only the element with this Id
    #[arg(long)]
    pub(crate) id: Option<String>,
    #[command(flatten)]
    pub(crate) reading: ReadingArgs,
}

impl C14nArgs {
    /// The canonicalisation with its parameters.
    pub(crate) fn canonicalization(&self) -> Result<Canonicalization, Failure> {
        let mut method = Canonicalization::from(self.method);
        if self.with_comments {
            method = method.with_comments();
        }
        if let Some(prefixes) = &self.inclusive_prefixes {
            if self.method != Method::Exclusive {
                return Err(Failure::usage("--inclusive-prefixes is for --method exclusive"));
            }
            method = method.with_prefix_list(prefixes);
        }
        Ok(method)
    }
}
