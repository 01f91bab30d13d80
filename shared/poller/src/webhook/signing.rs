//! Signs deliveries: HMAC-SHA256 over `id.timestamp.body`, the scheme `v1` of Standard Webhooks.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use rand::RngCore as _;
use ring::hmac::{HMAC_SHA256, Key, sign};
use storage::Secret;
use zeroize::Zeroizing;

/// How long the old secret signs beside the new one after a rotation.
pub const ROTATION: Duration = Duration::from_secs(24 * 3600);

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// Bytes of a new secret; the specification allows 24 to 64.
const BYTES: usize = 32;
const ALLOWED_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The secrets of a webhook: one, or the new and the old one of a rotation.
///
/// They are kept as one text, `whsec_NEW` or `whsec_NEW whsec_OLD 2026-01-05T10:30:45Z` with the time until which the
/// old one signs, so that a rotation is one write.
#[derive(Clone)]
pub struct SigningKeys {
    current: Secret,
    previous: Option<(Secret, Timestamp)>,
}

impl SigningKeys {
    /// A new secret.
    pub fn generate() -> Self {
        let mut bytes = Zeroizing::new([0; BYTES]);
        rand::rng().fill_bytes(bytes.as_mut());
        Self {
            current: Secret::new(format!("{PREFIX}{}", STANDARD.encode(bytes.as_ref()))),
            previous: None,
        }
    }

    /// Reads what [`SigningKeys::stored`] wrote. The error does not quote it.
    ///
    /// # Errors
    /// What is wrong with its form.
    pub fn parse(stored: &Secret) -> Result<Self, &'static str> {
        let mut words = stored.expose().split_whitespace();
        let secret = |word: Option<&str>| {
            let secret = Secret::new(word.unwrap_or_default().to_owned());
            bytes_of(&secret).map(|_| secret)
        };
        let current = secret(words.next())?;
        let previous = match (words.next(), words.next(), words.next()) {
            (None, ..) => None,
            (Some(old), Some(until), None) => {
                let until = until
                    .parse()
                    .map_err(|_| "expected the time until which the old secret signs, in RFC 3339")?;
                Some((secret(Some(old))?, until))
            }
            _ => return Err("expected `whsec_NEW`, or `whsec_NEW whsec_OLD TIME`"),
        };
        Ok(Self { current, previous })
    }

    /// The text under which they are kept.
    pub fn stored(&self) -> Secret {
        let current = self.current.expose();
        Secret::new(match &self.previous {
            None => current.to_owned(),
            Some((old, until)) => format!("{current} {} {until}", old.expose()),
        })
    }

    /// A new secret, and the present one beside it for [`ROTATION`]. One that was left from an earlier rotation signs
    /// no more.
    #[must_use]
    pub fn rotated(self, now: Timestamp) -> Self {
        let until = now.saturating_add(ROTATION).unwrap_or(Timestamp::MAX);
        Self {
            previous: Some((self.current, until)),
            ..Self::generate()
        }
    }

    /// The present secret, for the receiver.
    pub fn current(&self) -> &Secret {
        &self.current
    }

    /// Until when the secret of before the last rotation signs; none if it does not at `now`.
    pub fn previous_until(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.previous.as_ref().map(|(_, until)| *until);
        until.filter(|until| now < *until)
    }

    /// The value of `webhook-signature`: one `v1,` signature for each secret that signs at `now`, apart by a space.
    pub fn signature(&self, id: &str, now: Timestamp, body: &[u8]) -> String {
        let old = self.previous.iter().filter(|(_, until)| now < *until);
        let secrets = std::iter::once(&self.current).chain(old.map(|(secret, _)| secret));
        let mut content = format!("{id}.{}.", now.as_second()).into_bytes();
        content.extend_from_slice(body);
        let signatures = secrets.filter_map(|secret| {
            let key = Key::new(HMAC_SHA256, &bytes_of(secret).ok()?);
            Some(format!("v1,{}", STANDARD.encode(sign(&key, &content))))
        });
        signatures.collect::<Vec<_>>().join(" ")
    }
}

fn bytes_of(secret: &Secret) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let form = "a signing secret is `whsec_` and the Base64 of 24 to 64 bytes";
    let encoded = secret.expose().strip_prefix(PREFIX).ok_or(form)?;
    let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_| form)?);
    if ALLOWED_BYTES.contains(&bytes.len()) {
        Ok(bytes)
    } else {
        Err(form)
    }
}
