use crate::compile::{Compiler, LoopNames};
use crate::datum::Datum;
use crate::diagnostic::{Diagnostic, code, did_you_mean};
use crate::document::{Content, Key, Node};
use crate::documentation::Documentation;
use crate::dsl;
use crate::explain::Parts;
use crate::fault::Fault;
use crate::machine::Machine;
use crate::plan::{MappingNode, Shape, Tracer, loop_slot};

/// The arguments of an operator that takes an object of them. Those that may be left out end in `?` in its
/// documentation.
pub(super) struct Arguments<'a> {
    pub(super) operator: &'static str,
    node: &'a Node,
}

impl<'a> Arguments<'a> {
    /// Checks that what is written has all arguments that are needed and no others. When it has not, the others are
    /// still compiled: they may have mistakes of their own.
    pub(super) fn read(
        documentation: &Documentation,
        node: &'a Node,
        compiler: &mut Compiler,
    ) -> Option<Self> {
        let operator = documentation.name;
        let names: Vec<&str> = documentation
            .parameters
            .iter()
            .map(|parameter| parameter.name)
            .collect();
        let known = || names.iter().map(|name| name.trim_end_matches('?'));
        if !matches!(node.content, Content::Object(_)) {
            compiler.report(
                Diagnostic::error(
                    code::ARGUMENT_KIND,
                    format!("{operator} takes an object, found {}", node.kind()),
                )
                .at(&node.place)
                .help(format!("its keys are {}", names.join(", "))),
            );
            return None;
        }
        for (key, _) in node.entries() {
            if !known().any(|name| name == key.name) {
                let help = match did_you_mean(&key.name, known()) {
                    Some(name) => format!("did you mean {name}?"),
                    None => format!("its keys are {}", names.join(", ")),
                };
                compiler.report(
                    Diagnostic::error(
                        code::UNKNOWN_ARGUMENT,
                        format!("{operator} has no key \"{}\"", key.name),
                    )
                    .at(&key.place)
                    .help(help),
                );
            }
        }
        for name in names.iter().filter(|name| !name.ends_with('?')) {
            if node.get(name).is_none() {
                compiler.report(
                    Diagnostic::error(
                        code::MISSING_ARGUMENT,
                        format!("{operator} needs the key \"{name}\""),
                    )
                    .at(&node.place)
                    .help(documentation.signature),
                );
            }
        }
        Some(Arguments { operator, node })
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Node> {
        self.node.get(name)
    }

    /// An argument that is not a mapping, unless it is null.
    pub(super) fn given(&self, name: &str) -> Option<&'a Node> {
        self.get(name)
            .filter(|node| !matches!(node.content, Content::Null))
    }

    /// An argument that is a mapping.
    pub(super) fn mapping(&self, name: &str, compiler: &mut Compiler) -> Option<MappingNode> {
        self.get(name).map(|node| compiler.node(node))
    }

    /// An argument that is a text as it is, not an expression. Null is none.
    pub(super) fn text(&self, name: &str, compiler: &mut Compiler) -> Option<String> {
        let node = self.get(name)?;
        match &node.content {
            Content::Text(text) => Some(text.clone()),
            Content::Null => None,
            _ => {
                self.wrong_kind(name, "a text", node, compiler);
                None
            }
        }
    }

    /// An argument that gives names to mappings. Null is none.
    pub(super) fn names(&self, name: &str, compiler: &mut Compiler) -> Names {
        let Some(node) = self.given(name) else {
            return Names::default();
        };
        if !matches!(node.content, Content::Object(_)) {
            self.wrong_kind(name, "an object of names and mappings", node, compiler);
            return Names::default();
        }
        let entries = node.entries().iter();
        let entries = entries.map(|(key, node)| {
            check_name(&key.name, key, compiler);
            (key.clone(), compiler.node(node))
        });
        Names {
            entries: entries.collect(),
            shared: is_anchored(node),
        }
    }

