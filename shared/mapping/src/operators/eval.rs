use super::arguments::Arguments;
use super::named::Named;
use super::{Evaluate, Operator};
use crate::compile::Compiler;
use crate::document::{Content, Node};
use crate::documentation::{Documentation, Example, Parameter};

pub(crate) static EVAL: Operator = Operator {
    documentation: Documentation {
        name: "EVAL()",
        signature: "EVAL(): {expression: <expression>, args?: {<name>: <mapping>, ...}}",
        summary: "Evaluates an expression with named values. Each argument is evaluated where EVAL() stands; in the \
                  expression its name shadows a field of the input of the same name.",
        parameters: &[
            Parameter {
                name: "expression",
                description: "The expression, as text.",
            },
            Parameter {
                name: "args?",
                description: "Names and the mappings whose values they stand for. They do not see one another.",
            },
        ],
        examples: &[
            Example {
                title: "Names for what is long or used twice",
                mapping: "total:\n  EVAL():\n    expression: net + net * rate\n    args:\n      net: order.lines.net_amount\n      rate: 0.25\n",
                input: r#"{"order": {"lines": {"net_amount": 100}}}"#,
                output: r#"{"total": 125.0}"#,
            },
            Example {
                title: "Drop the fields that have no value",
                mapping: "EVAL():\n  expression: event.$FILTER(value => value != NULL)\n  args:\n    event: {title: data.title, place: data.place}\n",
                input: r#"{"data": {"title": "Review"}}"#,
                output: r#"{"title": "Review"}"#,
            },
        ],
    },
    compile,
};

fn compile(node: &Node, compiler: &mut Compiler) -> Option<Box<dyn Evaluate>> {
    let arguments = Arguments::read(&EVAL.documentation, node, compiler)?;
    let names = arguments.names("args", compiler);
    let expression = arguments.get("expression")?;
    if matches!(expression.content, Content::List(_) | Content::Object(_)) {
        arguments.wrong_kind(
            "expression",
            "the text of an expression (WITH() takes any mapping)",
            expression,
            compiler,
        );
        return None;
    }
    Named::compile(&arguments, names, "expression", compiler)
}
