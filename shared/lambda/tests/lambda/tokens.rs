//! Callers with JWTs of an issuer that the installation trusts.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::http::StatusCode;
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use lambda::{Authorizer, AuthorizerSettings, Denied, JwtSettings};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use storage::embedded::EmbeddedStore;

use crate::support::{allows, authorizer_event, serve};

/// Signed until the year 2100 by a key that was thrown away.
const RS256: &str = include_str!("data/rs256.json");
const ISSUER: &str = "https://issuer.example/";

enum Signer {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

impl Signer {
    fn es256() -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).unwrap();
        Signer::Es256(key)
    }

    fn eddsa() -> Self {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Signer::EdDsa(Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap())
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Signer::Es256(_) => "ES256",
            Signer::EdDsa(_) => "EdDSA",
        }
    }

    fn jwk(&self, kid: &str) -> Value {
        match self {
            Signer::Es256(key) => {
                let point = key.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "kid": kid, "x": encode(&point[1..33]), "y": encode(&point[33..])})
            }
            Signer::EdDsa(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": encode(key.public_key().as_ref())})
            }
        }
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!(
            "{}.{}",
            encode(header.to_string().as_bytes()),
            encode(claims.to_string().as_bytes())
        );
        let signature = match self {
            Signer::Es256(key) => key
                .sign(&SystemRandom::new(), message.as_bytes())
                .unwrap()
                .as_ref()
                .to_vec(),
            Signer::EdDsa(key) => key.sign(message.as_bytes()).as_ref().to_vec(),
        };
        format!("{message}.{}", encode(&signature))
    }

    fn token(&self, claims: &Value) -> String {
        self.sign(
            &json!({"alg": self.algorithm(), "kid": "k1", "typ": "JWT"}),
            claims,
        )
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "ticket-gateway", "sub": "portal", "exp": now() + 600,
        "integrations": ["desk"], "scope": "openid tickets:write",
    })
}

/// Claims with one of them changed, or without it where the value is null.
fn with(claim: &str, value: Value) -> Value {
    let mut claims = claims();
    match value {
        Value::Null => drop(claims.as_object_mut().unwrap().remove(claim)),
        value => claims[claim] = value,
    }
    claims
}

/// What the issuer publishes now, and how often it was asked.
#[derive(Clone)]
struct Issuer {
    answer: Arc<Mutex<(u16, String)>>,
    asked: Arc<AtomicU32>,
}

impl Issuer {
    fn publish(&self, keys: &[Value]) {
        *self.answer.lock().unwrap() = (200, json!({"keys": keys}).to_string());
    }

