use super::arguments::{Arguments, Names};
use super::{Evaluate, Operator};
use crate::compile::Compiler;
use crate::datum::Datum;
use crate::document::Node;
use crate::documentation::{Documentation, Example, Parameter};
use crate::explain::Parts;
use crate::fault::Fault;
use crate::machine::Machine;
use crate::plan::{MappingNode, Shape, Tracer};

pub(crate) static CONDITIONAL: Operator = Operator {
    documentation: Documentation {
        name: "CONDITIONAL()",
        signature: "CONDITIONAL(): {condition: <mapping>, on_pass?: <mapping>, on_fail?: <mapping>, context?: {<name>: <mapping>, ...}}",
        summary: "One of two mappings, by a condition. The other one is not evaluated; where it is missing, the \
                  result is null.",
        parameters: &[
            Parameter {
                name: "condition",
                description: "What decides: its value is truthy or not.",
            },
            Parameter {
                name: "on_pass?",
                description: "The result if it is.",
            },
            Parameter {
                name: "on_fail?",
                description: "The result if it is not.",
            },
            Parameter {
                name: "context?",
                description: "Names and the mappings whose values they stand for, visible in the condition and in \
                              both branches.",
            },
        ],
        examples: &[
            Example {
                title: "One of two",
                mapping: "urgency:\n  CONDITIONAL():\n    condition: priority == 'high'\n    on_pass: \"'urgent'\"\n    on_fail: \"'normal'\"\n",
                input: r#"{"priority": "high"}"#,
                output: r#"{"urgency": "urgent"}"#,
            },
            Example {
                title: "A value that is used twice",
                mapping: "CONDITIONAL():\n  context: {email: requestor.email.$TRIM()}\n  condition: email\n  on_pass: {user: email}\n",
                input: r#"{"requestor": {"email": " ann@example.com "}}"#,
                output: r#"{"user": "ann@example.com"}"#,
            },
            Example {
                title: "No branch for it",
                mapping: "CONDITIONAL(): {condition: done, on_pass: \"'yes'\"}",
                input: "{}",
                output: "null",
            },
        ],
    },
    compile,
};

#[derive(Debug)]
struct Conditional {
    names: Names,
    condition: MappingNode,
    pass: Option<MappingNode>,
    fail: Option<MappingNode>,
}

fn compile(node: &Node, compiler: &mut Compiler) -> Option<Box<dyn Evaluate>> {
    let arguments = Arguments::read(&CONDITIONAL.documentation, node, compiler)?;
    let names = arguments.names("context", compiler);
    let (condition, pass, fail) = names.around(CONDITIONAL.documentation.name, compiler, |compiler| {
        (
            arguments.mapping("condition", compiler),
            arguments.mapping("on_pass", compiler),
            arguments.mapping("on_fail", compiler),
        )
    });
    Some(Box::new(Conditional {
        names,
        condition: condition?,
        pass,
        fail,
    }))
}

impl Evaluate for Conditional {
    fn evaluate<'v>(&'v self, machine: &mut Machine<'v>) -> Result<Datum<'v>, Fault> {
        let values = self.names.evaluate(machine)?;
        machine.with_locals(values, |machine| {
            let branch = if machine.node(&self.condition)?.is_truthy() {
                &self.pass
            } else {
                &self.fail
            };
            match branch {
                Some(branch) => machine.node(branch),
                None => Ok(Datum::Null),
            }
        })
    }

    fn explain<'v>(&'v self, machine: &mut Machine<'v>, parts: &mut Parts) -> &'static str {
        let Some(values) = self.names.explain(machine, parts) else {
            return CONDITIONAL.documentation.name;
        };
        let explained = machine.with_locals(values, |machine| {
            let held = parts.argument(machine, "condition", &self.condition);
            let branch = match held.map(|held| held.is_truthy()) {
                Some(true) => self.pass.as_ref().map(|branch| ("on_pass", branch)),
                Some(false) => self.fail.as_ref().map(|branch| ("on_fail", branch)),
                None => None,
            };
            if let Some((name, branch)) = branch {
                parts.argument(machine, name, branch);
            }
            Ok(())
        });
        explained.ok();
        CONDITIONAL.documentation.name
    }

    fn trace(&self, tracer: &mut Tracer) -> Shape {
        let shapes = self.names.trace(tracer);
        tracer.with_locals(shapes, |tracer| {
            tracer.tested(&self.condition);
            let mut shape = Shape::computed();
            for branch in [&self.pass, &self.fail].into_iter().flatten() {
                shape = shape.or(tracer.node(branch));
            }
            shape
        })
    }
}
