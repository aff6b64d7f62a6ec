//! The sessions of users and what becomes of them: a state machine to which
//! time is an argument, in seconds since 1970.

use std::collections::HashMap;

use serde::Serialize;

use crate::texts::Lang;
use crate::users::User;

/// A page of an identification must be used in this time, and a certificate
/// creation must then be confirmed in this time, in seconds (documented: 3
/// minutes).
pub const CREATE_CERT_SECONDS: u64 = 180;
/// A signature must be confirmed in this time, in seconds (assumed: the
/// service documents none).
pub const SIGN_SECONDS: u64 = 600;
/// How long the slow user takes over an answer, in seconds.
pub const SLOW_SECONDS: u64 = 3;
/// A session is forgotten after this time, in seconds (assumed).
pub const RETENTION_SECONDS: u64 = 86_400;
/// A batch may have this many digests.
pub const MAX_BATCH: usize = 70;
/// No more sessions are kept at a time.
pub const MAX_SESSIONS: usize = 10_000;

/// The icons of the check between web page and app.
pub const ICONS: [&str; 3] = ["circle", "triangle", "square"];

/// The user who renews goes through so many certificates, then starts over.
const EDITIONS: u8 = 4;

/// How a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum State {
    /// The user has confirmed
    Confirmed,
    /// The user has not answered in time
    Expired,
    /// The user may not sign
    NotAllowed,
    /// The user has not answered
    Pending,
    /// The user has refused
    Rejected,
}

/// Why an answer does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Nobody has been chosen for this identification
    #[error("the session has no user yet")]
    NobodyChosen,
    /// The session is another user's
    #[error("the session belongs to another user")]
    OtherUser,
    /// No such session
    #[error("there is no such session")]
    Unknown,
}

/// What a session is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Identification,
    Signature(SignOrder),
}

/// What the user is asked to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignOrder {
    pub(crate) documents: Vec<(String, [u8; 32])>,
    pub(crate) description: Vec<(Lang, String)>,
    pub(crate) policy: Option<String>,
    pub(crate) commitment: Option<String>,
    pub(crate) role: Vec<(Lang, String)>,
}

/// What a session is opened with.
#[derive(Debug)]
pub(crate) struct Opening {
    /// `asyncRespID` / `respID`: what the application asks with.
    pub(crate) id: String,
    /// `q`: what the browser comes with.
    pub(crate) page: String,
    pub(crate) purpose: Purpose,
    pub(crate) redirect_url: String,
    pub(crate) lang: Lang,
    pub(crate) user: Option<User>,
    /// Which icon the page shows; taken modulo their number.
    pub(crate) icon: usize,
}

#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) purpose: Purpose,
    pub(crate) redirect_url: String,
    pub(crate) lang: Lang,
    pub(crate) user: Option<User>,
    pub(crate) icon: usize,
    /// Which of the user's certificates is shown or signs, once confirmed.
    pub(crate) edition: u8,
    /// The user has seen it, and will never answer.
    pub(crate) ignored: bool,
    page: String,
    opened: u64,
    deadline: u64,
    answered: Option<(u64, State)>,
}

impl Session {
    /// How the session stands at `now`.
    pub(crate) fn state(&self, now: u64) -> State {
        match self.answered {
            Some((at, state)) if at < self.deadline && at <= now => state,
            _ if now >= self.deadline => State::Expired,
            _ => State::Pending,
        }
    }

    /// Whether the user has done what there is to do, even if it takes a while.
    pub(crate) const fn is_answered(&self) -> bool {
        self.answered.is_some() || self.ignored
    }

    const fn lifetime(&self) -> u64 {
        match self.purpose {
            Purpose::Identification => CREATE_CERT_SECONDS,
            Purpose::Signature(_) => SIGN_SECONDS,
        }
    }
}

/// All sessions.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_id: HashMap<String, Session>,
    by_page: HashMap<String, String>,
    /// How often the user who renews has done so.
    renewals: u8,
    /// When old sessions were last looked for.
    swept: u64,
}

