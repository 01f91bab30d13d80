//! Texts that follow the grammar, and inputs that fit them.

use mapping::functions;
use rand::Rng;
use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

const NAMES: &[&str] = &[
    "a", "b", "c", "items", "data", "name", "text", "n", "when", "html", "users",
];
const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "Ada Lovelace",
    "  padded\n",
    "42",
    "-1.5",
    "1e400",
    "2024-05-01",
    "2024-05-01T10:00:00.5+02:00",
    "9999-12-31T23:59:59Z",
    "Wed, 01 May 2024 10:00:00 GMT",
    "%Y-%m-%d",
    "%Q%z%f",
    "%b %255d",
    "Europe/Berlin",
    "+02:00",
    "months",
    "days",
    "[a-z]+",
    "(\\w)(?P<n>x)?",
    "(",
    ".*",
    "$1\\1${n}$$",
    "\\",
    ",",
    "[1, {\"a\": null}]",
    "{",
    "<b>x</b>",
    "ß\u{1F600}e\u{301}",
    "\u{0}",
    "a,b,,c",
    "https://x.y/?q=1&r= ",
    "'",
    "\"",
    "{{a}}",
    "true",
    "null",
];

/// A function as its signature describes it.
struct Shape {
    name: &'static str,
    /// How many parameters the lambda in this place has; 0 for a value.
    arguments: Vec<usize>,
    required: usize,
}

pub(crate) struct Generator {
    functions: Vec<Shape>,
}

impl Generator {
    pub(crate) fn new() -> Self {
        let functions = functions()
            .map(|entry| shape(entry.name, entry.signature))
            .collect();
        Generator { functions }
    }

    pub(crate) fn input(&self, random: &mut StdRng) -> Value {
        let mut fields = Map::new();
        for name in NAMES {
            if random.random_bool(0.7) {
                fields.insert((*name).to_owned(), value(random, 3));
            }
        }
        Value::Object(fields)
    }

    pub(crate) fn expression(&self, random: &mut StdRng, depth: usize) -> String {
        self.expression_in(random, depth, &mut Vec::new())
    }

    fn expression_in(&self, random: &mut StdRng, depth: usize, scope: &mut Vec<String>) -> String {
        if depth == 0 {
            return leaf(random, scope);
        }
        let mut inner =
            |generator: &Self, random: &mut StdRng| generator.expression_in(random, depth - 1, scope);
        match random.random_range(0..20) {
            0 => format!("({})", inner(self, random)),
            1 => format!("{}.{}", inner(self, random), pick(NAMES, random)),
            2 => format!("{}[{}]", inner(self, random), inner(self, random)),
            3 => format!(
                "{}[{}:{}]",
                inner(self, random),
                random.random_range(-3..4),
                random.random_range(-3..4)
            ),
            4 | 5 => {
                let operator = pick(
                    &[
                        "+", "-", "*", "/", "==", "!=", "<", "<=", ">", ">=", "IN", "NOT IN",
                    ],
                    random,
                );
                format!("{} {operator} {}", inner(self, random), inner(self, random))
            }
            6 => format!(
                "{} {} {}",
                inner(self, random),
                pick(&["AND", "or", "OR"], random),
                inner(self, random)
            ),
            7 => format!("{} {}", pick(&["NOT", "-"], random), inner(self, random)),
            8 => format!(
                "IF {} THEN {} ELSE {}",
                inner(self, random),
                inner(self, random),
                inner(self, random)
            ),
            9 => format!("[{}, {}]", inner(self, random), inner(self, random)),
            10 => format!(
                "{{\"k\": {}, {}: {}}}",
                inner(self, random),
                inner(self, random),
                inner(self, random)
            ),
            11 => leaf(random, scope),
            _ => {
                let (function, method) = self.call(random, depth, scope);
                if random.random() { function } else { method }
            }
        }
    }

    /// One call in both spellings.
    pub(crate) fn spellings(&self, random: &mut StdRng) -> (String, String) {
        loop {
            let (function, method) = self.call(random, 3, &mut Vec::new());
            if function != method {
                return (function, method);
            }
        }
    }

