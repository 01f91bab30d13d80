//! What an HTTP action is, as plain data: every template and mapping is already compiled.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::Method;
use mapping::{Mapping, Template};
use storage::RateLimit;
use url::Url;

/// One ticketing system as one installation reaches it.
#[derive(Debug, Clone)]
pub struct Connector {
    /// Name of the integration: the key of its secrets and of its rate budget.
    pub integration: String,
    /// Tells this set-up of the connector from any other in the process, an earlier version of the same integration
    /// included: sessions and kept answers belong to it. See [`Connector::next_instance`].
    pub instance: u64,
    /// Scheme, host, port and path prefix of every request; no template can leave it.
    pub base_url: Url,
    /// How requests prove who sends them.
    pub auth: Auth,
    /// Headers of every request; a header of the action with the same name wins.
    pub headers: Vec<(String, Template)>,
    /// Headers of every request and of the login that hold secrets of their own, besides `auth`.
    pub secret_headers: Vec<SecretHeader>,
    /// How many requests may start in a window; without one only the system's own word blocks.
    pub rate_limit: Option<RateLimit>,
    /// How an answer says what is left of the system's own limit.
    pub rate_signals: RateSignals,
    /// Longest time of one request, answer included.
    pub timeout: Duration,
    /// Longest time of a whole ticket action: what [`CallContext::within`](crate::CallContext::within) is given.
    pub action_timeout: Duration,
    /// Follow redirects of `GET` and `HEAD` within the origin; otherwise a redirect is an error.
    pub follow_redirects: bool,
    /// Longest body that is read, in bytes.
    pub max_response_bytes: usize,
    /// Attempts and waits, unless the action has its own.
    pub retry: RetryPolicy,
}

impl Connector {
    /// A number that no other connector of this process has.
    pub fn next_instance() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }
}

/// How an answer says what is left of the system's own limit; where a mapping is absent, the usual headers are
/// read (`RateLimit`, `RateLimit-Remaining`, `X-RateLimit-Remaining` and what belongs to them).
///
/// The mappings see `settings` and `response`; null says nothing.
#[derive(Debug, Clone, Default)]
pub struct RateSignals {
    /// How many requests are left until the reset.
    pub remaining: Option<Mapping>,
    /// In how many seconds the count begins anew. A number above 10⁹, or a date, is the moment itself.
    pub resets_in_seconds: Option<Mapping>,
}

/// How requests prove who sends them. Secrets are named here and read through the secret store.
#[derive(Debug, Clone)]
pub enum Auth {
    /// No credentials.
    None,
    /// HTTP Basic (RFC 7617).
    Basic {
        /// User name; sees `settings`.
        username: Template,
        /// Name of the secret that holds the password.
        secret: String,
    },
    /// HTTP Basic of a system that takes its key as the user name.
    BasicKey {
        /// Name of the secret that holds the user name.
        secret: String,
        /// What such a system wants for a password; sees `settings`. None: an empty one.
        password: Option<Template>,
    },
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer {
        /// Name of the secret that holds the token.
        secret: String,
    },
    /// A key in a header or in the query.
    ApiKey {
        /// Where the key goes.
        location: ApiKeyLocation,
        /// Name of the secret that holds the key.
        secret: String,
        /// Name of the secret that is tried when the first one is refused (401 or 403).
        fallback_secret: Option<String>,
    },
    /// OAuth 2.0 client credentials (RFC 6749 section 4.4).
    OAuth2ClientCredentials {
        /// Address of the token endpoint; sees `settings`.
        token_url: Template,
        /// Client id; sees `settings`.
        client_id: Template,
        /// Name of the secret that holds the client secret.
        secret: String,
        /// Scopes, separated by spaces; sees `settings`.
        scope: Option<Template>,
        /// How the client identifies itself at the token endpoint.
        client_authentication: ClientAuthentication,
        /// Further fields of the token request; the values see `settings`.
        extra: Vec<(String, Template)>,
    },
    /// OAuth 2.0 with a refresh token that somebody was granted before (RFC 6749 section 6).
    OAuth2RefreshToken {
        /// Address of the token endpoint; sees `settings`.
        token_url: Template,
        /// Client id; sees `settings`.
        client_id: Template,
        /// Name of the secret that holds the client secret.
        secret: String,
        /// Name of the secret that holds the refresh token.
        refresh_secret: String,
        /// Scopes, separated by spaces; sees `settings`.
        scope: Option<Template>,
        /// How the client identifies itself at the token endpoint.
        client_authentication: ClientAuthentication,
        /// Further fields of the token request; the values see `settings`.
        extra: Vec<(String, Template)>,
    },
    /// A login request gives a token or cookies, which are kept until the system says that they died.
    Session(Box<SessionLogin>),
}

