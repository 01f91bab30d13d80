//! An OpenAPI 3 document: read, checked for what is needed of it, and its references followed.
//!
//! It stays plain JSON. The crates that have types for it read one version of the specification each, and refuse as a
//! whole what vendors really publish; here one wrong corner must not hide the rest.

use std::path::Path;

use serde_json::Value;

use crate::failure::Failure;

/// The largest document that is read.
const MAX_BYTES: u64 = 32 * 1024 * 1024;
/// How many references may follow one another.
const MAX_REFERENCES: usize = 32;

/// An OpenAPI document.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) name: String,
    pub(crate) root: Value,
}

impl Document {
    /// Reads a file. What begins with `{` is JSON, anything else YAML.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let unreadable = |error| Failure::failed(format!("cannot read {name}: {error}"));
        let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
        if bytes > MAX_BYTES {
            return Err(
                Failure::failed(format!("{name} has {bytes} bytes; at most {MAX_BYTES} are read"))
                    .help("cut it down to the paths of tickets and what belongs to them"),
            );
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let text = text.trim_start_matches('\u{feff}');
        let root = if text.trim_start().starts_with('{') {
            json(&name, text)?
        } else {
            mapping::parse_large(&name, text)?.to_value()
        };
        let document = Self { name, root };
        document.check_version()?;
        Ok(document)
    }

    fn check_version(&self) -> Result<(), Failure> {
        let name = &self.name;
        if let Some(version) = self.root.get("swagger") {
            return Err(Failure::failed(format!(
                "{name} is Swagger {}; OpenAPI 3 is read",
                version.as_str().unwrap_or("2")
            ))
            .help(
                "convert it, for example with `npx swagger2openapi FILE -o openapi.json` or at https://editor.swagger.io \
                 (Edit, Convert to OpenAPI 3)",
            ));
        }
        let version = match self.root.get("openapi") {
            Some(Value::String(version)) => version,
            Some(_) => {
                return Err(self.broken("#/openapi", "expected the version as a text, such as \"3.0.3\""));
            }
            None => {
                return Err(Failure::failed(format!(
                    "{name} is no OpenAPI document: it has no key `openapi` at its top"
                ))
                .help("expected `openapi: 3.0.x` or `3.1.x`, with `paths`"));
            }
        };
        if !version.starts_with("3.") {
            return Err(self.broken(
                "#/openapi",
                &format!("version {version} is not known; expected 3.x"),
            ));
        }
        match self.root.get("paths") {
            Some(Value::Object(_)) => Ok(()),
            Some(_) => Err(self.broken("#/paths", "expected an object: a path, and what it can do")),
            None => Err(Failure::failed(format!(
                "{name} has no `paths`, so it describes no request"
            ))),
        }
    }

    /// An error at a place, given as a JSON pointer.
    pub(crate) fn broken(&self, pointer: &str, message: &str) -> Failure {
        Failure::failed(format!("{} at {pointer}: {message}", self.name))
    }

    /// What a value is once its references are followed, and the last reference.
    ///
    /// # Errors
    /// A text that names the reference which leads nowhere, out of the document, or back to itself.
    pub(crate) fn resolve<'a>(&'a self, value: &'a Value) -> Result<(&'a Value, Option<&'a str>), String> {
        let mut value = value;
        let mut last: Option<&str> = None;
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
                return Ok((value, last));
            };
            let Some(pointer) = reference.strip_prefix('#') else {
                return Err(format!(
                    "`$ref: {reference}` leads to another file; put all into one, for example with `npx @redocly/cli bundle`"
                ));
            };
            value = self
                .root
                .pointer(&percent_decoded(pointer))
                .ok_or_else(|| format!("`$ref: {reference}` leads nowhere"))?;
            last = Some(reference);
        }
        Err(format!(
            "`$ref: {}` leads back to itself, or through more than {MAX_REFERENCES} others",
            last.unwrap_or_default()
        ))
    }
}

fn json(name: &str, text: &str) -> Result<Value, Failure> {
    serde_json::from_str(text).map_err(|error| {
        let failure = Failure::failed(format!("{name} is not valid JSON: {error}"));
        if error.to_string().contains("recursion limit") {
            failure.help("at most 128 lists and objects lie inside one another")
        } else if error.is_eof() {
            failure.help("the file ends too early: was it fetched to its end?")
        } else {
            failure
        }
    })
}

/// A fragment is part of a URL (RFC 6901, section 6).
fn percent_decoded(pointer: &str) -> String {
    if !pointer.contains('%') {
        return pointer.to_owned();
    }
    let mut bytes = Vec::with_capacity(pointer.len());
    let mut rest = pointer.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|code| std::str::from_utf8(code).ok())
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        if let Some(code) = code {
            bytes.push(code);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
