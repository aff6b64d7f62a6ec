//! One canonical form: receives the events of the document and writes the octets.

use std::fmt;

use crate::error::{Error, Limit};
use crate::namespaces::XPATH;
use crate::xml::{
    BindingIndex, EndElement, Event, Extent, NO_NAMESPACE, Namespaces, StartElement, TagAttribute,
    XML_BINDING, XML_NAMESPACE,
};

use super::inherited::{XmlAttribute, with_inherited};
use super::marks::Marks;
use super::method::Canonicalization;
use super::output::{Output, Sink};
use super::pass::{Covered, ElementName};
use super::select::{Select, Selection, Shown, ShownKinds, Within};
use super::work::Work;

/// Maximum number of selected elements, and of left-out elements, that a form lists.
pub(crate) const MAX_LISTED: usize = 65_536;
/// Maximum number of selected elements whose names are kept.
const MAX_NAMED: usize = 64;

/// The nodes of a form.
pub(crate) enum NodeSet<'s> {
    Selection(Box<Selection>),
    Custom(Box<dyn Select + 's>),
}

/// One canonical form, or the text of its nodes.
pub(crate) struct Form<'s> {
    method: Canonicalization,
    nodes: NodeSet<'s>,
    out: Output<'s>,
    comments: bool,
    /// Whether only the text of the nodes is written, instead of a canonical form.
    text: bool,
    /// Whether it is a canonical form of the whole document, as most are, and nothing else has to be
    /// known of its elements: each is in it.
    whole: bool,
    /// The place outside the root element.
    outside: OpenElement,
    /// Whether the root element has ended.
    after_root: bool,
    /// The number of open elements around those in `open`: they are outside of the selected
    /// element.
    around: usize,
    open: Vec<OpenElement>,
    /// The namespaces that the open elements have written, outermost first.
    rendered: Vec<BindingIndex>,
    to_render: Vec<BindingIndex>,
    /// Whether the current comment or instruction is in the form.
    writing: bool,
    /// Whether the data of the current instruction has begun.
    data: bool,
    /// The targets that the next element to open is inside, if they are known.
    entered: Option<(Within, ShownKinds)>,
    covered: Covered,
}

/// An open element.
#[derive(Clone, Copy)]
struct OpenElement {
    shown: ShownKinds,
    role: Role,
    /// The targets of the selection that the element is inside.
    within: Within,
    /// The number of namespaces written by the elements around this one.
    rendered: usize,
}

/// A place in a form of the whole document.
#[derive(Clone)]
pub(crate) struct PausedForm {
    method: Canonicalization,
    comments: bool,
    open: Vec<OpenElement>,
    rendered: Vec<BindingIndex>,
    covered: Covered,
    /// The number of octets that the sink has got.
    pub(crate) length: u64,
    /// The octets that it has not got yet.
    gathered: Vec<u8>,
}

impl PausedForm {
    /// Whether it is the form of these nodes, as far as the nodes before this place matter.
    pub(crate) fn is_of(&self, nodes: &Selection, method: &Canonicalization) -> bool {
        self.method == *method && self.comments == (nodes.has_comments() && method.comments())
    }
}

/// The relation of an element to a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It is whole in the form if and only if its parent is.
    Same,
    /// It is whole in the form, but its parent is not.
    Selected,
    /// It is not whole in the form, but its parent is.
    LeftOut,
}

impl<'s> Form<'s> {
    pub(crate) fn new(
        method: Canonicalization,
        nodes: NodeSet<'s>,
        sink: &'s mut Sink<'s>,
    ) -> Self {
        let (within, shown, comments) = match &nodes {
            NodeSet::Selection(selection) => {
                // If it is not decided, the root element returns the error.
                let shown = selection.shown_outside().unwrap_or(ShownKinds::all(false));
                (selection.outside(), shown, selection.has_comments())
            }
            NodeSet::Custom(select) => (Within::default(), ShownKinds::all(select.outside()), true),
        };
        let outside = OpenElement { shown, role: Role::Same, within, rendered: 0 };
        let whole = match &nodes {
            NodeSet::Selection(selection) => selection.is_everything(),
            NodeSet::Custom(_) => false,
        };
        Self {
            comments: comments && method.comments(),
            text: false,
            whole,
            method,
            nodes,
            out: Output::new(sink),
            outside,
            after_root: false,
            around: 0,
            open: Vec::new(),
            rendered: vec![NO_NAMESPACE],
            to_render: Vec::new(),
            writing: false,
            data: false,
            entered: None,
            covered: Covered { outside: shown.is_whole(), ..Covered::default() },
        }
    }