    fn answer(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned());
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn authorizer(keys: &[Value]) -> (Authorizer, Issuer) {
    let issuer = Issuer {
        answer: Arc::default(),
        asked: Arc::default(),
    };
    issuer.publish(keys);
    let served = issuer.clone();
    let app = axum::Router::new().fallback(move || {
        served.asked.fetch_add(1, Ordering::Relaxed);
        let (status, body) = served.answer.lock().unwrap().clone();
        async move { (StatusCode::from_u16(status).unwrap(), body).into_response() }
    });
    let address = serve(app).await;
    (authorizer_of(&format!("{address}/keys")).unwrap(), issuer)
}

fn authorizer_of(jwks_url: &str) -> Result<Authorizer, lambda::Error> {
    let settings = AuthorizerSettings {
        namespace: "TicketGateway".to_owned(),
        jwt: Some(JwtSettings {
            issuer: ISSUER.to_owned(),
            audience: "ticket-gateway".to_owned(),
            jwks_url: jwks_url.to_owned(),
            integrations_claim: "integrations".to_owned(),
            write_scope: "tickets:write".to_owned(),
            usage_key: Some("all-token-callers-00".to_owned()),
        }),
    };
    let keys = Arc::new(EmbeddedStore::in_memory().unwrap());
    Authorizer::with_sink(keys, &settings, Box::new(|_| {}))
}

async fn show(authorizer: &Authorizer, token: &str) -> Result<Value, Denied> {
    let authorization = format!("Bearer {token}");
    let event = authorizer_event(&[("Authorization", &authorization)]);
    authorizer.authorize(serde_json::from_value(event).unwrap()).await
}

#[tokio::test]
async fn a_token_opens_the_integrations_that_it_names() {
    for signer in [Signer::es256(), Signer::eddsa()] {
        let (authorizer, _) = authorizer(&[signer.jwk("k1")]).await;
        let claims = with("integrations", json!("desk  bench"));
        let policy = show(&authorizer, &signer.token(&claims)).await.unwrap();
        assert_eq!(policy["principalId"], "portal");
        assert_eq!(policy["usageIdentifierKey"], "all-token-callers-00");
        assert_eq!(
            policy["context"],
            json!({"integration": "desk bench", "access": "read-write"})
        );
        assert!(allows(&policy, "POST/desk/tickets") && allows(&policy, "GET/bench/tickets"));
        assert!(!allows(&policy, "GET/other/tickets"));
    }
}

#[tokio::test]
async fn rs256_is_taken() {
    let rs256: Value = serde_json::from_str(RS256).unwrap();
    let mut with_zero = rs256["jwk"].clone();
    let n = URL_SAFE_NO_PAD.decode(with_zero["n"].as_str().unwrap()).unwrap();
    with_zero["n"] = json!(encode(&[&[0], n.as_slice()].concat()));
    for jwk in [rs256["jwk"].clone(), with_zero] {
        let (authorizer, _) = authorizer(&[jwk]).await;
        let policy = show(&authorizer, rs256["token"].as_str().unwrap()).await.unwrap();
        assert!(allows(&policy, "POST/desk/tickets"));
    }
}

#[tokio::test]
async fn without_the_scope_to_write_a_caller_may_only_read() {
    let signer = Signer::es256();
    let (authorizer, _) = authorizer(&[signer.jwk("k1")]).await;
    for scope in [
        json!(null),
        json!("openid"),
        json!("tickets:writer"),
        json!([]),
        json!(7),
    ] {
        let policy = show(&authorizer, &signer.token(&with("scope", scope)))
            .await
            .unwrap();
        assert!(allows(&policy, "GET/desk/tickets/7") && !allows(&policy, "POST/desk/tickets"));
    }
    let policy = show(
        &authorizer,
        &signer.token(&with("scope", json!(["tickets:write"]))),
    )
    .await
    .unwrap();
    assert!(allows(&policy, "POST/desk/tickets"));
}

#[tokio::test]
async fn a_caller_without_integrations_is_known_and_may_do_nothing() {
    let signer = Signer::es256();
    let (authorizer, _) = authorizer(&[signer.jwk("k1")]).await;
    for integrations in [
        json!(null),
        json!([]),
        json!("*"),
        json!(["*", "de?k", "Desk", "a/b"]),
        json!({"desk": 1}),
    ] {
        let policy = show(&authorizer, &signer.token(&with("integrations", integrations)))
            .await
            .unwrap();
        assert_eq!(policy["policyDocument"]["Statement"][0]["Effect"], "Deny");
        assert!(!allows(&policy, "GET/desk/tickets/7"));
    }
}

#[tokio::test]
async fn the_leeway_is_a_minute() {
    let signer = Signer::es256();
    let (authorizer, _) = authorizer(&[signer.jwk("k1")]).await;
    for (claims, is_taken) in [
        (with("exp", json!(now() - 30)), true),
        (with("exp", json!(now() - 90)), false),
        (with("nbf", json!(now() + 30)), true),
        (with("nbf", json!(now() + 90)), false),
    ] {
        let end = show(&authorizer, &signer.token(&claims)).await;
        assert_eq!(end.is_ok(), is_taken, "{claims}");
    }
}

#[tokio::test]
async fn a_token_that_is_not_for_us_is_refused() {
    let signer = Signer::es256();
    let (authorizer, _) = authorizer(&[signer.jwk("k1")]).await;
    for claims in [
        with("iss", json!("https://other.example/")),
        with("iss", json!(null)),
        with("iss", json!(7)),
        with("aud", json!("another-api")),
        with("aud", json!(["another-api"])),
        with("aud", json!(null)),
        with("exp", json!(null)),
        with("exp", json!("tomorrow")),
        with("nbf", json!("yesterday")),
        with("sub", json!(null)),
    ] {
        let end = show(&authorizer, &signer.token(&claims)).await;
        assert_eq!(end, Err(Denied::Unauthorized), "{claims}");
    }
    let policy = show(
        &authorizer,
        &signer.token(&with("aud", json!(["x", "ticket-gateway"]))),
    )
    .await;
    assert!(policy.is_ok());
}

#[tokio::test]
async fn a_token_that_is_not_what_it_says_is_refused() {
    let signer = Signer::es256();
    let jwk = signer.jwk("k1");
    let (authorizer, _) = authorizer(std::slice::from_ref(&jwk)).await;
    let good = signer.token(&claims());
    let parts: Vec<&str> = good.split('.').collect();
    let header = |header: Value| encode(header.to_string().as_bytes());
    // The public key as the secret of HMAC: the oldest trick.
    let public = URL_SAFE_NO_PAD.decode(jwk["x"].as_str().unwrap()).unwrap();
    let hmac = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &public);
    let message = format!("{}.{}", header(json!({"alg": "HS256", "kid": "k1"})), parts[1]);
    let hs256 = format!(
        "{message}.{}",
        encode(ring::hmac::sign(&hmac, message.as_bytes()).as_ref())
    );
    let more_rights = encode(with("integrations", json!(["other"])).to_string().as_bytes());
    for (what, token) in [
        (
            "no signature",
            format!("{}.{}.", header(json!({"alg": "none"})), parts[1]),
        ),
        (
            "no signature, with its key",
            format!("{}.{}.", header(json!({"alg": "none", "kid": "k1"})), parts[1]),
        ),
        ("HMAC", hs256),
        (
            "another algorithm",
            format!(
                "{}.{}.{}",
                header(json!({"alg": "RS256", "kid": "k1"})),
                parts[1],
                parts[2]
            ),
        ),
        (
            "another algorithm",
            format!(
                "{}.{}.{}",
                header(json!({"alg": "EdDSA", "kid": "k1"})),
                parts[1],
                parts[2]
            ),
        ),
        (
            "changed claims",
            format!("{}.{more_rights}.{}", parts[0], parts[2]),
        ),
        ("another key of the same name", Signer::es256().token(&claims())),
        (
            "a cut signature",
            format!("{}.{}.{}", parts[0], parts[1], &parts[2][..40]),
        ),
        ("an empty signature", format!("{}.{}.", parts[0], parts[1])),
        (
            "a critical header",
            signer.sign(
                &json!({"alg": "ES256", "kid": "k1", "crit": ["b64"], "b64": false}),
                &claims(),
            ),
        ),
        (
            "its own key",
            signer.sign(&json!({"alg": "ES256", "kid": "k2", "jwk": jwk}), &claims()),
        ),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("four parts", format!("{good}.x")),
        ("nothing", String::new()),
        ("no JSON", "a.b.c".to_owned()),
        ("too long", format!("{good}{}", "A".repeat(20_000))),
    ] {
        assert_eq!(
            show(&authorizer, &token).await,
            Err(Denied::Unauthorized),
            "{what}"
        );
    }
    assert!(show(&authorizer, &good).await.is_ok());
}

