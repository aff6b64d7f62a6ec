//! Reading and writing PDF's object syntax (ISO 32000-2, 7.3).

pub(crate) mod lexer;
mod string;
mod value;
mod write;

pub(crate) use lexer::{Lexer, Stop, is_regular, is_space};
pub(crate) use string::{date, decode_text, encode_pdf_doc, encode_text, parse_date};
pub(crate) use value::{Kind, MAX_SENSIBLE, Reference, Value};
pub(crate) use write::{Edit, name, string};
