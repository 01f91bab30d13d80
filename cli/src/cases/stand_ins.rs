//! Puts stand-ins in the place of what must not leave a real system: secrets, tokens, e-mail addresses, names of people,
//! phone numbers and hosts. The same value has the same stand-in throughout; ids stay.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::{Captures, Regex};
use serde_json::{Map, Value};
use storage::Secret;
use url::Url;

use super::leaks::{SHORTEST, is_secret_name, readable_base64, token_like, words};
use super::play::placeholder;

static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[A-Za-z0-9_][A-Za-z0-9._+'-]*(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"));
/// With a `+`, with an area code that begins with 0, or as North America writes them. A number without any of these may
/// be anything.
static PHONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\+[0-9][0-9 ().-]{6,}[0-9]|(?:\(0[1-9][0-9]{1,4}\) ?|\b0[1-9][0-9]{1,4}[ /])[0-9][0-9 -]{3,}[0-9]\b|(?:\([2-9][0-9]{2}\) ?|\b[2-9][0-9]{2}[-.])[0-9]{3}[-.][0-9]{4}\b",
    )
});
static ORIGIN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\bhttps?://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(:[0-9]+)?"));
static ENCODED_END: LazyLock<Regex> = LazyLock::new(|| pattern("%[0-9A-Fa-f]{2}$"));
/// A word of a text.
static WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"[\p{L}\p{N}](?:[\p{L}\p{N}'’_-]|\.[\p{L}\p{N}])*"));

#[allow(clippy::expect_used, reason = "constants that a test compiles")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the pattern is valid")
}

/// Words of names of fields that hold a person's name, where `name` follows or stands alone.
const PEOPLE: [&str; 20] = [
    "agent",
    "assigned",
    "assignee",
    "author",
    "cc",
    "contact",
    "creator",
    "created",
    "customer",
    "from",
    "member",
    "owner",
    "person",
    "receiver",
    "recipient",
    "reporter",
    "requester",
    "requestor",
    "sender",
    "user",
];
/// Names of fields that hold a person's name, or a part of it, wherever they stand.
const NAMES: [&[&str]; 14] = [
    &["full", "name"],
    &["display", "name"],
    &["real", "name"],
    &["first", "name"],
    &["last", "name"],
    &["given", "name"],
    &["family", "name"],
    &["firstname"],
    &["lastname"],
    &["fullname"],
    &["surname"],
    &["username"],
    &["login"],
    &["nickname"],
];
/// Under these names an object about a person holds the name of the person.
const NAME_KEYS: [&str; 5] = ["name", "text", "label", "title", "value"];

/// Words of names of fields that hold the address of whom the object is about. `secondaryText` is Microsoft's.
const ADDRESS_WORDS: [&str; 5] = ["email", "mail", "address", "emailaddress", "secondary"];

/// What stands for what.
pub(crate) struct StandIns {
    secrets: Vec<(String, Secret)>,
    keep: Vec<String>,
    hide: Vec<String>,
    integration: String,
    /// By address in small letters.
    emails: BTreeMap<String, String>,
    /// By word.
    names: HashMap<String, String>,
    phones: BTreeMap<String, String>,
    /// Hosts with their ports, the system's own first.
    hosts: Vec<(String, String)>,
    tokens: Vec<(String, String)>,
}

impl StandIns {
    /// For an integration whose secrets these are. Words of `keep` stay, texts of `hide` go.
    pub(crate) fn new(
        integration: &str,
        secrets: Vec<(String, Secret)>,
        keep: &[String],
        hide: &[String],
    ) -> Self {
        Self {
            secrets,
            keep: keep.to_vec(),
            hide: hide.to_vec(),
            integration: integration.to_owned(),
            emails: BTreeMap::new(),
            names: HashMap::new(),
            phones: BTreeMap::new(),
            hosts: Vec::new(),
            tokens: Vec::new(),
        }
    }

    /// Learns the host of the ticketing system, which gets the integration's name.
    pub(crate) fn learn_host(&mut self, url: &Url) {
        if let Some(host) = url.host_str() {
            self.host(host, url.port().map(|port| format!(":{port}")).as_deref());
        }
    }

    /// Learns what there is to replace in a value.
    pub(crate) fn learn(&mut self, value: &Value) {
        self.learn_below(value, &mut Vec::new());
    }

