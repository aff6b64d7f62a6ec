//! Name constraints (RFC 5280, 4.2.1.10 and 6.1.3 (b), (c)).

use ades_core::asn1::ber::Element;
use ades_core::name;

use super::Fault;

/// Maximum number of comparisons of a name with a subtree for one certificate.
const MAX_COMPARISONS: usize = 1 << 18;

/// emailAddress (PKCS #9)
const EMAIL_ADDRESS: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 1];

/// The forms of names, by the tag of `GeneralName`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Mail,
    Dns,
    Directory,
    Uri,
    Ip,
    /// otherName, x400Address, ediPartyName, registeredID: constraints on them are
    /// not supported.
    Other(u8),
}

impl Form {
    const fn of(tag: u8) -> Self {
        match tag {
            0x81 => Self::Mail,
            0x82 => Self::Dns,
            0xA4 => Self::Directory,
            0x86 => Self::Uri,
            0x87 => Self::Ip,
            other => Self::Other(other & 0x1F),
        }
    }
}

/// A name to be compared with constraints.
#[derive(Debug)]
pub(super) struct GeneralName {
    form: Form,
    /// `None` if it cannot be compared: it then violates every constraint of its form.
    value: Option<Value>,
}

#[derive(Debug)]
enum Value {
    Mail { local: String, host: String },
    Host(String),
    Directory(Vec<Vec<u8>>),
    Ip(Vec<u8>),
}

impl GeneralName {
    pub(super) fn read(element: &Element<'_>) -> Self {
        let form = Form::of(element.tag);
        let text = std::str::from_utf8(element.content).ok().filter(|text| text.is_ascii());
        let value = match form {
            Form::Mail => text.and_then(mail),
            Form::Dns => text.map(|text| Value::Host(host_name(text))),
            Form::Uri => text.and_then(uri_host).map(|host| Value::Host(host_name(host))),
            Form::Directory => directory(element),
            Form::Ip if matches!(element.content.len(), 4 | 16) => {
                Some(Value::Ip(element.content.to_vec()))
            }
            Form::Ip | Form::Other(_) => None,
        };
        Self { form, value }
    }
}

fn directory(element: &Element<'_>) -> Option<Value> {
    name::relative_names(element.content).map(Value::Directory)
}

fn mail(text: &str) -> Option<Value> {
    let (local, host) = text.rsplit_once('@')?;
    let whole = !local.is_empty() && !host.is_empty();
    whole.then(|| Value::Mail { local: local.to_owned(), host: host_name(host) })
}

/// Hosts are compared without case and without the dot at the end.
fn host_name(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// The host of a URI's authority. `None` if there is none, or an address instead of
/// a name: constraints need a name.
fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let address = host.starts_with('[') || host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    (!host.is_empty() && !address).then_some(host)
}

/// A subtree of names.
#[derive(Debug)]
pub(super) enum Subtree {
    /// One mailbox.
    Mailbox {
        local: String,
        host: String,
    },
    /// Names at a host or, with a dot at the start, at all hosts below a domain.
    Host(Form, String),
    Directory(Vec<Vec<u8>>),
    Ip {
        address: Vec<u8>,
        mask: Vec<u8>,
    },
    Other(u8),
}

impl Subtree {
    /// `None` if it is malformed.
    pub(super) fn read(base: &Element<'_>) -> Option<Self> {
        let form = Form::of(base.tag);
        let text = || std::str::from_utf8(base.content).ok().filter(|text| text.is_ascii());
        Some(match form {
            Form::Mail => match text()?.rsplit_once('@') {
                Some((local, host)) => {
                    Self::Mailbox { local: local.to_owned(), host: host_name(host) }
                }
                None => Self::Host(form, host_name(text()?)),
            },
            Form::Dns | Form::Uri => Self::Host(form, host_name(text()?)),
            Form::Directory => Self::Directory(name::relative_names(base.content)?),
            Form::Ip => {
                let half = base.content.len() / 2;
                if !matches!(base.content.len(), 8 | 32) {
                    return None;
                }
                let (address, mask) = base.content.split_at_checked(half)?;
                Self::Ip { address: address.to_vec(), mask: mask.to_vec() }
            }
            Form::Other(tag) => Self::Other(tag),
        })
    }