#[tokio::test]
async fn a_key_for_something_else_signs_no_token() {
    let signer = Signer::es256();
    for (member, value) in [
        ("use", json!("enc")),
        ("alg", json!("ES384")),
        ("crv", json!("P-384")),
    ] {
        let mut jwk = signer.jwk("k1");
        jwk[member] = value;
        let (authorizer, _) = authorizer(&[jwk]).await;
        let end = show(&authorizer, &signer.token(&claims())).await;
        assert_eq!(end, Err(Denied::Unauthorized), "{member}");
    }
}

#[tokio::test]
async fn a_token_without_kid_is_taken_where_there_is_one_key() {
    let signer = Signer::es256();
    let token = signer.sign(&json!({"alg": "ES256"}), &claims());
    let odd = json!({"kty": "new", "kid": "of-the-future", "alg": "XX512"});
    let (one, _) = authorizer(&[odd, signer.jwk("k1"), Signer::eddsa().jwk("k2")]).await;
    assert!(show(&one, &token).await.is_ok());
    let (two, _) = authorizer(&[signer.jwk("k1"), Signer::es256().jwk("k2")]).await;
    assert_eq!(show(&two, &token).await, Err(Denied::Unauthorized));
}

#[tokio::test]
async fn an_unknown_key_makes_the_set_be_read_again_but_not_each_time() {
    let (old, new) = (Signer::es256(), Signer::es256());
    let (authorizer, issuer) = authorizer(&[old.jwk("k1")]).await;
    assert!(show(&authorizer, &old.token(&claims())).await.is_ok());
    assert_eq!(issuer.asked(), 1);

    issuer.publish(&[old.jwk("k1"), new.jwk("k2")]);
    let token = |kid: &str| new.sign(&json!({"alg": "ES256", "kid": kid}), &claims());
    assert!(
        show(&authorizer, &token("k2")).await.is_ok(),
        "a new key works at once"
    );
    assert_eq!(issuer.asked(), 2);

    for _ in 0..20 {
        assert_eq!(
            show(&authorizer, &token("made-up")).await,
            Err(Denied::Unauthorized)
        );
    }
    assert_eq!(issuer.asked(), 2);
    assert!(show(&authorizer, &token("k2")).await.is_ok());
}