    /// Writes only the text of the nodes.
    pub(crate) fn of_text(mut self) -> Self {
        self.text = true;
        self.whole = false;
        self.covered.text = true;
        self
    }

    /// Remembers where the elements of the form are.
    pub(crate) fn with_marks(mut self) -> Self {
        self.covered.marks = Some(Marks::default());
        self.whole = false;
        self
    }

    /// The place after the last event, which is in the root element. `None` unless the form is of
    /// the whole document.
    pub(crate) fn pause(&self) -> Option<PausedForm> {
        let between = !self.writing && self.entered.is_none() && !self.open.is_empty();
        let (length, gathered) = self.out.pause();
        (self.whole && between).then(|| PausedForm {
            method: self.method.clone(),
            comments: self.comments,
            open: self.open.clone(),
            rendered: self.rendered.clone(),
            covered: self.covered.clone(),
            length,
            gathered: gathered.to_vec(),
        })
    }

    /// Continues from this place, which is at this depth. A form of an element has nothing before
    /// it.
    pub(crate) fn resume(&mut self, paused: &PausedForm, depth: usize) {
        let of_document = match &self.nodes {
            NodeSet::Selection(selection) => selection.is_document(),
            NodeSet::Custom(_) => true,
        };
        if of_document {
            self.open = paused.open.clone();
            self.rendered = paused.rendered.clone();
            self.covered = paused.covered.clone();
            self.out.resume(paused.length, &paused.gathered);
        } else {
            self.around = depth;
        }
    }

    pub(crate) fn take(&mut self, event: &Event<'_>, work: &mut Work) -> Result<(), Error> {
        if self.open.is_empty() && self.is_outside(event, work)? {
            work.add(event.count() - 1);
            return Ok(());
        }
        let before = self.out.written();
        match event {
            Event::StartElement(element) => match element.end() {
                None => self.start(element, work)?,
                Some(_) if self.whole => self.leaf(element, work)?,
                Some(end) => {
                    self.start(element, work)?;
                    self.end(&end, work)?;
                }
            },
            Event::EndElement(element) => self.end(element, work)?,
            Event::Text(text) if self.place().shown.text => {
                if self.text || text.is_plain() {
                    self.out.push(text.as_bytes());
                } else {
                    self.out.push_text(text.as_bytes());
                }
            }
            Event::Text(_) => {}
            Event::CommentStart => {
                self.begin(self.comments && self.place().shown.comments, b"<!--");
            }
            Event::CommentText(text) if self.writing => self.out.push(text),
            Event::CommentText(_) => {}
            Event::CommentEnd => self.finish_node(b"-->"),
            Event::InstructionStart(target) => {
                let Some(shown) = self.place().shown.instructions else {
                    return Err(Error::UnknownExpression { algorithm: XPATH.to_owned() });
                };
                self.begin(shown, b"<?");
                if self.writing {
                    self.out.push(target);
                }
            }
            Event::InstructionData(data) if self.writing => {
                if !self.data {
                    self.out.push(b" ");
                    self.data = true;
                }
                self.out.push(data);
            }
            Event::InstructionData(_) => {}
            Event::InstructionEnd => self.finish_node(b"?>"),
        }
        work.add(event.count() + self.out.written() - before);
        self.out.check()
    }

    /// The innermost open element, or the place outside the root element.
    fn place(&self) -> &OpenElement {
        self.open.last().unwrap_or(&self.outside)
    }

