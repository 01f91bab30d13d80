use serde_json::Number;

use crate::datum::Datum;
use crate::dsl::BinaryOperator;
use crate::fault::{Fault, fault_code};

/// `+`, `-`, `*` and `/`. Whole numbers stay whole as long as they fit 64 bits and a division has no remainder.
/// Null with a number is null: what is missing stays missing.
pub(super) fn apply<'v>(
    operator: BinaryOperator,
    left: &Datum<'_>,
    right: &Datum<'_>,
) -> Result<Datum<'v>, Fault> {
    let (left, right) = match (left, right) {
        (Datum::Number(left), Datum::Number(right)) => (left, right),
        (Datum::Null, Datum::Null | Datum::Number(_)) | (Datum::Number(_), Datum::Null) => {
            return Ok(Datum::Null);
        }
        _ => return Err(not_numbers(operator, left, right)),
    };
    if operator == BinaryOperator::Divide && right.as_f64() == Some(0.0) {
        return Err(Fault::new(fault_code::ARITHMETIC, "division by zero"));
    }
    if let (Some(left), Some(right)) = (integer(left), integer(right))
        && let Some(result) = whole(operator, left, right)
    {
        return Ok(Datum::Number(result));
    }
    let (left, right) = (
        left.as_f64().unwrap_or(f64::NAN),
        right.as_f64().unwrap_or(f64::NAN),
    );
    let result = match operator {
        BinaryOperator::Add => left + right,
        BinaryOperator::Subtract => left - right,
        BinaryOperator::Multiply => left * right,
        _ => left / right,
    };
    match Number::from_f64(result) {
        Some(number) => Ok(Datum::Number(number)),
        None => Err(Fault::new(
            fault_code::ARITHMETIC,
            format!("the result of `{}` is too large for a number", operator.symbol()),
        )),
    }
}

/// Unary minus.
pub(super) fn negate<'v>(operand: &Datum<'_>) -> Result<Datum<'v>, Fault> {
    match operand {
        Datum::Null => Ok(Datum::Null),
        Datum::Number(_) => apply(BinaryOperator::Subtract, &Datum::integer(0), operand),
        other => Err(Fault::types(
            "`-`",
            format!("expected number, found {}", other.kind()),
        )),
    }
}

#[cold]
fn not_numbers(operator: BinaryOperator, left: &Datum<'_>, right: &Datum<'_>) -> Fault {
    let hint = match (operator, left, right) {
        (BinaryOperator::Add, Datum::Text(_), _) | (BinaryOperator::Add, _, Datum::Text(_)) => {
            "; texts are joined with $CONCAT([a, b]) and turned into numbers with $INTEGER or $DECIMAL"
        }
        (_, Datum::Text(_), _) | (_, _, Datum::Text(_)) => {
            "; a text is turned into a number with $INTEGER or $DECIMAL"
        }
        _ => "",
    };
    let message = format!(
        "expected two numbers, found {} and {}{hint}",
        left.kind(),
        right.kind()
    );
    Fault::types(&format!("`{}`", operator.symbol()), message)
}

/// The exact result when both are whole and it is, too. Whole numbers of 64 bits cannot overflow 128.
fn whole(operator: BinaryOperator, left: i128, right: i128) -> Option<Number> {
    let result = match operator {
        BinaryOperator::Add => left + right,
        BinaryOperator::Subtract => left - right,
        BinaryOperator::Multiply => left.checked_mul(right)?,
        _ => (left.checked_rem(right)? == 0).then(|| left / right)?,
    };
    Number::from_i128(result)
}

/// The number when it is kept as a whole one.
pub(super) fn integer(number: &Number) -> Option<i128> {
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
}
