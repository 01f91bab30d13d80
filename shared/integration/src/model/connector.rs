//! `connector`: address, authentication, limits.

use std::borrow::Cow;

use mapping::{Content, Node, Place};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::http_action::{Body, FailWhen, Method, Parameters, PathTemplate};
use crate::read::{
    Count, Decode, Entries, EscapedText, Expression, Flag, Items, Literal, Name, OneOrMany, Report, Required,
    Seconds, SecretForm, TemplateText, Text, choice, object,
};
use crate::rules;

object! {
    /// How the ticketing system is reached.
    struct Connector, "the connector" {
        /// Address that every path is appended to; templates may read `settings` only.
        base_url: Required<TemplateText>,
        /// How requests are authenticated; none where it is left out.
        auth: Option<Authentication>,
        /// Headers of every request; templates may read `settings` and `meta_info`. A value may be a secret.
        headers: Option<Entries<HeaderValue>>,
        /// How many requests the ticketing system allows.
        rate_limit: Option<RateLimit>,
        /// Longest time for one request (10 by default).
        timeout_seconds: Option<Seconds<10, 300_000>>,
        /// Longest time for a whole ticket action (25 by default).
        action_timeout_seconds: Option<Seconds<10, 900_000>>,
        /// Whether redirects within the same origin are followed (no by default).
        follow_redirects: Option<Flag>,
        /// Longest answer that is read, in bytes (6 MiB by default).
        max_response_bytes: Option<Count<1, 1_073_741_824>>,
        /// How failed requests are repeated, where repeating is safe.
        retry: Option<Retry>,
        /// How the ticketing system writes times.
        dates: Option<Dates>,
        /// What an answer to any HTTP action means that is a failure; asked after the action's own.
        fail_when: Option<OneOrMany<FailWhen>>,
    }
}

/// What stands in a header: a text, or a secret.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(crate) enum HeaderValue {
    /// Text.
    Text(EscapedText),
    /// A secret.
    Secret(SecretHeader),
}

impl Decode for HeaderValue {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        if node.get("secret").is_some() {
            SecretHeader::decode(node, report).map(Self::Secret)
        } else {
            EscapedText::decode(node, report).map(Self::Text)
        }
    }
}

object! {
    /// A header whose value is a secret.
    struct SecretHeader, "a header that holds a secret" {
        /// Name of the secret.
        secret: Required<Name<SecretForm>>,
        /// How the secret stands in the header, with `%s` for it (`%s` by default).
        pattern: Option<Text>,
    }
}

object! {
    /// How the ticketing system writes times, in requests and in answers.
    struct Dates, "dates" {
        /// As in `$FORMAT_TIME`: `%Y-%m-%d %H:%M:%S`.
        format: Required<Text>,
        /// The zone of its times, such as `Europe/Berlin` or `{{settings.time_zone}}` (UTC by default).
        zone: Option<TemplateText>,
        /// Values that mean no time.
        empty: Option<Items<Literal>>,
        /// Rounds the start of a list's range down and its end up to the next of this, for a filter that knows nothing
        /// finer.
        round: Option<RoundTo>,
    }
}

choice! {
    /// What a range is rounded to.
    enum RoundTo, "step of times" {
        Second = "second",
        Minute = "minute",
        Hour = "hour",
        Day = "day",
    }
}

object! {
    /// A budget of requests. Without `requests` only what the system says in its answers holds requests back.
    struct RateLimit, "rate_limit" {
        /// Number of requests.
        requests: Option<Count<1, 1_000_000>>,
        /// In how many seconds.
        per_seconds: Option<Count<1, 86_400>>,
        /// How many of them polling leaves to ticket actions: a whole number, or a share between 0 and 1 (0.2 by
        /// default).
        reserved_for_actions: Option<Reserved>,
        /// Gives how many requests are left, where no usual header says it; sees `response` and `settings`.
        remaining: Option<Expression>,
        /// Gives the seconds (or the moment) until the count begins anew, where no usual header says it; sees
        /// `response` and `settings`.
        resets_in_seconds: Option<Expression>,
    }
}

