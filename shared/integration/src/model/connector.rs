//! `connector`: address, authentication, limits.

use std::borrow::Cow;

use mapping::{Content, Node, Place};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::http_action::{Body, FailWhen, Method, Pairs, Parameters, PathTemplate};
use crate::read::{
    Count, Decode, Entries, Expression, Flag, Items, Literal, Name, OneOrMany, Report, Required, Seconds,
    SecretForm, TemplateText, Text, choice, object,
};
use crate::rules;

object! {
    /// How the ticketing system is reached.
    struct Connector, "the connector" {
        /// Address that every path is appended to; templates may read `settings` only.
        base_url: Required<TemplateText>,
        /// How requests are authenticated; none where it is left out.
        auth: Option<Auth>,
        /// Headers of every request; templates may read `settings` and `meta_info`.
        headers: Option<Entries<TemplateText>>,
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
        /// Longest delay (8 by default).
        max_delay_seconds: Option<Seconds<0, 300_000>>,
    }
}

/// How requests are authenticated. Secrets are named here and come from the secret store.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(crate) enum Auth {
    #[allow(dead_code, reason = "holds nothing but its kind")]
    None(NoAuth),
    Basic(BasicAuth),
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

object! {
    /// No authentication.
    struct NoAuth, "auth of kind none" {
        /// `none`
        kind: Required<NoneKind>,
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
        /// Headers of this request, besides the connector's.
        headers: Option<Pairs>,
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
