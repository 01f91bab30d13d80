//! The page token a caller sees: the connector's own token, bound to the query it belongs to.
//!
//! A token is not secret and not signed: whoever may list tickets may hold one, and the connector
//! treats what is inside as data. The binding catches mistakes (a token sent with another range).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use integration::contract::TasAction;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    v: u8,
    /// The action's key.
    a: String,
    /// The integration's name.
    i: String,
    /// The fingerprint of the query.
    q: String,
    /// The connector's own token.
    t: Value,
}

/// The query a token belongs to: everything that chooses which tickets are listed.
pub(crate) struct Query<'a> {
    pub(crate) action: TasAction,
    pub(crate) integration: &'a str,
    /// Name and canonical value of each parameter that is given.
    pub(crate) parameters: Vec<(&'static str, String)>,
    /// The connector's own token that the caller came with.
    pub(crate) came_with: Option<Value>,
}

impl Query<'_> {
    fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for (name, value) in &self.parameters {
            hash.update(name.as_bytes());
            hash.update([0]);
            hash.update(value.as_bytes());
            hash.update([0]);
        }
        let digest = hash.finalize();
        URL_SAFE_NO_PAD.encode(digest.get(..12).unwrap_or_default())
    }

    /// The token for the caller around the connector's own.
    pub(crate) fn wrap(&self, own: Value) -> String {
        let wrapped = Wrapped {
            v: VERSION,
            a: self.action.key().to_owned(),
            i: self.integration.to_owned(),
            q: self.fingerprint(),
            t: own,
        };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&wrapped).unwrap_or_default())
    }

    /// The connector's own token, or what is wrong with the caller's.
    pub(crate) fn unwrap(&self, token: &str) -> Result<Value, &'static str> {
        const NOT_OURS: &str =
            "expected a next_page_token of an earlier answer, as it was given; found something else";
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| NOT_OURS)?;
        let wrapped: Wrapped = serde_json::from_slice(&bytes).map_err(|_| NOT_OURS)?;
        if wrapped.v != VERSION {
            return Err("was given by another version of the gateway; start again without it");
        }
        if wrapped.a != self.action.key() || wrapped.i != self.integration {
            return Err("belongs to another action or integration");
        }
        if wrapped.q != self.fingerprint() {
            return Err("belongs to a query with other parameters; send the same ones with every page");
        }
        Ok(wrapped.t)
    }
}
