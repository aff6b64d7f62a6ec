//! What the driver tells while it works: messages for the user, and what the end of a call says.

use std::path::Path;

use ades::signer::{Refusal, SignerError};
use ades::{Checked, PendingSignature};
use ades_session::store::{JobId, Stage};
use ades_session::{ItemError, Observer, WrittenSignature};

use super::{RemoteJob, hinted};
use crate::exit::Failure;
use crate::job::Part;
use crate::path_name;

impl Observer for RemoteJob {
    fn checked(&self, item: usize, checked: &Checked) {
        self.print_warnings(self.item(item), checked.warnings());
    }

    fn stored(&self, _: JobId, stage: Stage) {
        let mut state = self.state();
        match stage {
            // The step of the last page is over.
            Stage::Start | Stage::Identified | Stage::Values => {
                if let Some(trips) = &state.trips {
                    trips.end_step();
                }
            }
            Stage::Asking if state.prepared < state.left.min(state.max_batch) => {
                self.messages.print(format_args!(
                    "the next batch has {} files only: the job cannot store more",
                    state.prepared
                ));
            }
            _ => {}
        }
        state.prepared = 0;
    }

    fn signer_failed(&self, _: JobId, error: &SignerError) {
        self.state().failure = Some(hinted(Failure::from(error)));
    }

    fn refused(&self, _: JobId, refusal: &Refusal) {
        self.state().failure = Some(Failure::from(refusal));
    }

    fn prepared(&self, _: JobId, item: usize, pending: &PendingSignature) {
        self.print_warnings(self.item(item), pending.warnings());
        self.state().prepared += 1;
    }

    fn written(&self, _: JobId, item: usize, signature: &WrittenSignature<'_>) {
        let no = self.item(item);
        let mut state = self.state();
        state.signer_name = signature.chain.leaf().common_name().map(str::to_owned);
        state.value_digests.push((no, signature.value_digest.cloned()));
        state.left = state.left.saturating_sub(1);
        state.written.push(no);
    }

    fn not_written(&self, _: JobId, item: usize, error: &ItemError) {
        let no = self.item(item);
        let is_output = matches!(
            error,
            ItemError::Sign(
                ades::Error::Core(ades::formats::ades_core::Error::Write(_))
                    | ades::Error::CompletedNotValid { .. }
            )
        );
        let (part, name): (_, fn(&Path) -> String) = match is_output {
            true => (Part::Container, path_name::of_output),
            false => (Part::Document, path_name::of_input),
        };
        let failure = match error {
            ItemError::Sign(error) => {
                let name = self.job.path(no, part).map(name).unwrap_or_default();
                Failure::from(error).about(name)
            }
            // The others name the file.
            other => self.item_failure(no, other),
        };
        self.state().not_written.push(failure);
    }
}
