//! A place in a pass from which another pass continues, with a document that has the same
//! beginning.

use crate::xml::PausedReader;

use super::form::PausedForm;
use super::pass::ElementName;

/// A place in a pass with one form, of the whole document.
#[derive(Clone, Debug)]
pub(crate) struct PausedPass {
    pub(crate) reader: PausedReader,
    pub(crate) form: PausedForm,
    /// The root element. It contains another element, and the document has no signature so far.
    pub(crate) root: ElementName,
}
