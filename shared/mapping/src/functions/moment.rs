//! Times as arguments and results.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Call, receiver};
use crate::datum::Datum;
use crate::fault::Fault;
use crate::time;

/// A time given as a number or a text.
pub(super) fn moment(call: &mut Call<'_, '_>, value: &Datum<'_>) -> Result<Timestamp, Fault> {
    let read = match value {
        Datum::Number(number) => time::from_number(number),
        Datum::Text(text) => {
            receiver::spend_on(call, text)?;
            time::parse(text, None, &TimeZone::UTC)
        }
        other => return Err(call.expected("time (a number or a text)", 0, other)),
    };
    read.map_err(|message| call.bad_value(message))
}

/// A time as a number.
pub(super) fn seconds<'v>(time: Timestamp) -> Datum<'v> {
    Datum::Number(time::to_number(time))
}

/// Argument `index` as a zone; UTC when it is null or was not given.
pub(super) fn zone(call: &mut Call<'_, '_>, index: usize) -> Result<TimeZone, Fault> {
    match call.text(index)? {
        Some(name) => time::zone(&name).map_err(|message| call.bad_value(message)),
        None => Ok(TimeZone::UTC),
    }
}