    /// The value with the stand-ins of everything that was learned.
    pub(crate) fn applied(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.text(text).into(),
            Value::Array(items) => items.iter().map(|item| self.applied(item)).collect(),
            Value::Object(fields) => fields
                .iter()
                // Names of fields are the system's own words.
                .map(|(key, field)| (self.without_hosts_and_names(key), self.applied(field)))
                .collect::<Map<_, _>>()
                .into(),
            other => other.clone(),
        }
    }

    /// How much was replaced, for a person: `3 e-mail addresses, 2 words of names`.
    pub(crate) fn summary(&self) -> String {
        let counts = [
            (self.emails.len(), "e-mail address", "e-mail addresses"),
            (self.names.len(), "word of names", "words of names"),
            (self.phones.len(), "phone number", "phone numbers"),
            (self.hosts.len(), "host", "hosts"),
            (self.tokens.len(), "token", "tokens"),
        ];
        let counts = counts.iter().filter(|(count, _, _)| *count > 0);
        let counts: Vec<String> = counts
            .map(|(count, one, many)| format!("{count} {}", if *count == 1 { one } else { many }))
            .collect();
        if counts.is_empty() {
            "nothing".to_owned()
        } else {
            counts.join(", ")
        }
    }

    fn learn_below(&mut self, value: &Value, path: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                let is_person = fields.iter().any(|(key, field)| has_address(key, field));
                for (key, field) in fields {
                    if let Value::String(text) = field {
                        self.learn_field(key, text, path, is_person);
                    }
                    path.push(key.clone());
                    self.learn_below(field, path);
                    path.pop();
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn_below(item, path)),
            Value::String(text) => self.learn_text(text),
            _ => {}
        }
    }

    fn learn_field(&mut self, key: &str, text: &str, path: &[String], is_person: bool) {
        let words = words(key);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if text.is_empty() {
            return;
        }
        if is_secret_name(key) {
            self.learn_secret(key, text);
        } else if is_phone(&words) && text.chars().any(|c| c.is_ascii_digit()) {
            self.phone(text);
        } else if self.names_person(&words, path, is_person) || is_login(&words, text, path) {
            self.learn_name(text);
        }
    }

    fn names_person(&self, words: &[&str], path: &[String], is_person: bool) -> bool {
        let about_people = |words: &[&str]| words.iter().any(|word| PEOPLE.contains(word));
        let Some((last, before)) = words.split_last() else {
            return false;
        };
        if NAMES.iter().any(|name| words.ends_with(name)) || (*last == "name" && about_people(before)) {
            return true;
        }
        if !NAME_KEYS.contains(last) || !before.is_empty() {
            return false;
        }
        let parent = path
            .last()
            .map(|parent| super::leaks::words(parent))
            .unwrap_or_default();
        let parent: Vec<&str> = parent.iter().map(String::as_str).collect();
        is_person || (*last == "name" && about_people(&parent))
    }

    /// The value of a field that is named like a secret: all of it, or what follows the scheme and the first name.
    fn learn_secret(&mut self, key: &str, text: &str) {
        let words = words(key);
        let last = words.last().map(String::as_str);
        let secret = match last {
            Some("authorization") => text.split_once(' ').map_or(text, |(_, credentials)| {
                credentials
                    .split_once(':')
                    .map_or(credentials, |(_, password)| password)
            }),
            // `name=value; Path=/; HttpOnly`, and `name=value; name=value`.
            Some("cookie") => {
                for pair in text.split([';', ',']) {
                    let attribute = ["path", "domain", "expires", "max-age", "samesite", "version"];
                    if let Some((name, value)) = pair.split_once('=')
                        && !attribute.contains(&name.trim().to_ascii_lowercase().as_str())
                        && !value.trim().is_empty()
                    {
                        self.token(value.trim());
                    }
                }
                return;
            }
            _ => text,
        };
        self.token(secret);
    }

    fn learn_text(&mut self, text: &str) {
        if let Some(decoded) = readable_base64(text) {
            self.learn_text(&decoded);
            return;
        }
        for found in EMAIL.find_iter(text) {
            self.email(found.as_str());
        }
        for found in PHONE.find_iter(text) {
            self.phone(found.as_str());
        }
        for found in ORIGIN.captures_iter(text) {
            if let Some(host) = found.get(1) {
                self.host(host.as_str(), found.get(2).map(|port| port.as_str()));
            }
        }
        // One text may hold several.
        let mut rest = self.without_tokens(text);
        while let Some(token) = token_like(&rest).map(str::to_owned) {
            self.token(&token);
            rest = rest.replace(&token, " ");
        }
    }

    fn without_tokens(&self, text: &str) -> String {
        self.secret_forms()
            .fold(text.to_owned(), |text, (secret, _)| text.replace(&secret, " "))
    }

    fn token(&mut self, text: &str) {
        let is_known = self.secrets.iter().any(|(_, secret)| secret.expose() == text)
            || self.tokens.iter().any(|(known, _)| known == text)
            || self.keep.iter().any(|kept| kept == text);
        if !is_known && text.len() >= SHORTEST {
            let stand_in = placeholder(&format!("token_{}", self.tokens.len() + 1));
            self.tokens.push((text.to_owned(), stand_in));
        }
    }

    fn email(&mut self, found: &str) {
        let plain = found.replace("%40", "@").to_lowercase();
        if self.keep.iter().any(|kept| kept.to_lowercase() == plain) {
            return;
        }
        let next = self.emails.len() + 1;
        self.emails
            .entry(plain)
            .or_insert_with(|| format!("person{next}@example.com"));
    }

    fn phone(&mut self, found: &str) {
        // 555-0100 to 555-0199 belong to nobody.
        let next = 100 + self.phones.len() % 100;
        if !self.keep.iter().any(|kept| kept == found) {
            self.phones
                .entry(found.to_owned())
                .or_insert_with(|| format!("+1 202 555 0{next}"));
        }
    }

    fn host(&mut self, host: &str, port: Option<&str>) {
        let whole = format!("{host}{}", port.unwrap_or_default());
        let is_known = self.hosts.iter().any(|(known, _)| *known == whole);
        let is_nobodys = ["example.com", "example.org", "example.net"]
            .iter()
            .any(|name| host == *name || host.ends_with(&format!(".{name}")));
        if is_known || is_nobodys || self.keep.iter().any(|kept| kept == host) {
            return;
        }
        let stand_in = match self.hosts.len() {
            0 => format!("{}.example.com", self.integration),
            known => format!("host{}.example.com", known + 1),
        };
        self.hosts.push((whole, stand_in));
    }

    fn learn_name(&mut self, text: &str) {
        if EMAIL.is_match(text) {
            return;
        }
        for word in WORD.find_iter(text).map(|word| word.as_str()) {
            let is_number = word.chars().all(|c| c.is_ascii_digit());
            if word.chars().count() < 2 || is_number || self.keep.iter().any(|kept| kept == word) {
                continue;
            }
            let next = self.names.len() + 1;
            self.names.entry(word.to_owned()).or_insert_with(|| {
                let begins_large = word.chars().next().is_some_and(char::is_uppercase);
                let name = if begins_large { "Name" } else { "name" };
                format!("{name}{next}")
            });
        }
    }

    fn text(&self, text: &str) -> String {
        if let Some(decoded) = readable_base64(text) {
            let replaced = self.text(&decoded);
            return if replaced == decoded {
                text.to_owned()
            } else {
                STANDARD.encode(replaced)
            };
        }
        let out = self.without_names(text);
        let word = |found: &Captures<'_>| {
            let word = found.get(0).map(|found| found.as_str()).unwrap_or_default();
            self.names.get(word).cloned().unwrap_or_else(|| word.to_owned())
        };
        // A word of a name in another text or in a path is the person; a whole value that is no name is an id or a state.
        let is_path = out.starts_with('/') || out.starts_with("https://");
        let is_text = is_path || out.trim().contains(char::is_whitespace);
        if is_text || self.names.contains_key(out.trim()) {
            WORD.replace_all(&out, word).into_owned()
        } else {
            out
        }
    }

    /// The text with stand-ins for everything but the names of people.
    fn without_names(&self, text: &str) -> String {
        let mut out = self.without_hosts_and_names(text);
        for (host, stand_in) in &self.hosts {
            out = with_host(&out, host, stand_in);
        }
        out
    }

    /// The text with stand-ins for everything but hosts and the names of people.
    fn without_hosts_and_names(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for (secret, stand_in) in self.secret_forms() {
            out = out.replace(&secret, &stand_in);
        }
        for (index, hidden) in self.hide.iter().enumerate() {
            out = out.replace(hidden.as_str(), &format!("hidden{}", index + 1));
        }
        let email = |found: &Captures<'_>| {
            let found = found.get(0).map(|found| found.as_str()).unwrap_or_default();
            let plain = found.replace("%40", "@").to_lowercase();
            match self.emails.get(&plain) {
                Some(stand_in) if found.contains("%40") => stand_in.replace('@', "%40"),
                Some(stand_in) => stand_in.clone(),
                None => found.to_owned(),
            }
        };
        out = EMAIL.replace_all(&out, email).into_owned();
        for (phone, stand_in) in &self.phones {
            out = out.replace(phone, stand_in);
        }
        out
    }

    /// Secrets and tokens as they may be written, the longest first, and what stands for them.
    fn secret_forms(&self) -> impl Iterator<Item = (String, String)> {
        let secrets = self.secrets.iter();
        let secrets = secrets.map(|(name, secret)| (secret.expose().to_owned(), placeholder(name)));
        let mut all: Vec<(String, String)> = secrets.chain(self.tokens.iter().cloned()).collect();
        let encoded: Vec<(String, String)> = all
            .iter()
            .map(|(text, stand_in)| {
                let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
                (encoded.replace('+', "%20"), stand_in.clone())
            })
            .collect();
        all.extend(encoded);
        all.retain(|(text, _)| !text.is_empty());
        all.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        all.dedup();
        all.into_iter()
    }
}

