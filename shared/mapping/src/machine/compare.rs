use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;

use serde_json::Number;

use super::arithmetic::integer;
use super::{Machine, count};
use crate::datum::{Datum, List, Object};
use crate::dsl::BinaryOperator;
use crate::fault::Fault;

impl<'v> Machine<'v> {
    /// `==`: equal types and equal content. `1` and `1.0` are equal; a text never equals a number. The order of an
    /// object's fields does not matter.
    pub(crate) fn equal(&mut self, left: &Datum<'v>, right: &Datum<'v>) -> Result<bool, Fault> {
        Ok(match (left, right) {
            (Datum::Null, Datum::Null) => true,
            (Datum::Bool(left), Datum::Bool(right)) => left == right,
            (Datum::Number(left), Datum::Number(right)) => numbers(left, right) == Ordering::Equal,
            (Datum::Text(left), Datum::Text(right)) => {
                if left.len() == right.len() {
                    self.spend(count::text_steps(left.len()))?;
                }
                left == right
            }
            (Datum::List(left), Datum::List(right)) => {
                left.len() == right.len() && self.nested(|machine| machine.equal_lists(left, right))?
            }
            (Datum::Object(left), Datum::Object(right)) => {
                left.len() == right.len() && self.nested(|machine| machine.equal_objects(left, right))?
            }
            _ => false,
        })
    }

