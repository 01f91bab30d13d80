use super::{Evaluate, Operator, constructor, refuse};
use crate::compile::Compiler;
use crate::datum::Datum;
use crate::document::Node;
use crate::documentation::{Documentation, Example, Parameter};
use crate::explain::Parts;
use crate::fault::Fault;
use crate::machine::Machine;
use crate::plan::{MappingNode, Shape, Tracer};

pub(crate) static STRIP_HTML: Operator = Operator {
    documentation: Documentation {
        name: "STRIP_HTML()",
        signature: "STRIP_HTML(): <mapping>",
        summary: "The text of an HTML text: tags go, entities become characters, blocks and `<br>` begin a new line. \
                  Null stays null.",
        parameters: &[Parameter {
            name: "text",
            description: "Written directly under STRIP_HTML(): a mapping whose value is a text.",
        }],
        examples: &[
            Example {
                title: "Blocks are lines, inline tags leave no gap",
                mapping: "STRIP_HTML(): description",
                input: r#"{"description": "<div>The <b>VPN</b> is down.</div><div>Since 9 o&#39;clock</div>"}"#,
                output: r#""The VPN is down.\nSince 9 o'clock""#,
            },
            Example {
                title: "Nothing to strip",
                mapping: "STRIP_HTML(): description",
                input: "{}",
                output: "null",
            },
        ],
    },
    compile,
};

#[derive(Debug)]
struct StripHtml {
    text: MappingNode,
}

fn compile(node: &Node, compiler: &mut Compiler) -> Option<Box<dyn Evaluate>> {
    if constructor(node).is_some() {
        refuse("STRIP_HTML()", "a text", node, compiler);
        return None;
    }
    Some(Box::new(StripHtml {
        text: compiler.node(node),
    }))
}

impl Evaluate for StripHtml {
    fn evaluate<'v>(&'v self, machine: &mut Machine<'v>) -> Result<Datum<'v>, Fault> {
        match machine.node(&self.text)? {
            Datum::Null => Ok(Datum::Null),
            Datum::Text(text) => machine.stripped(&text),
            other => {
                let message = format!("expected text, found {}", other.kind());
                Err(Fault::types("STRIP_HTML()", message).in_place(&self.text.place))
            }
        }
    }

    fn explain<'v>(&'v self, machine: &mut Machine<'v>, parts: &mut Parts) -> &'static str {
        parts.argument(machine, "text", &self.text);
        STRIP_HTML.documentation.name
    }

    fn trace(&self, tracer: &mut Tracer) -> Shape {
        tracer.used(&self.text);
        Shape::computed()
    }
}