    /// Whether the event is outside of the selected element. Most events are, if a form is of a
    /// small part of a document.
    fn is_outside(&mut self, event: &Event<'_>, work: &mut Work) -> Result<bool, Error> {
        let NodeSet::Selection(selection) = &mut self.nodes else { return Ok(false) };
        // Formulas depend on the elements around the selected one.
        if selection.is_document() || selection.has_conditions() {
            return Ok(false);
        }
        work.add(1);
        match event {
            Event::StartElement(element) => {
                work.add(selection.cost(element));
                // An element whose end is covered is not around others.
                let around = usize::from(element.covered.end_tag == 0);
                if selection.passes_over(element) {
                    self.around += around;
                    return Ok(true);
                }
                let entered = selection.enter(element, Within::default())?;
                let outside = entered.0 == Within::default();
                if outside {
                    self.around += around;
                } else {
                    self.entered = Some(entered);
                }
                Ok(outside)
            }
            Event::EndElement(_) => {
                self.around = self.around.saturating_sub(1);
                Ok(true)
            }
            _ => Ok(true),
        }
    }

    /// Begins a comment or instruction. After the root element a line feed precedes
    /// it.
    fn begin(&mut self, wanted: bool, opening: &[u8]) {
        self.writing = wanted && !self.text;
        self.covered.comments_left_out |= self.place().shown.is_whole() && !self.writing;
        self.data = false;
        if self.writing {
            if self.after_root {
                self.out.push(b"\n");
            }
            self.out.push(opening);
        }
    }

    /// Ends a comment or instruction. Before the root element a line feed follows it.
    fn finish_node(&mut self, closing: &[u8]) {
        if self.writing {
            self.out.push(closing);
            if self.open.is_empty() && !self.after_root {
                self.out.push(b"\n");
            }
        }
        self.writing = false;
    }

    fn start(&mut self, element: &StartElement<'_>, work: &mut Work) -> Result<(), Error> {
        let around = *self.place();
        let mut within = around.within;
        let (shown, role) = match &mut self.nodes {
            _ if self.whole => (ShownKinds::all(true), Role::Same),
            NodeSet::Selection(selection) => {
                let entered = match self.entered.take() {
                    Some(entered) => entered,
                    None => {
                        work.add(selection.cost(element));
                        selection.enter(element, within)?
                    }
                };
                within = entered.0;
                let role = match (around.shown.is_whole(), entered.1.is_whole()) {
                    (false, true) => Role::Selected,
                    (true, false) => Role::LeftOut,
                    (true, true) if self.text => Role::LeftOut,
                    (true, true) | (false, false) => Role::Same,
                };
                (entered.1, role)
            }
            NodeSet::Custom(select) => {
                let parent = if self.open.is_empty() {
                    Shown::NO
                } else {
                    Shown { element: around.shown.element, content: around.shown.text }
                };
                (select.element(element, parent).into(), Role::Same)
            }
        };
        // The root element has no parent that could be left out.
        let with_parent =
            if self.open.is_empty() { self.around == 0 } else { around.shown.element };
        self.open.push(OpenElement { shown, role, within, rendered: self.rendered.len() });
        if role == Role::Selected && self.covered.elements.len() < MAX_NAMED {
            self.covered.elements.push(ElementName::new(element));
        }
        let following = if shown.text { element.covered.following } else { 0 };
        if shown.element && !self.text {
            self.write_start(element, with_parent, following, work)
        } else {
            self.out.push(element.after_tag(following));
            Ok(())
        }
    }

    /// Writes everything that an event covers, of a form of the whole document: an element with its
    /// text, and the text after it.
    fn leaf(&mut self, element: &StartElement<'_>, work: &mut Work) -> Result<(), Error> {
        let (shown, within) = (ShownKinds::all(true), Within::default());
        let rendered = self.rendered.len();
        self.open.push(OpenElement { shown, role: Role::Same, within, rendered });
        let Extent { following, end_tag, after, .. } = element.covered;
        self.write_start(element, true, following + end_tag + after, work)?;
        self.open.pop();
        self.rendered.truncate(rendered);
        self.after_root = self.open.is_empty();
        Ok(())
    }

