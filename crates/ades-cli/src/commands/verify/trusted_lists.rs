//! `--trusted-list` and `--trusted-list-signer`.

use std::path::PathBuf;
use std::sync::Arc;

use ades::TrustedList;
use ades::formats::trusted_lists::MAX_LIST_LEN;

use super::trust_anchors;
use crate::args::VerifyArgs;
use crate::exit::Failure;
use crate::{input, path_name};

/// Reads trusted lists, whose signers the caller names.
pub(super) fn read(args: &VerifyArgs) -> Result<Vec<Arc<TrustedList>>, Failure> {
    let signers = trust_anchors(&args.trusted_list_signer)?;
    let read = |path: &PathBuf| {
        let octets = input::read_at_most(path, MAX_LIST_LEN as u64)?;
        let list = TrustedList::read(&octets, &signers);
        list.map(Arc::new)
            .map_err(|error| Failure::input(error.to_string()).about(path_name::of_input(path)))
    };
    args.trusted_list.iter().map(read).collect()
}
