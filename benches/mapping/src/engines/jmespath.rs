use jmespath::{Expression, Rcvar, Variable};

use super::{Engine, Program};
use crate::documents::ADDRESS;
use crate::job::Job;

pub const ENGINE: Engine = Engine {
    name: "jmespath",
    package: "jmespath",
    partial: Some("5 of 9 fields: it cannot trim, look up, replace or change case"),
    has_output: true,
    compile,
};

struct Jmespath(Expression<'static>);

fn ticket() -> String {
    format!(
        "{{
            external_id: sys_id.value,
            title: short_description.display_value,
            assignee: assigned_to.display_value || 'unassigned',
            url: join('', ['{ADDRESS}', sys_id.value]),
            comments: comments[?internal == `false`].{{id: id, body: body}}
        }}"
    )
}

fn source(job: &Job) -> String {
    match job {
        Job::Ticket => ticket(),
        Job::Page => format!("items[].{}", ticket()),
        Job::Copy(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, path)| format!("{name}: {}", path.join(".")))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

fn compile(job: &Job) -> Result<Box<dyn Program>, String> {
    let expression = jmespath::compile(&source(job)).map_err(|mistake| mistake.to_string())?;
    Ok(Box::new(Jmespath(expression)))
}

impl Program for Jmespath {
    fn text(&self, input: &str, output: &mut Vec<u8>) {
        let input = Variable::from_json(input).unwrap();
        serde_json::to_writer(output, &self.0.search(Rcvar::new(input)).unwrap()).unwrap();
    }

    fn parsed<'p>(&'p self, inputs: &[String]) -> Option<Box<dyn Fn(usize) + 'p>> {
        let inputs: Vec<Rcvar> = inputs
            .iter()
            .map(|input| Rcvar::new(Variable::from_json(input).unwrap()))
            .collect();
        Some(Box::new(move |n| {
            drop(self.0.search(Rcvar::clone(&inputs[n])).unwrap())
        }))
    }
}
