//! The sessions of users. Their state machine takes the time as an argument, in
//! seconds since 1970.

use std::collections::HashMap;

use serde::Serialize;

use crate::texts::Lang;
use crate::users::User;

/// Maximum time for the page of an identification, and then again for the
/// confirmation that creates a certificate, in seconds (documented: 3 minutes).
pub const CREATE_CERT_SECONDS: u64 = 180;
/// Maximum time for the confirmation of a signature, in seconds (assumed: the
/// service documents none).
pub const SIGN_SECONDS: u64 = 600;
/// Time that the slow user takes for an answer, in seconds.
pub const SLOW_SECONDS: u64 = 3;
/// Time after which a session is deleted, in seconds (assumed).
pub const RETENTION_SECONDS: u64 = 86_400;
/// Maximum number of digests in a batch.
pub const MAX_BATCH: usize = 70;
/// Maximum number of sessions. Beyond it, the oldest session is deleted.
pub const MAX_SESSIONS: usize = 10_000;

/// The icons that tie the web page to the app.
pub const ICONS: [&str; 3] = ["circle", "triangle", "square"];

/// One of the six orders of the icons.
const fn order(die: u8) -> [usize; 3] {
    match die % 6 {
        0 => [0, 1, 2],
        1 => [0, 2, 1],
        2 => [1, 0, 2],
        3 => [1, 2, 0],
        4 => [2, 0, 1],
        _ => [2, 1, 0],
    }
}

/// Number of certificates that the user `renews` uses in rotation.
const EDITIONS: u8 = 4;

/// The state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SessionState {
    /// The user has confirmed
    Confirmed,
    /// The user did not answer in time
    Expired,
    /// The user may not sign
    NotAllowed,
    /// The user has not answered yet
    Pending,
    /// The user has refused
    Rejected,
}

/// Why a session does not accept an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The session has no user yet, and the answer names none
    #[error("the session has no user yet: name one in the answer")]
    NobodyChosen,
    /// The session belongs to another user
    #[error("the session belongs to another user")]
    OtherUser,
    /// The session does not exist
    #[error("the session does not exist")]
    Unknown,
}

/// The purpose of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Identification,
    Signature(SignOrder),
}

/// The request that the user is asked to confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignOrder {
    pub(crate) documents: Vec<(String, [u8; 32])>,
    pub(crate) description: Vec<(Lang, String)>,
    pub(crate) policy: Option<String>,
    pub(crate) commitment: Option<String>,
    pub(crate) role: Vec<(Lang, String)>,
}

/// The data of a session that is to be opened.
#[derive(Debug)]
pub(crate) struct NewSession {
    /// `asyncRespID` or `respID`, which the application sends.
    pub(crate) id: String,
    /// `q` of the page's URL, which the browser sends.
    pub(crate) page: String,
    pub(crate) purpose: Purpose,
    pub(crate) redirect_url: String,
    pub(crate) lang: Lang,
    pub(crate) user: Option<User>,
    /// Random octets, which choose the icon and its place among the others.
    pub(crate) dice: [u8; 3],
}

#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) purpose: Purpose,
    pub(crate) redirect_url: String,
    pub(crate) lang: Lang,
    pub(crate) user: Option<User>,
    /// The icon that the page marks.
    pub(crate) icon: usize,
    /// The order of the icons on the page.
    pub(crate) shown: [usize; 3],
    /// The order of the icons in the app.
    pub(crate) offered: [usize; 3],
    /// The number of the user's certificate that a confirmed session uses.
    pub(crate) edition: u8,
    /// Whether the user has seen the request and never answers it.
    pub(crate) ignored: bool,
    pub(crate) page: String,
    opened: u64,
    deadline: u64,
    answered: Option<(u64, SessionState)>,
}

impl Session {
    /// The state at `now`.
    pub(crate) fn state(&self, now: u64) -> SessionState {
        match self.answered {
            Some((at, state)) if at < self.deadline && at <= now => state,
            _ if now >= self.deadline => SessionState::Expired,
            _ => SessionState::Pending,
        }
    }

    /// Whether the user has dealt with the request, even if the answer takes
    /// effect later or never.
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
    /// The current certificate of the user `renews`.
    renewals: u8,
    /// When old sessions were last deleted.
    swept: u64,
}