    fn call(&self, random: &mut StdRng, depth: usize, scope: &mut Vec<String>) -> (String, String) {
        let Some(shape) = self.functions.get(random.random_range(0..self.functions.len())) else {
            return Default::default();
        };
        let mut count = random.random_range(shape.required..=shape.arguments.len());
        if random.random_ratio(1, 50) {
            count += 1;
        }
        let mut arguments = Vec::new();
        for position in 0..count {
            let lambda = shape.arguments.get(position).copied().unwrap_or(0);
            let names: Vec<String> = (0..lambda).map(|n| format!("p{}", scope.len() + n)).collect();
            scope.extend(names.iter().cloned());
            let body = self.expression_in(random, depth - 1, scope);
            scope.truncate(scope.len() - lambda);
            arguments.push(match names.as_slice() {
                [] => body,
                [name] => format!("{name} => {body}"),
                names => format!("({}) => {body}", names.join(", ")),
            });
        }
        let function = format!("{}({})", shape.name, arguments.join(", "));
        match arguments.split_first() {
            Some((receiver, rest)) => {
                let method = format!("({receiver}).{}({})", shape.name, rest.join(", "));
                (function, method)
            }
            None => (function.clone(), function),
        }
    }

    pub(crate) fn mapping(&self, random: &mut StdRng, depth: usize) -> Value {
        let expression = |random: &mut StdRng| self.expression(random, 2);
        if depth == 0 {
            return match random.random_range(0..8) {
                0 => json!(random.random_range(-5..5)),
                1 => Value::Null,
                2 => json!(random.random::<bool>()),
                _ => json!(expression(random)),
            };
        }
        let inner = |random: &mut StdRng| self.mapping(random, depth - 1);
        let mut result = match random.random_range(0..18) {
            0 => {
                json!({"EVAL()": {"expression": expression(random), "args": {"a": inner(random), "x": inner(random)}}})
            }
            1 => json!({"FLATTEN()": [inner(random), inner(random)]}),
            2 => json!({"MERGE()": [inner(random), inner(random)]}),
            3 | 4 => json!({"MAP()": {"items": inner(random), "converter": inner(random)}}),
            5 => json!({"SORT()": {"items": inner(random), "key": inner(random), "desc": inner(random)}}),
            6 => json!({"COALESCE()": {"items": inner(random), "condition": inner(random)}}),
            7 => json!({"FILTER()": {"items": inner(random), "condition": inner(random)}}),
            8 => {
                json!({"CONDITIONAL()": {"condition": inner(random), "on_pass": inner(random), "on_fail": inner(random), "context": {"c": inner(random)}}})
            }
            9 => {
                json!({"LOOKUP()": {"key": inner(random), "mapping": {"1": inner(random), "a": inner(random)}, "default": inner(random)}})
            }
            10 => json!({"CONCAT()": {"items": inner(random), "separator": pick(TEXTS, random)}}),
            11 => {
                json!({"RENDER()": {"template": self.template(random, 2), "args": {"a": inner(random), "items": inner(random)}}})
            }
            12 => json!({"STRIP_HTML()": inner(random)}),
            13 => {
                json!({"WITH()": {"args": {"a": inner(random), "x": inner(random)}, "converter": inner(random)}})
            }
            14 => json!([inner(random), inner(random)]),
            15 => json!({"k": inner(random), "a.b": inner(random), "a.c": inner(random)}),
            _ => json!({"item": inner(random), "value": expression(random)}),
        };
        if random.random_ratio(1, 40) {
            // A mistake: an argument too many, an operator too many.
            if let Some(fields) = result.as_object_mut() {
                fields.insert("MERGE()".to_owned(), inner(random));
            }
        }
        result
    }

    pub(crate) fn template(&self, random: &mut StdRng, depth: usize) -> String {
        let mut out = String::new();
        for _ in 0..random.random_range(1..4) {
            match random.random_range(0..8) {
                0 | 1 => out.push_str(pick(
                    &["text", "\n", "  ", "{\"k\": \"", "\"}", "\r\n", "{", "é"],
                    random,
                )),
                2 => out.push_str(&format!("{{{{{{{}}}}}}}", self.tag(random))),
                3 => out.push_str("{{! it's }}"),
                4 | 5 if depth > 0 => {
                    let tag = self.tag(random);
                    let mark = pick(&["#", "^"], random);
                    let inside = self.template(random, depth - 1);
                    out.push_str(&format!("{{{{{mark}{tag}}}}}{inside}{{{{/{tag}}}}}"));
                }
                _ => out.push_str(&format!("{{{{{}}}}}", self.tag(random))),
            }
        }
        out
    }

