//! DynamoDB's condition and update expressions, as far as the workers use them.

use serde_json::{Map, Value};

pub type Item = Map<String, Value>;

/// An expression with what its placeholders stand for.
pub struct Expression<'r> {
    request: &'r Value,
    words: Vec<String>,
    place: usize,
}

impl<'r> Expression<'r> {
    pub fn new(text: &str, request: &'r Value) -> Self {
        let spaced = ["(", ")", ",", "<=", "="]
            .iter()
            .fold(text.to_owned(), |text, sign| match *sign {
                "=" => {
                    let text = text.replace("<=", "\u{1}");
                    text.replace('=', " = ").replace('\u{1}', " <= ")
                }
                "<=" => text,
                sign => text.replace(sign, &format!(" {sign} ")),
            });
        Self {
            request,
            words: spaced.split_whitespace().map(str::to_owned).collect(),
            place: 0,
        }
    }

    /// Whether it holds for an item; none for one that is not there.
    pub fn holds(mut self, item: Option<&Item>) -> bool {
        let holds = self.any(item);
        assert_eq!(
            self.place,
            self.words.len(),
            "this stand-in does not know {:?}",
            self.words
        );
        holds
    }

    fn any(&mut self, item: Option<&Item>) -> bool {
        let mut holds = self.all(item);
        while self.takes("OR") {
            holds |= self.all(item);
        }
        holds
    }

    fn all(&mut self, item: Option<&Item>) -> bool {
        let mut holds = self.one(item);
        while self.takes("AND") {
            holds &= self.one(item);
        }
        holds
    }

    fn one(&mut self, item: Option<&Item>) -> bool {
        if self.takes("(") {
            let holds = self.any(item);
            assert!(self.takes(")"));
            return holds;
        }
        let word = self.word();
        match word.as_str() {
            "attribute_not_exists" | "attribute_exists" => {
                assert!(self.takes("("));
                let name = self.word();
                assert!(self.takes(")"));
                let is_there = item.is_some_and(|item| item.contains_key(&self.name(&name)));
                is_there == (word == "attribute_exists")
            }
            _ => {
                let sign = self.word();
                let value = self.word();
                let (stored, value) = (
                    item.and_then(|item| item.get(&self.name(&word))),
                    self.value(&value),
                );
                stored.is_some_and(|stored| match sign.as_str() {
                    "=" => stored == value,
                    "<=" => number(stored) <= number(value),
                    other => panic!("this stand-in does not know `{other}`"),
                })
            }
        }
    }

    /// `SET a = :b, c = :d`.
    pub fn set(mut self, item: &mut Item) {
        assert!(self.takes("SET"), "this stand-in does not know {:?}", self.words);
        loop {
            let name = self.word();
            assert!(self.takes("="));
            let value = self.word();
            item.insert(self.name(&name), self.value(&value).clone());
            if !self.takes(",") {
                return;
            }
        }
    }

    fn takes(&mut self, word: &str) -> bool {
        let is_it = self.words.get(self.place).is_some_and(|next| next == word);
        self.place += usize::from(is_it);
        is_it
    }

    fn word(&mut self) -> String {
        self.place += 1;
        self.words[self.place - 1].clone()
    }

    fn name(&self, word: &str) -> String {
        if word.starts_with('#') {
            self.request["ExpressionAttributeNames"][word]
                .as_str()
                .expect("a name")
                .to_owned()
        } else {
            word.to_owned()
        }
    }

    fn value(&self, word: &str) -> &'r Value {
        &self.request["ExpressionAttributeValues"][word]
    }
}

fn number(value: &Value) -> f64 {
    value["N"]
        .as_str()
        .and_then(|digits| digits.parse().ok())
        .expect("a number")
}
