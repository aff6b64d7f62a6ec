//! What an object is to the document: the way that leads to it says so, not
//! what it says of itself, nor its number.

/// A role. An object that several ways lead to has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// `/Root`
    Catalog,
    /// A node of the page tree, or an array of them
    Page,
    /// A page's `/Annots`
    Annotations,
    /// An element of that which is no field of the form
    Annotation,
    /// What only annotations lead to
    AnnotationPart,
    /// `/AcroForm`
    Form,
    /// `/Fields` and `/Kids` of fields
    Fields,
    /// A field or a widget of one
    Field,
    /// A widget's `/AP` and the streams in it
    Appearance,
    /// The value of a field that is no signature
    FieldValue,
    /// The form's `/DR`
    Resources,
    /// One category of these
    ResourceCategory,
    /// `/DSS` and all in it
    ValidationData,
    /// What is only said about the document: `/Info`, `/Metadata` and others
    About,
    /// Named as what it is elsewhere: `/Parent`, `/P`, `/Pg` and others
    Mentioned,
    /// An element of the document's logical structure
    Structure,
    /// Named by such an element (14.7.5.3): annotations may be, too
    Tagged,
    /// All that may not change: what pages show, above all
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

    /// What an entry of a dictionary in this role leads to.
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

    /// What an element of an array in this role is.
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

    /// Forms are looked through before annotations, for widgets of fields are
    /// both, and what has a place of its own before what may mention it.
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

/// Keys of what is mentioned, and of arrays of such. In dictionaries of
/// somebody's own names they may lead to anything: what has no place of its own,
/// or may change there altogether, is not only mentioned.
const MENTIONS: [&[u8]; 12] = [
    b"AN", b"CO", b"Data", b"Fields", b"IRT", b"Obj", b"P", b"Parent", b"Pg", b"Popup", b"T", b"TA",
];

/// Whether what a key leads to is mentioned there.
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