/// A header whose value is a secret.
#[derive(Debug, Clone)]
pub struct SecretHeader {
    /// Name of the header.
    pub name: String,
    /// Name of the secret.
    pub secret: String,
    /// The header's value, with `%s` where the secret goes.
    pub pattern: String,
}

/// How a session is begun, carried and found dead.
#[derive(Debug, Clone)]
pub struct SessionLogin {
    /// Name of the secret that the login request sends: its templates and mappings see it as `secret`, besides
    /// `settings`, and nothing else.
    pub secret: String,
    /// The login request. Its `fail_when` see `response` as well.
    pub request: HttpAction,
    /// Headers of the login request alone that hold secrets.
    pub secret_headers: Vec<SecretHeader>,
    /// Gives the token; sees `response` and `settings`. None: the cookies of the answer are the session.
    pub token: Option<Mapping>,
    /// Where the token goes.
    pub location: SessionLocation,
    /// Holds where an answer says that the session died; sees `response` and `settings`. None: status 401.
    pub expired_when: Option<Mapping>,
    /// How long a session is used at most.
    pub keep: Duration,
}

/// Where a session goes.
#[derive(Debug, Clone)]
pub enum SessionLocation {
    /// In a header.
    Header {
        /// Name of the header.
        name: String,
        /// Its value, with `%s` where the token goes.
        pattern: String,
    },
    /// In the query string.
    Query {
        /// Name of the parameter.
        name: String,
    },
    /// In a cookie.
    Cookie {
        /// Name of the cookie that holds the token; none where the cookies of the login's answer are the session.
        name: Option<String>,
    },
}

/// Where an API key goes.
#[derive(Debug, Clone)]
pub enum ApiKeyLocation {
    /// In a header.
    Header {
        /// Name of the header.
        name: String,
        /// Its value, with `%s` where the key goes.
        pattern: String,
    },
    /// In the query string.
    Query {
        /// Name of the parameter.
        name: String,
    },
}

/// How an OAuth client identifies itself at the token endpoint (RFC 6749 section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientAuthentication {
    /// `Basic` first; when that is refused, `Body`.
    #[default]
    Auto,
    /// HTTP Basic.
    Basic,
    /// `client_id` and `client_secret` as form fields.
    Body,
}

/// How often a request is sent and how long the waits between are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included. 1 means no retry.
    pub max_attempts: u32,
    /// Upper bound of the first wait; it doubles with each attempt, the wait itself is random below it.
    pub initial_delay: Duration,
    /// Upper bound of any wait. Where the system asks for a longer one, its answer is final, and says when to come back.
    pub max_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            initial_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(8),
        }
    }
}

/// One templated request and how its answer is read.
#[derive(Debug, Clone)]
pub struct HttpAction {
    /// Name, unique in the integration.
    pub name: String,
    /// Method.
    pub method: Method,
    /// Path below the base URL; starts with `/`. A value in it is one percent-encoded segment.
    pub path: Template,
    /// Query parameters; a pair is left out when its key is empty or its value is an empty section.
    pub query: Vec<(Template, Parameter)>,
    /// Headers; left out by the same rule.
    pub headers: Vec<(Template, Template)>,
    /// Body.
    pub body: Body,
    /// How the body of a good answer is read.
    pub response: ResponseFormat,
    /// How further pages are asked for.
    pub paginate: Option<Paginate>,
    /// What the action gives, instead of the body; sees the input arguments, `settings`, `meta_info` and `response`.
    /// Not for an action with `paginate`.
    pub result: Option<Mapping>,
    /// The answer that means that there is no such thing, whatever its status: then the result is null. Asked before
    /// `fail_when`, not after 401 and 429. Not for an action with `paginate`.
    pub null_when: Option<Mapping>,
    /// Conditions under which a 2xx answer is a failure, tried in order.
    pub fail_when: Vec<FailWhen>,
    /// Another form of the request, tried once.
    pub fallback: Option<Box<Fallback>>,
    /// Replaces the connector's policy.
    pub retry: Option<RetryPolicy>,
    /// Replaces the connector's time for one request.
    pub timeout: Option<Duration>,
    /// Sending it twice does no harm. See [`HttpAction::repeatable_by_default`].
    pub repeatable: bool,
    /// It changes nothing, whatever its method: a failure leaves nothing in doubt.
    pub read_only: bool,
    /// How long a good answer is kept in the process for the same request. Only for reads.
    pub cache: Option<Duration>,
}

