//! Options of signatures in PDFs.

use std::fmt;

use pades::{Alignment, Border, Certification, Colour, FieldLock, StampPosition, TimeFormat};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Options of signatures in PDFs. `Debug` shows none of the texts.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct PdfOptions {
    /// The signer's name, if it differs from the certificate's (`/Name`)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The reason for signing (`/Reason`). It cannot be combined with a policy or commitment
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the document is signed (`/Location`)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// How to reach the signer (`/ContactInfo`)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// The full name of an empty signature field, or of a new field if the document has none
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The changes that a certification allows
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certification: Option<Certification>,
    /// The form fields that the signature locks
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<FieldLock>,
    /// The appearance of a visible signature; without it, the signature is invisible
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Stamp>,
    /// Whether to sign a document with a broken cross-reference, by appending a new one
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub repair: bool,
    /// Whether to sign an encrypted document even if its permissions allow that only with the
    /// owner's password
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ignore_permissions: bool,
    /// The length of a token of the time-stamping service that raises the signature later, in
    /// octets, as measured: as much room is reserved in `/Contents`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_for_time_stamp: Option<usize>,
    /// Name and version of the program that signs (`/Prop_Build`); by default this crate's
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<(String, String)>,
}

impl PdfOptions {
    /// An invisible signature in a new field, without texts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Sets the signer's name (`/Name`), if it differs from that in the certificate.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the reason for signing (`/Reason`). It cannot be combined with a policy or commitment
    /// (EN 319 142-1, 6.3).
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Sets the place of signing (`/Location`).
    #[must_use]
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// Sets a way to reach the signer (`/ContactInfo`).
    #[must_use]
    pub fn contact(mut self, contact: impl Into<String>) -> Self {
        self.contact = Some(contact.into());
        self
    }

    /// Sets the full name of the signature field: an empty field with this name, or a new field if
    /// the document has none. Periods separate the levels of a name. A stamp on a page always makes
    /// a new field.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>) -> Self {
        self.field = Some(name.into());
        self
    }

    /// Certifies the document. Only the first signature of a document can do that.
    #[must_use]
    pub const fn certify(mut self, certification: Certification) -> Self {
        self.certification = Some(certification);
        self
    }

    /// Locks form fields: verifiers report a later change of their values.
    #[must_use]
    pub fn lock(mut self, lock: FieldLock) -> Self {
        self.lock = Some(lock);
        self
    }

    /// Makes the signature visible.
    #[must_use]
    pub fn stamp(mut self, stamp: Stamp) -> Self {
        self.stamp = Some(stamp);
        self
    }

    /// Signs a document with a broken cross-reference by appending a new one. The prepared
    /// signature has a [warning](crate::Warning) if the document needed it.
    #[must_use]
    pub const fn repair(mut self) -> Self {
        self.repair = true;
        self
    }

    /// Signs an encrypted document even if its permissions allow that only with the owner's
    /// password.
    #[must_use]
    pub const fn ignore_permissions(mut self) -> Self {
        self.ignore_permissions = true;
        self
    }

    /// Reserves room in `/Contents` for a signature time-stamp, which an
    /// [`Extension`](crate::Extension) adds later. `token_len`: the length in octets of a token of
    /// the time-stamping service, as measured; the chain of the authority decides it. Tokens of
    /// one service differ by a few octets, which are reserved, too. Without room, only a document
    /// time-stamp raises the signature to B-T.
    #[must_use]
    pub const fn room_for_time_stamp(mut self, token_len: usize) -> Self {
        self.room_for_time_stamp = Some(token_len);
        self
    }

    /// Sets the name and version of the program that signs (`/Prop_Build`).
    #[must_use]
    pub fn application(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.application = Some((name.into(), version.into()));
        self
    }
}

impl fmt::Debug for PdfOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PdfOptions")
            .field("field", &self.field)
            .field("certification", &self.certification)
            .field("lock", &self.lock)
            .field("stamp", &self.stamp)
            .field("repair", &self.repair)
            .field("ignore_permissions", &self.ignore_permissions)
            .field("room_for_time_stamp", &self.room_for_time_stamp)
            .finish_non_exhaustive()
    }
}

