//! Numbers written as text.

use serde_json::Number;

use super::Call;
use crate::datum::Datum;
use crate::fault::Fault;

/// Argument 0 as a number: a number, or a text that holds one between white space. `None` when it is null.
pub(super) fn read(call: &mut Call<'_, '_>) -> Result<Option<Number>, Fault> {
    match call.value(0)? {
        Datum::Null => Ok(None),
        Datum::Number(number) => Ok(Some(number)),
        Datum::Text(text) => match parse(text.trim()) {
            Some(number) => Ok(Some(number)),
            None if text.trim().is_empty() => Err(call.bad_value("an empty text is not a number")),
            None => Err(call.bad_value("the text is not a number such as `42`, `-1.5` or `2e3`")),
        },
        other => Err(call.expected("text or number", 0, &other)),
    }
}

fn parse(text: &str) -> Option<Number> {
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(whole.into());
    }
    // The library also reads `inf` and `nan`.
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'))
    {
        return None;
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}