    fn tag(&self, random: &mut StdRng) -> String {
        match random.random_range(0..6) {
            0 => ".".to_owned(),
            1 => format!("{}.{}", pick(NAMES, random), pick(NAMES, random)),
            2 => format!("{}.{}", pick(NAMES, random), random.random_range(0..3)),
            3 => self.expression(random, 2),
            _ => pick(NAMES, random).to_owned(),
        }
    }

    pub(crate) fn html(&self, random: &mut StdRng) -> String {
        const PARTS: &[&str] = &[
            "<p>",
            "</p>",
            "<br>",
            "<br/>",
            "<div class='x'>",
            "</div>",
            "<pre>",
            "</pre>",
            "<b",
            ">",
            "<",
            "</",
            "<!--",
            "-->",
            "<!doctype html>",
            "<script>",
            "</script>",
            "<style>",
            "</STYLE >",
            "&amp;",
            "&#65;",
            "&#x110000;",
            "&nbsp;",
            "&",
            "text",
            " ",
            "\n",
            "\t",
            "é",
            "\"",
            "'",
            "=",
            "/",
            "<a href=\"",
            "<td>",
            "<li>",
            "&lt;",
            "<?x",
            "\u{a0}",
        ];
        (0..random.random_range(0..40))
            .map(|_| *pick_ref(PARTS, random))
            .collect()
    }
}

/// Reads `$F(list, item => e, initial?) -> value`.
fn shape(name: &'static str, signature: &str) -> Shape {
    let inside = signature.split_once('(').map_or("", |(_, rest)| rest);
    let inside = inside
        .rsplit_once(" -> ")
        .map_or(inside, |(inside, _)| inside)
        .trim_end()
        .trim_end_matches(')');
    let mut arguments = Vec::new();
    let mut required = 0;
    let mut nested = false;
    let mut start = 0;
    for (at, next) in inside.char_indices().chain([(inside.len(), ',')]) {
        match next {
            '(' => nested = true,
            ')' => nested = false,
            ',' if !nested => {
                let argument = inside.get(start..at).unwrap_or_default().trim();
                start = at + 1;
                if argument.is_empty() {
                    continue;
                }
                let lambda = argument
                    .split_once("=>")
                    .map_or(0, |(names, _)| names.split(',').count());
                required += usize::from(!argument.ends_with('?') && argument != "...");
                arguments.push(lambda);
            }
            _ => {}
        }
    }
    Shape {
        name,
        arguments,
        required,
    }
}

fn leaf(random: &mut StdRng, scope: &[String]) -> String {
    if !scope.is_empty() && random.random_bool(0.4) {
        return scope
            .get(random.random_range(0..scope.len()))
            .cloned()
            .unwrap_or_default();
    }
    match random.random_range(0..8) {
        0 => random.random_range(-3..1000).to_string(),
        1 => pick(
            &[
                "0.5",
                "1e3",
                "null",
                "TRUE",
                "false",
                "[]",
                "{}",
                "$",
                "9007199254740993",
            ],
            random,
        )
        .to_owned(),
        2 | 3 => Value::String(pick(TEXTS, random).to_owned()).to_string(),
        4 => format!("{}.{}", pick(NAMES, random), pick(NAMES, random)),
        5 => format!("{}[{}]", pick(NAMES, random), random.random_range(-2..3)),
        _ => pick(NAMES, random).to_owned(),
    }
}

fn value(random: &mut StdRng, depth: usize) -> Value {
    match random.random_range(0..if depth == 0 { 6 } else { 9 }) {
        0 => Value::Null,
        1 => json!(random.random::<bool>()),
        2 => json!(random.random_range(-3..2_000_000_000i64)),
        3 => json!(random.random_range(-10.0..10.0f64)),
        4 | 5 => json!(pick(TEXTS, random)),
        6 | 7 => Value::Array(
            (0..random.random_range(0..5))
                .map(|_| value(random, depth - 1))
                .collect(),
        ),
        _ => {
            let fields = (0..random.random_range(0..5))
                .map(|_| (pick(NAMES, random).to_owned(), value(random, depth - 1)));
            Value::Object(fields.collect())
        }
    }
}

fn pick<'p>(pool: &[&'p str], random: &mut StdRng) -> &'p str {
    pool.get(random.random_range(0..pool.len()))
        .copied()
        .unwrap_or_default()
}

fn pick_ref<'p>(pool: &'p [&'p str], random: &mut StdRng) -> &'p &'p str {
    pool.get(random.random_range(0..pool.len())).unwrap_or(&"")
}