    /// Writes a start tag and the first `following` octets after it.
    fn write_start(
        &mut self,
        element: &StartElement<'_>,
        with_parent: bool,
        following: usize,
        work: &mut Work,
    ) -> Result<(), Error> {
        self.method.check_prefixes(element.tag().start)?;
        if let Some(marks) = &mut self.covered.marks {
            marks.start(self.out.written() as u64);
        }
        self.choose_namespaces(element, with_parent, work);
        let of_xml = if with_parent { None } else { self.with_inherited(element, work)? };
        if element.tag.canonical && element.tag.declared.is_empty() && of_xml.is_none() {
            if self.to_render.is_empty() {
                self.out.push(element.tag_and(following));
                return Ok(());
            }
            let (name, rest) = element.spelling(following);
            self.out.push(name);
            self.write_namespaces(element.namespaces);
            self.out.push(rest);
            return Ok(());
        }
        self.out.push(b"<");
        self.out.push(element.qualified_name());
        self.write_namespaces(element.namespaces);
        let attributes = element.tag.attributes.as_slice();
        match of_xml {
            None => self.write_attributes(element, attributes),
            Some(of_xml) => {
                let name = |at: &TagAttribute| element.namespaces.name(at.binding);
                let before = attributes.partition_point(|at| name(at) < XML_NAMESPACE.as_bytes());
                let (before, rest) = attributes.split_at_checked(before).unwrap_or_default();
                let own = rest.iter().take_while(|at| at.binding == XML_BINDING).count();
                self.write_attributes(element, before);
                self.write_xml_attributes(&of_xml);
                self.write_attributes(element, rest.get(own..).unwrap_or_default());
            }
        }
        self.out.push(b">");
        self.out.push(element.after_tag(following));
        Ok(())
    }

    fn write_attributes(&mut self, element: &StartElement<'_>, attributes: &[TagAttribute]) {
        for attribute in attributes {
            let attribute = element.placed(attribute);
            self.out.push(b" ");
            self.out.push(attribute.qualified_name());
            self.out.push(b"=\"");
            if attribute.plain() {
                self.out.push(attribute.value());
            } else {
                self.out.push_value(attribute.value());
            }
            self.out.push(b"\"");
        }
    }

