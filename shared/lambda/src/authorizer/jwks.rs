//! The keys of the issuer (JWK set, RFC 7517), read over HTTPS and kept.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use reqwest::redirect::Policy;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::{Host, Url};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(3);

/// Issuers publish a handful of keys, with certificates some KB each.
const MAX_BYTES: usize = 256 * 1024;

/// A key that the issuer does not publish any more is not taken for longer than this.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// Where the issuer cannot be reached, keys that were read before are taken so much longer.
const MAX_AGE_UNREACHABLE: Duration = Duration::from_secs(24 * 3600);

/// An unknown key makes the set be read again, but no oftener than this: whoever makes tokens up must not make us
/// call the issuer each time.
const REREAD_AFTER: Duration = Duration::from_secs(60);

/// After a failure the issuer is left alone for this time.
const BACKOFF: Duration = Duration::from_secs(5);

/// What was found out about a token's key.
pub(super) enum Lookup {
    Found(DecodingKey),
    /// The issuer does not publish it.
    Unknown,
    /// Why the issuer's keys cannot be told.
    Failed(String),
}

/// The issuer's keys.
pub(super) struct SigningKeys {
    url: Url,
    http: reqwest::Client,
    /// Held while they are read, so that one call reads for all.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    set: Option<(Vec<Jwk>, Instant)>,
    /// When an unknown key last made us read again.
    reread_at: Option<Instant>,
    /// The last failure, until there is a success.
    failure: Option<(String, Instant)>,
}

#[derive(Deserialize)]
struct JwkSet {
    /// One by one: a key of a kind that nobody knows must not hide the others.
    keys: Vec<Value>,
}

impl SigningKeys {
    /// # Errors
    /// What is wrong with the address.
    pub(super) fn new(url: &str) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| format!("is `{url}`, which is no URL: {error}"))?;
        if url.scheme() != "https" && !is_loopback(&url) {
            return Err(format!("is `{url}`; expected an https:// address"));
        }
        let http = http_client().map_err(|error| format!("cannot be used: {error}"))?;
        Ok(SigningKeys {
            url,
            http,
            state: Mutex::default(),
        })
    }

    pub(super) async fn warm(&self) {
        let mut state = self.state.lock().await;
        self.read(&mut state).await;
    }

    /// The key that a token with this header is signed with.
    pub(super) async fn find(&self, header: &Header) -> Lookup {
        let mut state = self.state.lock().await;
        let now = Instant::now();
        if state.is_older_than(MAX_AGE, now) && !state.failed_within(BACKOFF, now) {
            self.read(&mut state).await;
        }
        if let Some(key) = state.key(header) {
            return Lookup::Found(key);
        }
        let was_just_reread = state
            .reread_at
            .is_some_and(|at| now.duration_since(at) < REREAD_AFTER);
        if state.set.is_some() && !was_just_reread && !state.failed_within(BACKOFF, now) {
            state.reread_at = Some(now);
            self.read(&mut state).await;
            if let Some(key) = state.key(header) {
                return Lookup::Found(key);
            }
        }
        match &state.failure {
            Some((error, _)) => Lookup::Failed(error.clone()),
            None => Lookup::Unknown,
        }
    }

    async fn read(&self, state: &mut State) {
        match self.fetch().await {
            Ok(keys) => {
                state.set = Some((keys, Instant::now()));
                state.failure = None;
            }
            Err(error) => {
                let error = format!("the issuer's keys cannot be read from {}: {error}", self.url);
                tracing::warn!(error, "the issuer's keys cannot be read");
                state.failure = Some((error, Instant::now()));
                if state.is_older_than(MAX_AGE_UNREACHABLE, Instant::now()) {
                    state.set = None;
                }
            }
        }
    }

    async fn fetch(&self) -> Result<Vec<Jwk>, String> {
        let failed = |error: reqwest::Error| error.without_url().to_string();
        let mut response = self
            .http
            .get(self.url.clone())
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(failed)?;
        if !response.status().is_success() {
            return Err(format!("the answer is {}", response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BYTES {
                return Err(format!("the answer is longer than {MAX_BYTES} bytes"));
            }
        }
        let set: JwkSet = serde_json::from_slice(&body).map_err(|error| format!("no JWK set: {error}"))?;
        let keys = set.keys.into_iter();
        Ok(keys.filter_map(|key| serde_json::from_value(key).ok()).collect())
    }
}

impl State {
    /// Nothing is older than anything.
    fn is_older_than(&self, age: Duration, now: Instant) -> bool {
        self.set
            .as_ref()
            .is_none_or(|(_, read)| now.duration_since(*read) >= age)
    }

    fn failed_within(&self, time: Duration, now: Instant) -> bool {
        self.failure
            .as_ref()
            .is_some_and(|(_, at)| now.duration_since(*at) < time)
    }

    /// The key with the token's `kid`; where the token names none, the only key of its algorithm.
    fn key(&self, header: &Header) -> Option<DecodingKey> {
        let (keys, _) = self.set.as_ref()?;
        let mut fitting = keys.iter().filter(|key| {
            signs_with(key, header.alg) && (header.kid.is_none() || key.common.key_id == header.kid)
        });
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => DecodingKey::from_jwk(key).ok(),
            _ => None,
        }
    }
}

/// Whether a key is one for signatures of this algorithm. The token's header alone must not decide how a key is
/// used.
fn signs_with(key: &Jwk, algorithm: Algorithm) -> bool {
    let is_kind = match (&key.algorithm, algorithm) {
        (AlgorithmParameters::RSA(_), Algorithm::RS256) => true,
        (AlgorithmParameters::EllipticCurve(key), Algorithm::ES256) => key.curve == EllipticCurve::P256,
        (AlgorithmParameters::OctetKeyPair(key), Algorithm::EdDSA) => key.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    let is_named = match key.common.key_algorithm {
        None => true,
        Some(KeyAlgorithm::RS256) => algorithm == Algorithm::RS256,
        Some(KeyAlgorithm::ES256) => algorithm == Algorithm::ES256,
        Some(KeyAlgorithm::EdDSA) => algorithm == Algorithm::EdDSA,
        Some(_) => false,
    };
    let is_for_signatures = matches!(key.common.public_key_use, None | Some(PublicKeyUse::Signature));
    is_kind && is_named && is_for_signatures
}

/// Nothing leaves the machine on this way; a stand-in on a laptop has no certificate.
fn is_loopback(url: &Url) -> bool {
    url.scheme() == "http"
        && match url.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            _ => false,
        }
}

fn http_client() -> Result<reqwest::Client, Box<dyn std::error::Error>> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .no_proxy()
        .redirect(Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .user_agent(concat!("ticket-gateway/", env!("CARGO_PKG_VERSION")))
        .build()?)
}
