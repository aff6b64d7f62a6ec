//! One canonical form in the making.

use crate::error::Error;
use crate::xml::{
    BindingIndex, EndElement, Event, NO_NAMESPACE, Namespaces, StartElement, TagAttribute,
    XML_BINDING, XML_NAMESPACE,
};

use super::inherited::{XmlAttribute, with_inherited};
use super::method::Canonicalization;
use super::output::{Output, Sink};
use super::pass::{Covered, Selected};
use super::select::{Select, Selection, Shown, Within};
use super::work::Work;

/// So many selected or left-out elements are remembered, and no more may be.
const MAX_LISTED: usize = 65_536;
/// The names of so many selected elements are told.
const MAX_NAMED: usize = 64;

/// Who says what is in.
pub(crate) enum Chooser<'s> {
    Selection(Selection),
    Custom(Box<dyn Select + 's>),
}

/// One canonical form: what is in it, what it has written, and where to.
pub(crate) struct Job<'s> {
    method: Canonicalization,
    chooser: Chooser<'s>,
    out: Output<'s>,
    comments: bool,
    /// Whether it is text that is wanted and no canonical form.
    text: bool,
    /// Whether what is outside of the root element is in.
    outside: bool,
    /// Whether the root element has ended.
    behind_root: bool,
    open: Vec<Open>,
    /// The namespaces that the open elements have written, outermost first.
    rendered: Vec<BindingIndex>,
    to_render: Vec<BindingIndex>,
    /// Whether the current comment or instruction is in.
    writing: bool,
    /// Whether its data has begun.
    data: bool,
    covered: Covered,
}

/// An open element.
#[derive(Clone, Copy)]
struct Open {
    shown: Shown,
    role: Role,
    /// What a selection says of it.
    within: Within,
    /// How many namespaces had been written before it.
    rendered: usize,
}

/// What an element is to a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// As its parent.
    Same,
    /// In, but its parent is not.
    Selected,
    /// Not in, but its parent is.
    LeftOut,
}

impl<'s> Job<'s> {
    pub(crate) fn new(
        method: Canonicalization,
        chooser: Chooser<'s>,
        sink: &'s mut Sink<'s>,
    ) -> Self {
        let (outside, comments) = match &chooser {
            Chooser::Selection(selection) => (selection.outside(), selection.has_comments()),
            Chooser::Custom(select) => (select.outside(), true),
        };
        Self {
            comments: comments && method.comments(),
            text: false,
            method,
            chooser,
            out: Output::new(sink),
            outside,
            behind_root: false,
            open: Vec::new(),
            rendered: vec![NO_NAMESPACE],
            to_render: Vec::new(),
            writing: false,
            data: false,
            covered: Covered { outside, ..Covered::default() },
        }
    }

    /// The text only.
    pub(crate) fn of_text(mut self) -> Self {
        self.text = true;
        self.covered.text = true;
        self
    }