/// Part of a budget.
pub(crate) struct Reserved {
    pub(crate) part: ReservedPart,
    pub(crate) place: Place,
}

#[derive(Clone, Copy)]
pub(crate) enum ReservedPart {
    Requests(u64),
    Share(f64),
}

impl Decode for Reserved {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let Content::Number(number) = &node.content else {
            report.wrong_type(node, "a number of requests, or a share between 0 and 1");
            return None;
        };
        let whole = number.as_u64().map(ReservedPart::Requests);
        let share = number
            .as_f64()
            .filter(|share| (0.0..1.0).contains(share))
            .map(ReservedPart::Share);
        let Some(part) = whole.or(share) else {
            let message = format!("expected a whole number of requests, or a share below 1, found {number}");
            report.add(&rules::OUT_OF_RANGE, &node.place, message);
            return None;
        };
        Some(Self {
            part,
            place: node.place.clone(),
        })
    }
}

impl JsonSchema for Reserved {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Reserved".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"anyOf": [
            {"type": "integer", "minimum": 0},
            {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
        ]})
    }
}

object! {
    /// How failed requests are repeated: exponentially longer delays, with jitter.
    struct Retry, "retry" {
        /// Attempts in all, the first one included (3 by default).
        max_attempts: Option<Count<1, 10>>,
        /// Longest first delay (0.5 by default).
        initial_delay_seconds: Option<Seconds<0, 60_000>>,
        /// Longest delay (8 by default). Where the system asks for a longer one, there is no further attempt.
        max_delay_seconds: Option<Seconds<0, 300_000>>,
    }
}

/// How requests are authenticated. Secrets are named here and come from the secret store.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(crate) enum Authentication {
    One(Auth),
    BySetting(BySettingAuth),
}

impl Authentication {
    /// Every kind that an installation may have.
    pub(crate) fn kinds(&self) -> Vec<&Auth> {
        match self {
            Self::One(auth) => vec![auth],
            Self::BySetting(choice) => {
                let of = choice.of.get().into_iter().flat_map(Entries::read);
                of.map(|(_, auth)| auth).collect()
            }
        }
    }
}

impl Decode for Authentication {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        if node.get("kind").and_then(Node::as_text) == Some("by_setting") {
            BySettingAuth::decode(node, report).map(Self::BySetting)
        } else {
            Auth::decode(node, report).map(Self::One)
        }
    }
}

/// One way to authenticate.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(crate) enum Auth {
    #[allow(dead_code, reason = "holds nothing but its kind")]
    None(NoAuth),
    Basic(BasicAuth),
    BasicKey(BasicKeyAuth),
    Bearer(BearerAuth),
    ApiKey(ApiKeyAuth),
    ClientCredentials(ClientCredentialsAuth),
    RefreshToken(RefreshTokenAuth),
    Session(Box<SessionAuth>),
}

const AUTH_KINDS: &[&str] = &[
    "none",
    "basic",
    "bearer",
    "api_key",
    "oauth2_client_credentials",
    "oauth2_refresh_token",
    "session",
    "by_setting",
];

