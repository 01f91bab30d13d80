//! `connector`: address, authentication, limits.

use mapping::{Content, Node};
use schemars::JsonSchema;

use crate::read::{
    Count, Decode, Entries, Flag, Name, Report, Required, Seconds, SecretForm, TemplateText, Text, choice,
    object,
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
    }
}

object! {
    /// A budget of requests.
    struct RateLimit, "rate_limit" {
        /// Number of requests.
        requests: Required<Count<1, 1_000_000>>,
        /// In how many seconds.
        per_seconds: Required<Count<1, 86_400>>,
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
}

const AUTH_KINDS: &[&str] = &["none", "basic", "bearer", "api_key", "oauth2_client_credentials"];

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

choice! {
    /// How an OAuth client shows who it is.
    enum ClientAuthentication, "kind of client authentication" {
        Auto = "auto",
        Basic = "basic",
        Body = "body",
    }
}
