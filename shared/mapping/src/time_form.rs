//! One way to write times, for who deals with times outside of mappings.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::time;

/// A format and a zone, as `$FORMAT_TIME` and `$PARSE_TIME` take them.
#[derive(Clone, Debug)]
pub struct TimeForm {
    format: String,
    zone: TimeZone,
}

impl TimeForm {
    /// From a format with `%` directives and the name of a zone (`Europe/Berlin`, `UTC`, `+02:00`).
    ///
    /// # Errors
    /// When the zone is not known, or a time written in the format cannot be read again.
    pub fn new(format: &str, zone: &str) -> Result<Self, String> {
        let zone = time::zone(zone)?;
        let form = Self {
            format: format.to_owned(),
            zone,
        };
        // Every field differs from the others, so that one that is missing is noticed.
        let probe = Timestamp::from_second(1_234_567_890).map_err(|error| error.to_string())?;
        let written = form.write(probe)?;
        form.read(&written)
            .map_err(|error| format!("a time written in it cannot be read again: {error}"))?;
        Ok(form)
    }

    /// The time as text.
    ///
    /// # Errors
    /// When the format is none.
    pub fn write(&self, time: Timestamp) -> Result<String, String> {
        time::format(time, Some(&self.format), &self.zone)
    }

    /// The time that a text is. A text that names its own zone keeps it.
    ///
    /// # Errors
    /// When it does not fit the format; without the text.
    pub fn read(&self, text: &str) -> Result<Timestamp, String> {
        time::parse(text, Some(&self.format), &self.zone)
    }
}
