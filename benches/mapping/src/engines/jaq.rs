use jaq_core::data::JustLut;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, unwrap_valr};
use jaq_json::{Val, read, write};

use super::{Engine, Program};
use crate::documents::{ADDRESS, STATES};
use crate::job::Job;

pub const ENGINE: Engine = Engine {
    name: "jaq",
    package: "jaq-core",
    partial: None,
    has_output: true,
    compile,
};

struct Jaq(Filter<JustLut<Val>>);

fn ticket() -> String {
    let states: Vec<String> = STATES
        .iter()
        .map(|(code, state)| format!("\"{code}\": \"{state}\""))
        .collect();
    format!(
        r#"{{
            id: (.number.display_value | trim),
            external_id: .sys_id.value,
            title: .short_description.display_value,
            state: ({{{}}}[.state.value] // "UNKNOWN"),
            requester: (.caller_id.display_value | ascii_downcase),
            assignee: (.assigned_to.display_value | if . == "" then "unassigned" else . end),
            url: ("{ADDRESS}" + .sys_id.value),
            updated_at: ((.sys_updated_on.value | split(" ") | join("T")) + "Z"),
            comments: [.comments[] | select(.internal | not) | {{id, body}}]
        }}"#,
        states.join(", ")
    )
}

fn source(job: &Job) -> String {
    match job {
        Job::Ticket => ticket(),
        Job::Page => format!("[.items[] | {}]", ticket()),
        Job::Copy(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, path)| format!("{name}: .{}", path.join(".")))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

fn compile(job: &Job) -> Result<Box<dyn Program>, String> {
    let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let (source, arena) = (source(job), Arena::default());
    let modules = Loader::new(defs)
        .load(
            &arena,
            File {
                code: source.as_str(),
                path: (),
            },
        )
        .map_err(|mistakes| format!("{mistakes:?}"))?;
    let filter = Compiler::default()
        .with_funs(funs)
        .compile(modules)
        .map_err(|mistakes| format!("{mistakes:?}"))?;
    Ok(Box::new(Jaq(filter)))
}

impl Jaq {
    fn run(&self, input: Val) -> Val {
        let context = Ctx::<JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        let result = self.0.id.run((context, input)).map(unwrap_valr).next();
        result.unwrap().unwrap()
    }
}

impl Program for Jaq {
    fn text(&self, input: &str, output: &mut Vec<u8>) {
        let result = self.run(read::parse_single(input.as_bytes()).unwrap());
        write::write(output, &write::Pp::default(), 0, &result).unwrap();
    }

    fn parsed<'p>(&'p self, inputs: &[String]) -> Option<Box<dyn Fn(usize) + 'p>> {
        let inputs: Vec<Val> = inputs
            .iter()
            .map(|input| read::parse_single(input.as_bytes()).unwrap())
            .collect();
        // Values are counted references: a clone costs next to nothing.
        Some(Box::new(move |n| drop(self.run(inputs[n].clone()))))
    }
}
