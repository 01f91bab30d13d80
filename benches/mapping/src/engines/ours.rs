use mapping::{Environment, Mapping};
use serde_json::Value;

use super::{Engine, Program};
use crate::documents::{ADDRESS, STATES};
use crate::job::Job;

pub const ENGINE: Engine = Engine {
    name: "ours",
    package: "mapping",
    partial: None,
    has_output: true,
    compile,
};

struct Ours(Mapping, Environment);

/// The normal form of the ticket that a prefix such as `item.` leads to, as YAML with some indentation.
fn ticket(prefix: &str, indent: &str) -> String {
    let states: String = STATES
        .iter()
        .map(|(code, state)| format!("{indent}      \"{code}\": \"'{state}'\"\n"))
        .collect();
    let lines = [
        format!("id: {prefix}number.display_value.$TRIM()"),
        format!("external_id: {prefix}sys_id.value"),
        format!("title: {prefix}short_description.display_value"),
        format!(
            "state:\n{indent}  LOOKUP():\n{indent}    key: {prefix}state.value\n{indent}    mapping:\n{states}{indent}    default: \"'UNKNOWN'\""
        ),
        format!("requester: {prefix}caller_id.display_value.$LOWERCASE()"),
        format!("assignee: {prefix}assigned_to.display_value OR \"unassigned\""),
        format!("url: $CONCAT([\"{ADDRESS}\", {prefix}sys_id.value])"),
        format!("updated_at: $CONCAT([{prefix}sys_updated_on.value.$REPLACE(\" \", \"T\"), \"Z\"])"),
        format!(
            "comments:\n{indent}  MAP():\n{indent}    items: {prefix}comments.$FILTER(comment => NOT comment.internal)\n{indent}    converter: {{id: item.id, body: item.body}}"
        ),
    ];
    lines.map(|line| format!("{indent}{line}\n")).concat()
}

fn source(job: &Job) -> String {
    match job {
        Job::Ticket => ticket("", ""),
        Job::Page => format!(
            "MAP():\n  items: items\n  converter:\n{}",
            ticket("item.", "    ")
        ),
        Job::Copy(fields) => fields
            .iter()
            .map(|(name, path)| format!("{name}: {}\n", path.join(".")))
            .collect(),
    }
}

fn compile(job: &Job) -> Result<Box<dyn Program>, String> {
    let document = mapping::parse("job.yaml", source(job)).map_err(|mistake| mistake.to_string())?;
    let mapping = Mapping::compile(&document).map_err(|mistakes| mistakes[0].to_string())?;
    Ok(Box::new(Ours(mapping, Environment::now())))
}

impl Program for Ours {
    fn text(&self, input: &str, output: &mut Vec<u8>) {
        self.0.write_json(input, &self.1, output).unwrap();
    }

    fn parsed<'p>(&'p self, inputs: &[String]) -> Option<Box<dyn Fn(usize) + 'p>> {
        let inputs: Vec<Value> = inputs
            .iter()
            .map(|input| serde_json::from_str(input).unwrap())
            .collect();
        Some(Box::new(move |n| {
            drop(self.0.evaluate(&inputs[n], &self.1).unwrap())
        }))
    }
}
