//! A list of characters and a position in it.

use crate::Refused;
use crate::characters::{
    is_char, is_name_char, is_name_start, is_nc_name, is_qualified_name, is_space,
};

pub(crate) struct Input {
    text: Vec<char>,
    at: usize,
}

impl Input {
    pub(crate) fn new(text: Vec<char>) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    pub(crate) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    pub(crate) fn is_at(&self, what: &str) -> bool {
        let mut here = self.text.iter().skip(self.at);
        what.chars().all(|c| here.next() == Some(&c))
    }

    /// Skips this text, if it comes next. Returns whether it did.
    pub(crate) fn take(&mut self, what: &str) -> bool {
        let is_there = self.is_at(what);
        if is_there {
            self.at += what.chars().count();
        }
        is_there
    }

    pub(crate) fn expect(&mut self, what: &str) -> Result<(), Refused> {
        if self.take(what) { Ok(()) } else { self.fail(&format!("{what} is missing")) }
    }

    /// Skips white space. Returns whether there was any.
    pub(crate) fn spaces(&mut self) -> bool {
        let from = self.at;
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
        self.at > from
    }

    pub(crate) fn need_spaces(&mut self) -> Result<(), Refused> {
        if self.spaces() { Ok(()) } else { self.fail("white space is missing") }
    }

    /// Returns the text before this one, and skips both.
    pub(crate) fn until(&mut self, what: &str) -> Result<String, Refused> {
        let mut before = String::new();
        while !self.take(what) {
            match self.next() {
                Some(c) => before.push(c),
                None => return self.fail(&format!("{what} is missing")),
            }
        }
        Ok(before)
    }

    /// Returns the text between quotes of either kind.
    pub(crate) fn quoted(&mut self) -> Result<String, Refused> {
        if self.take("'") {
            self.until("'")
        } else if self.take("\"") {
            self.until("\"")
        } else {
            self.fail("a quote is missing")
        }
    }

    /// `Nmtoken`
    pub(crate) fn token(&mut self) -> Result<String, Refused> {
        let mut token = String::new();
        while let Some(c) = self.peek().filter(|c| is_name_char(*c)) {
            token.push(c);
            self.at += 1;
        }
        if token.is_empty() { self.fail("a name is missing") } else { Ok(token) }
    }

    pub(crate) fn qualified_name(&mut self) -> Result<String, Refused> {
        let name = self.token()?;
        if is_qualified_name(&name) { Ok(name) } else { self.fail("no qualified name") }
    }

    pub(crate) fn nc_name(&mut self) -> Result<String, Refused> {
        let name = self.token()?;
        if is_nc_name(&name) { Ok(name) } else { self.fail("no name without colon") }
    }

    /// A reference, after its ampersand (XML 1.0, clause 4.1).
    pub(crate) fn reference(&mut self) -> Result<Reference, Refused> {
        if self.take("#x") {
            return self.character(16);
        }
        if self.take("#") {
            return self.character(10);
        }
        if !self.peek().is_some_and(is_name_start) {
            return self.fail("an ampersand without a name");
        }
        let name = self.nc_name()?;
        self.expect(";")?;
        Ok(Reference::Entity(name))
    }

    fn character(&mut self, radix: u32) -> Result<Reference, Refused> {
        let digits = self.until(";")?;
        let number = digits.chars().all(|c| c.is_digit(radix)) && !digits.is_empty();
        let code = if number { u32::from_str_radix(&digits, radix).ok() } else { None };
        match code.and_then(char::from_u32).filter(|c| is_char(*c)) {
            Some(c) => Ok(Reference::Character(c)),
            None => self.fail("a reference to no character"),
        }
    }

    pub(crate) fn fail<T>(&self, what: &str) -> Result<T, Refused> {
        Err(format!("{what}, at character {}", self.at))
    }
}

pub(crate) enum Reference {
    Character(char),
    Entity(String),
}

/// The predefined entities (XML 1.0, clause 4.6). A DTD cannot change them.
pub(crate) fn predefined(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => None,
    }
}
