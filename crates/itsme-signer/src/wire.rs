//! Writes requests and reads answers: pure functions over JSON.

mod answer;
mod request;

pub(crate) use answer::*;
pub(crate) use request::*;

use crate::error::Error;

/// Checks that a user code has 36 characters, none of them white space.
pub(crate) fn check_user_code(code: &str) -> Result<(), Error> {
    let fits =
        code.chars().count() == 36 && !code.chars().any(|c| c.is_whitespace() || c.is_control());
    if fits { Ok(()) } else { Err(Error::InvalidUserCode) }
}