    /// `context` of an operator that loops: other names for what it gives to each turn.
    pub(super) fn loop_names(&self, compiler: &mut Compiler) -> LoopNames {
        const KEYS: [(&str, usize); 4] = [
            ("item", loop_slot::ITEM),
            ("index", loop_slot::INDEX0),
            ("length", loop_slot::LENGTH),
            ("key", loop_slot::KEY),
        ];
        let mut names = LoopNames::default();
        let Some(node) = self.given("context") else {
            return names;
        };
        if !matches!(node.content, Content::Object(_)) {
            self.wrong_kind(
                "context",
                "an object such as {item: ticket, index: i}",
                node,
                compiler,
            );
            return names;
        }
        for (key, node) in node.entries() {
            let Some((_, slot)) = KEYS.iter().find(|(name, _)| *name == key.name) else {
                let known = KEYS.map(|(name, _)| name);
                let help = match did_you_mean(&key.name, known) {
                    Some(name) => format!("did you mean {name}?"),
                    None => format!("its keys are {}", known.join(", ")),
                };
                let message = format!("context has no key \"{}\"", key.name);
                compiler.report(
                    Diagnostic::error(code::UNKNOWN_ARGUMENT, message)
                        .at(&key.place)
                        .help(help),
                );
                continue;
            };
            let Some(name) = node.as_text() else {
                self.wrong_kind("context", "a name", node, compiler);
                continue;
            };
            check_name(
                name,
                &Key {
                    place: node.place.clone(),
                    name: name.to_owned(),
                },
                compiler,
            );
            names.values.retain(|(_, known)| known != slot);
            names.values.push((name.to_owned(), *slot));
        }
        names
    }

    pub(super) fn wrong_kind(&self, name: &str, expected: &str, node: &Node, compiler: &mut Compiler) {
        let message = format!(
            "\"{name}\" of {} must be {expected}, found {}",
            self.operator,
            node.kind()
        );
        compiler.report(Diagnostic::error(code::ARGUMENT_KIND, message).at(&node.place));
    }
}

/// Mappings with names, evaluated where they are written and visible elsewhere.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) entries: Vec<(Key, MappingNode)>,
    /// Written once for several places, each of which reads what it needs.
    shared: bool,
}

impl Names {
    /// The values, in the order of the names.
    pub(super) fn evaluate<'v>(&'v self, machine: &mut Machine<'v>) -> Result<Vec<Datum<'v>>, Fault> {
        self.entries.iter().map(|(_, node)| machine.node(node)).collect()
    }

    /// Explains them; gives their values, unless one has none.
    pub(super) fn explain<'v>(
        &'v self,
        machine: &mut Machine<'v>,
        parts: &mut Parts,
    ) -> Option<Vec<Datum<'v>>> {
        let explain = |(key, node): &'v (Key, MappingNode)| parts.argument(machine, &key.name, node);
        self.entries.iter().map(explain).collect()
    }

    pub(super) fn trace(&self, tracer: &mut Tracer) -> Vec<Shape> {
        self.entries.iter().map(|(_, node)| tracer.node(node)).collect()
    }

    /// Compiles what sees the names. A name that it does not read is hardly what was meant.
    pub(super) fn around<R>(
        &self,
        operator: &str,
        compiler: &mut Compiler,
        compile: impl FnOnce(&mut Compiler) -> R,
    ) -> R {
        let names: Vec<&str> = self.entries.iter().map(|(key, _)| key.name.as_str()).collect();
        let (result, locals) = compiler.with_locals(&names, compile);
        for ((key, _), local) in self.entries.iter().zip(locals) {
            if !local.is_read && !self.shared {
                compiler.report(
                    Diagnostic::warning(
                        code::UNREAD_NAME,
                        format!("nothing in {operator} reads \"{}\"", key.name),
                    )
                    .at(&key.place)
                    .help("take it out, or look for a name that is spelt in another way where it should be read"),
                );
            }
        }
        result
    }
}

/// Whether a node has an anchor: with it its text begins. What an alias stands for has the same place.
fn is_anchored(node: &Node) -> bool {
    let text = node.place.source.text.get(node.place.start..);
    text.is_some_and(|text| text.starts_with('&'))
}

fn check_name(name: &str, key: &Key, compiler: &mut Compiler) {
    let message = if dsl::is_keyword(name) {
        format!("\"{name}\" is a keyword and cannot be used as a name")
    } else if !dsl::is_name(name) {
        format!("\"{name}\" cannot be used as a name in an expression")
    } else {
        return;
    };
    compiler.report(
        Diagnostic::error(code::ARGUMENT_KIND, message)
            .at(&key.place)
            .help("a name has letters, digits and _, and does not begin with a digit"),
    );
}
