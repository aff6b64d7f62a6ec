//! Which options concern which signatures.

use super::{Operation, Packaging, SigningOptions};
use crate::detect::Format;

/// An option that does not concern every signature.
///
/// ```
/// use ades::{Format, FormatOption, SignatureParameters, SigningOptions};
///
/// let now = chrono::DateTime::from_timestamp(1_790_000_000, 0).unwrap();
/// let options = SigningOptions::new(SignatureParameters::new(now));
/// assert!(FormatOption::Reason.concerns(Format::Pades, &options));
/// assert!(!FormatOption::Reason.concerns(Format::Cades, &options));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FormatOption {
    /// [`SigningOptions::format`]
    #[error("a format")]
    Format,
    /// [`SigningOptions::packaging`]
    #[error("a packaging")]
    Packaging,
    /// The media type of [`SigningOptions::parameters`]
    #[error("a media type")]
    MediaType,
    /// The description of the document in [`SigningOptions::parameters`]
    #[error("a description of the document")]
    Description,

    /// [`PdfOptions::name`](crate::PdfOptions::name)
    #[error("a name of the signer")]
    Name,
    /// [`PdfOptions::reason`](crate::PdfOptions::reason)
    #[error("a reason")]
    Reason,
    /// [`PdfOptions::location`](crate::PdfOptions::location)
    #[error("a location in one text")]
    Location,
    /// [`PdfOptions::contact`](crate::PdfOptions::contact)
    #[error("a contact")]
    Contact,
    /// [`PdfOptions::field`](crate::PdfOptions::field)
    #[error("a signature field")]
    Field,
    /// [`PdfOptions::certification`](crate::PdfOptions::certification)
    #[error("a certification")]
    Certification,
    /// [`PdfOptions::lock`](crate::PdfOptions::lock)
    #[error("a lock of form fields")]
    Lock,
    /// [`PdfOptions::stamp`](crate::PdfOptions::stamp)
    #[error("a visible appearance")]
    Stamp,
    /// [`PdfOptions::repair`](crate::PdfOptions::repair())
    #[error("a repair of the document")]
    Repair,
    /// [`Inputs::password`](crate::Inputs::password),
    /// [`VerifyOptions::password`](crate::VerifyOptions::password)
    #[error("a password of the document")]
    Password,
    /// [`PdfOptions::ignore_permissions`](crate::PdfOptions::ignore_permissions())
    #[error("permissions of the document")]
    Permissions,

    /// [`XmlOptions::elements`](crate::XmlOptions::elements)
    #[error("the Id of an element to sign")]
    SignedElement,
    /// [`XmlOptions::position`](crate::XmlOptions::position)
    #[error("a position of the signature element")]
    Position,
    /// [`XmlOptions::canonicalization`](crate::XmlOptions::canonicalization)
    #[error("a canonicalisation of the signed data")]
    Canonicalization,
    /// [`XmlOptions::allow_parallel`](crate::XmlOptions::allow_parallel())
    #[error("a signature without the document's other signatures")]
    AllowParallel,
    /// [`XmlOptions::production_place`](crate::XmlOptions::production_place)
    #[error("a street address, state or postal code")]
    ProductionPlace,
    /// [`XmlOptions::signing_certificate`](crate::XmlOptions::signing_certificate)
    #[error("a property that names the signing certificate")]
    SigningCertificate,
    /// [`XmlOptions::sign_key_info`](crate::XmlOptions::sign_key_info()),
    /// [`XmlOptions::key_value`](crate::XmlOptions::key_value())
    #[error("a form of ds:KeyInfo")]
    KeyInfo,
    /// [`ReadingOptions`](crate::ReadingOptions)
    #[error("options of how XML is read")]
    Reading,

    /// [`VerifyOptions::original`](crate::VerifyOptions::original)
    #[error("an original document")]
    Original,
    /// More than one [`VerifyOptions::original`](crate::VerifyOptions::original)
    #[error("more than one original document")]
    SeveralOriginals,
    /// [`VerifyOptions::element`](crate::VerifyOptions::element)
    #[error("the name or Id of an element")]
    Element,
}