    const fn form(&self) -> Form {
        match self {
            Self::Mailbox { .. } => Form::Mail,
            Self::Host(form, _) => *form,
            Self::Directory(_) => Form::Directory,
            Self::Ip { .. } => Form::Ip,
            Self::Other(tag) => Form::Other(*tag),
        }
    }

    /// Whether a name of the same form is in the subtree.
    fn contains(&self, name: &Value) -> bool {
        match (self, name) {
            (Self::Mailbox { local, host }, Value::Mail { local: of, host: at }) => {
                local == of && host == at
            }
            (Self::Host(Form::Mail, host), Value::Mail { host: at, .. }) => at_host(host, at),
            (Self::Host(Form::Dns, domain), Value::Host(host)) => {
                domain.is_empty()
                    || host == domain
                    || below(host, domain.strip_prefix('.').unwrap_or(domain))
            }
            (Self::Host(_, host), Value::Host(at)) => at_host(host, at),
            (Self::Directory(base), Value::Directory(name)) => name.starts_with(base),
            (Self::Ip { address, mask }, Value::Ip(name)) => {
                let masked = |(a, m): (&u8, &u8)| a & m;
                name.len() == address.len()
                    && name.iter().zip(mask).map(masked).eq(address.iter().zip(mask).map(masked))
            }
            _ => false,
        }
    }
}

/// rfc822Name and URI: a host, or with a dot at the start all hosts below a domain.
fn at_host(constraint: &str, host: &str) -> bool {
    match constraint.strip_prefix('.') {
        Some(domain) => below(host, domain),
        None => constraint.is_empty() || constraint == host,
    }
}

fn below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

/// The name constraints of one certificate.
#[derive(Debug, Default)]
pub(super) struct NameConstraints {
    pub(super) permitted: Vec<Subtree>,
    pub(super) excluded: Vec<Subtree>,
}

/// The name constraints of all certificates above. Each certificate's permitted
/// subtrees are kept apart: a name must be in one of each, which is the
/// intersection that RFC 5280, 6.1.4 (g) asks for.
#[derive(Debug, Default)]
pub(super) struct Constraints {
    all: Vec<NameConstraints>,
}

impl Constraints {
    pub(super) fn add(&mut self, constraints: NameConstraints) {
        self.all.push(constraints);
    }

    /// Checks the subject, its e-mail addresses if there is no alternative name of
    /// that form (4.2.1.6), and all alternative names.
    pub(super) fn check(&self, subject: &[u8], others: &[GeneralName]) -> Result<(), Fault> {
        if self.all.is_empty() {
            return Ok(());
        }
        let mut own = Vec::new();
        let names = name::relative_names(subject);
        if names.as_ref().is_none_or(|names| !names.is_empty()) {
            own.push(GeneralName { form: Form::Directory, value: names.map(Value::Directory) });
        }
        if others.iter().all(|other| other.form != Form::Mail) {
            let mails = name::texts(subject, EMAIL_ADDRESS);
            own.extend(mails.iter().map(|m| GeneralName { form: Form::Mail, value: mail(m) }));
        }
        let subtrees: usize = self.all.iter().map(|c| c.permitted.len() + c.excluded.len()).sum();
        if subtrees.saturating_mul(own.len() + others.len()) > MAX_COMPARISONS {
            return Err(Fault::TooManyNames);
        }
        own.iter().chain(others).try_for_each(|name| self.check_name(name))
    }

    fn check_name(&self, name: &GeneralName) -> Result<(), Fault> {
        for NameConstraints { permitted, excluded } in &self.all {
            let of_form = |subtree: &&Subtree| subtree.form() == name.form;
            let mut permitted = permitted.iter().filter(of_form).peekable();
            let mut excluded = excluded.iter().filter(of_form).peekable();
            let is_limited = permitted.peek().is_some();
            if !is_limited && excluded.peek().is_none() {
                continue;
            }
            if matches!(name.form, Form::Other(_)) {
                return Err(Fault::NameForm);
            }
            let value = name.value.as_ref().ok_or(Fault::NameConstraints)?;
            if is_limited && !permitted.any(|subtree| subtree.contains(value))
                || excluded.any(|subtree| subtree.contains(value))
            {
                return Err(Fault::NameConstraints);
            }
        }
        Ok(())
    }
}