    fn write_xml_attributes(&mut self, attributes: &[XmlAttribute<'_>]) {
        for XmlAttribute { local_name, value } in attributes {
            self.out.push(b" xml:");
            self.out.push(local_name);
            self.out.push(b"=\"");
            self.out.push_value(value);
            self.out.push(b"\"");
        }
    }

    fn with_inherited<'e>(
        &self,
        element: &StartElement<'e>,
        work: &mut Work,
    ) -> Result<Option<Vec<XmlAttribute<'e>>>, Error> {
        let ancestors = self.open.len().saturating_sub(1);
        let shown = self.open.iter().take(ancestors).rposition(|open| open.shown.element);
        let shown = shown.map(|shown| self.around + shown);
        with_inherited(self.method.algorithm(), element, shown, work)
    }

    /// Chooses the namespaces that an element writes.
    ///
    /// The inclusive form writes the namespaces in scope, except those that the nearest
    /// ancestor in the node-set has in scope, too. If that ancestor is the parent, only
    /// the element's own declarations can differ. The exclusive form writes the
    /// namespaces that the names of the element and of its attributes use, and treats
    /// those of the prefix list as the inclusive form does.
    fn choose_namespaces(
        &mut self,
        element: &StartElement<'_>,
        with_parent: bool,
        work: &mut Work,
    ) {
        self.to_render.clear();
        let namespaces = element.namespaces;
        let exclusive = self.method.is_exclusive();
        if exclusive {
            self.consider(namespaces, element.tag.binding, work);
            for attribute in &element.tag.attributes {
                if attribute.binding != NO_NAMESPACE {
                    self.consider(namespaces, attribute.binding, work);
                }
            }
        }
        if with_parent && self.open.len() > 1 {
            for &declared in &element.tag.declared {
                work.add(self.listed());
                if !exclusive || self.method.is_inclusive_prefix(namespaces.prefix(declared)) {
                    self.consider(namespaces, declared, work);
                }
            }
        } else if exclusive {
            // Each listed prefix is searched among all that are in scope.
            if self.listed() > 0 {
                work.add(self.listed() * (1 + namespaces.in_scope().count()));
            }
            let listed: Vec<BindingIndex> = self
                .method
                .inclusive_prefixes()
                .filter_map(|prefix| namespaces.lookup(prefix))
                .collect();
            for binding in listed {
                self.consider(namespaces, binding, work);
            }
        } else {
            for binding in namespaces.in_scope() {
                self.consider(namespaces, binding, work);
            }
        }
        let names = |index: &BindingIndex| namespaces.prefix(*index);
        if self.to_render.len() > 1 {
            self.to_render.sort_unstable_by(|a, b| names(a).cmp(names(b)));
        }
    }

    /// The number of prefixes in the prefix list.
    fn listed(&self) -> usize {
        if self.method.is_exclusive() { self.method.inclusive_prefixes().len() } else { 0 }
    }

    /// Writes a namespace, unless an element around this one has written the same.
    #[inline]
    fn consider(&mut self, namespaces: &Namespaces, binding: BindingIndex, work: &mut Work) {
        if binding == XML_BINDING || self.rendered.last() == Some(&binding) {
            return;
        }
        let mut written = self.rendered.iter().rev().copied();
        let found = written.find(|&written| namespaces.same_prefix(written, binding));
        work.add(self.rendered.len() - written.len());
        match found {
            Some(written) if written == binding => {}
            Some(written) if namespaces.name(written) == namespaces.name(binding) => {}
            _ => {
                self.rendered.push(binding);
                self.to_render.push(binding);
            }
        }
    }

    fn write_namespaces(&mut self, namespaces: &Namespaces) {
        for &binding in &self.to_render {
            if let Some(declaration) = namespaces.plain_declaration(binding) {
                self.out.push(declaration);
                continue;
            }
            let prefix = namespaces.prefix(binding);
            self.out.push(if prefix.is_empty() { b" xmlns" } else { b" xmlns:" });
            self.out.push(prefix);
            self.out.push(b"=\"");
            self.out.push_value(namespaces.name(binding));
            self.out.push(b"\"");
        }
    }

    fn end(&mut self, element: &EndElement<'_>, work: &mut Work) -> Result<(), Error> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        self.rendered.truncate(open.rendered);
        self.after_root = self.open.is_empty() && self.around == 0;
        // The text after the tag is a part of the parent's content.
        let mut following = if self.place().shown.text { element.following } else { &[] };
        if open.shown.element && !self.text {
            if let Some(marks) = &mut self.covered.marks {
                marks.end(element.span());
            }
            match element.canonical {
                Some(both) if following.len() == element.following.len() => {
                    self.out.push(both);
                    following = &[];
                }
                _ => {
                    self.out.push(b"</");
                    self.out.push(element.qualified_name());
                    self.out.push(b">");
                }
            }
        }
        if !following.is_empty() {
            self.out.push(following);
        }
        let list = match open.role {
            Role::Selected => &mut self.covered.selected,
            Role::LeftOut => &mut self.covered.left_out,
            Role::Same => return Ok(()),
        };
        if list.len() == MAX_LISTED {
            let offset = Some(element.span().start_tag.start);
            return Err(Error::Limit { offset, limit: Limit::SelectedElements });
        }
        work.list();
        list.push(element.span().clone());
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Covered, Error> {
        if let NodeSet::Selection(selection) = &self.nodes {
            selection.finish()?;
        }
        self.covered.length = self.out.finish()?;
        Ok(self.covered)
    }
}

// A document's content must not reach logs.
impl fmt::Debug for PausedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PausedForm").field("length", &self.length).finish_non_exhaustive()
    }
}
