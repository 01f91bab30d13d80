//! Mustache templates: of `RENDER()`, and of paths, headers and bodies of HTTP actions.
//!
//! The parser is ours because the maintained crates give no tree of what they parsed. A check before
//! anything runs needs one, to know every name that a template reads; so does a caller that escapes a
//! value by where it stands. A tag that is not a plain dotted path is an expression of the mapping
//! language.

mod escape;
mod names;
mod parse;
mod render;

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::compile::Compiler;
use crate::document::{Content, Node, Place, Source};
use crate::environment::Environment;
use crate::fault::EvaluationError;
use crate::machine::Machine;
use crate::plan::{Expression, InputPath, Kind, Origin, Path, Shape, Tracer};
use crate::{Diagnostic, code};

use escape::Replacing;
pub use escape::{Escape, HtmlEscape, Replacements};
use parse::{Computed, Part, Reference};

/// A compiled template. Cloning is cheap.
///
/// * `{{x}}` puts a value out, escaped by the caller's [`Escape`]; `{{{x}}}` and `{{&x}}` are raw.
/// * `{{#x}}...{{/x}}` repeats for the elements of a list, shows once for any other truthy value, and
///   vanishes for what is falsy in the mapping language, the empty text and `0` included.
///   `{{^x}}...{{/x}}` shows when the other vanishes.
/// * `{{a.b.0}}` goes down fields and list positions; `{{.}}` is the current value. Inside a section
///   names are looked up in its value first, then further out.
/// * `{{! comment }}` is nothing. A section or comment tag alone on its line takes the line with it.
/// * A missing name and `null` put nothing out.
/// * Any other tag is an expression: `{{from.$SPLIT("T")[0]}}`.
#[derive(Clone)]
pub struct Template(Arc<Inner>, Option<Arc<Replacements>>);

struct Inner {
    text: String,
    place: Place,
    parts: Vec<Part>,
    reads: Vec<InputPath>,
    required: Vec<InputPath>,
    warnings: Vec<Diagnostic>,
}

impl Template {
    /// Compiles the template that is a scalar of a document; a number or boolean is its text, null is empty.
    ///
    /// # Errors
    /// `TG0111` for a mistake in the tags, with its place, and the codes of expressions (`TG0101` and so on)
    /// for mistakes in those; `TG0111` too when the node is a list or an object.
    pub fn compile(node: &Node) -> Result<Template, Diagnostic> {
        let text = match &node.content {
            Content::Null => String::new(),
            Content::Bool(value) => value.to_string(),
            Content::Number(number) => number.to_string(),
            Content::Text(text) => text.clone(),
            Content::List(_) | Content::Object(_) => {
                let found = node.kind();
                return Err(Diagnostic::error(
                    code::TEMPLATE,
                    format!("a template must be text, found {found}"),
                )
                .at(&node.place)
                .help("write it as text, with `{{name}}` where a value belongs"));
            }
        };
        Template::compile_text(text, &node.place)
    }

    /// Compiles a text that stands in no document.
    ///
    /// # Errors
    /// As [`Template::compile`].
    pub fn parse(text: &str) -> Result<Template, Diagnostic> {
        let source = Source::new("template", text);
        Template::compile_text(text.to_owned(), &Place::new(&source, 0, text.len()))
    }

    fn compile_text(text: String, place: &Place) -> Result<Template, Diagnostic> {
        let mut compiler = Compiler::default();
        let Some(mut inner) = Inner::compile(&mut compiler, text, place) else {
            // What makes no template was reported.
            return Err(compiler.diagnostics.into_iter().next().unwrap_or_else(|| {
                Diagnostic::error(code::TEMPLATE, "the template cannot be read").at(place)
            }));
        };
        inner.note_reads();
        inner.warnings = compiler.warnings;
        Ok(Template(Arc::new(inner), None))
    }

    /// Compiles a template where the compiler stands; it must be rendered by [`Template::render_in`] where as many
    /// locals are alive, and its reads are for [`Template::trace`] to find. Mistakes are reported to the compiler and
    /// give nothing.
    pub(crate) fn compile_in(compiler: &mut Compiler, text: String, place: &Place) -> Option<Template> {
        Inner::compile(compiler, text, place).map(|inner| Template(Arc::new(inner), None))
    }

    /// Renders with the fields of `root` as names.
    ///
    /// # Errors
    /// `TG0303` when the escape refuses a value; else as an evaluation of a mapping. The place is that of the tag.
    pub fn render(
        &self,
        root: &Value,
        escape: &mut dyn Escape,
        environment: &Environment,
    ) -> Result<String, EvaluationError> {
        let mut machine = Machine::new(root.into(), &[], environment);
        let mut replacing;
        let escape: &mut dyn Escape = match &self.1 {
            Some(replacements) => {
                replacing = Replacing { replacements, escape };
                &mut replacing
            }
            None => escape,
        };
        self.render_in(&mut machine, vec![root.into()], escape)
            .map_err(|fault| fault.into_error(Some(&self.0.place)))
    }

    /// The same template, with these replacements in each value before the caller's [`Escape`] sees it.
    pub fn replacing(self, replacements: Replacements) -> Template {
        Template(self.0, Some(Arc::new(replacements)))
    }