#[tokio::test]
async fn an_issuer_that_cannot_be_asked_opens_nothing_and_is_our_failure() {
    let signer = Signer::es256();
    let (authorizer, issuer) = authorizer(&[]).await;
    let set = json!({"keys": [signer.jwk("k1")]}).to_string();
    let long = format!("{}{set}", " ".repeat(300_000));
    for (status, body) in [
        (500, "oops"),
        (302, ""),
        (200, "<html>"),
        (200, "[]"),
        (200, long.as_str()),
    ] {
        issuer.answer(status, body);
        let (fresh, _) = (authorizer_of(&address_of(&issuer).await).unwrap(), ());
        let end = show(&fresh, &signer.token(&claims())).await;
        assert_eq!(end, Err(Denied::Failed), "{status} {}", body.len());
    }
    drop(authorizer);
    let nobody = authorizer_of("http://127.0.0.1:9/keys").unwrap();
    assert_eq!(show(&nobody, &signer.token(&claims())).await, Err(Denied::Failed));
    // What is wrong without asking anybody stays the caller's fault.
    assert_eq!(show(&nobody, "a.b.c").await, Err(Denied::Unauthorized));
}

/// Serves what the issuer answers at an address of its own.
async fn address_of(issuer: &Issuer) -> String {
    let (status, body) = issuer.answer.lock().unwrap().clone();
    let app = axum::Router::new().fallback(move || {
        let body = body.clone();
        async move {
            (
                StatusCode::from_u16(status).unwrap(),
                [("location", "/else")],
                body,
            )
                .into_response()
        }
    });
    format!("{}/keys", serve(app).await)
}

#[tokio::test]
async fn keys_that_were_read_before_outlive_a_failure_of_the_issuer() {
    let signer = Signer::es256();
    let (authorizer, issuer) = authorizer(&[signer.jwk("k1")]).await;
    authorizer.warm().await;
    issuer.answer(503, "");
    assert!(show(&authorizer, &signer.token(&claims())).await.is_ok());
}

#[test]
fn the_issuers_keys_are_read_over_https_alone() {
    for url in [
        "http://issuer.example/keys",
        "http://localhost/keys",
        "ftp://127.0.0.1/keys",
        "keys",
    ] {
        let told = authorizer_of(url).err().unwrap();
        assert!(told.to_string().contains("TICKET_GATEWAY_JWT_JWKS_URL"), "{told}");
    }
}