    pub(crate) fn take(&mut self, event: &Event<'_>, work: &mut Work) -> Result<(), Error> {
        let before = self.out.written();
        match event {
            Event::StartElement(element) => self.start(element, work)?,
            Event::EndElement(element) => self.end(element, work)?,
            Event::Text(text) if self.content() => {
                if self.text || text.is_plain() {
                    self.out.push(text.as_bytes());
                } else {
                    self.out.push_text(text.as_bytes());
                }
            }
            Event::Text(_) => {}
            Event::CommentStart => self.begin(self.comments, b"<!--"),
            Event::CommentText(text) if self.writing => self.out.push(text),
            Event::CommentText(_) => {}
            Event::CommentEnd => self.finish_node(b"-->"),
            Event::InstructionStart(target) => {
                self.begin(true, b"<?");
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
        work.add(1 + self.out.written() - before);
        self.out.check()
    }

    /// Whether text and the like is in, here.
    fn content(&self) -> bool {
        self.open.last().map_or(self.outside, |open| open.shown.content)
    }

    /// A comment or instruction begins. Behind the root element a line feed
    /// comes before it.
    fn begin(&mut self, wanted: bool, opening: &[u8]) {
        let content = self.content();
        self.writing = wanted && !self.text && content;
        self.covered.passed_over |= content && !self.writing;
        self.data = false;
        if self.writing {
            if self.behind_root {
                self.out.push(b"\n");
            }
            self.out.push(opening);
        }
    }

    /// It ends. Before the root element a line feed comes behind it.
    fn finish_node(&mut self, closing: &[u8]) {
        if self.writing {
            self.out.push(closing);
            if self.open.is_empty() && !self.behind_root {
                self.out.push(b"\n");
            }
        }
        self.writing = false;
    }

    fn start(&mut self, element: &StartElement<'_>, work: &mut Work) -> Result<(), Error> {
        let parent = self.open.last().map(|open| open.shown);
        let mut within = self.open.last().map(|open| open.within).unwrap_or_default();
        let (shown, role) = match &mut self.chooser {
            Chooser::Selection(selection) => {
                within = selection.enter(element, within)?;
                work.add(selection.targets() * (1 + element.tag.attributes.len()));
                let shown = selection.shows(within);
                match (parent.map_or(self.outside, |parent| parent.element), shown) {
                    (false, true) => (Shown::YES, Role::Selected),
                    (true, false) => (Shown::NO, Role::LeftOut),
                    (true, true) if self.text => (Shown::YES, Role::LeftOut),
                    (_, true) => (Shown::YES, Role::Same),
                    (_, false) => (Shown::NO, Role::Same),
                }
            }
            Chooser::Custom(select) => {
                (select.element(element, parent.unwrap_or(Shown::NO)), Role::Same)
            }
        };
        self.open.push(Open { shown, role, within, rendered: self.rendered.len() });
        if role == Role::Selected && self.covered.elements.len() < MAX_NAMED {
            self.covered.elements.push(Selected::new(element));
        }
        if shown.element && !self.text {
            // The root element has no parent element that could be missing.
            self.write_start(element, parent.is_none_or(|parent| parent.element), work)?;
        }
        Ok(())
    }

    fn write_start(
        &mut self,
        element: &StartElement<'_>,
        with_parent: bool,
        work: &mut Work,
    ) -> Result<(), Error> {
        self.method.check_prefixes(element.tag().start)?;
        self.choose_namespaces(element, with_parent, work);
        let of_xml = if with_parent { None } else { self.with_inherited(element, work)? };
        if element.tag.canonical && element.tag.declared.is_empty() && of_xml.is_none() {
            let (name, attributes) = element.spelling();
            self.out.push(name);
            self.write_namespaces(element.namespaces);
            self.out.push(attributes);
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
        with_inherited(self.method.algorithm(), element, shown, work)
    }

    /// Which namespaces an element writes.
    ///
    /// Inclusive: those in scope that its nearest ancestor in the node-set has
    /// not in scope likewise. If that is its parent, only its own declarations
    /// can be among them. Exclusive: those that its name and its attributes'
    /// names use; those of the prefix list as inclusive.
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
            // Each of them is looked for among all that are in scope.
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

    /// How many prefixes the list has.
    fn listed(&self) -> usize {
        if self.method.is_exclusive() { self.method.inclusive_prefixes().len() } else { 0 }
    }

    /// To be written, unless an element around has written the same.
    fn consider(&mut self, namespaces: &Namespaces, binding: BindingIndex, work: &mut Work) {
        if binding == XML_BINDING {
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
            let prefix = namespaces.prefix(binding);
            self.out.push(if prefix.is_empty() { b" xmlns" } else { b" xmlns:" });
            self.out.push(prefix);
            self.out.push(b"=\"");
            let name = namespaces.name(binding);
            if namespaces.is_plain(binding) {
                self.out.push(name);
            } else {
                self.out.push_value(name);
            }
            self.out.push(b"\"");
        }
    }

    fn end(&mut self, element: &EndElement<'_>, work: &mut Work) -> Result<(), Error> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        self.rendered.truncate(open.rendered);
        self.behind_root = self.open.is_empty();
        if open.shown.element && !self.text {
            if let Some(tag) = element.canonical {
                self.out.push(tag);
            } else {
                self.out.push(b"</");
                self.out.push(element.qualified_name());
                self.out.push(b">");
            }
        }
        let list = match open.role {
            Role::Selected => &mut self.covered.selected,
            Role::LeftOut => &mut self.covered.left_out,
            Role::Same => return Ok(()),
        };
        if list.len() == MAX_LISTED {
            let offset = element.span().start_tag.start;
            return Err(Error::Limit { offset, limit: "elements selected or left out" });
        }
        work.list();
        list.push(element.span().clone());
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Covered, Error> {
        if let Chooser::Selection(selection) = &self.chooser {
            selection.finish()?;
        }
        self.covered.length = self.out.finish()?;
        Ok(self.covered)
    }
}