impl HttpAction {
    /// Whether it can change something: RFC 9110 section 9.2.1 calls `GET`, `HEAD` and `OPTIONS` safe.
    pub fn changes_something(&self) -> bool {
        !self.read_only && !matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }

    /// Whether RFC 9110 section 9.2.2 calls the method idempotent: `GET`, `HEAD`, `PUT`, `DELETE`, `OPTIONS`.
    pub fn repeatable_by_default(method: &Method) -> bool {
        matches!(
            *method,
            Method::GET | Method::HEAD | Method::PUT | Method::DELETE | Method::OPTIONS
        )
    }
}

/// The value of a query parameter or of a form field.
#[derive(Debug, Clone)]
pub enum Parameter {
    /// One text.
    One(Template),
    /// A mapping that gives a list: the parameter is sent once for each element, and not at all for none or null.
    Each(Mapping),
}

impl From<Template> for Parameter {
    fn from(template: Template) -> Self {
        Self::One(template)
    }
}

/// A request body.
#[derive(Debug, Clone)]
pub enum Body {
    /// No body.
    None,
    /// Mustache text that renders to JSON.
    JsonTemplate(Template),
    /// A mapping whose result is sent as JSON.
    Json(Mapping),
    /// `application/x-www-form-urlencoded`; pairs are left out as in a query.
    Form(Vec<(Template, Parameter)>),
    /// `multipart/form-data`.
    Multipart(Vec<Part>),
    /// Text. Values are escaped when the type is a form, XML or HTML.
    Text {
        /// The text.
        content: Template,
        /// Its media type.
        content_type: Template,
    },
    /// Bytes, from Base64 text.
    Binary {
        /// The Base64 text.
        content: Mapping,
        /// Its media type.
        content_type: Template,
    },
}

/// One part of a `multipart/form-data` body.
#[derive(Debug, Clone)]
pub struct Part {
    /// Field name.
    pub name: String,
    /// What it holds.
    pub content: PartContent,
}

/// What a part of a multipart body holds.
#[derive(Debug, Clone)]
pub enum PartContent {
    /// Text.
    Text {
        /// Text as it is, any other value as JSON; null leaves the part out.
        content: Mapping,
        /// Its media type; none is sent when absent or empty.
        content_type: Option<Template>,
    },
    /// A file.
    File {
        /// Its content as Base64 text; null leaves the part out.
        content: Mapping,
        /// Its name.
        file_name: Template,
        /// Its media type; `application/octet-stream` when absent or empty.
        content_type: Option<Template>,
    },
}

/// How the body of a good answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResponseFormat {
    /// JSON; an empty body is null.
    #[default]
    Json,
    /// Text.
    Text,
    /// Bytes, given on as Base64 text.
    Bytes,
}

/// A condition under which an answer is a failure although its status is 2xx.
///
/// Its mappings see the input arguments, `settings`, `meta_info` and `response`.
#[derive(Debug, Clone)]
pub struct FailWhen {
    /// Holds when the answer is a failure.
    pub condition: Mapping,
    /// What the caller is told.
    pub message: Option<Mapping>,
    /// The caller's error code; [`ErrorCode::ExternalRestError`] when absent.
    pub code: Option<ErrorCode>,
}

/// The error codes of the API that an integration may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// 400.
    InputValidationFailed,
    /// 403.
    PermissionDenied,
    /// 404.
    NotFound,
    /// 409.
    Conflict,
    /// 422.
    ActionNotSupported,
    /// 502.
    ExternalRestError,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 6] = [
        Self::InputValidationFailed,
        Self::PermissionDenied,
        Self::NotFound,
        Self::Conflict,
        Self::ActionNotSupported,
        Self::ExternalRestError,
    ];

    /// The code as the API and the YAML write it: `NOT_FOUND`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InputValidationFailed => "INPUT_VALIDATION_FAILED",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::ActionNotSupported => "ACTION_NOT_SUPPORTED",
            Self::ExternalRestError => "EXTERNAL_REST_ERROR",
        }
    }

    /// The code that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }
}

