//! `for_each`: one step for each element of a list, bounded in how many and in how many at once.

use futures::StreamExt;
use futures::stream;
use integration::{ForEach, Step};
use mapping::Segment;
use serde_json::Value;

use super::{Engine, put, reads};
use crate::check::found;
use crate::error::outcome::Failure;
use crate::error::{ApiError, ErrorCode};

impl Engine<'_> {
    /// Carries out the step for each element. The result is the list of results in order, null for an element where
    /// `when` does not hold. The first failure, in the order of the list, ends it.
    pub(super) async fn each(
        &mut self,
        step: &Step,
        for_each: &ForEach,
        bank: &mut Value,
    ) -> Result<(), Failure> {
        let items = self.items(step, for_each, bank)?;
        let mut jobs = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let index = Value::from(index);
            let scope = self.scope(step, bank, &[("item", item), ("index", &index)])?;
            jobs.push((scope, self.calls.beside()));
        }
        let (client, connector) = (self.client, &self.installation.connector);
        let (action, reads) = (&step.http_action, reads(step, self.witness));
        let calls = jobs.into_iter().map(|(scope, mut context)| async move {
            let answer = match &scope {
                Some(scope) => Some(
                    client
                        .call_reading(connector, action, reads, scope, &mut context)
                        .await,
                ),
                None => None,
            };
            (answer, context)
        });
        let mut answers = stream::iter(calls).buffered(for_each.at_once);
        let mut results = Vec::with_capacity(items.len());
        while let Some((answer, context)) = answers.next().await {
            self.calls.join(context);
            let number = results.len();
            let Some(answer) = answer else {
                results.push(Value::Null);
                continue;
            };
            let answer = answer.map_err(|error| {
                let mut failure = self.not_done(step, &error);
                failure.error = failure.error.detail("index", number);
                failure
            })?;
            let index = Value::from(number);
            let item = items.get(number).unwrap_or(&Value::Null);
            put(&step.output_key, bank, answer.result);
            self.done(step, bank, &[("item", item), ("index", &index)])?;
            results.push(taken(step, bank));
        }
        put(&step.output_key, bank, Value::Array(results));
        Ok(())
    }

    /// The elements, if they are not too many.
    fn items(&self, step: &Step, for_each: &ForEach, bank: &Value) -> Result<Vec<Value>, Failure> {
        let name = &step.action_name;
        let doing = || format!("`for_each` of the step {name}");
        match self.evaluate(&for_each.items, bank, &[], doing)? {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) if items.len() <= for_each.max_items => Ok(items),
            Value::Array(items) => {
                let message = format!(
                    "the step {name} would be done for {} elements, and its `max_items` allows {}; nothing of it was sent",
                    items.len(),
                    for_each.max_items
                );
                let code = if is_of_caller(for_each) {
                    ErrorCode::InputValidationFailed
                } else {
                    ErrorCode::ExternalRestError
                };
                Err(self.stopped(ApiError::new(code, message).detail("step", name.as_str())))
            }
            other => {
                let message = format!("{} gives no list, but {}", doing(), found(&other));
                Err(self.stopped(ApiError::internal(message)))
            }
        }
    }
}

/// Whether the list is made of nothing but what the caller sent.
fn is_of_caller(for_each: &ForEach) -> bool {
    let context = ["data", "context"];
    for_each.items.reads().iter().all(|path| {
        let mut names = path.segments.iter();
        context
            .iter()
            .all(|name| matches!(names.next(), Some(Segment::Key(key)) if key == name))
    })
}

/// Takes the result of a step out of the data bank again. A step without a key keeps none.
fn taken(step: &Step, bank: &mut Value) -> Value {
    let data = bank.get_mut("data").and_then(Value::as_object_mut);
    data.and_then(|data| data.remove(&step.output_key))
        .unwrap_or_default()
}
