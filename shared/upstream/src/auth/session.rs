//! Sessions: a login request gives a token or cookies, which are kept until the system says that they died.

use http::HeaderMap;
use http::header::{COOKIE, SET_COOKIE};
use mapping::{Mapping, is_truthy};
use serde_json::{Map, Value, json};
use storage::Secret;
use tokio::time::Instant;

use super::oauth::{Slot, Token};
use super::{Credentials, filled_in, header, is_among};
use crate::error::{ErrorKind, Outcome, UpstreamError};
use crate::model::{Auth, SessionLocation, SessionLogin};
use crate::reads::BodyReads;
use crate::request::{Form, Root, prepare};
use crate::response;
use crate::send::{Response, Session};

/// How the login request is called in records and errors.
const ACTION: &str = "login";
/// A shorter cookie, such as a language, is no secret, and hiding it would hide words.
const SHORTEST_SECRET_COOKIE: usize = 8;

impl Session<'_> {
    /// The session: the one that is kept, or a new one.
    pub(super) async fn session_token(&mut self, login: &SessionLogin) -> Result<Secret, UpstreamError> {
        let slot = self.session_slot();
        let waited = tokio::time::timeout_at(self.context.deadline, slot.lock()).await;
        let mut kept = waited.map_err(|_| {
            let message = "no session was there before the time was over";
            UpstreamError::new(ErrorKind::Timeout, Outcome::NotSent, message)
        })?;
        if let Some(token) = kept.token.as_ref().filter(|token| token.is_usable()) {
            let secret = token.secret.clone();
            self.hide_session(&secret, login);
            return Ok(secret);
        }
        let secret = self
            .begin_session(login)
            .await
            .map_err(UpstreamError::before_sending)?;
        kept.token = Some(Token {
            secret: secret.clone(),
            usable_until: Instant::now() + login.keep,
        });
        Ok(secret)
    }

    /// The system said that these sessions died: the next one who asks logs in, unless somebody already did.
    pub(super) async fn forget_session(&mut self, dead: &[Secret]) {
        let slot = self.session_slot();
        if let Ok(mut kept) = tokio::time::timeout_at(self.context.deadline, slot.lock()).await
            && kept
                .token
                .as_ref()
                .is_some_and(|token| is_among(&token.secret, dead))
        {
            kept.token = None;
        }
    }

    /// Whether an answer says that the session died, of a connector that has sessions.
    pub(crate) fn says_session_died(&self, answer: &Response) -> Result<bool, UpstreamError> {
        let Auth::Session(login) = &self.connector.auth else {
            return Ok(false);
        };
        let Some(expired_when) = &login.expired_when else {
            return Ok(answer.status == 401);
        };
        let value = Self::session_answer(answer, &BodyReads::of([expired_when]));
        let holds = self.of_session(expired_when, &value, "`expired_when` of the connector's `auth`")?;
        Ok(is_truthy(&holds))
    }

    /// The session as a request carries it.
    pub(super) fn session_credentials(
        login: &SessionLogin,
        token: &Secret,
    ) -> Result<Credentials, UpstreamError> {
        const WHAT: &str = "token of the session";
        match &login.location {
            SessionLocation::Query { name } => Ok(Credentials::Query(name.clone(), token.clone())),
            SessionLocation::Cookie { name: None } => header(COOKIE, token, WHAT),
            SessionLocation::Cookie { name: Some(name) } => {
                header(COOKIE, &Secret::new(format!("{name}={}", token.expose())), WHAT)
            }
            SessionLocation::Header { name, pattern } => {
                let (name, value) = filled_in(name, pattern, token, WHAT)?;
                Ok(Credentials::Header(name, value))
            }
        }
    }

    /// Logs in, with another value of the secret when the first is refused.
    async fn begin_session(&mut self, login: &SessionLogin) -> Result<Secret, UpstreamError> {
        let secret = self.read_secret(&login.secret).await?;
        let refusal = match self.ask_for_session(login, &secret).await? {
            Ok(session) => return Ok(session),
            Err(refusal) => refusal,
        };
        // One more, not two: systems lock accounts after a few wrong passwords.
        if let Some(another) = self.another_secret(&login.secret, &[secret]).await
            && let Ok(session) = self.ask_for_session(login, &another).await?
        {
            let secrets = &self.client.options.secrets;
            secrets.accepted(&self.connector.integration, &login.secret, &another);
            return Ok(session);
        }
        Err(refusal)
    }

    /// Logs in with one secret. Gives the session, or how the login was refused.
    async fn ask_for_session(
        &mut self,
        login: &SessionLogin,
        secret: &Secret,
    ) -> Result<Result<Secret, UpstreamError>, UpstreamError> {
        let scope = json!({
            "settings": self.scope.get("settings"),
            "secret": secret.expose(),
        });
        let root = Root {
            scope: &scope,
            environment: &self.environment,
        };
        let mut prepared = prepare(self.connector, &Form::of(&login.request), &root, None)
            .map_err(|error| self.without_secrets(&error))?;
        self.read_headers(&login.secret_headers)
            .await?
            .apply(&mut prepared);
        self.secret_headers.apply(&mut prepared);
        let answer = self
            .send_with_retries(ACTION, &prepared, &Credentials::None, login.request.repeatable)
            .await?;
        let status = answer.status;
        let check = self.login_secrets(login);
        let kind = if status >= 500 {
            ErrorKind::Status(status)
        } else {
            ErrorKind::Credentials
        };
        let refused = |why: String| {
            let message = format!("the {ACTION} of the connector's `auth` {why}");
            UpstreamError::new(kind, Outcome::NotSent, message).with_status(status)
        };
        let value = Self::session_answer(&answer, &BodyReads::everything());
        // A form that logs people in leads on to a page.
        if !matches!(status, 200..=299 | 302 | 303) {
            // A rule that was not written for such a body is not what the person should hear of.
            let said = self.login_failed(login, &value).unwrap_or_default();
            let why = match (said, status) {
                (Some(said), _) => format!("was answered {status}: {said}; check {check}"),
                (None, 400 | 401 | 403) => format!("was answered {status}: check {check} and the `login`"),
                (None, 500..) => format!("was answered {status}"),
                (None, _) => format!("was answered {status}: check the `path` of the `login`"),
            };
            let error = refused(why).with_excerpt(self.redactor.refusal(&answer.body));
            return match status {
                400 | 401 | 403 => Ok(Err(error)),
                _ => Err(error),
            };
        }
        if let Some(said) = self.login_failed(login, &value)? {
            return Ok(Err(refused(format!("failed: {said}; check {check}"))));
        }
        let session = match &login.token {
            None => cookies(&answer.headers).ok_or_else(|| {
                refused("gave no cookie; say in `token` where the session's token is".to_owned())
            })?,
            Some(token) => match self.of_session(token, &value, "`token` of the connector's `auth`")? {
                Value::String(text) if !text.is_empty() => text,
                Value::Number(number) => number.to_string(),
                _ => {
                    let why = "gave no token: `token` gives null or something else than text";
                    return Err(refused(why.to_owned()));
                }
            },
        };
        let session = Secret::new(session);
        self.hide_session(&session, login);
        Ok(Ok(session))
    }

    /// The secrets that a login sends, for a person: "the secret `password`".
    fn login_secrets(&self, login: &SessionLogin) -> String {
        let of_headers = login.secret_headers.iter().chain(&self.connector.secret_headers);
        let names = std::iter::once(&login.secret).chain(of_headers.map(|header| &header.secret));
        let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
        let what = if names.len() == 1 {
            "the secret"
        } else {
            "the secrets"
        };
        format!("{what} {}", names.join(", "))
    }

    /// What the first rule says that holds for the answer to a login.
    fn login_failed(&self, login: &SessionLogin, answer: &Value) -> Result<Option<String>, UpstreamError> {
        const WHAT: &str = "`fail_when` of the `login`";
        for rule in &login.request.fail_when {
            if !is_truthy(&self.of_session(&rule.condition, answer, WHAT)?) {
                continue;
            }
            let said = match &rule.message {
                Some(message) => self.of_session(message, answer, WHAT)?,
                None => Value::Null,
            };
            let said = said.as_str().unwrap_or_default().trim().trim_end_matches('.');
            return Ok(Some(match said {
                "" => "its `fail_when` holds".to_owned(),
                said => self.redactor.text(said),
            }));
        }
        Ok(None)
    }

    /// What the mappings of a session see as `response`. The secrets of the call stand in it: it leads nowhere else.
    fn session_answer(answer: &Response, reads: &BodyReads) -> Value {
        let body = response::plain_body(answer, reads);
        let mut headers = Map::new();
        for name in answer.headers.keys() {
            let values: Vec<_> = answer.headers.get_all(name).iter().collect();
            let values = values
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()));
            let joined = values.collect::<Vec<_>>().join(", ");
            headers.insert(name.as_str().to_owned(), joined.into());
        }
        json!({"status": answer.status, "headers": headers, "body": body})
    }

    fn of_session(&self, mapping: &Mapping, response: &Value, what: &str) -> Result<Value, UpstreamError> {
        mapping
            .evaluate_with(&self.settings(), &[("response", response)], &self.environment)
            .map_err(|error| self.without_secrets(&UpstreamError::mapping(what, error, Outcome::NotSent)))
    }

    /// An error of the login, whose request and answer hold secrets.
    fn without_secrets(&self, error: &UpstreamError) -> UpstreamError {
        let message = self.redactor.text(&error.to_string());
        UpstreamError::new(error.kind(), Outcome::NotSent, message)
    }

    fn hide_session(&mut self, session: &Secret, login: &SessionLogin) {
        self.redactor.hide(session.expose());
        if let SessionLocation::Cookie { name: None } = &login.location {
            let values = session
                .expose()
                .split("; ")
                .filter_map(|cookie| cookie.split_once('='));
            for (_, value) in values.filter(|(_, value)| value.len() >= SHORTEST_SECRET_COOKIE) {
                self.redactor.hide(value);
            }
        }
    }

    fn session_slot(&self) -> Slot {
        let connector = self.connector;
        self.client.tokens.slot(format!(
            "session\n{}\n{}",
            connector.integration, connector.instance
        ))
    }
}

/// The cookies that an answer sets, as a request sends them back (RFC 6265 section 4.2).
fn cookies(headers: &HeaderMap) -> Option<String> {
    let mut cookies: Vec<(String, String)> = Vec::new();
    for set in headers.get_all(SET_COOKIE) {
        let Ok(text) = set.to_str() else { continue };
        let pair = text.split(';').next().unwrap_or_default();
        let Some((name, value)) = pair.split_once('=') else {
            continue;
        };
        let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
        cookies.retain(|(known, _)| *known != name);
        // An empty one takes a cookie back.
        if !name.is_empty() && !value.is_empty() {
            cookies.push((name, value));
        }
    }
    let pairs: Vec<String> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    (!pairs.is_empty()).then(|| pairs.join("; "))
}