impl Sessions {
    /// Opens a session. The ones whose time is over are forgotten, and the
    /// oldest if there are still too many.
    pub(crate) fn open(&mut self, opening: Opening, now: u64) {
        self.forget(now);
        let mut session = Session {
            id: opening.id.clone(),
            purpose: opening.purpose,
            redirect_url: opening.redirect_url,
            lang: opening.lang,
            user: opening.user,
            icon: opening.icon % ICONS.len(),
            edition: 0,
            ignored: false,
            page: opening.page.clone(),
            opened: now,
            deadline: now,
            answered: None,
        };
        session.deadline = now.saturating_add(session.lifetime());
        self.by_page.insert(opening.page, opening.id.clone());
        self.by_id.insert(opening.id, session);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Session> {
        self.by_id.get(id)
    }

    pub(crate) fn by_page(&self, page: &str) -> Option<&Session> {
        self.by_id.get(self.by_page.get(page)?)
    }

    /// Every session, the oldest first.
    pub(crate) fn all(&self) -> Vec<&Session> {
        let mut all: Vec<&Session> = self.by_id.values().collect();
        all.sort_by(|a, b| (a.opened, &a.id).cmp(&(b.opened, &b.id)));
        all
    }

    /// Somebody says who they are. The time to confirm starts anew.
    pub(crate) fn choose(&mut self, id: &str, user: User, now: u64) -> Result<State, AnswerError> {
        let session = self.by_id.get_mut(id).ok_or(AnswerError::Unknown)?;
        if session.state(now) == State::Pending && session.user.is_none() {
            session.user = Some(user);
            session.deadline = now.saturating_add(session.lifetime());
        }
        Ok(session.state(now))
    }

    /// A user answers, once; the user's habit decides what becomes of a yes.
    pub(crate) fn answer(
        &mut self,
        id: &str,
        user: Option<User>,
        yes: bool,
        now: u64,
    ) -> Result<State, AnswerError> {
        let session = self.by_id.get_mut(id).ok_or(AnswerError::Unknown)?;
        let user = match (session.user, user) {
            (Some(known), Some(other)) if known != other => return Err(AnswerError::OtherUser),
            (known, other) => known.or(other).ok_or(AnswerError::NobodyChosen)?,
        };
        if session.state(now) != State::Pending || session.is_answered() {
            return Ok(session.state(now));
        }
        session.user = Some(user);
        let signs = session.purpose != Purpose::Identification;
        let state = match (user, yes) {
            (User::Blocked, _) => State::NotAllowed,
            (_, false) => State::Rejected,
            (User::RefusesIdentification, _) if !signs => State::Rejected,
            (User::RefusesSigning, _) if signs => State::Rejected,
            _ => State::Confirmed,
        };
        let never = matches!(
            (user, signs),
            (User::ExpiresIdentification, false) | (User::ExpiresSigning, true)
        );
        if never && yes {
            session.ignored = true;
            return Ok(session.state(now));
        }
        let pause = if user == User::Slow { SLOW_SECONDS } else { 0 };
        session.answered = Some((now.saturating_add(pause), state));
        if user == User::Renews && state == State::Confirmed {
            if signs {
                self.renewals = (self.renewals + 1) % EDITIONS;
            }
            session.edition = self.renewals;
        }
        Ok(session.state(now))
    }

    fn forget(&mut self, now: u64) {
        // Once a second is enough for a sweep over all.
        if self.swept != now {
            self.swept = now;
            let kept = |session: &Session| session.opened.saturating_add(RETENTION_SECONDS) > now;
            self.by_id.retain(|_, session| kept(session));
            self.by_page.retain(|_, id| self.by_id.contains_key(id));
        }
        if self.by_id.len() >= MAX_SESSIONS {
            let oldest = self.by_id.values().min_by_key(|session| session.opened);
            if let Some((id, page)) = oldest.map(|s| (s.id.clone(), s.page.clone())) {
                self.by_id.remove(&id);
                self.by_page.remove(&page);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature() -> Purpose {
        Purpose::Signature(SignOrder {
            documents: vec![("s-001".to_owned(), [0; 32])],
            description: Vec::new(),
            policy: None,
            commitment: None,
            role: Vec::new(),
        })
    }

    fn add(sessions: &mut Sessions, id: &str, purpose: Purpose, user: Option<User>, now: u64) {
        let opening = Opening {
            id: id.to_owned(),
            page: format!("page-{id}"),
            purpose,
            redirect_url: String::new(),
            lang: Lang::En,
            user,
            icon: 1,
        };
        sessions.open(opening, now);
    }

    fn one(purpose: Purpose, user: Option<User>) -> Sessions {
        let mut sessions = Sessions::default();
        add(&mut sessions, "id", purpose, user, 1000);
        sessions
    }

    #[test]
    fn an_identification_expires_after_three_minutes() {
        let sessions = one(Purpose::Identification, None);
        let session = sessions.get("id").unwrap();
        assert_eq!(session.state(1000 + CREATE_CERT_SECONDS - 1), State::Pending);
        assert_eq!(session.state(1000 + CREATE_CERT_SECONDS), State::Expired);
    }

    #[test]
    fn the_three_minutes_start_when_somebody_identifies() {
        let mut sessions = one(Purpose::Identification, None);
        assert_eq!(sessions.choose("id", User::New, 1100), Ok(State::Pending));
        let session = sessions.get("id").unwrap();
        assert_eq!(session.state(1100 + CREATE_CERT_SECONDS - 1), State::Pending);
        assert_eq!(session.state(1100 + CREATE_CERT_SECONDS), State::Expired);
    }

    #[test]
    fn a_signature_expires_too() {
        let sessions = one(signature(), Some(User::Ready));
        let session = sessions.get("id").unwrap();
        assert_eq!(session.state(1000 + SIGN_SECONDS - 1), State::Pending);
        assert_eq!(session.state(1000 + SIGN_SECONDS), State::Expired);
    }

    #[test]
    fn an_answer_after_the_end_changes_nothing() {
        let mut sessions = one(Purpose::Identification, None);
        assert_eq!(sessions.answer("id", Some(User::Ready), true, 2000), Ok(State::Expired));
        assert_eq!(sessions.get("id").unwrap().state(2000), State::Expired);
    }

    #[test]
    fn a_confirmed_session_stays_confirmed_after_its_deadline() {
        let mut sessions = one(signature(), Some(User::Ready));
        assert_eq!(sessions.answer("id", None, true, 1001), Ok(State::Confirmed));
        assert_eq!(sessions.get("id").unwrap().state(1000 + SIGN_SECONDS + 1), State::Confirmed);
    }

    #[test]
    fn the_slow_user_takes_a_while_and_may_be_too_late() {
        let mut sessions = one(Purpose::Identification, None);
        assert_eq!(sessions.answer("id", Some(User::Slow), true, 1001), Ok(State::Pending));
        assert_eq!(sessions.get("id").unwrap().state(1001 + SLOW_SECONDS), State::Confirmed);

        let mut sessions = one(Purpose::Identification, None);
        let late = 1000 + CREATE_CERT_SECONDS - 1;
        assert_eq!(sessions.answer("id", Some(User::Slow), true, late), Ok(State::Pending));
        assert_eq!(sessions.get("id").unwrap().state(late + SLOW_SECONDS), State::Expired);
    }

    #[test]
    fn a_second_answer_does_not_count() {
        let mut sessions = one(Purpose::Identification, None);
        assert_eq!(sessions.answer("id", Some(User::Ready), false, 1001), Ok(State::Rejected));
        assert_eq!(sessions.answer("id", Some(User::Ready), true, 1002), Ok(State::Rejected));
    }

    #[test]
    fn habits_decide_what_becomes_of_a_yes() {
        for (user, identifies, signs) in [
            (User::Ready, State::Confirmed, State::Confirmed),
            (User::Blocked, State::NotAllowed, State::NotAllowed),
            (User::RefusesIdentification, State::Rejected, State::Confirmed),
            (User::ExpiresIdentification, State::Pending, State::Confirmed),
            (User::RefusesSigning, State::Confirmed, State::Rejected),
            (User::ExpiresSigning, State::Confirmed, State::Pending),
        ] {
            let mut sessions = one(Purpose::Identification, Some(user));
            assert_eq!(sessions.answer("id", None, true, 1001), Ok(identifies), "{user:?}");
            let mut sessions = one(signature(), Some(user));
            assert_eq!(sessions.answer("id", None, true, 1001), Ok(signs), "{user:?}");
        }
    }

    #[test]
    fn who_never_answers_does_not_answer_later_either() {
        let mut sessions = one(signature(), Some(User::ExpiresSigning));
        assert_eq!(sessions.answer("id", None, true, 1001), Ok(State::Pending));
        assert_eq!(sessions.answer("id", None, false, 1002), Ok(State::Pending));
        assert_eq!(sessions.get("id").unwrap().state(1000 + SIGN_SECONDS), State::Expired);
    }

    #[test]
    fn the_certificate_changes_between_the_trips_of_the_user_who_renews() {
        let mut sessions = Sessions::default();
        for round in 0..6 {
            let (identification, sign) = (format!("i{round}"), format!("s{round}"));
            let user = Some(User::Renews);
            add(&mut sessions, &identification, Purpose::Identification, user, 1000);
            add(&mut sessions, &sign, signature(), user, 1000);
            assert_eq!(sessions.answer(&identification, None, true, 1000), Ok(State::Confirmed));
            assert_eq!(sessions.answer(&sign, None, true, 1000), Ok(State::Confirmed));
            let edition = |id: &str| sessions.get(id).unwrap().edition;
            assert_ne!(edition(&identification), edition(&sign));
        }
    }

    #[test]
    fn nobody_answers_for_somebody_else() {
        let mut sessions = one(signature(), Some(User::Ready));
        let other = sessions.answer("id", Some(User::New), true, 1001);
        assert_eq!(other, Err(AnswerError::OtherUser));
        assert_eq!(sessions.answer("nothing", None, true, 1001), Err(AnswerError::Unknown));
        let mut sessions = one(Purpose::Identification, None);
        assert_eq!(sessions.answer("id", None, true, 1001), Err(AnswerError::NobodyChosen));
    }

    #[test]
    fn old_sessions_are_forgotten_and_there_are_never_too_many() {
        let mut sessions = one(Purpose::Identification, None);
        let later = 1000 + RETENTION_SECONDS;
        add(&mut sessions, "later", Purpose::Identification, None, later);
        assert!(sessions.get("id").is_none() && sessions.by_page("page-id").is_none());
        for n in 0..MAX_SESSIONS {
            add(&mut sessions, &n.to_string(), Purpose::Identification, None, later + 1);
        }
        assert_eq!(sessions.by_id.len(), MAX_SESSIONS);
        assert_eq!(sessions.by_page.len(), MAX_SESSIONS);
        assert!(sessions.get("later").is_none());
    }
}
