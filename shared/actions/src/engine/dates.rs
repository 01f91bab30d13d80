//! The range of a list as the ticketing system writes times: `meta_info.dates`.

use serde_json::{Map, Value};

use super::Engine;
use crate::error::ApiError;
use crate::time;

impl Engine<'_> {
    /// Sets `meta_info.dates` for a run over this context, where the connector says how its system writes times.
    pub(super) fn set_dates(&mut self, context: &Value) -> Result<(), ApiError> {
        let Some(dates) = &self.installation.dates else {
            return Ok(());
        };
        let mut written = Map::new();
        for key in ["updated_start_ts", "updated_end_ts"] {
            let time = context
                .get(key)
                .and_then(Value::as_str)
                .and_then(time::parse_strict);
            let text = time.map(|time| dates.form.write(time)).transpose();
            let text = text.map_err(|mistake| ApiError::internal(format!("connector.dates: {mistake}")))?;
            written.insert(key.to_owned(), text.into());
        }
        if let Some(meta_info) = self.meta_info.as_object_mut() {
            meta_info.insert("dates".to_owned(), written.into());
        }
        Ok(())
    }
}
