//! One value as JSON text in many ways.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::Value;

/// The value with white space, escapes, and keys that come twice.
pub(crate) fn json(value: &Value, random: &mut StdRng) -> String {
    let mut out = String::new();
    write(value, random, &mut out);
    space(random, &mut out);
    out
}

/// The text with something changed, most often so that it is no JSON any more.
pub(crate) fn damage(text: &str, random: &mut StdRng) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let at = random.random_range(0..characters.len().max(1));
    match random.random_range(0..4) {
        0 => characters.truncate(at),
        1 if at < characters.len() => drop(characters.remove(at)),
        _ => {
            let other = [
                '"', '\\', ',', ':', '{', '}', '[', ']', '0', 'e', '.', '-', '\n', 'é',
            ];
            characters.insert(at.min(characters.len()), pick(&other, random));
        }
    }
    characters.into_iter().collect()
}

fn write(value: &Value, random: &mut StdRng, out: &mut String) {
    space(random, out);
    match value {
        Value::String(text) => quote(text, random, out),
        Value::Array(elements) => {
            out.push('[');
            for (position, element) in elements.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write(element, random, out);
                space(random, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (position, (key, field)) in fields.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                if random.random_ratio(1, 12) {
                    // It comes again, with the value that counts.
                    quote(key, random, out);
                    out.push_str(pick(&[":{\"a\":[1,2]},", ":\"other\",", ":[],"], random));
                }
                space(random, out);
                quote(key, random, out);
                space(random, out);
                out.push(':');
                write(field, random, out);
            }
            space(random, out);
            out.push('}');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn space(random: &mut StdRng, out: &mut String) {
    if random.random_ratio(1, 6) {
        out.push_str(pick(&[" ", "\n", "\t\r\n  "], random));
    }
}

fn quote(text: &str, random: &mut StdRng, out: &mut String) {
    let escaped = random.random_ratio(1, 4);
    out.push('"');
    for c in text.chars() {
        let mut units = [0; 2];
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' || escaped => {
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn pick<T: Copy + Default>(choices: &[T], random: &mut StdRng) -> T {
    choices.choose(random).copied().unwrap_or_default()
}