/// The text with another host. A host is one as a whole: after `//`, or where it has a dot or a port, which no word has,
/// wherever nothing of a longer one is around it.
fn with_host(text: &str, host: &str, stand_in: &str) -> String {
    let belongs =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    let is_word = !host.contains(['.', ':']);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(host) {
        let (before, from) = rest.split_at(at);
        let after = from.get(host.len()..).unwrap_or_default();
        out.push_str(before);
        let mut next = after.chars();
        let is_longer = match next.next() {
            // The end of a sentence, or a further part of the name.
            Some('.') => belongs(next.next()),
            letter => belongs(letter),
        };
        let begun = out.chars().next_back();
        // In a query, a link is percent-encoded.
        let is_encoded = ENCODED_END.is_match(&out);
        let is_inside = (belongs(begun) || begun == Some('.')) && !is_encoded;
        let is_origin = out.ends_with("//") || out.to_ascii_lowercase().ends_with("%2f%2f");
        if is_longer || is_inside || is_word && !is_origin {
            out.push_str(host);
        } else {
            if let Some(scheme) = out.strip_suffix("http://").map(str::len) {
                out.truncate(scheme);
                out.push_str("https://");
            }
            out.push_str(stand_in);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Whether a field is a person's e-mail address; a custom field, `{name, value}`, is none.
fn has_address(key: &str, field: &Value) -> bool {
    let named = words(key)
        .iter()
        .any(|word| ADDRESS_WORDS.contains(&word.as_str()));
    let is_address = |text: &str| {
        EMAIL
            .find(text)
            .is_some_and(|found| found.len() == text.trim().len())
    };
    named && field.as_str().is_some_and(is_address)
}

/// Whether an id is the login of a person: a word under a name such as `Owner`.
fn is_login(words: &[&str], text: &str, path: &[String]) -> bool {
    let parent = path
        .last()
        .map(|parent| super::leaks::words(parent))
        .unwrap_or_default();
    let of_person = parent.iter().any(|word| PEOPLE.contains(&word.as_str()));
    let is_word = text
        .chars()
        .all(|c| c.is_alphabetic() || matches!(c, '.' | '_' | '-'));
    words == ["id"] && of_person && is_word
}

fn is_phone(words: &[&str]) -> bool {
    words
        .iter()
        .any(|word| matches!(*word, "phone" | "mobile" | "telephone" | "tel" | "cell" | "fax"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn replaced(value: &Value) -> Value {
        let secrets = vec![("api_key".to_owned(), Secret::new("s3cret & key".to_owned()))];
        let mut stand_ins = StandIns::new("desk", secrets, &["Desk".to_owned()], &["Project X".to_owned()]);
        stand_ins.learn_host(&Url::parse("http://127.0.0.1:8081/api").unwrap());
        stand_ins.learn(value);
        stand_ins.applied(value)
    }

    #[test]
    fn the_same_value_has_the_same_stand_in_throughout() {
        let value = json!({
            "requestor": {"id": "U-7", "name": "Molly O'Hara", "email": "Molly@corp.test", "phone": "0171 555 9"},
            "path": "/users/molly%40corp.test/tickets",
            "text": "Molly wrote to molly@corp.test about Project X, call +49 171 5550199",
            "home": "or 0151 2345678, (0151) 234 5678, (415) 555-2671",
            "first_name": "Molly",
            "key": "s3cret & key",
            "next": "http://127.0.0.1:8081/api/tickets?key=s3cret%20%26%20key&page=2",
            "elsewhere": "https://files.corp.test/1",
            "Owner": {"id": "molly.o", "_url": "http://127.0.0.1:8081/api/user/molly.o"},
            "history": {"Content": "TW9sbHkgd3JvdGUgdG8gbW9sbHlAY29ycC50ZXN0"},
        });
        assert_eq!(
            replaced(&value),
            json!({
                "requestor": {"id": "U-7", "name": "Name1 Name2", "email": "person1@example.com",
                              "phone": "+1 202 555 0100"},
                "path": "/users/person1%40example.com/tickets",
                "text": "Name1 wrote to person1@example.com about hidden1, call +1 202 555 0101",
                "home": "or +1 202 555 0102, +1 202 555 0103, +1 202 555 0104",
                "first_name": "Name1",
                "key": "{{api_key}}",
                "next": "https://desk.example.com/api/tickets?key={{api_key}}&page=2",
                "elsewhere": "https://host2.example.com/1",
                "Owner": {"id": "name3", "_url": "https://desk.example.com/api/user/name3"},
                "history": {"Content": STANDARD.encode("Name1 wrote to person1@example.com")},
            })
        );
    }

    #[test]
    fn tokens_that_the_system_gave_are_followed() {
        let value = json!({
            "answer": {"access_token": "abcdef123", "expires_in": 300},
            "headers": {"authorization": "Bearer abcdef123", "set-cookie": "sid=m04vx7; Path=/"},
            "cookie": "sid=m04vx7",
            "page": {"continuationToken": "Xk29fLq0aZ7rT4mBv8YcN1wEe5Hs"},
            "again": "Xk29fLq0aZ7rT4mBv8YcN1wEe5Hs",
        });
        assert_eq!(
            replaced(&value),
            json!({
                "answer": {"access_token": "{{token_1}}", "expires_in": 300},
                "headers": {"authorization": "Bearer {{token_1}}", "set-cookie": "sid={{token_2}}; Path=/"},
                "cookie": "sid={{token_2}}",
                "page": {"continuationToken": "{{token_3}}"},
                "again": "{{token_3}}",
            })
        );
    }

    #[test]
    fn a_host_is_replaced_as_a_whole_and_never_in_the_name_of_a_field() {
        let value = json!({
            "status": "status",
            "text": "see http://status/ now, or http://a/: a status, name",
            "files.corp.test": "https://files.corp.test/1 and https://old.files.corp.test:81/, by files.corp.test.",
            "near": "http://statuses/ status.",
            "path": "/go?to=https%3A%2F%2Ffiles.corp.test%2F1",
        });
        assert_eq!(
            replaced(&value),
            json!({
                "status": "status",
                "text": "see https://host2.example.com/ now, or https://host3.example.com/: a status, name",
                "files.corp.test": "https://host4.example.com/1 and https://host5.example.com/, by host4.example.com.",
                "near": "https://host6.example.com/ status.",
                "path": "/go?to=https%3A%2F%2Fhost4.example.com%2F1",
            })
        );
    }

    #[test]
    fn ids_states_and_names_of_things_stay() {
        let value = json!({
            "id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
            "status": {"id": 5, "name": "Closed"},
            "project": {"id": 1, "name": "Service Desk"},
            "assigned_to": {"id": 7, "name": "Desk"},
            "title": "Printer on fire",
            "custom_fields": [{"name": "Requester email", "value": "person1@example.com"}],
            "text": "Ticket 000123 of 01/02/2026, 2026-01-05 08:15:00, 0.5 of 100 200, part 0800-11",
        });
        assert_eq!(replaced(&value), value);
    }
}
