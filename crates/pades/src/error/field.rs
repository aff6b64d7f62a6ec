//! Why a form field cannot be signed.

/// Why a form field cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum FieldFault {
    /// It has a value: it is signed.
    #[error("it is signed already")]
    AlreadySigned,
    /// Its `/Lock` has an unknown level.
    #[error("its lock has a level other than 1, 2 or 3 (/Lock /P)")]
    LockLevel,
    /// Its `/Lock` restricts the whole document more than the certification.
    #[error("its lock allows fewer changes than the certification (/Lock /P)")]
    LocksDocument,
    /// The rectangle of its widget has no area.
    #[error("its rectangle has no area")]
    NoArea,
    /// No page has its widget.
    #[error("it is not on a page")]
    NoPage,
    /// It has no widget.
    #[error("it has no widget")]
    NoWidget,
    /// It is a terminal field: no field can be added below it.
    #[error("it is filled in itself: it is not a group of fields")]
    NotAGroup,
    /// It is of another type.
    #[error("it is not a signature field")]
    NotASignatureField,
    /// It has a `/Lock`, and the options have a lock, too.
    #[error("it has a lock of its own (/Lock)")]
    OwnLock,
    /// Its seed value dictionary has a constraint that this signature does not meet.
    #[error("{0}")]
    SeedValue(SeedConstraint),
    /// It has several widgets.
    #[error("it has more than one widget")]
    SeveralWidgets,
}

/// A constraint of a field's seed value dictionary (ISO 32000-2, 12.7.5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum SeedConstraint {
    /// `/AddRevInfo`
    #[error("it requires revocation values in the CMS (/SV /AddRevInfo)")]
    AddRevInfo,
    /// `/AppearanceFilter`
    #[error("it requires a certain appearance (/SV /AppearanceFilter)")]
    AppearanceFilter,
    /// `/Cert /Subject`
    #[error("it requires another certificate (/SV /Cert /Subject)")]
    Certificate,
    /// Properties of the certificate that this version does not compare.
    #[error("it requires a name, key usage or source of the certificate (/SV /Cert)")]
    CertificateProperties,
    /// `/Cert`, for a CMS that is not made here.
    #[error("it requires certain certificates, and the signer's is not known (/SV /Cert)")]
    CertificateUnknown,
    /// `/DigestMethod`
    #[error("it requires another digest algorithm (/SV /DigestMethod)")]
    DigestMethod,
    /// `/Filter`
    #[error("it requires another signature handler (/SV /Filter)")]
    Filter,
    /// `/Cert /Issuer`
    #[error("it requires another issuer of the certificate (/SV /Cert /Issuer)")]
    Issuer,
    /// `/LegalAttestation`
    #[error("it requires a legal attestation (/SV /LegalAttestation)")]
    LegalAttestation,
    /// `/LockDocument`
    #[error("it requires that the document be locked (/SV /LockDocument)")]
    LockDocument,
    /// `/MDP`
    #[error("it requires another certification, or none (/SV /MDP)")]
    Mdp,
    /// `/Cert /OID`
    #[error("it requires a certificate under another policy (/SV /Cert /OID)")]
    Policy,
    /// `/Reasons`
    #[error("it requires another reason, or none (/SV /Reasons)")]
    Reasons,
    /// `/SubFilter`
    #[error("it requires another signature format (/SV /SubFilter)")]
    SubFilter,
    /// `/TimeStamp`
    #[error("it requires a time-stamp (/SV /TimeStamp)")]
    TimeStamp,
    /// `/V`
    #[error("its constraints are of a newer version (/SV /V)")]
    Version,
}
