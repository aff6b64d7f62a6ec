//! The sessions of users and what becomes of them, as a state machine to which
//! time is an argument.

use std::collections::HashMap;

use serde::Serialize;

use crate::users::User;

/// A certificate creation must be confirmed in this time, in seconds.
pub const CREATE_CERT_SECONDS: u64 = 180;
/// A signature must be confirmed in this time, in seconds (assumed: the
/// service documents none).
pub const SIGN_SECONDS: u64 = 600;
/// How long the slow user takes, in seconds.
pub const SLOW_SECONDS: u64 = 3;
/// A batch may have this many digests.
pub const MAX_BATCH: usize = 70;
/// No more sessions are kept at a time.
pub const MAX_SESSIONS: usize = 10_000;

/// The user who renews goes through so many certificates, then starts over.
const EDITIONS: u8 = 4;

/// The icons of the check between web page and app.
pub const ICONS: [&str; 3] = ["circle", "triangle", "square"];

/// How a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum State {
    /// The user has not answered
    Pending,
    /// The user has confirmed
    Confirmed,
    /// The user has refused
    Rejected,
    /// The user has not answered in time
    Expired,
    /// The user may not sign
    NotAllowed,
}

/// What a session is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Identification,
    Signature(SignRequest),
}

/// What the user is asked to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignRequest {
    pub(crate) documents: Vec<(String, [u8; 32])>,
    pub(crate) description: Vec<(String, String)>,
    pub(crate) policy: Option<String>,
    pub(crate) commitment: Option<String>,
    pub(crate) role: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// `asyncRespID`: what the application asks with.
    pub(crate) id: String,
    /// `q`: what the browser comes with.
    pub(crate) page: String,
    pub(crate) purpose: Purpose,
    pub(crate) redirect_url: String,
    pub(crate) lang: String,
    pub(crate) user: Option<User>,
    pub(crate) icon: usize,
    /// Which of the user's certificates is shown or signs, once confirmed.
    pub(crate) edition: u8,
    created: u64,
    answered: Option<(u64, State)>,
}

impl Session {
    /// How the session stands at `now`.
    pub(crate) fn state(&self, now: u64) -> State {
        let lifetime = match self.purpose {
            Purpose::Identification => CREATE_CERT_SECONDS,
            Purpose::Signature(_) => SIGN_SECONDS,
        };
        match self.answered {
            Some((at, state)) if now >= at => state,
            _ if now >= self.created.saturating_add(lifetime) => State::Expired,
            _ => State::Pending,
        }
    }
}

/// All sessions.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_id: HashMap<String, Session>,
    /// How often the user who renews has done so.
    renewals: u8,
}

impl Sessions {
    /// Opens a session; the oldest is forgotten if there are too many.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn open(
        &mut self,
        id: String,
        page: String,
        purpose: Purpose,
        redirect_url: String,
        lang: String,
        user: Option<User>,
        icon: usize,
        now: u64,
    ) {
        if self.by_id.len() >= MAX_SESSIONS
            && let Some(oldest) =
                self.by_id.values().min_by_key(|s| s.created).map(|s| s.id.clone())
        {
            self.by_id.remove(&oldest);
        }
        let session = Session {
            id: id.clone(),
            page,
            purpose,
            redirect_url,
            lang,
            user,
            icon: icon % ICONS.len(),
            edition: 0,
            created: now,
            answered: None,
        };
        self.by_id.insert(id, session);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Session> {
        self.by_id.get(id)
    }

    pub(crate) fn by_page(&self, page: &str) -> Option<&Session> {
        self.by_id.values().find(|session| session.page == page)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Session> {
        self.by_id.values()
    }

    /// A user answers; habits decide what becomes of a yes.
    pub(crate) fn answer(&mut self, id: &str, user: User, yes: bool, now: u64) -> Option<State> {
        let session = self.by_id.get_mut(id)?;
        if session.state(now) != State::Pending {
            return Some(session.state(now));
        }
        if session.user.is_some_and(|known| known != user) {
            return None;
        }
        session.user = Some(user);
        let identification = session.purpose == Purpose::Identification;
        let answered = match (user, yes) {
            (User::Blocked, _) => Some((now, State::NotAllowed)),
            (_, false) => Some((now, State::Rejected)),
            (User::RefusesIdentification, _) if identification => Some((now, State::Rejected)),
            (User::ExpiresIdentification, _) if identification => None,
            (User::RefusesSigning, _) if !identification => Some((now, State::Rejected)),
            (User::ExpiresSigning, _) if !identification => None,
            (User::Slow, _) => Some((now + SLOW_SECONDS, State::Confirmed)),
            _ => Some((now, State::Confirmed)),
        };
        session.answered = answered;
        if user == User::Renews {
            if !identification {
                self.renewals = (self.renewals + 1) % EDITIONS;
            }
            session.edition = self.renewals;
        }
        Some(session.state(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(purpose: Purpose) -> Sessions {
        let mut sessions = Sessions::default();
        let (page, url, lang) = ("p".to_owned(), String::new(), "EN".to_owned());
        sessions.open("id".to_owned(), page, purpose, url, lang, None, 1, 1000);
        sessions
    }

    #[test]
    fn an_identification_expires_after_three_minutes() {
        let sessions = open(Purpose::Identification);
        let session = sessions.get("id").unwrap();
        assert_eq!(session.state(1000 + CREATE_CERT_SECONDS - 1), State::Pending);
        assert_eq!(session.state(1000 + CREATE_CERT_SECONDS), State::Expired);
    }

    #[test]
    fn an_answer_after_the_end_changes_nothing() {
        let mut sessions = open(Purpose::Identification);
        assert_eq!(sessions.answer("id", User::Ready, true, 2000), Some(State::Expired));
        assert_eq!(sessions.get("id").unwrap().state(2000), State::Expired);
    }

    #[test]
    fn the_slow_user_takes_a_while() {
        let mut sessions = open(Purpose::Identification);
        assert_eq!(sessions.answer("id", User::Slow, true, 1001), Some(State::Pending));
        assert_eq!(sessions.get("id").unwrap().state(1001 + SLOW_SECONDS), State::Confirmed);
    }

    #[test]
    fn a_second_answer_does_not_count() {
        let mut sessions = open(Purpose::Identification);
        assert_eq!(sessions.answer("id", User::Ready, false, 1001), Some(State::Rejected));
        assert_eq!(sessions.answer("id", User::Ready, true, 1002), Some(State::Rejected));
    }
}