/// The appearance of a visible signature.
///
/// The stored form of a stamp records that it has an image or a font, but not their octets: set
/// them again after restoring. Until then, preparing a signature returns
/// [`Error::StampIncomplete`](crate::Error::StampIncomplete).
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Stamp {
    /// The position
    pub position: StampPosition,
    /// The text, with the placeholders `{name}`, `{time}`, `{reason}` and `{location}`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// How `{time}` shows the signing time
    #[serde(default, skip_serializing_if = "is_default")]
    pub time: TimeFormat,
    /// The text of a QR code, with the same placeholders
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qr_code: Option<String>,
    /// The alignment of the content
    #[serde(default, skip_serializing_if = "is_default")]
    pub alignment: Alignment,
    /// The border
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub border: Option<Border>,
    /// The colour of the background; without it, the page shows through
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<Colour>,
    /// PNG, or JPEG in grey, RGB or CMYK
    #[serde(default, skip_serializing_if = "Octets::is_none")]
    pub(crate) image: Octets,
    /// TrueType or OpenType
    #[serde(default, skip_serializing_if = "Octets::is_none")]
    pub(crate) font: Octets,
}

impl Stamp {
    /// The text of a stamp for which neither a text nor an image is set.
    pub const DEFAULT_TEXT: &str = "{name}\n{time}\n{reason}\n{location}";

    /// A stamp with the [default text](Self::DEFAULT_TEXT), which needs a [font](Self::font).
    #[must_use]
    pub const fn new(position: StampPosition) -> Self {
        Self {
            position,
            text: None,
            time: TimeFormat::new(),
            qr_code: None,
            alignment: Alignment::new(),
            border: None,
            background: None,
            image: Octets::None,
            font: Octets::None,
        }
    }

    /// Sets the text. The placeholders are `{name}`, `{time}`, `{reason}` and `{location}`. A line
    /// with a placeholder that has no value is left out. The default is
    /// [`DEFAULT_TEXT`](Self::DEFAULT_TEXT), unless there is an image. With an image or a QR code,
    /// an empty text means none.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Sets the language and the time zone of `{time}`. The default is `2026-09-21 14:13:20 UTC`.
    #[must_use]
    pub const fn time(mut self, format: TimeFormat) -> Self {
        self.time = format;
        self
    }

    /// Sets the text of a QR code, usually a URL. It has the placeholders of the text, and may have
    /// 1,024 octets. A stamp with a QR code has the default text, too, unless there is an image or
    /// an empty [text](Self::text).
    #[must_use]
    pub fn qr_code(mut self, text: impl Into<String>) -> Self {
        self.qr_code = Some(text.into());
        self
    }

    /// Sets the alignment of the content.
    #[must_use]
    pub const fn alignment(mut self, alignment: Alignment) -> Self {
        self.alignment = alignment;
        self
    }

    /// Sets the border.
    #[must_use]
    pub const fn border(mut self, border: Border) -> Self {
        self.border = Some(border);
        self
    }

    /// Sets the colour of the background. The text is white on a dark one.
    #[must_use]
    pub const fn background(mut self, colour: Colour) -> Self {
        self.background = Some(colour);
        self
    }

    /// Sets the image file: PNG, or JPEG in grey, RGB or CMYK (not in a document
    /// that claims to be PDF/A).
    #[must_use]
    pub fn image(mut self, image: impl Into<Vec<u8>>) -> Self {
        self.image = Octets::Known(image.into());
        self
    }

    /// Sets the font file of the text, with TrueType or CFF outlines. The font's licence must allow
    /// embedding.
    #[must_use]
    pub fn font(mut self, font: impl Into<Vec<u8>>) -> Self {
        self.font = Octets::Known(font.into());
        self
    }
}

impl fmt::Debug for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stamp").field("position", &self.position).finish_non_exhaustive()
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Octets that are not stored: the stored form only records whether there are any.
#[derive(Clone, Default, PartialEq)]
pub(crate) enum Octets {
    #[default]
    None,
    /// Restored, and not set again.
    Missing,
    Known(Vec<u8>),
}

impl Octets {
    pub(crate) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

impl Serialize for Octets {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(!self.is_none())
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bool::deserialize(deserializer).map(|exist| if exist { Self::Missing } else { Self::None })
    }
}