/// Another form of a request, tried once when the first form's answer asks for it.
///
/// With both `on_status` and `when`, both must hold. A 5xx answer counts only when it is listed and the
/// action is repeatable, because the first request may have been carried out.
#[derive(Debug, Clone)]
pub struct Fallback {
    /// Statuses that ask for it.
    pub on_status: Vec<u16>,
    /// Condition that asks for it; sees the input arguments, `settings`, `meta_info` and `response`.
    pub when: Option<Mapping>,
    /// Replaces the method.
    pub method: Option<Method>,
    /// Replaces the path.
    pub path: Option<Template>,
    /// Replaces the query.
    pub query: Option<Vec<(Template, Parameter)>>,
    /// Replaces the headers.
    pub headers: Option<Vec<(Template, Template)>>,
    /// Replaces the body.
    pub body: Option<Body>,
}

/// How further pages are asked for. Its mappings see the input arguments, `settings`, `meta_info` and
/// `response`.
#[derive(Debug, Clone)]
pub struct Paginate {
    /// How the next page is found.
    pub kind: PageKind,
    /// The list of items of a page; null is an empty page, or an error with `CallContext::strict_lists`.
    pub items: Mapping,
    /// The keys that lead from the body to the items, where `items` is nothing but that path: then they are moved out of
    /// the answer instead of copied, if no other mapping looks at them there.
    pub items_at: Option<Vec<String>>,
    /// Which items are kept; sees `item` as well.
    pub keep: Option<Mapping>,
    /// What tells items apart; sees `item` as well. An item that was seen before is dropped.
    pub unique_by: Option<Mapping>,
    /// Holds when no further page is wanted.
    pub stop_when: Option<Mapping>,
    /// Holds for an answer, of whatever status but 401 and 429, that means that the page lies behind the end of the list.
    pub end_when: Option<Mapping>,
    /// Most pages of one call; then the result carries a page token.
    pub max_pages: u32,
    /// Enough items for one call; the page that reaches it is the last and is kept whole, and the result
    /// carries a page token.
    pub max_items: usize,
    /// The page token of an earlier result, or null.
    pub start_from: Option<Mapping>,
    /// Used when `kind` never gave a next page and the page was full.
    pub otherwise: Option<PageKind>,
    /// A page without items is the last one, whatever else it says.
    pub empty_page_ends: bool,
    /// A page that names itself as the next, or has the items of an earlier one, ends the walk instead of
    /// being an error. With `CallContext::strict_lists` items that come again under another token are one all the same.
    pub stop_on_repeat: bool,
}

/// How the next page is found.
#[derive(Debug, Clone)]
pub enum PageKind {
    /// A token in the answer is sent back.
    Token {
        /// The token; null, false or empty text at the end.
        next: Mapping,
        /// Where it goes.
        send: SendTo,
    },
    /// The number of items to skip, or the range of items that is wanted.
    Offset {
        /// Where it goes.
        send: SendTo,
        /// Number of the first item of all.
        first: u32,
        /// The text that asks for a range, of the numbers `first` and `last`, both included. Needs a `page_size` that does
        /// not look at `response`. None: the number of the first item is sent.
        range: Option<Template>,
        /// Gives how many items a full page has, a shorter page is the last; without it an empty page is. Sees `response`
        /// as well.
        page_size: Option<Mapping>,
    },
    /// The number of the page.
    Page {
        /// Where it goes.
        send: SendTo,
        /// Number of the first page.
        first: u32,
        /// Gives how many items a full page has, a shorter page is the last; without it an empty page is. Sees `response`
        /// as well.
        page_size: Option<Mapping>,
    },
    /// A `Link` header (RFC 8288).
    LinkHeader {
        /// Its relation, commonly `next`.
        rel: String,
    },
    /// A URL in the answer.
    NextUrl {
        /// The URL, whole or relative; null or empty text at the end.
        next: Mapping,
    },
}

/// Where the page position goes in the request.
#[derive(Debug, Clone)]
pub enum SendTo {
    /// In this header.
    Header(String),
    /// In this query parameter.
    Query(String),
    /// In this top-level key of a JSON body.
    Body(String),
}
