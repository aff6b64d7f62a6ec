//! The texts of the pages, in four languages.

mod de;
mod en;
mod fr;
mod nl;

use ades::signer::Language;

/// Every text of the pages.
pub(crate) struct Texts {
    /// For the `lang` attribute
    pub(crate) code: &'static str,
    /// The name of the language in the language itself
    pub(crate) language: &'static str,
    pub(crate) languages: &'static str,
    pub(crate) skip: &'static str,
    pub(crate) sandbox: &'static str,
    pub(crate) step: &'static str,
    pub(crate) steps: [&'static str; 3],

    pub(crate) start: &'static str,
    pub(crate) lead: &'static str,
    pub(crate) choose_files: &'static str,
    pub(crate) drop_files: &'static str,
    /// `{count}` and `{size}`
    pub(crate) limits: &'static str,
    pub(crate) upload: &'static str,
    pub(crate) uploading: &'static str,
    pub(crate) cases: &'static str,
    pub(crate) states: [&'static str; 3],

    pub(crate) documents: &'static str,
    pub(crate) one_document: &'static str,
    /// `{count}`
    pub(crate) many_documents: &'static str,
    pub(crate) look: &'static str,
    pub(crate) more: &'static str,
    pub(crate) sign: &'static str,
    pub(crate) sign_text: &'static str,
    pub(crate) fix_first: &'static str,
    pub(crate) delete: &'static str,
    pub(crate) stamp_on: &'static str,

    pub(crate) how: &'static str,
    pub(crate) format: &'static str,
    /// In the order of [`Choice::ALL`](crate::options::Choice::ALL)
    pub(crate) choices: [&'static str; 4],
    pub(crate) stamp: &'static str,
    pub(crate) stamp_hint: &'static str,
    pub(crate) stamp_move: &'static str,
    /// `none`, `top-left`, `top-right`, `bottom-left`, `bottom-right`, `here`
    pub(crate) places: [&'static str; 6],
    pub(crate) page: &'static str,
    pub(crate) save: &'static str,
    pub(crate) remove: &'static str,
    pub(crate) no_view: &'static str,
    pub(crate) original: &'static str,
    pub(crate) text: &'static str,
    pub(crate) back: &'static str,

    pub(crate) wait: &'static str,
    pub(crate) wait_text: &'static str,
    pub(crate) wait_until: &'static str,
    pub(crate) wait_page: &'static str,
    pub(crate) reload: &'static str,
    pub(crate) progress: &'static str,
    pub(crate) cancel: &'static str,
    pub(crate) writing: &'static str,
    pub(crate) writing_text: &'static str,

    pub(crate) refused: &'static str,
    pub(crate) expired: &'static str,
    pub(crate) not_allowed: &'static str,
    pub(crate) not_allowed_text: &'static str,
    pub(crate) lost: &'static str,
    pub(crate) lost_text: &'static str,
    pub(crate) renewed: &'static str,
    pub(crate) renewed_text: &'static str,
    pub(crate) unknown: &'static str,
    pub(crate) unknown_text: &'static str,
    pub(crate) failed: &'static str,
    pub(crate) failed_text: &'static str,
    pub(crate) cancelled: &'static str,
    pub(crate) nothing_signed: &'static str,
    pub(crate) again: &'static str,
    pub(crate) identify: &'static str,
    pub(crate) edit: &'static str,

    pub(crate) done: &'static str,
    pub(crate) done_text: &'static str,
    pub(crate) download: &'static str,
    pub(crate) download_all: &'static str,
    pub(crate) contents: &'static str,
    pub(crate) signer: &'static str,
    pub(crate) intact: &'static str,
    /// Yes, no, not known
    pub(crate) answers: [&'static str; 3],
    pub(crate) list: &'static str,

    pub(crate) not_found: &'static str,
    pub(crate) bad_form: &'static str,
    pub(crate) too_large: &'static str,
    pub(crate) no_document: &'static str,
    pub(crate) locked: &'static str,
    pub(crate) not_signable: &'static str,
    pub(crate) no_signer: &'static str,
    pub(crate) internal: &'static str,
    pub(crate) home: &'static str,

    /// What the signer shows: "{count} documents of the demo". Latin-1 letters only
    pub(crate) described_one: &'static str,
    pub(crate) described_many: &'static str,
}

impl Texts {
    pub(crate) const fn of(language: Language) -> &'static Self {
        match language {
            Language::Fr => &fr::TEXTS,
            Language::Nl => &nl::TEXTS,
            Language::De => &de::TEXTS,
            _ => &en::TEXTS,
        }
    }

    pub(crate) fn count(&self, count: usize) -> String {
        match count {
            1 => self.one_document.to_owned(),
            _ => self.many_documents.replace("{count}", &count.to_string()),
        }
    }

    pub(crate) fn described(&self, count: usize) -> String {
        match count {
            1 => self.described_one.to_owned(),
            _ => self.described_many.replace("{count}", &count.to_string()),
        }
    }
}
