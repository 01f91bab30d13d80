use std::cell::RefCell;

use vrl::compiler::state::RuntimeState;
use vrl::compiler::{Context, TargetValue, TimeZone};
use vrl::value::{Secrets, Value};

use super::{Engine, Program};
use crate::documents::{ADDRESS, STATES};
use crate::job::Job;

pub const ENGINE: Engine = Engine {
    name: "VRL",
    package: "vrl",
    partial: None,
    has_output: true,
    compile,
};

struct Vrl(vrl::compiler::Program, TimeZone);

/// The normal form of the ticket in a variable; the target itself is the empty name.
fn ticket(variable: &str) -> String {
    let states: String = STATES
        .iter()
        .map(|(code, state)| format!("if code == \"{code}\" {{ \"{state}\" }} else "))
        .collect();
    format!(
        r#"
        code = {variable}.state.value
        state = {states} {{ "UNKNOWN" }}
        assignee = {variable}.assigned_to.display_value
        if assignee == "" {{ assignee = "unassigned" }}
        comments = filter(array!({variable}.comments)) -> |_index, comment| {{ comment.internal != true }}
        {{
            "id": strip_whitespace!({variable}.number.display_value),
            "external_id": {variable}.sys_id.value,
            "title": {variable}.short_description.display_value,
            "state": state,
            "requester": downcase!({variable}.caller_id.display_value),
            "assignee": assignee,
            "url": "{ADDRESS}" + string!({variable}.sys_id.value),
            "updated_at": replace!({variable}.sys_updated_on.value, " ", "T") + "Z",
            "comments": map_values(comments) -> |comment| {{ {{"id": comment.id, "body": comment.body}} }}
        }}"#
    )
}

fn source(job: &Job) -> String {
    match job {
        Job::Ticket => ticket(""),
        Job::Page => format!(
            "map_values(array!(.items)) -> |ticket| {{ {} }}",
            ticket("ticket")
        ),
        Job::Copy(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, path)| format!("\"{name}\": .{}", path.join(".")))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

fn compile(job: &Job) -> Result<Box<dyn Program>, String> {
    let source = source(job);
    let compiled = vrl::compiler::compile(&source, &vrl::stdlib::all())
        .map_err(|mistakes| vrl::diagnostic::Formatter::new(&source, mistakes).to_string())?;
    Ok(Box::new(Vrl(compiled.program, TimeZone::default())))
}

fn target(value: Value) -> TargetValue {
    TargetValue {
        value,
        metadata: Value::Object(Default::default()),
        secrets: Secrets::default(),
    }
}

impl Vrl {
    fn run(&self, target: &mut TargetValue) -> Value {
        let mut state = RuntimeState::default();
        self.0
            .resolve(&mut Context::new(target, &mut state, &self.1))
            .unwrap()
    }
}

impl Program for Vrl {
    fn text(&self, input: &str, output: &mut Vec<u8>) {
        let mut target = target(serde_json::from_str(input).unwrap());
        serde_json::to_writer(output, &self.run(&mut target)).unwrap();
    }

    fn parsed<'p>(&'p self, inputs: &[String]) -> Option<Box<dyn Fn(usize) + 'p>> {
        // The program changes nothing in its target, so that none has to be copied.
        let targets: Vec<RefCell<TargetValue>> = inputs
            .iter()
            .map(|input| RefCell::new(target(serde_json::from_str(input).unwrap())))
            .collect();
        Some(Box::new(move |n| drop(self.run(&mut targets[n].borrow_mut()))))
    }
}
