//! Callers that show a JWT of an issuer that the installation trusts.

use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};
use storage::caller_key::Access;

use super::jwks::{Lookup, SigningKeys};
use super::{Identity, Rejection, ring_provider};
use crate::environment::Environment;
use crate::error::Error;

const ISSUER: &str = "TICKET_GATEWAY_JWT_ISSUER";
const AUDIENCE: &str = "TICKET_GATEWAY_JWT_AUDIENCE";
const JWKS_URL: &str = "TICKET_GATEWAY_JWT_JWKS_URL";
const INTEGRATIONS_CLAIM: &str = "TICKET_GATEWAY_JWT_INTEGRATIONS_CLAIM";
const WRITE_SCOPE: &str = "TICKET_GATEWAY_JWT_WRITE_SCOPE";
const USAGE_KEY: &str = "TICKET_GATEWAY_JWT_USAGE_KEY";

/// API Gateway takes 10 KB of headers in all.
const MAX_TOKEN_BYTES: usize = 10 * 1024;

/// The most that clocks may differ, in seconds.
const LEEWAY: u64 = 60;

/// Whose tokens are taken, and what their claims mean.
///
/// A token is signed with RS256, ES256 or EdDSA (Ed25519) by a key of the issuer's JWK set. It has `sub`, `exp`,
/// and this issuer and audience; `exp` and `nbf` may be off by 60 s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtSettings {
    /// `TICKET_GATEWAY_JWT_ISSUER`: the `iss` of the tokens. Without it there are no tokens.
    pub issuer: String,
    /// `TICKET_GATEWAY_JWT_AUDIENCE`: what `aud` is or holds.
    pub audience: String,
    /// `TICKET_GATEWAY_JWT_JWKS_URL`: where the issuer publishes its keys (RFC 7517), over HTTPS;
    /// `<issuer>/.well-known/jwks.json` by default.
    pub jwks_url: String,
    /// `TICKET_GATEWAY_JWT_INTEGRATIONS_CLAIM` (`integrations`): the claim that holds the names of the integrations
    /// which the caller may use, as a list or as a text with spaces between them. At most 20 of them count.
    pub integrations_claim: String,
    /// `TICKET_GATEWAY_JWT_WRITE_SCOPE` (`tickets:write`): a caller whose `scope` has this one may do every action;
    /// any other may only read.
    pub write_scope: String,
    /// `TICKET_GATEWAY_JWT_USAGE_KEY`: the value of the usage plan's API key by which all these callers are counted
    /// together.
    pub usage_key: Option<String>,
}

impl JwtSettings {
    pub(super) fn from_environment(environment: &Environment<'_>) -> Result<Option<Self>, Error> {
        let Some(issuer) = environment.optional(ISSUER) else {
            for variable in [AUDIENCE, JWKS_URL] {
                if environment.optional(variable).is_some() {
                    let problem =
                        "is set without an issuer; name the issuer of the tokens, or remove the others";
                    return Err(Error::environment(
                        ISSUER,
                        format!("is not set, and {variable} {problem}"),
                    ));
                }
            }
            return Ok(None);
        };
        let audience = environment.required(AUDIENCE, "names the audience of the issuer's tokens")?;
        let jwks_url = environment
            .optional(JWKS_URL)
            .unwrap_or_else(|| format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/')));
        Ok(Some(JwtSettings {
            issuer,
            audience,
            jwks_url,
            integrations_claim: environment.or(INTEGRATIONS_CLAIM, "integrations"),
            write_scope: environment.or(WRITE_SCOPE, "tickets:write"),
            usage_key: environment.optional(USAGE_KEY),
        }))
    }
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Verifies tokens.
pub(super) struct Tokens {
    settings: JwtSettings,
    keys: SigningKeys,
}

impl Tokens {
    pub(super) fn new(settings: JwtSettings) -> Result<Self, Error> {
        ring_provider::install();
        let keys =
            SigningKeys::new(&settings.jwks_url).map_err(|problem| Error::environment(JWKS_URL, problem))?;
        Ok(Tokens { settings, keys })
    }

    pub(super) async fn warm(&self) {
        self.keys.warm().await;
    }

    pub(super) async fn identify(&self, token: &str) -> Result<Identity, Rejection> {
        let header = acceptable_header(token)?;
        let key = match self.keys.find(&header).await {
            Lookup::Found(key) => key,
            Lookup::Unknown => {
                return Err(Rejection::Refused(
                    "a token signed with a key that the issuer does not publish",
                ));
            }
            Lookup::Failed(error) => return Err(Rejection::Failed(error)),
        };
        let claims: Claims = decode(token, &key, &self.validation(header.alg))
            .map_err(|error| Rejection::Refused(reason(&error)))?
            .claims;
        Ok(Identity {
            integrations: words(claims.others.get(&self.settings.integrations_claim)),
            access: self.access(&claims),
            principal: claims.sub,
            key_id: None,
            usage_key: self.settings.usage_key.clone(),
        })
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&[&self.settings.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation
    }

    fn access(&self, claims: &Claims) -> Access {
        if words(claims.others.get("scope")).contains(&self.settings.write_scope) {
            Access::ReadWrite
        } else {
            Access::ReadOnly
        }
    }
}

fn acceptable_header(token: &str) -> Result<Header, Rejection> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Rejection::Refused("a token that is too long"));
    }
    let header = decode_header(token)
        .map_err(|_| Rejection::Refused("not a JWT, or one signed with another algorithm"))?;
    if !ring_provider::ALGORITHMS.contains(&header.alg) {
        return Err(Rejection::Refused(
            "a token signed with another algorithm than RS256, ES256 or EdDSA",
        ));
    }
    // RFC 7515 section 4.1.11: who does not understand what is critical must refuse it.
    if header.crit.is_some() {
        return Err(Rejection::Refused(
            "a token with a critical header that is not known",
        ));
    }
    Ok(header)
}

/// The words of a list of texts, or of a text with spaces between them.
fn words(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::String(text)) => text.split_ascii_whitespace().map(str::to_owned).collect(),
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

fn reason(error: &jsonwebtoken::errors::Error) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::ExpiredSignature => "a token that has expired",
        ErrorKind::ImmatureSignature => "a token that is not valid yet",
        ErrorKind::InvalidIssuer => "a token of another issuer",
        ErrorKind::InvalidAudience => "a token for another audience",
        ErrorKind::InvalidSignature => "a token with a wrong signature",
        ErrorKind::MissingRequiredClaim(_) => "a token without exp, iss, aud or sub",
        _ => "a token that cannot be read",
    }
}
