//! Past disagreements, by the rows of `docs/c14n.md`: which judge is wrong, and that all
//! others agree. Add new disagreements here, with a row there.

use crate::part::Part;

/// A judge that is wrong about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    Libxml2,
    Santuario,
    Both,
}

/// A disagreement.
#[derive(Debug)]
pub struct Regression {
    pub row: u8,
    pub wrong: Wrong,
    pub document: &'static str,
    pub part: Part,
}

pub fn regressions() -> Vec<Regression> {
    use Wrong::{Both, Libxml2, Santuario};

    const OF_R: &str = "<!DOCTYPE r [<!ENTITY e 'x&#13;y&#38;#13;'><!ENTITY f '<b/>'>]>";
    let with_dtd = |content: &str| -> &'static str { format!("{OF_R}{content}").leak() };
    let whole = |mode| Part { mode, ..Part::whole_with_comments() };
    let apex = |mode| Part { mode, apex: Some("i0".into()), ..Part::default() };
    let without = || Part { without: Some("i0".into()), ..Part::whole_with_comments() };
    // A node-set that is the whole document.
    let by_xpath = |mode| Part { mode, gaps: Some("none"), ..Part::default() };
    let rows = [
        (1, Libxml2, "<r xmlns='urn:a?b&amp;c&quot;'/>", whole(0)),
        (1, Libxml2, "<r xmlns:p='urn:a?b&amp;c&quot;'><p:e/></r>", whole(1)),
        (2, Libxml2, "<r xmlns='http://é/'/>", whole(0)),
        (3, Both, "<!--1--><r Id='i0'/><!--2-->", without()),
        (3, Libxml2, "<r Id='i0'><e><?p?></e></r>", Part { gaps: Some("e"), ..apex(0) }),
        (3, Libxml2, "<e><e><?p?></e></e>", Part { gaps: Some("e"), ..Part::default() }),
        (4, Libxml2, with_dtd("<r>&e;</r>"), whole(0)),
        (5, Libxml2, with_dtd("<r a='&e;'/>"), whole(0)),
        (6, Libxml2, with_dtd("<r xmlns='urn:r'>&f;<c xmlns='urn:c'>&f;</c></r>"), whole(0)),
        (7, Libxml2, "<r xml:base='a/'><e Id='i0' xml:base='../..'/></r>", apex(2)),
        (7, Libxml2, "<r xml:base='a/'><e Id='i0' xml:base='b#c'/></r>", apex(2)),
        (7, Libxml2, "<r xml:base='x/y/z'><e Id='i0' xml:base='../../a/'/></r>", apex(2)),
        (8, Santuario, "<r xml:foo=''><e Id='i0'/></r>", apex(2)),
        (9, Both, "<!--1--><r Id='i0'/><!--2-->", without()),
        (10, Santuario, "<r xml:base='http:m'><e Id='i0' xml:base='n'/></r>", apex(2)),
        (10, Santuario, "<r xml:base='a/'><e Id='i0' xml:base='urn:n:m'/></r>", apex(2)),
        (10, Santuario, "<r xml:base='a/'><e Id='i0' xml:base='http://h'/></r>", apex(2)),
        (11, Santuario, "<r xml:lang='nl'><e xml:base='b/'/></r>", by_xpath(0)),
        (13, Santuario, "<r xml:base='b/'><e xml:base='c/'><a Id='i0'/></e></r>", apex(2)),
        (13, Santuario, "<r xml:lang='nl'><e xml:lang='fr'><a Id='i0'/></e></r>", apex(0)),
        (14, Santuario, "<r/><!--1--><?p?>", whole(0)),
        (15, Libxml2, "<r><e xml:base=''/></r>", whole(2)),
        (16, Santuario, "<!DOCTYPE r [<!ATTLIST r a CDATA #IMPLIED a CDATA '1'>]><r/>", whole(0)),
    ];
    let regression = |(row, wrong, document, part)| Regression { row, wrong, document, part };
    rows.into_iter().map(regression).collect()
}
