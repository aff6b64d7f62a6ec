//! The `xml:` attributes that an element inherits from ancestors that are not in the
//! node-set (Canonical XML 1.0 and 1.1, clause 2.4 each).

use std::borrow::Cow;

use crate::error::{Error, Limit};
use crate::xml::StartElement;

use super::base::join;
use super::method::Algorithm;
use super::work::Work;

/// Maximum length of a joined `xml:base`.
pub(crate) const MAX_BASE_LEN: usize = 64 * 1024;

/// The cost of sorting one of many attributes.
const SORTING: usize = 16;
/// The cost of joining one octet.
const JOINING: usize = 4;

/// An `xml:` attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct XmlAttribute<'e> {
    pub(crate) local_name: &'e [u8],
    pub(crate) value: Cow<'e, [u8]>,
}

/// The `xml:` attributes that the form writes for an element: its own and the
/// inherited ones, sorted by local name. `None` if the element inherits nothing.
/// `shown` is the depth of the nearest ancestor in the node-set.
pub(crate) fn with_inherited<'e>(
    algorithm: Algorithm,
    element: &StartElement<'e>,
    shown: Option<usize>,
    work: &mut Work,
) -> Result<Option<Vec<XmlAttribute<'e>>>, Error> {
    if algorithm == Algorithm::Exclusive10 {
        return Ok(None);
    }
    let v11 = algorithm == Algorithm::C14n11;
    work.add(element.xml_scope.len());
    // Canonical XML 1.1 inherits only from ancestors that are nearer than the nearest
    // one in the node-set, 1.0 from all.
    let asked = |depth: usize| !v11 || shown.is_none_or(|shown| depth > shown);
    let above = |depth: usize| depth < element.depth() && asked(depth);
    let ancestors = || element.xml_scope.iter().filter(|attribute| above(attribute.0));
    let attribute = |local_name, value| XmlAttribute { local_name, value: Cow::Borrowed(value) };

    let own = element.tag.of_xml().map(|own| element.placed(own));
    let mut all: Vec<_> = own.map(|own| attribute(own.local_name(), own.value())).collect();
    let before = all.len();
    let simple = |name: &[u8]| !v11 || matches!(name, b"lang" | b"space");
    let simple = ancestors().rev().filter(|attribute| simple(attribute.1));
    all.extend(simple.map(|(_, name, value)| attribute(name, value)));
    let joined = if v11 { joined_base(element, ancestors(), work)? } else { None };
    if all.len() == before && joined.is_none() {
        return Ok(None);
    }
    // The first of several attributes with one name is kept: the element's own, or the
    // nearest ancestor's.
    work.add(all.len() * SORTING);
    all.sort_by_key(|attribute| attribute.local_name);
    all.dedup_by_key(|attribute| attribute.local_name);
    if let Some(base) = joined {
        all.retain(|attribute| attribute.local_name != b"base");
        // An empty base is not written (1.1, clause 2.4).
        if !base.is_empty() {
            let at = all.partition_point(|attribute| attribute.local_name < b"base".as_slice());
            let value = Cow::Owned(base.into_bytes());
            all.insert(at, XmlAttribute { local_name: b"base", value });
        }
    }
    Ok(Some(all))
}

/// The bases of the ancestors that are not in the node-set, joined with the element's
/// own. `None` if no such ancestor has one.
fn joined_base<'e>(
    element: &StartElement<'e>,
    ancestors: impl DoubleEndedIterator<Item = (usize, &'e [u8], &'e [u8])>,
    work: &mut Work,
) -> Result<Option<String>, Error> {
    let mut bases = ancestors.filter(|at| at.1 == b"base").map(|at| at.2).rev().peekable();
    if bases.peek().is_none() {
        return Ok(None);
    }
    let mut of_xml = element.tag.of_xml().map(|own| element.placed(own));
    let own = of_xml.find(|own| own.local_name() == b"base").map(|own| own.value());
    let mut joined: Option<String> = None;
    for base in own.into_iter().chain(bases) {
        let base = String::from_utf8_lossy(base);
        let next = joined.map_or_else(|| base.clone().into_owned(), |inner| join(&base, &inner));
        work.add((base.len() + next.len()) * JOINING);
        if next.len() > MAX_BASE_LEN {
            let offset = Some(element.tag().start);
            return Err(Error::Limit { offset, limit: Limit::BaseLength });
        }
        joined = Some(next);
    }
    Ok(joined)
}
