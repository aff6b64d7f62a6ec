//! The roles of objects in a document. The path to an object decides its role, not
//! its `/Type` or its number.

/// A role. An object on several paths has several roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// `/Root`
    Catalog,
    /// A node of the page tree, or an array of them
    Page,
    /// A page's `/Annots`
    Annotations,
    /// An element of `/Annots` that is not a field of the form
    Annotation,
    /// An object that only annotations refer to
    AnnotationPart,
    /// `/AcroForm`
    Form,
    /// `/Fields` and `/Kids` of fields
    Fields,
    /// A field or a widget of one
    Field,
    /// A widget's `/AP` and the streams in it
    Appearance,
    /// The value of a field that is not a signature field
    FieldValue,
    /// The form's `/DR`
    Resources,
    /// One category of the resources
    ResourceCategory,
    /// `/DSS` and everything in it
    ValidationData,
    /// Information about the document: `/Info`, `/Metadata` and others
    About,
    /// An object that has its place elsewhere: `/Parent`, `/P`, `/Pg` and others
    /// refer to it
    Mentioned,
    /// An element of the logical structure
    Structure,
    /// An object that such an element refers to, which may be an annotation (14.7.5.3)
    Tagged,
    /// Everything that must not change: above all the content of pages
    Other,
}

impl Role {
    const ALL: [Self; 18] = [
        Self::Catalog,
        Self::Page,
        Self::Annotations,
        Self::Annotation,
        Self::AnnotationPart,
        Self::Form,
        Self::Fields,
        Self::Field,
        Self::Appearance,
        Self::FieldValue,
        Self::Resources,
        Self::ResourceCategory,
        Self::ValidationData,
        Self::About,
        Self::Mentioned,
        Self::Structure,
        Self::Tagged,
        Self::Other,
    ];

    /// The role of a dictionary's entry, for a dictionary in this role.
    pub(crate) fn of_entry(self, key: &[u8]) -> Self {
        match (self, key) {
            (Self::Catalog, b"Pages") => Self::Page,
            (Self::Catalog, b"AcroForm") => Self::Form,
            (Self::Catalog, b"DSS") => Self::ValidationData,
            (Self::Catalog, b"Extensions" | b"MarkInfo" | b"Metadata") => Self::About,
            (Self::Catalog, b"StructTreeRoot") => Self::Structure,
            (Self::Structure, b"IDTree" | b"K" | b"Kids" | b"Names" | b"Nums" | b"ParentTree") => {
                Self::Structure
            }
            (Self::Structure, b"Obj") => Self::Tagged,
            (Self::Page, b"Kids") => Self::Page,
            (Self::Page, b"Annots") => Self::Annotations,
            (Self::Form, b"Fields") => Self::Fields,
            (Self::Form, b"DR") => Self::Resources,
            (Self::Resources, _) => Self::ResourceCategory,
            (Self::Field, b"AP") => Self::Appearance,
            (Self::Field, b"Kids") => Self::Fields,
            (Self::Field, b"RV" | b"V") => Self::FieldValue,
            (Self::Appearance | Self::FieldValue | Self::ValidationData | Self::About, _) => self,
            (Self::Annotation | Self::AnnotationPart, _) => Self::AnnotationPart,
            (Self::Mentioned | Self::Tagged, _) => Self::Other,
            (_, key) if mentions(key) => Self::Mentioned,
            _ => Self::Other,
        }
    }

    /// The role of an array's element, for an array in this role.
    pub(crate) const fn of_element(self) -> Self {
        match self {
            Self::Annotations => Self::Annotation,
            Self::Fields => Self::Field,
            Self::Page
            | Self::AnnotationPart
            | Self::Appearance
            | Self::FieldValue
            | Self::ValidationData
            | Self::About
            | Self::Mentioned
            | Self::Structure
            | Self::Tagged => self,
            _ => Self::Other,
        }
    }

    /// The order of visits: forms before annotations, because widgets of fields are
    /// both, and objects with a place of their own before those that mention them.
    pub(crate) const fn turn(self) -> usize {
        match self {
            Self::Catalog | Self::Page | Self::Form | Self::Fields | Self::Field => 0,
            Self::Annotations | Self::Annotation => 1,
            _ => 2,
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u16
    }
}

/// Keys that mention an object, or an array of objects, that has its place
/// elsewhere. In dictionaries of arbitrary names, these keys may lead to anything;
/// [`Reach`](super::Reach) therefore ignores a mention only of objects that have
/// such a place.
const MENTIONS: [&[u8]; 12] = [
    b"AN", b"CO", b"Data", b"Fields", b"IRT", b"Obj", b"P", b"Parent", b"Pg", b"Popup", b"T", b"TA",
];

/// Whether a key only mentions an object.
pub(crate) fn mentions(key: &[u8]) -> bool {
    MENTIONS.contains(&key)
}

/// The roles of one object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Roles(u32);

impl Roles {
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn has(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    pub(crate) fn has_one_of(self, roles: &[Role]) -> bool {
        roles.iter().any(|role| self.has(*role))
    }

    pub(crate) const fn add(&mut self, role: Role) {
        self.0 |= role.bit();
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }
}
