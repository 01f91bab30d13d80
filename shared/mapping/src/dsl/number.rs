use serde_json::Number;

/// A number literal: whole numbers keep 64 bits, larger ones and fractions are 64-bit floats. `None` when it is
/// larger than any of them.
pub(super) fn parse(text: &str) -> Option<Number> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(number.into());
    }
    if let Ok(number) = text.parse::<u64>() {
        return Some(number.into());
    }
    text.parse::<f64>().ok().and_then(Number::from_f64)
}
