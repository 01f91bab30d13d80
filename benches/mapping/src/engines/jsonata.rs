use jsonata_core::Expression;
use jsonata_core::value::JValue;

use super::{Engine, Program};
use crate::documents::{ADDRESS, STATES};
use crate::job::Job;

pub const ENGINE: Engine = Engine {
    name: "jsonata-core",
    package: "jsonata-core",
    partial: None,
    has_output: true,
    compile,
};

struct Jsonata(Expression);

fn ticket() -> String {
    let states: Vec<String> = STATES
        .iter()
        .map(|(code, state)| format!("\"{code}\": \"{state}\""))
        .collect();
    format!(
        r#"{{
            "id": $trim(number.display_value),
            "external_id": sys_id.value,
            "title": short_description.display_value,
            "state": ($state := $lookup({{{}}}, state.value); $state ? $state : "UNKNOWN"),
            "requester": $lowercase(caller_id.display_value),
            "assignee": assigned_to.display_value ? assigned_to.display_value : "unassigned",
            "url": "{ADDRESS}" & sys_id.value,
            "updated_at": $replace(sys_updated_on.value, " ", "T") & "Z",
            "comments": [comments[internal = false].{{"id": id, "body": body}}]
        }}"#,
        states.join(", ")
    )
}

/// The job in JSONata, which the process on Node runs, too.
pub fn source(job: &Job) -> String {
    match job {
        Job::Ticket => ticket(),
        Job::Page => format!("[items.{}]", ticket()),
        Job::Copy(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, path)| format!("\"{name}\": {}", path.join(".")))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

fn compile(job: &Job) -> Result<Box<dyn Program>, String> {
    let expression = Expression::compile(&source(job)).map_err(|mistake| mistake.to_string())?;
    Ok(Box::new(Jsonata(expression)))
}

impl Program for Jsonata {
    fn text(&self, input: &str, output: &mut Vec<u8>) {
        let input = JValue::from_json_str(input).unwrap();
        serde_json::to_writer(output, &self.0.evaluate(&input).unwrap()).unwrap();
    }

    fn parsed<'p>(&'p self, inputs: &[String]) -> Option<Box<dyn Fn(usize) + 'p>> {
        let inputs: Vec<JValue> = inputs
            .iter()
            .map(|input| JValue::from_json_str(input).unwrap())
            .collect();
        Some(Box::new(move |n| drop(self.0.evaluate(&inputs[n]).unwrap())))
    }
}