    fn equal_lists(&mut self, left: &List<'v>, right: &List<'v>) -> Result<bool, Fault> {
        for (left, right) in left.iter().zip(right.iter()) {
            self.spend(1)?;
            if !self.equal(&left, &right)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn equal_objects(&mut self, left: &Object<'v>, right: &Object<'v>) -> Result<bool, Fault> {
        for (key, left) in left.iter() {
            self.spend(count::size_steps(right.len()))?;
            let Some(right) = right.get(&key) else {
                return Ok(false);
            };
            if !self.equal(&left, &right)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The elements that equal none before them.
    pub(crate) fn unique(&mut self, list: &List<'v>) -> Result<Vec<Datum<'v>>, Fault> {
        let mut unique: Vec<Datum<'v>> = Vec::new();
        // Texts and numbers are hashed, or lists of ids would cost the square of their length.
        let mut hashed = HashSet::new();
        let mut compared: Vec<Datum<'v>> = Vec::new();
        for element in list.iter() {
            self.spend(1)?;
            let is_new = match &element {
                Datum::Text(text) => {
                    self.spend(count::text_steps(text.len()))?;
                    hashed.insert(Hashed::Text(text.clone()))
                }
                Datum::Number(number) => hashed.insert(match exact(number) {
                    Some(whole) => Hashed::Whole(whole),
                    None => Hashed::Broken(number.as_f64().unwrap_or(0.0).to_bits()),
                }),
                other => {
                    let is_new = !self.is_among(compared.iter().cloned(), other)?;
                    if is_new {
                        compared.push(other.clone());
                    }
                    is_new
                }
            };
            if is_new {
                unique.push(element);
            }
        }
        Ok(unique)
    }

    /// `value IN container`: an element of a list, a part of a text, a key of an object. Nothing is in null, and
    /// null is in nothing but a list that has it.
    pub(super) fn contains(&mut self, container: &Datum<'v>, value: &Datum<'v>) -> Result<bool, Fault> {
        match (container, value) {
            (Datum::Null, _) => Ok(false),
            (Datum::List(list), _) => self.is_among(list.iter(), value),
            (Datum::Text(_) | Datum::Object(_), Datum::Null) => Ok(false),
            (Datum::Text(text), Datum::Text(part)) => {
                self.spend(count::text_steps(text.len()))?;
                Ok(text.contains(part.as_ref()))
            }
            (Datum::Object(object), Datum::Text(key)) => {
                self.spend(count::size_steps(object.len()))?;
                Ok(object.contains(key))
            }
            (Datum::Text(_) | Datum::Object(_), other) => Err(Fault::types(
                "`IN`",
                format!(
                    "expected text to look for in {}, found {}",
                    article(container),
                    other.kind()
                ),
            )),
            (other, _) => Err(Fault::types(
                "`IN`",
                format!(
                    "expected list, text or object on the right, found {}",
                    other.kind()
                ),
            )),
        }
    }

    fn is_among(
        &mut self,
        elements: impl Iterator<Item = Datum<'v>>,
        value: &Datum<'v>,
    ) -> Result<bool, Fault> {
        for element in elements {
            self.spend(1)?;
            if self.equal(&element, value)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The order of two sort keys: null first, then numbers by value, texts by code point, false before true, and
    /// lists element by element. Everything else has no order.
    pub(crate) fn sort_order(&mut self, left: &Datum<'v>, right: &Datum<'v>) -> Result<Ordering, Fault> {
        self.spend(1)?;
        Ok(match (left, right) {
            (Datum::Null, Datum::Null) => Ordering::Equal,
            (Datum::Null, _) => Ordering::Less,
            (_, Datum::Null) => Ordering::Greater,
            (Datum::Bool(left), Datum::Bool(right)) => left.cmp(right),
            (Datum::Number(left), Datum::Number(right)) => numbers(left, right),
            (Datum::Text(left), Datum::Text(right)) => {
                self.spend(count::text_steps(left.len().min(right.len())))?;
                left.cmp(right)
            }
            (Datum::List(left), Datum::List(right)) => {
                let order = self.nested(|machine| machine.list_order(left, right))?;
                order.then(left.len().cmp(&right.len()))
            }
            (left, right) if left.kind() == right.kind() => {
                return Err(Fault::types(
                    "SORT()",
                    format!("{} cannot be sorted by", plural(left)),
                ));
            }
            (left, right) => {
                let message = format!("keys of different types: {} and {}", left.kind(), right.kind());
                return Err(Fault::types("SORT()", message));
            }
        })
    }

    fn list_order(&mut self, left: &List<'v>, right: &List<'v>) -> Result<Ordering, Fault> {
        for (left, right) in left.iter().zip(right.iter()) {
            let order = self.sort_order(&left, &right)?;
            if order != Ordering::Equal {
                return Ok(order);
            }
        }
        Ok(Ordering::Equal)
    }
}

/// `<`, `<=`, `>` and `>=`: two numbers or two texts. With null it is false: what is missing is neither more nor less.
pub(super) fn ordered(operator: BinaryOperator, left: &Datum<'_>, right: &Datum<'_>) -> Result<bool, Fault> {
    let order = match (left, right) {
        (Datum::Number(left), Datum::Number(right)) => numbers(left, right),
        (Datum::Text(left), Datum::Text(right)) => left.cmp(right),
        (Datum::Null, _) | (_, Datum::Null) => return Ok(false),
        _ => {
            let hint = match (left, right) {
                (Datum::Text(_), Datum::Number(_)) | (Datum::Number(_), Datum::Text(_)) => {
                    "; a text is turned into a number with $INTEGER or $DECIMAL"
                }
                _ => "",
            };
            let message = format!(
                "expected two numbers or two texts, found {} and {}{hint}",
                left.kind(),
                right.kind()
            );
            return Err(Fault::types(&format!("`{}`", operator.symbol()), message));
        }
    };
    Ok(match operator {
        BinaryOperator::Less => order == Ordering::Less,
        BinaryOperator::LessOrEqual => order != Ordering::Greater,
        BinaryOperator::Greater => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

/// Numbers by value. A float that is whole is compared as such: beyond 2^53 a float is not exact enough.
fn numbers(left: &Number, right: &Number) -> Ordering {
    if let (Some(left), Some(right)) = (exact(left), exact(right)) {
        return left.cmp(&right);
    }
    let (left, right) = (left.as_f64().unwrap_or(0.0), right.as_f64().unwrap_or(0.0));
    left.partial_cmp(&right).unwrap_or(Ordering::Equal)
}

/// What two texts or numbers have in common that are equal.
#[derive(PartialEq, Eq, Hash)]
enum Hashed<'v> {
    Text(Cow<'v, str>),
    Whole(i128),
    /// The bits of a number that is not exact.
    Broken(u64),
}

fn exact(number: &Number) -> Option<i128> {
    integer(number).or_else(|| {
        let float = number.as_f64()?;
        (float.fract() == 0.0 && float.abs() < 1e30).then_some(float as i128)
    })
}

fn article(container: &Datum<'_>) -> &'static str {
    match container {
        Datum::Text(_) => "a text",
        _ => "the keys of an object",
    }
}

fn plural(value: &Datum<'_>) -> &'static str {
    match value {
        Datum::Object(_) => "objects",
        _ => "such values",
    }
}