impl Decode for Auth {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let Some(kind) = node.get("kind") else {
            match node.content {
                Content::Object(_) => report.add(&rules::MISSING_KEY, &node.place, "auth needs `kind`"),
                _ => report.wrong_type(node, "an object (auth)"),
            }
            return None;
        };
        match kind.as_text() {
            Some("none") => NoAuth::decode(node, report).map(Self::None),
            Some("basic") if node.get("username_secret").is_some() => {
                BasicKeyAuth::decode(node, report).map(Self::BasicKey)
            }
            Some("basic") => BasicAuth::decode(node, report).map(Self::Basic),
            Some("bearer") => BearerAuth::decode(node, report).map(Self::Bearer),
            Some("api_key") => ApiKeyAuth::decode(node, report).map(Self::ApiKey),
            Some("oauth2_client_credentials") => {
                ClientCredentialsAuth::decode(node, report).map(Self::ClientCredentials)
            }
            Some("oauth2_refresh_token") => RefreshTokenAuth::decode(node, report).map(Self::RefreshToken),
            Some("session") => {
                SessionAuth::decode(node, report).map(|session| Self::Session(Box::new(session)))
            }
            Some("by_setting") => {
                let message = "one `by_setting` cannot stand in another";
                report.push(rules::AUTH_CHOICE.at(&kind.place, message).help(
                    "give the setting one word for each way to authenticate, and `of` one entry for each word",
                ));
                None
            }
            Some(other) => {
                let message = format!("`{other}` is no kind of authentication");
                report.unknown_word(&rules::UNKNOWN_WORD, &kind.place, message, other, AUTH_KINDS);
                None
            }
            None => {
                report.wrong_type(kind, "text (a kind of authentication)");
                None
            }
        }
    }
}

choice! { enum NoneKind, "kind" { None = "none", } }
choice! { enum BasicKind, "kind" { Basic = "basic", } }
choice! { enum BearerKind, "kind" { Bearer = "bearer", } }
choice! { enum ApiKeyKind, "kind" { ApiKey = "api_key", } }
choice! { enum ClientCredentialsKind, "kind" { ClientCredentials = "oauth2_client_credentials", } }
choice! { enum RefreshTokenKind, "kind" { RefreshToken = "oauth2_refresh_token", } }
choice! { enum SessionKind, "kind" { Session = "session", } }
choice! { enum BySettingKind, "kind" { BySetting = "by_setting", } }

object! {
    /// No authentication.
    struct NoAuth, "auth of kind none" {
        /// `none`
        kind: Required<NoneKind>,
    }
}

object! {
    /// A setting of type `enum` chooses among several ways.
    struct BySettingAuth, "auth of kind by_setting" {
        /// `by_setting`
        kind: Required<BySettingKind>,
        /// Name of the setting.
        setting: Required<Text>,
        /// The way of each word of the setting.
        of: Required<Entries<Auth>>,
    }
}

object! {
    /// HTTP Basic.
    struct BasicAuth, "auth of kind basic" {
        /// `basic`
        kind: Required<BasicKind>,
        /// The user name.
        username: Required<TemplateText>,
        /// Name of the secret that holds the password.
        secret: Required<Name<SecretForm>>,
    }
}

object! {
    /// HTTP Basic of a system that takes its key as the user name.
    struct BasicKeyAuth, "auth of kind basic with `username_secret`" {
        /// `basic`
        kind: Required<BasicKind>,
        /// Name of the secret that holds the user name.
        username_secret: Required<Name<SecretForm>>,
        /// What the system wants for a password, such as `X` (nothing by default). It is no secret.
        password: Option<TemplateText>,
    }
}

object! {
    /// A token in `Authorization: Bearer`.
    struct BearerAuth, "auth of kind bearer" {
        /// `bearer`
        kind: Required<BearerKind>,
        /// Name of the secret that holds the token.
        secret: Required<Name<SecretForm>>,
    }
}

object! {
    /// A key in a header or in the query.
    struct ApiKeyAuth, "auth of kind api_key" {
        /// `api_key`
        kind: Required<ApiKeyKind>,
        /// Where the key goes.
        r#in: Required<KeyPlace>,
        /// Name of the header or of the query parameter.
        name: Required<Text>,
        /// How the key stands in the header, with `%s` for the key (`%s` by default).
        pattern: Option<Text>,
        /// Name of the secret that holds the key.
        secret: Required<Name<SecretForm>>,
        /// Name of a second secret, tried where the first is refused.
        fallback_secret: Option<Name<SecretForm>>,
    }
}