impl FormatOption {
    /// The formats that have this option.
    #[must_use]
    pub const fn formats(self) -> &'static [Format] {
        use Format::{Cades, Pades, Xades};

        match self {
            Self::Format => &[Cades, Pades, Xades],
            Self::Packaging | Self::MediaType | Self::Description | Self::Original => {
                &[Cades, Xades]
            }
            Self::Name
            | Self::Reason
            | Self::Location
            | Self::Contact
            | Self::Field
            | Self::Certification
            | Self::Lock
            | Self::Stamp
            | Self::Repair
            | Self::Password
            | Self::Permissions => &[Pades],
            Self::SignedElement
            | Self::Position
            | Self::Canonicalization
            | Self::AllowParallel
            | Self::ProductionPlace
            | Self::SigningCertificate
            | Self::KeyInfo
            | Self::Reading
            | Self::SeveralOriginals
            | Self::Element => &[Xades],
        }
    }

    /// Whether the option has an effect on a signature of this format, with the operation and
    /// the packaging of `options`. If not, setting it is a mistake, unless the same options sign
    /// other documents of a batch.
    #[must_use]
    pub fn concerns(self, format: Format, options: &SigningOptions) -> bool {
        self.formats().contains(&format)
            && self.concerns_operation(format, options)
            && (format != Format::Xades || self.concerns_xml(options))
    }

    /// A container or signature that exists determines format and packaging. A countersignature
    /// signs a signature value, which has neither media type nor description
    /// (EN 319 122-1, 5.2.7; EN 319 132-1, 5.2.7).
    fn concerns_operation(self, format: Format, options: &SigningOptions) -> bool {
        match (&options.operation, self) {
            (Operation::Sign, _) => true,
            (_, Self::Format) => options.format == Some(format),
            (_, Self::Packaging) => false,
            (Operation::Countersign { .. }, Self::MediaType | Self::Description) => false,
            _ => true,
        }
    }

    fn concerns_xml(self, options: &SigningOptions) -> bool {
        let countersigns = matches!(options.operation, Operation::Countersign { .. });
        let packaging = options.packaging.unwrap_or(Packaging::Enveloped);
        let inside = matches!(packaging, Packaging::Enveloped | Packaging::InternallyDetached);
        match self {
            Self::SignedElement => packaging == Packaging::InternallyDetached && !countersigns,
            Self::AllowParallel => packaging == Packaging::Enveloped && !countersigns,
            Self::Position => inside && !countersigns,
            Self::Canonicalization => {
                (inside || packaging == Packaging::Enveloping) && !countersigns
            }
            // The other packagings take the document as octets.
            Self::Reading => inside || packaging == Packaging::Enveloping,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use ades_core::SignatureParameters;

    use super::*;

    #[test]
    fn packaging_and_operation_narrow_the_options_of_xml() {
        let now = std::time::SystemTime::UNIX_EPOCH;
        let options = SigningOptions::new(SignatureParameters::new(now));
        let of_xml = [
            FormatOption::SignedElement,
            FormatOption::Position,
            FormatOption::Canonicalization,
            FormatOption::AllowParallel,
            FormatOption::ProductionPlace,
            FormatOption::Reading,
        ];
        for (packaging, expected) in [
            (Packaging::Enveloped, [false, true, true, true, true, true]),
            (Packaging::InternallyDetached, [true, true, true, false, true, true]),
            (Packaging::Enveloping, [false, false, true, false, true, true]),
            (Packaging::EnvelopingBase64, [false, false, false, false, true, false]),
            (Packaging::Detached, [false, false, false, false, true, false]),
        ] {
            let options = options.clone().packaging(packaging);
            let found = of_xml.map(|option| option.concerns(Format::Xades, &options));
            assert_eq!(found, expected, "{packaging}");
            assert!(of_xml.iter().all(|option| !option.concerns(Format::Cades, &options)));
        }
        let options = options.operation(Operation::Countersign { which: vec![0] });
        let found = of_xml.map(|option| option.concerns(Format::Xades, &options));
        assert_eq!(found, [false, false, false, false, true, true]);
        assert!(!FormatOption::MediaType.concerns(Format::Cades, &options));
    }
}