    /// Whether it was given replacements with [`Template::replacing`].
    pub fn is_replacing(&self) -> bool {
        self.1.is_some()
    }

    /// Every part of the root that rendering can touch, with the tag that reads it. A name inside a section may
    /// stand for a field of the section's value or of the root: it is here as the latter.
    pub fn reads(&self) -> &[InputPath] {
        &self.0.reads
    }

    /// Those of [`Template::reads`] that can be nothing but parts of the root, because their tag stands in no
    /// section. Who knows what the root has can tell by these that a name is missing.
    pub fn required_reads(&self) -> &[InputPath] {
        &self.0.required
    }

    /// What works, but is hardly what was meant, in the expressions of its tags; see [`crate::Mapping::warnings`].
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.0.warnings
    }

    /// Whether the template gives the same text for every root.
    pub fn is_constant(&self) -> bool {
        self.0.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }

    /// The template as it is written.
    pub fn source(&self) -> &str {
        &self.0.text
    }

    /// Where it is written.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// Notes what is read when the template is rendered in a mapping. `shape_of` knows the names that are no
    /// fields of the input, and `.` when the input is not what the template sees.
    pub(crate) fn trace(&self, tracer: &mut Tracer, shape_of: &dyn Fn(&str) -> Option<Shape>) {
        for tag in references(&self.0.parts, false) {
            trace(tag.what, tracer, shape_of);
        }
    }
}

impl Inner {
    fn compile(compiler: &mut Compiler, text: String, place: &Place) -> Option<Inner> {
        let known = compiler.diagnostics.len();
        let parts = match parse::parse(&text, place, compiler) {
            Ok(parts) => parts,
            Err(diagnostic) => {
                compiler.report(diagnostic);
                return None;
            }
        };
        let place = place.clone();
        let inner = Inner {
            text,
            place,
            parts,
            reads: Vec::new(),
            required: Vec::new(),
            warnings: Vec::new(),
        };
        (compiler.diagnostics.len() == known).then_some(inner)
    }

    fn note_reads(&mut self) {
        let ruler = self.place.ruler(self.text.len());
        let (mut all, mut required) = (HashSet::new(), HashSet::new());
        for tag in references(&self.parts, false) {
            let mut tracer = Tracer::new(&ruler.part(tag.span.start, tag.span.len()));
            trace(tag.what, &mut tracer, &|_| None);
            for read in tracer.finish() {
                if !tag.in_section && required.insert(read.segments.clone()) {
                    self.required.push(read.clone());
                }
                if all.insert(read.segments.clone()) {
                    self.reads.push(read);
                }
            }
        }
    }
}

/// A tag that can stand for a part of the root.
struct Tag<'t> {
    what: &'t Reference,
    span: &'t Range<usize>,
    in_section: bool,
}

/// The tags of a template. What is inverted shows no value to what is in it, so there all is as outside.
fn references(parts: &[Part], in_section: bool) -> Vec<Tag<'_>> {
    let mut tags = Vec::new();
    for part in parts {
        let (what, span) = match part {
            Part::Text(_) => continue,
            Part::Value { what, span, .. } | Part::Section { what, span, .. } => (what, span),
        };
        // Inside a section `.` is the section's value.
        if !(in_section && matches!(what, Reference::Current)) {
            tags.push(Tag {
                what,
                span,
                in_section,
            });
        }
        if let Part::Section { inverted, parts, .. } = part {
            tags.extend(references(parts, in_section || !inverted));
        }
    }
    tags
}

fn trace(what: &Reference, tracer: &mut Tracer, shape_of: &dyn Fn(&str) -> Option<Shape>) {
    let shape = match what {
        Reference::Current => match shape_of(".") {
            Some(shape) => shape,
            None => origin(tracer, Origin::Root),
        },
        Reference::Name(names) => {
            let Some((first, rest)) = names.split_first() else {
                return;
            };
            let first = named(first, tracer, shape_of);
            rest.iter().fold(first, |shape, name| below(name, &shape, tracer))
        }
        Reference::Expression(Computed {
            expression, names, ..
        }) => {
            let shapes: Vec<Shape> = names.iter().map(|name| named(name, tracer, shape_of)).collect();
            tracer.with_locals(shapes, |tracer| tracer.expression(expression))
        }
    };
    tracer.read(&shape);
}

fn named(name: &str, tracer: &mut Tracer, shape_of: &dyn Fn(&str) -> Option<Shape>) -> Shape {
    match shape_of(name) {
        Some(shape) => shape,
        None => {
            let root = origin(tracer, Origin::Root);
            below(name, &root, tracer)
        }
    }
}

/// What a name leads to. A number may be a position of a list or a key of an object.
fn below(name: &str, shape: &Shape, tracer: &mut Tracer) -> Shape {
    if name.parse::<usize>().is_ok() {
        tracer.walk(shape);
        return tracer.each(shape);
    }
    tracer.key(shape.clone(), name)
}

fn origin(tracer: &mut Tracer, origin: Origin) -> Shape {
    let kind = Kind::Path(Path {
        origin,
        segments: Vec::new(),
    });
    tracer.expression(&Expression {
        span: Default::default(),
        kind,
    })
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.0.text).finish()
    }
}
