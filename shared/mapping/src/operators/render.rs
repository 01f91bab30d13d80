use std::borrow::Cow;
use std::cell::RefCell;

use super::arguments::{Arguments, Names};
use super::{Evaluate, Operator};
use crate::compile::{Compiler, Resolved};
use crate::datum::Datum;
use crate::document::Node;
use crate::documentation::{Documentation, Example, Parameter};
use crate::explain::Parts;
use crate::fault::Fault;
use crate::machine::Machine;
use crate::plan::{Shape, Tracer};
use crate::template::{HtmlEscape, Template};

pub(crate) static RENDER: Operator = Operator {
    documentation: Documentation {
        name: "RENDER()",
        signature: "RENDER(): {template: <text>, args?: {<name>: <mapping>, ...}}",
        summary: "Fills in a Mustache template. With `args` the template sees those and nothing else; without, it \
                  sees what an expression in its place would see. `{{x}}` escapes HTML, `{{{x}}}` does not; a missing \
                  name is empty.",
        parameters: &[
            Parameter {
                name: "template",
                description: "The template, as text.",
            },
            Parameter {
                name: "args?",
                description: "Names and the mappings whose values they stand for.",
            },
        ],
        examples: &[
            Example {
                title: "With the input",
                mapping: "RENDER():\n  template: \"Hi {{ user.name }}, first of {{#tags}}{{.}} {{/tags}}is {{ tags.0 }}.\"\n",
                input: r#"{"user": {"name": "Ada"}, "tags": ["vpn", "mail"]}"#,
                output: r#""Hi Ada, first of vpn mail is vpn.""#,
            },
            Example {
                title: "With arguments, which are all it sees",
                mapping: "RENDER():\n  template: \"{{ number }} {{ state }}|{{ secret }}\"\n  args:\n    number: ticket.id\n    state: ticket.state.$LOWERCASE()\n",
                input: r#"{"ticket": {"id": 7, "state": "OPEN"}, "secret": "x"}"#,
                output: r#""7 open|""#,
            },
            Example {
                title: "HTML is escaped",
                mapping: "RENDER(): {template: \"<b>{{ title }}</b> {{{ title }}}\"}",
                input: r#"{"title": "a < b"}"#,
                output: r#""<b>a &lt; b</b> a < b""#,
            },
        ],
    },
    compile,
};

#[derive(Debug)]
struct Render {
    template: Template,
    scope: Scope,
}

#[derive(Debug)]
enum Scope {
    Only(Names),
    /// The input and the locals that the template names.
    Everything(Vec<(String, Resolved)>),
}

fn compile(node: &Node, compiler: &mut Compiler) -> Option<Box<dyn Evaluate>> {
    let arguments = Arguments::read(&RENDER.documentation, node, compiler)?;
    let names = arguments.given("args").map(|_| arguments.names("args", compiler));
    let node = arguments.get("template")?;
    let text = match node.as_text() {
        Some(text) => text.to_owned(),
        None => {
            arguments.wrong_kind("template", "a text", node, compiler);
            return None;
        }
    };
    let template = Template::compile_in(compiler, text, &node.place)?;
    let scope = match names {
        Some(names) => Scope::Only(names),
        None => {
            let named = names_in(&template);
            let mut locals = compiler.locals();
            locals.retain(|name| named.contains(name));
            let resolved = locals.into_iter().map(|name| {
                let resolved = compiler.resolve(&name);
                (name, resolved)
            });
            Scope::Everything(resolved.collect())
        }
    };
    Some(Box::new(Render { template, scope }))
}

/// The first names of all tags.
fn names_in(template: &Template) -> Vec<String> {
    let names = RefCell::new(Vec::new());
    template.trace(&mut Tracer::new(template.place()), &|name| {
        names.borrow_mut().push(name.to_owned());
        None
    });
    names.into_inner()
}

impl Evaluate for Render {
    fn evaluate<'v>(&'v self, machine: &mut Machine<'v>) -> Result<Datum<'v>, Fault> {
        let scope = match &self.scope {
            Scope::Only(names) => {
                let values = names.evaluate(machine)?;
                let keys = names
                    .entries
                    .iter()
                    .map(|(key, _)| Cow::Borrowed(key.name.as_str()));
                vec![machine.new_object(keys.zip(values).collect())?]
            }
            Scope::Everything(locals) => {
                let mut values = Vec::with_capacity(locals.len());
                for (name, resolved) in locals {
                    let value = match resolved {
                        Resolved::Local(slot) => machine.local(*slot)?,
                        Resolved::Loop(slot) => machine.iterator(*slot)?,
                        Resolved::Root => continue,
                    };
                    values.push((Cow::Borrowed(name.as_str()), value));
                }
                let mut scope = machine.outside()?;
                scope.push(machine.new_object(values)?);
                scope
            }
        };
        let text = self.template.render_in(machine, scope, &mut HtmlEscape)?;
        machine.new_text(text)
    }

    fn explain<'v>(&'v self, machine: &mut Machine<'v>, parts: &mut Parts) -> &'static str {
        if let Scope::Only(names) = &self.scope {
            names.explain(machine, parts);
        }
        RENDER.documentation.name
    }

    fn trace(&self, tracer: &mut Tracer) -> Shape {
        let (shapes, open) = match &self.scope {
            Scope::Only(names) => {
                let shapes = names.trace(tracer);
                (
                    names
                        .entries
                        .iter()
                        .map(|(key, _)| key.name.clone())
                        .zip(shapes)
                        .collect::<Vec<_>>(),
                    false,
                )
            }
            Scope::Everything(locals) => {
                let shapes = locals.iter().map(|(name, resolved)| {
                    let shape = match resolved {
                        Resolved::Local(slot) => tracer.local(*slot),
                        Resolved::Loop(_) | Resolved::Root => Shape::computed(),
                    };
                    (name.clone(), shape)
                });
                (shapes.collect(), true)
            }
        };
        self.template.trace(
            tracer,
            &|name| match shapes.iter().find(|(known, _)| known == name) {
                Some((_, shape)) => Some(shape.clone()),
                None if open => None,
                // What is not an argument is nothing; `.` is all of them.
                None if name == "." => Some(Shape::object_of(shapes.clone())),
                None => Some(Shape::computed()),
            },
        );
        Shape::computed()
    }
}
