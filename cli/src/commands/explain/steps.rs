//! What each step did.

use integration::Step;
use mapping::{Explanation, is_truthy};
use serde_json::{Value, json};

use crate::live::places::line;
use crate::live::runs::{Run, StepRun};
use crate::live::{Live, shown};

/// Characters of a value on a line.
const WIDTH: usize = 400;

/// Whether a step ran, and why not.
enum Fate {
    Ran,
    /// Its `when` did not hold.
    Skipped(Explanation),
}

fn fate(run: &Run<'_>, step: &Step, reached: &StepRun) -> Fate {
    let Some(when) = step.when.as_ref().filter(|_| step.for_each.is_none()) else {
        return Fate::Ran;
    };
    let explanation = when.explain(&reached.bank, &run.environment());
    match &explanation.result {
        Ok(value) if !is_truthy(value) && reached.exchanges.is_empty() => Fate::Skipped(explanation),
        _ => Fate::Ran,
    }
}

/// What `input_args` sees: the data bank, and for a step with `for_each` the first element of its list, with how many
/// there are.
fn seen(run: &Run<'_>, step: &Step, reached: &StepRun) -> (Value, Option<usize>) {
    let mut bank = reached.bank.clone();
    let Some(each) = &step.for_each else {
        return (bank, None);
    };
    let items = each.items.evaluate(&reached.bank, &run.environment());
    let items = match items {
        Ok(Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let count = items.len();
    if let (Some(fields), Some(first)) = (bank.as_object_mut(), items.into_iter().next()) {
        fields.insert("item".to_owned(), first);
        fields.insert("index".to_owned(), 0.into());
    }
    (bank, Some(count))
}

/// The lines of all steps of a run.
pub(super) fn told(live: &Live, run: &Run<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let tape = &live.tape;
    for reached in &run.steps {
        let Some(step) = run.compound.steps.get(reached.index) else {
            continue;
        };
        let number = reached.index + 1;
        let name = &step.action_name;
        let place = live
            .places
            .exact(&["http_actions", name])
            .map_or_else(String::new, line);
        match fate(run, step, reached) {
            Fate::Skipped(explanation) => {
                lines.push(format!(
                    "  {number}. {name} ({place}) left out: its `when` does not hold"
                ));
                lines.push(format!(
                    "     when {} ({})",
                    one_line(&explanation),
                    line(&explanation.place)
                ));
                for path in &explanation.paths {
                    let value = shown::value(&path.value, tape, WIDTH);
                    lines.push(format!("       {} is {value}", path.path));
                }
            }
            Fate::Ran => {
                lines.push(format!(
                    "  {number}. {name} ({place}) -> data.{}",
                    step.output_key
                ));
                let (bank, elements) = seen(run, step, reached);
                if let Some(count) = elements {
                    lines.push(format!("     for each of {count}; the first one's arguments:"));
                }
                match step.input_args.evaluate(&bank, &run.environment()) {
                    Ok(Value::Object(arguments)) => {
                        for (name, value) in arguments {
                            let value = shown::value(&value, tape, WIDTH);
                            lines.push(format!("     {name}: {value}"));
                        }
                    }
                    Ok(_) => {}
                    Err(error) => lines.push(format!("     input_args: {error}")),
                }
                for exchange in &reached.exchanges {
                    let mut request = shown::request(&exchange.request, tape).into_iter();
                    lines.extend(request.next().map(|first| format!("     > {first}")));
                    lines.extend(request.map(|more| format!("       {more}")));
                    let mut answer = shown::answer(exchange, tape).into_iter();
                    lines.extend(answer.next().map(|first| format!("     < {first}")));
                    lines.extend(answer.map(|more| format!("       {more}")));
                }
                if reached.exchanges.is_empty() {
                    lines.push("     nothing was sent".to_owned());
                }
            }
        }
    }
    lines
}

/// The same as data.
pub(super) fn to_json(live: &Live, run: &Run<'_>) -> Vec<Value> {
    let of_step = |reached: &StepRun| {
        let step = run.compound.steps.get(reached.index)?;
        let place = live.places.exact(&["http_actions", &step.action_name]).map(line);
        let (bank, elements) = seen(run, step, reached);
        let arguments = step.input_args.evaluate(&bank, &run.environment());
        let exchanges: Vec<Value> = reached
            .exchanges
            .iter()
            .map(|exchange| shown::to_json(exchange, &live.tape))
            .collect();
        let skipped_by = match fate(run, step, reached) {
            Fate::Ran => Value::Null,
            Fate::Skipped(explanation) => super::output::to_json(&explanation),
        };
        Some(json!({
            "action_name": step.action_name,
            "place": place,
            "output_key": step.output_key,
            "skipped_by": skipped_by,
            "elements": elements,
            "input_args": arguments.as_ref().ok().map(|value| shown::without_named_secrets(value.clone())),
            "input_args_error": arguments.err().map(|error| error.to_string()),
            "exchanges": exchanges,
        }))
    };
    run.steps.iter().filter_map(of_step).collect()
}

/// What is written at a place, on one line.
pub(super) fn one_line(explanation: &Explanation) -> String {
    let words: Vec<&str> = explanation.place.text().split_whitespace().collect();
    shown::cut(&words.join(" "), WIDTH)
}
