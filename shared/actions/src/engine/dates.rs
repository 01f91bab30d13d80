//! The range of a list as the ticketing system writes times: `meta_info.dates`.

use serde_json::{Value, json};

use super::Engine;
use crate::error::ApiError;
use crate::time;

impl Engine<'_> {
    /// Sets `meta_info.dates` for a run over this context, where the connector says how its system writes times.
    pub(super) fn set_dates(&mut self, context: &Value) -> Result<(), ApiError> {
        let Some(dates) = &self.installation.dates else {
            return Ok(());
        };
        let time = |key: &str| {
            context
                .get(key)
                .and_then(Value::as_str)
                .and_then(time::parse_strict)
        };
        let failed = |mistake| ApiError::internal(format!("connector.dates: {mistake}"));
        let start = time("updated_start_ts").map(|time| dates.start(time));
        let end = time("updated_end_ts").map(|time| dates.end(time));
        let written = json!({
            "updated_start_ts": start.transpose().map_err(failed)?,
            "updated_end_ts": end.transpose().map_err(failed)?,
        });
        if let Some(meta_info) = self.meta_info.as_object_mut() {
            meta_info.insert("dates".to_owned(), written);
        }
        Ok(())
    }
}
