//! What signs a request, and what else must not be written down.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::words::words;
use super::super::yaml::{Entry, Yaml, entry, remarked};

/// Words that systems have people write for the password beside a key.
const FILLERS: [&str; 5] = ["api_token", "nopass", "password", "token", "unused"];

/// How a line signs its request. The secret itself is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Basic,
    /// Basic with the key as the user name, and what stands for the password.
    BasicKey {
        password: String,
    },
    Bearer,
    /// A header, and the word before the key: `Token`.
    Header {
        name: String,
        word: Option<String>,
    },
    /// A parameter of the query.
    Query(String),
}

impl Found {
    /// What a header says.
    pub(super) fn of_header(name: &str, value: &str) -> Self {
        let (word, rest) = value.trim().split_once(' ').unwrap_or(("", value));
        let authorization = name.eq_ignore_ascii_case("authorization");
        let plain = !word.is_empty()
            && word.len() <= 20
            && word
                .chars()
                .all(|letter| letter.is_ascii_alphabetic() || letter == '-' || letter == '_')
            && !rest.is_empty();
        match word.to_lowercase().as_str() {
            "bearer" if authorization => Self::Bearer,
            "basic" if authorization => {
                let pair = STANDARD
                    .decode(rest.trim())
                    .ok()
                    .and_then(|pair| String::from_utf8(pair).ok());
                pair.map_or(Self::Basic, |pair| Self::of_user(&pair))
            }
            _ => Self::Header {
                name: name.to_owned(),
                word: (plain && authorization).then(|| word.to_owned()),
            },
        }
    }

    /// What `user:password` says. A password of one letter or none, or a word behind what looks like a key, is no
    /// password: the key is the user name.
    pub(super) fn of_user(pair: &str) -> Self {
        let Some((user, password)) = pair.split_once(':') else {
            return Self::Basic;
        };
        let is_filler = password.chars().count() <= 1
            || (looks_secret(user) && FILLERS.contains(&password.to_lowercase().as_str()));
        match is_filler && !user.contains('@') {
            true => Self::BasicKey {
                password: password.to_owned(),
            },
            false => Self::Basic,
        }
    }

    pub(super) fn shown(&self) -> String {
        match self {
            Self::Basic => "the user name and password".to_owned(),
            Self::BasicKey { .. } => "the key in the place of a user name".to_owned(),
            Self::Bearer => "the bearer token".to_owned(),
            Self::Header { name, .. } => format!("the key in the header {name}"),
            Self::Query(name) => format!("the key in the parameter {name}"),
        }
    }

    pub(super) fn secret(&self) -> &'static str {
        match self {
            Self::Basic => "password",
            Self::Bearer => "token",
            Self::BasicKey { .. } | Self::Header { .. } | Self::Query(_) => "api_key",
        }
    }

    /// What signs requests rather than anything else: the higher the likelier.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Basic | Self::BasicKey { .. } | Self::Bearer => 2,
            Self::Header { name, .. } if name.eq_ignore_ascii_case("authorization") => 2,
            Self::Header { .. } => 1,
            Self::Query(_) => 0,
        }
    }

    pub(super) fn settings(&self) -> Option<Entry> {
        (*self == Self::Basic).then(|| {
            entry(
                "username",
                Yaml::map([
                    ("type", Yaml::text("text")),
                    ("required", Yaml::Plain("true".to_owned())),
                    (
                        "description",
                        Yaml::text("User name or e-mail address of the API user"),
                    ),
                ]),
            )
        })
    }

    /// `auth` of the connector.
    pub(super) fn entry(&self) -> Entry {
        let text = |text: &str| Yaml::text(text);
        let keys = match self {
            Self::Basic => vec![
                ("kind", text("basic")),
                ("username", text("{{settings.username}}")),
                ("secret", text("password")),
            ],
            Self::BasicKey { password } => {
                let mut keys = vec![("kind", text("basic")), ("username_secret", text("api_key"))];
                if !password.is_empty() {
                    keys.push(("password", text(password)));
                }
                keys
            }
            Self::Bearer => vec![("kind", text("bearer")), ("secret", text("token"))],
            Self::Header { name, word } => {
                let mut keys = vec![
                    ("kind", text("api_key")),
                    ("in", text("header")),
                    ("name", text(name)),
                    ("secret", text("api_key")),
                ];
                keys.extend(
                    word.as_ref()
                        .map(|word| ("pattern", Yaml::text(format!("{word} %s")))),
                );
                keys
            }
            Self::Query(name) => vec![
                ("kind", text("api_key")),
                ("in", text("query")),
                ("name", text(name)),
                ("secret", text("api_key")),
            ],
        };
        let above = vec![format!(
            "`{}` is the name of a secret, which is kept elsewhere.",
            self.secret()
        )];
        remarked(above, "auth", Yaml::map(keys))
    }
}

/// Whether a header or a parameter of this name holds a secret.
pub(super) fn names_secret(name: &str) -> bool {
    let own = words(name);
    let has = |word: &str| own.iter().any(|own| own == word);
    let lower = name.to_lowercase();
    [
        "token",
        "secret",
        "password",
        "passwd",
        "pwd",
        "apikey",
        "signature",
        "sig",
        "auth",
        "authorization",
        "jwt",
        "credential",
        "sid",
    ]
    .iter()
    .any(|word| has(word))
        || (has("key")
            && (own.len() == 1
                || has("api")
                || has("access")
                || has("auth")
                || has("subscription")
                || has("private")))
        || (has("session") && (own.last().is_some_and(|last| last == "session") || has("id") || has("key")))
        || ["apikey", "authtoken", "accesstoken", "access_key"]
            .iter()
            .any(|word| lower.contains(word))
}

/// Whether a header or a parameter of this name with this value is a key. `no-check`, `true` and `50` are none, whatever
/// the name; `YOUR_TOKEN` stands for one.
pub(super) fn is_key(name: &str, value: &str) -> bool {
    if !names_secret(name) {
        return false;
    }
    let lower = value.to_lowercase();
    let is_number = value.len() <= 4 && value.chars().all(|letter| letter.is_ascii_digit());
    let stands_for_one = ["key", "token", "secret", "pass", "your", "xxx", "my", "abc"]
        .iter()
        .any(|part| lower.contains(part));
    let is_word = value.len() <= 10
        && !stands_for_one
        && value
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter == '-');
    let is_password = words(name)
        .iter()
        .any(|word| ["password", "passwd", "pwd", "secret", "authorization"].contains(&word.as_str()));
    is_password || !(is_number || is_word)
}

/// Whether a value is long and random: nobody's word.
pub(super) fn looks_secret(value: &str) -> bool {
    let letters = value.chars().any(|letter| letter.is_ascii_alphabetic());
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let plain = value
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "_-+/=.:".contains(letter));
    let capitals = value.chars().skip(1).filter(char::is_ascii_uppercase).count();
    plain
        && letters
        && ((value.len() >= 16 && digits >= 3)
            || (value.len() >= 24 && capitals >= 4 && !value.contains(['_', '-'])))
}