choice! {
    /// Where an API key goes.
    enum KeyPlace, "place for a key" {
        Header = "header",
        Query = "query",
    }
}

object! {
    /// OAuth 2.0 client credentials.
    struct ClientCredentialsAuth, "auth of kind oauth2_client_credentials" {
        /// `oauth2_client_credentials`
        kind: Required<ClientCredentialsKind>,
        /// Address that gives tokens.
        token_url: Required<TemplateText>,
        /// The client's id.
        client_id: Required<TemplateText>,
        /// Name of the secret that holds the client secret.
        secret: Required<Name<SecretForm>>,
        /// The scopes to ask for, separated by spaces.
        scope: Option<TemplateText>,
        /// How the client shows who it is; `auto` tries `basic`, then `body`.
        client_authentication: Option<ClientAuthentication>,
        /// Further form fields of the token request.
        extra: Option<Entries<TemplateText>>,
    }
}

object! {
    /// OAuth 2.0 with a refresh token that was granted before.
    struct RefreshTokenAuth, "auth of kind oauth2_refresh_token" {
        /// `oauth2_refresh_token`
        kind: Required<RefreshTokenKind>,
        /// Address that gives tokens.
        token_url: Required<TemplateText>,
        /// The client's id.
        client_id: Required<TemplateText>,
        /// Name of the secret that holds the client secret.
        secret: Required<Name<SecretForm>>,
        /// Name of the secret that holds the refresh token.
        refresh_secret: Required<Name<SecretForm>>,
        /// The scopes to ask for, separated by spaces.
        scope: Option<TemplateText>,
        /// How the client shows who it is; `auto` tries `basic`, then `body`.
        client_authentication: Option<ClientAuthentication>,
        /// Further form fields of the token request.
        extra: Option<Entries<TemplateText>>,
    }
}

object! {
    /// A login request gives a token or cookies, which are kept until the system says that they died.
    struct SessionAuth, "auth of kind session" {
        /// `session`
        kind: Required<SessionKind>,
        /// Name of the secret that the login sends; its templates and mappings see it as `secret`.
        secret: Required<Name<SecretForm>>,
        /// The login request.
        login: Required<Login>,
        /// Gives the token; sees `response` and `settings`. Without it the cookies of the answer are the session.
        token: Option<Expression>,
        /// Where the session goes.
        r#in: Required<SessionPlace>,
        /// Name of the header, the query parameter or the cookie that takes the token.
        name: Option<Text>,
        /// How the token stands in the header, with `%s` for the token (`%s` by default).
        pattern: Option<Text>,
        /// Holds where an answer says that the session died; sees `response` and `settings` (status 401 by default).
        expired_when: Option<Expression>,
        /// How long a session is used at most (3600 by default).
        keep_seconds: Option<Seconds<1_000, 86_400_000>>,
    }
}

object! {
    /// The login request of a session. Its templates and mappings see `settings` and `secret`.
    struct Login, "a login" {
        /// The method (`POST` by default).
        method: Option<Method>,
        /// What follows the connector's `base_url`.
        path: Required<PathTemplate>,
        /// The query parameters.
        query: Option<Parameters>,
        /// Headers of this request, besides the connector's. A value may be a secret.
        headers: Option<Entries<HeaderValue>>,
        /// The body.
        body: Option<Body>,
        /// Answers that mean that the login failed although their status is good.
        fail_when: Option<OneOrMany<FailWhen>>,
    }
}

choice! {
    /// Where a session goes.
    enum SessionPlace, "place for a session" {
        Header = "header",
        Query = "query",
        Cookie = "cookie",
    }
}

choice! {
    /// How an OAuth client shows who it is.
    enum ClientAuthentication, "kind of client authentication" {
        Auto = "auto",
        Basic = "basic",
        Body = "body",
    }
}
