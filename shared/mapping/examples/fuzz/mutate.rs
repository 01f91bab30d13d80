//! Known texts, and texts that are almost like them.

use std::path::Path;

use mapping::{functions, operators};
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::Value;

/// What mutation starts from.
pub(crate) struct Corpus {
    pub(crate) expressions: Vec<String>,
    pub(crate) documents: Vec<String>,
    pub(crate) inputs: Vec<String>,
}

/// Pieces that mean something somewhere.
const PIECES: &[&str] = &[
    "()",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    ".",
    ",",
    ":",
    ": ",
    "- ",
    "\n",
    "\n  ",
    " ",
    "'",
    "\"",
    "\\",
    "\\u00e9",
    "\\x",
    "$",
    "=>",
    "==",
    "!=",
    "<=",
    "<",
    ">",
    "+",
    "-",
    "*",
    "/",
    " AND ",
    " OR ",
    " NOT ",
    " IN ",
    "IF ",
    " THEN ",
    " ELSE ",
    "null",
    "TRUE",
    "0",
    "1",
    "-1",
    "9223372036854775807",
    "1e308",
    "0.1",
    "item",
    "loop.index0",
    "loop",
    "&a",
    "*a",
    "|",
    ">-",
    "#",
    "? ",
    "!!str ",
    "---\n",
    "%",
    "@",
    "`",
    "{{",
    "}}",
    "{{{",
    "}}}",
    "{{#x}}",
    "{{/x}}",
    "{{^x}}",
    "{{!",
    "MAP()",
    "EVAL()",
    "é",
    "\u{1F600}",
    "\u{0}",
    "\u{feff}",
    "\t",
    "\r\n",
    "$MAP",
    "x => x",
    "(a, b) => a",
    "[0]",
    "[-1]",
    "[1:]",
    "[:]",
    "<<: ",
];

impl Corpus {
    /// The examples of the documentation, and the cases of the repository where they can be found.
    pub(crate) fn load() -> Self {
        let mut corpus = Corpus {
            expressions: Vec::new(),
            documents: Vec::new(),
            inputs: Vec::new(),
        };
        for entry in operators().chain(functions()) {
            for example in entry.examples {
                corpus.documents.push(example.mapping.to_owned());
                corpus.inputs.push(example.input.to_owned());
                if !example.mapping.contains("()") || example.mapping.contains('$') {
                    corpus.expressions.push(example.mapping.to_owned());
                }
            }
        }
        corpus.folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/mapping"));
        corpus
    }

    fn folder(&mut self, folder: &Path) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                self.folder(&path);
            } else if let Ok(node) =
                mapping::parse("cases", std::fs::read_to_string(path).unwrap_or_default())
            {
                node.elements()
                    .iter()
                    .for_each(|case| self.case(&case.to_value()));
            }
        }
    }

    fn case(&mut self, case: &Value) {
        if let Some(mapping) = case.get("mapping") {
            self.documents.push(mapping.to_string());
            self.documents.push(format!("{mapping:#}"));
            self.texts(mapping);
        }
        if let Some(input) = case.get("input") {
            self.inputs.push(input.to_string());
        }
    }

    fn texts(&mut self, mapping: &Value) {
        match mapping {
            Value::String(text) => self.expressions.push(text.clone()),
            Value::Array(elements) => elements.iter().for_each(|element| self.texts(element)),
            Value::Object(fields) => fields.values().for_each(|field| self.texts(field)),
            _ => {}
        }
    }

    pub(crate) fn input(&self, random: &mut StdRng) -> Value {
        serde_json::from_str(pick(&self.inputs, random)).unwrap_or(Value::Null)
    }

    pub(crate) fn expression(&self, random: &mut StdRng) -> String {
        mutated(&self.expressions, random)
    }

    pub(crate) fn document(&self, random: &mut StdRng) -> String {
        mutated(&self.documents, random)
    }

    /// A template around an expression.
    pub(crate) fn template(&self, random: &mut StdRng) -> String {
        let inside = pick(&self.expressions, random);
        let text = format!("a {{{{{inside}}}}} b {{{{#{inside}}}}}{{{{.}}}}{{{{/{inside}}}}}");
        mutated(&[text], random)
    }
}

fn pick<'t>(texts: &'t [String], random: &mut StdRng) -> &'t str {
    texts
        .get(random.random_range(0..texts.len().max(1)))
        .map_or("", String::as_str)
}

fn mutated(texts: &[String], random: &mut StdRng) -> String {
    let mut text: Vec<char> = pick(texts, random).chars().collect();
    for _ in 0..random.random_range(0..6) {
        let at = random.random_range(0..=text.len());
        let end = (at + random.random_range(0..8)).min(text.len());
        match random.random_range(0..8) {
            0 => drop(text.drain(at..end)),
            1 => {
                let piece: Vec<char> = text.get(at..end).unwrap_or_default().to_vec();
                text.splice(at..at, piece);
            }
            // Deep nesting is made by repetition.
            2 if random.random_ratio(1, 8) => {
                let piece = PIECES.get(random.random_range(0..PIECES.len())).unwrap_or(&"(");
                let many = piece.repeat(random.random_range(1..3000));
                text.splice(at..at, many.chars());
            }
            3 => {
                let other: Vec<char> = pick(texts, random).chars().collect();
                let from = random.random_range(0..=other.len());
                let to = random.random_range(from..=other.len());
                text.splice(at..end, other.get(from..to).unwrap_or_default().iter().copied());
            }
            4 => {
                if let Some(here) = text.get_mut(at) {
                    *here = char::from(random.random_range(0..128u8));
                }
            }
            _ => {
                let piece = PIECES.get(random.random_range(0..PIECES.len())).unwrap_or(&" ");
                text.splice(at..at, piece.chars());
            }
        }
    }
    text.into_iter().collect()
}
