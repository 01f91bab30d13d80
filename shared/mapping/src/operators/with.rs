use super::arguments::Arguments;
use super::named::Named;
use super::{Evaluate, Operator};
use crate::compile::Compiler;
use crate::document::Node;
use crate::documentation::{Documentation, Example, Parameter};

pub(crate) static WITH: Operator = Operator {
    documentation: Documentation {
        name: "WITH()",
        signature: "WITH(): {args: {<name>: <mapping>, ...}, converter: <mapping>}",
        summary: "A mapping with named values. Each argument is evaluated where WITH() stands; in the converter its \
                  name shadows a field of the input of the same name. It does for any mapping what EVAL() does for an \
                  expression, so that one converter serves a single value and the elements of a list.",
        parameters: &[
            Parameter {
                name: "args",
                description: "Names and the mappings whose values they stand for. They do not see one another.",
            },
            Parameter {
                name: "converter",
                description: "The mapping.",
            },
        ],
        examples: &[
            Example {
                title: "One converter for a list and for a single value",
                mapping: "all:\n  MAP():\n    items: tickets\n    converter: &ticket {id: item.number.$TEXT(), title: item.title}\nnewest:\n  WITH():\n    args: {item: newest}\n    converter: *ticket\n",
                input: r#"{"tickets": [{"number": 1, "title": "VPN"}], "newest": {"number": 2, "title": "Mail"}}"#,
                output: r#"{"all": [{"id": "1", "title": "VPN"}], "newest": {"id": "2", "title": "Mail"}}"#,
            },
            Example {
                title: "A value that several fields need",
                mapping: "WITH():\n  args: {user: \"people[owner]\"}\n  converter: {owner: user.name, mail: user.mail.$LOWERCASE()}\n",
                input: r#"{"owner": "u7", "people": {"u7": {"name": "Ann", "mail": "Ann@example.com"}}}"#,
                output: r#"{"owner": "Ann", "mail": "ann@example.com"}"#,
            },
        ],
    },
    compile,
};

fn compile(node: &Node, compiler: &mut Compiler) -> Option<Box<dyn Evaluate>> {
    let arguments = Arguments::read(&WITH.documentation, node, compiler)?;
    let names = arguments.names("args", compiler);
    Named::compile(&arguments, names, "converter", compiler)
}
