//! `retry_from`: a change that was refused because something changed meanwhile is done again, from the step that read it.

use std::collections::HashMap;

use integration::Step;

use super::Engine;
use crate::error::outcome::Failure;
use crate::error::{ApiError, ErrorCode, FromUpstream};

/// How often each step of a run was done again, by its number.
#[derive(Default)]
pub(super) struct Retries(HashMap<usize, u32>);

impl Engine<'_> {
    /// The number of the step to go on with after a failed one.
    ///
    /// # Errors
    /// The failure, where the step is not to be done again.
    pub(super) fn begin_again(
        &self,
        step: &Step,
        number: usize,
        failure: Failure,
        retries: &mut Retries,
    ) -> Result<usize, Failure> {
        let (Some(retry_from), Some(status)) = (&step.retry_from, self.refusal) else {
            return Err(failure);
        };
        if !retry_from.on_status.contains(&status) {
            return Err(failure);
        }
        let done = retries.0.entry(number).or_default();
        if *done < retry_from.times {
            *done += 1;
            tracing::debug!(
                step = step.action_name,
                status,
                again = *done,
                "read again and retry"
            );
            return Ok(retry_from.step);
        }
        // A 4xx tells a caller to send the request again: not after a change that was made.
        let code = if self.changes == 0 {
            ErrorCode::Conflict
        } else {
            ErrorCode::ExternalRestError
        };
        let message = format!(
            "`{}` was refused ({status}) each of the {} times that it was tried, because somebody else changed the same \
             thing meanwhile; try again later",
            step.action_name,
            retry_from.times + 1
        );
        let error = ApiError::new(code, message)
            .detail("step", step.action_name.as_str())
            .detail("upstream_status", status)
            .of_upstream(FromUpstream::Refused);
        Err(Failure {
            error,
            outcome: failure.outcome,
        })
    }
}