impl Sessions {
    /// Opens a session. It deletes sessions after their retention time, and the
    /// oldest session if there are too many.
    pub(crate) fn open(&mut self, new: NewSession, now: u64) {
        self.forget(now);
        let [icon, shown, offered] = new.dice;
        let mut session = Session {
            id: new.id.clone(),
            purpose: new.purpose,
            redirect_url: new.redirect_url,
            lang: new.lang,
            user: new.user,
            icon: usize::from(icon) % ICONS.len(),
            shown: order(shown),
            offered: order(offered),
            edition: 0,
            ignored: false,
            page: new.page.clone(),
            opened: now,
            deadline: now,
            answered: None,
        };
        session.deadline = now.saturating_add(session.lifetime());
        self.by_page.insert(new.page, new.id.clone());
        self.by_id.insert(new.id, session);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Session> {
        self.by_id.get(id)
    }

    pub(crate) fn by_page(&self, page: &str) -> Option<&Session> {
        self.by_id.get(self.by_page.get(page)?)
    }

    /// All sessions, the oldest first.
    pub(crate) fn all(&self) -> Vec<&Session> {
        let mut all: Vec<&Session> = self.by_id.values().collect();
        all.sort_by(|a, b| (a.opened, &a.id).cmp(&(b.opened, &b.id)));
        all
    }

    /// Sets the user of an identification. The time to confirm starts again.
    pub(crate) fn choose(
        &mut self,
        id: &str,
        user: User,
        now: u64,
    ) -> Result<SessionState, AnswerError> {
        let session = self.by_id.get_mut(id).ok_or(AnswerError::Unknown)?;
        if session.state(now) == SessionState::Pending && session.user.is_none() {
            session.user = Some(user);
            session.deadline = now.saturating_add(session.lifetime());
        }
        Ok(session.state(now))
    }

    /// Records the first answer of a user. The user's habit decides the effect of
    /// a confirmation.
    pub(crate) fn answer(
        &mut self,
        id: &str,
        user: Option<User>,
        confirms: bool,
        now: u64,
    ) -> Result<SessionState, AnswerError> {
        let session = self.by_id.get_mut(id).ok_or(AnswerError::Unknown)?;
        let user = match (session.user, user) {
            (Some(known), Some(other)) if known != other => return Err(AnswerError::OtherUser),
            (known, other) => known.or(other).ok_or(AnswerError::NobodyChosen)?,
        };
        if session.state(now) != SessionState::Pending || session.is_answered() {
            return Ok(session.state(now));
        }
        session.user = Some(user);
        let signs = session.purpose != Purpose::Identification;
        let state = match (user, confirms) {
            (User::Blocked, _) => SessionState::NotAllowed,
            (_, false) => SessionState::Rejected,
            (User::RefusesIdentification, _) if !signs => SessionState::Rejected,
            (User::RefusesSigning, _) if signs => SessionState::Rejected,
            _ => SessionState::Confirmed,
        };
        let never = matches!(
            (user, signs),
            (User::ExpiresIdentification, false) | (User::ExpiresSigning, true)
        );
        if never && confirms {
            session.ignored = true;
            return Ok(session.state(now));
        }
        let pause = if user == User::Slow { SLOW_SECONDS } else { 0 };
        session.answered = Some((now.saturating_add(pause), state));
        if user == User::Renews && state == SessionState::Confirmed {
            if signs {
                self.renewals = (self.renewals + 1) % EDITIONS;
            }
            session.edition = self.renewals;
        }
        Ok(session.state(now))
    }

    fn forget(&mut self, now: u64) {
        // At most once a second, because this visits all sessions.
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
        let new = NewSession {
            id: id.to_owned(),
            page: format!("page-{id}"),
            purpose,
            redirect_url: String::new(),
            lang: Lang::En,
            user,
            dice: [1, 0, 0],
        };
        sessions.open(new, now);
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
        assert_eq!(session.state(1000 + CREATE_CERT_SECONDS - 1), SessionState::Pending);
        assert_eq!(session.state(1000 + CREATE_CERT_SECONDS), SessionState::Expired);
    }

    #[test]
    fn the_three_minutes_start_when_somebody_identifies() {
        let mut sessions = one(Purpose::Identification, None);
        assert_eq!(sessions.choose("id", User::New, 1100), Ok(SessionState::Pending));
        let session = sessions.get("id").unwrap();
        assert_eq!(session.state(1100 + CREATE_CERT_SECONDS - 1), SessionState::Pending);
        assert_eq!(session.state(1100 + CREATE_CERT_SECONDS), SessionState::Expired);
    }

    #[test]
    fn a_signature_expires() {
        let sessions = one(signature(), Some(User::Ready));
        let session = sessions.get("id").unwrap();
        assert_eq!(session.state(1000 + SIGN_SECONDS - 1), SessionState::Pending);
        assert_eq!(session.state(1000 + SIGN_SECONDS), SessionState::Expired);
    }

    #[test]
    fn an_answer_after_the_deadline_changes_nothing() {
        let mut sessions = one(Purpose::Identification, None);
        assert_eq!(sessions.answer("id", Some(User::Ready), true, 2000), Ok(SessionState::Expired));
        assert_eq!(sessions.get("id").unwrap().state(2000), SessionState::Expired);
    }

    #[test]
    fn a_confirmed_session_stays_confirmed_after_its_deadline() {
        let mut sessions = one(signature(), Some(User::Ready));
        assert_eq!(sessions.answer("id", None, true, 1001), Ok(SessionState::Confirmed));
        assert_eq!(
            sessions.get("id").unwrap().state(1000 + SIGN_SECONDS + 1),
            SessionState::Confirmed
        );
    }

    #[test]
    fn the_slow_user_answers_later_and_may_be_too_late() {
        let mut sessions = one(Purpose::Identification, None);
        assert_eq!(sessions.answer("id", Some(User::Slow), true, 1001), Ok(SessionState::Pending));
        assert_eq!(sessions.get("id").unwrap().state(1001 + SLOW_SECONDS), SessionState::Confirmed);

        let mut sessions = one(Purpose::Identification, None);
        let late = 1000 + CREATE_CERT_SECONDS - 1;
        assert_eq!(sessions.answer("id", Some(User::Slow), true, late), Ok(SessionState::Pending));
        assert_eq!(sessions.get("id").unwrap().state(late + SLOW_SECONDS), SessionState::Expired);
    }

    #[test]
    fn a_second_answer_does_not_count() {
        let mut sessions = one(Purpose::Identification, None);
        assert_eq!(
            sessions.answer("id", Some(User::Ready), false, 1001),
            Ok(SessionState::Rejected)
        );
        assert_eq!(
            sessions.answer("id", Some(User::Ready), true, 1002),
            Ok(SessionState::Rejected)
        );
    }

    #[test]
    fn habits_decide_the_effect_of_a_confirmation() {
        for (user, identifies, signs) in [
            (User::Ready, SessionState::Confirmed, SessionState::Confirmed),
            (User::Blocked, SessionState::NotAllowed, SessionState::NotAllowed),
            (User::RefusesIdentification, SessionState::Rejected, SessionState::Confirmed),
            (User::ExpiresIdentification, SessionState::Pending, SessionState::Confirmed),
            (User::RefusesSigning, SessionState::Confirmed, SessionState::Rejected),
            (User::ExpiresSigning, SessionState::Confirmed, SessionState::Pending),
        ] {
            let mut sessions = one(Purpose::Identification, Some(user));
            assert_eq!(sessions.answer("id", None, true, 1001), Ok(identifies), "{user:?}");
            let mut sessions = one(signature(), Some(user));
            assert_eq!(sessions.answer("id", None, true, 1001), Ok(signs), "{user:?}");
        }
    }

    #[test]
    fn a_user_who_never_answers_does_not_answer_later_either() {
        let mut sessions = one(signature(), Some(User::ExpiresSigning));
        assert_eq!(sessions.answer("id", None, true, 1001), Ok(SessionState::Pending));
        assert_eq!(sessions.answer("id", None, false, 1002), Ok(SessionState::Pending));
        assert_eq!(sessions.get("id").unwrap().state(1000 + SIGN_SECONDS), SessionState::Expired);
    }

    #[test]
    fn the_certificate_of_the_user_who_renews_changes_before_the_signature() {
        let mut sessions = Sessions::default();
        for round in 0..6 {
            let (identification, sign) = (format!("i{round}"), format!("s{round}"));
            let user = Some(User::Renews);
            add(&mut sessions, &identification, Purpose::Identification, user, 1000);
            add(&mut sessions, &sign, signature(), user, 1000);
            assert_eq!(
                sessions.answer(&identification, None, true, 1000),
                Ok(SessionState::Confirmed)
            );
            assert_eq!(sessions.answer(&sign, None, true, 1000), Ok(SessionState::Confirmed));
            let edition = |id: &str| sessions.get(id).unwrap().edition;
            assert_ne!(edition(&identification), edition(&sign));
        }
    }

    #[test]
    fn nobody_answers_the_session_of_another_user() {
        let mut sessions = one(signature(), Some(User::Ready));
        let other = sessions.answer("id", Some(User::New), true, 1001);
        assert_eq!(other, Err(AnswerError::OtherUser));
        assert_eq!(sessions.answer("nothing", None, true, 1001), Err(AnswerError::Unknown));
        let mut sessions = one(Purpose::Identification, None);
        assert_eq!(sessions.answer("id", None, true, 1001), Err(AnswerError::NobodyChosen));
    }

    #[test]
    fn every_order_of_the_icons_occurs() {
        let orders: std::collections::HashSet<_> = (0..=u8::MAX).map(order).collect();
        assert_eq!(orders.len(), 6);
        for mut order in orders {
            order.sort_unstable();
            assert_eq!(order, [0, 1, 2]);
        }
    }

    #[test]
    fn old_sessions_are_deleted_and_their_number_is_limited() {
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
