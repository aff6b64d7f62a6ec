//! Changing an object of the document: values may be direct or objects of their
//! own.

use super::update::Update;
use crate::document::place::Place;
use crate::error::{Error, structure};
use crate::file::{Indirect, Pdf};
use crate::syntax::{Edit, Reference, Value};

/// An indirect object and its changes, if there are any.
pub(crate) struct Edited<'a> {
    object: &'a Indirect,
    edit: Edit<'a>,
    changed: bool,
}

impl<'a> Edited<'a> {
    pub(crate) fn new(object: &'a Indirect) -> Self {
        Self { object, edit: Edit::new(&object.octets), changed: false }
    }

    /// The object without the changes.
    pub(crate) const fn object(&self) -> &'a Indirect {
        self.object
    }

    /// Sets a key of `dictionary`, which is the object's value or is in it.
    pub(crate) fn set(&mut self, dictionary: &Value, key: &[u8], value: &[u8]) {
        self.edit.set(dictionary, key, value);
        self.changed = true;
    }

    /// Adds an element to the end of `array`, which is in the object.
    pub(crate) fn push(&mut self, array: &Value, element: &[u8]) {
        self.edit.push(array, element);
        self.changed = true;
    }

    /// Adds an element to the array that `dictionary` has under `key`: here or in
    /// the array's own object. A missing array is created. Returns `false` if the
    /// value is not an array.
    pub(crate) fn append(
        &mut self,
        pdf: &mut Pdf<'_>,
        update: &mut Update,
        dictionary: &Value,
        key: &[u8],
        element: &str,
    ) -> Result<bool, Error> {
        match Place::of(pdf, dictionary, key)? {
            Place::Absent => self.set(dictionary, key, format!("[{element}]").as_bytes()),
            Place::Direct(array) if array.elements().is_some() => {
                self.push(&array, element.as_bytes());
            }
            // The same array may be the page's annotations and the form's fields.
            Place::Indirect(array) if update.has_element(array.reference, element) => {}
            Place::Indirect(array) if array.value.elements().is_some() => {
                let mut edited = Edited::new(&array);
                edited.push(&array.value, element.as_bytes());
                edited.put(pdf, update)?;
            }
            Place::Direct(_) | Place::Indirect(_) => return Ok(false),
        }
        Ok(true)
    }

    /// Changes the dictionary that the object has under `key`, wherever it is
    /// written. Returns `None` if the key is absent.
    ///
    /// # Errors
    /// [`Error::Structure`] with `what` if the value is not a dictionary.
    pub(crate) fn within<T>(
        &mut self,
        pdf: &mut Pdf<'_>,
        update: &mut Update,
        key: &[u8],
        what: &'static str,
        change: impl FnOnce(&mut Pdf<'_>, &mut Update, &mut Edited<'_>, &Value) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match Place::of(pdf, &self.object.value, key)? {
            Place::Absent => Ok(None),
            Place::Direct(value) if value.is_dictionary() => {
                change(pdf, update, self, &value).map(Some)
            }
            Place::Indirect(object) if object.is_dictionary() => {
                let mut edited = Edited::new(&object);
                let changed = change(pdf, update, &mut edited, &object.value)?;
                edited.put(pdf, update)?;
                Ok(Some(changed))
            }
            Place::Direct(_) | Place::Indirect(_) => Err(structure(what)),
        }
    }

    /// Sets a key to a new indirect object.
    pub(crate) fn set_new(
        &mut self,
        update: &mut Update,
        dictionary: &Value,
        key: &[u8],
        value: &str,
    ) -> Reference {
        let reference = update.allocate();
        update.put(reference, value.as_bytes().to_vec());
        self.set(dictionary, key, reference.to_string().as_bytes());
        reference
    }

    /// Adds the changed object to the update, if it was changed.
    pub(crate) fn put(self, pdf: &Pdf<'_>, update: &mut Update) -> Result<(), Error> {
        if self.changed { update.change(pdf, self.object, self.edit) } else { Ok(()) }
    }
}
