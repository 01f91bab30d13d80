use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use crate::compile::Compiler;
use crate::datum::Datum;
use crate::document::{self, Node, Source};
use crate::fault::{Fault, fault_code};
use crate::machine::{Machine, Output};
use crate::plan::{InputPath, MappingNode, Tracer};
use crate::projection::{self, Excerpt, Projection};
use crate::{Diagnostic, Environment, EvaluationError, Explanation, Place, explain};

/// A compiled mapping. It can be shared between threads; cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Mapping(Arc<Compiled>);

#[derive(Debug)]
struct Compiled {
    plan: MappingNode,
    reads: Vec<InputPath>,
    projection: Projection,
    warnings: Vec<Diagnostic>,
}

impl Mapping {
    /// Compiles a mapping that is part of a document.
    ///
    /// # Errors
    /// Every mistake in it, in the order in which they were found. Their codes are those of [`crate::code`].
    pub fn compile(node: &Node) -> Result<Mapping, Vec<Diagnostic>> {
        Mapping::compile_with(|compiler| compiler.node(node))
    }

    /// Compiles one expression.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn compile_text(expression: &str) -> Result<Mapping, Vec<Diagnostic>> {
        let source = Source::new("expression", expression);
        let place = Place::new(&source, 0, expression.len());
        Mapping::compile_with(|compiler| compiler.whole_expression(expression, &place))
    }

    /// Compiles a mapping that was never written down, such as one of an API. Places are those in it as indented
    /// JSON.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn compile_value(value: &Value) -> Result<Mapping, Vec<Diagnostic>> {
        Mapping::compile(&document::from_value("mapping", value))
    }

    fn compile_with(compile: impl FnOnce(&mut Compiler) -> MappingNode) -> Result<Mapping, Vec<Diagnostic>> {
        let mut compiler = Compiler::default();
        let plan = compile(&mut compiler);
        if !compiler.diagnostics.is_empty() {
            return Err(distinct(compiler.diagnostics));
        }
        let tracer = Tracer::of(&plan);
        let projection = Projection::from(tracer.outline());
        let reads = tracer.finish();
        let warnings = distinct(compiler.warnings);
        Ok(Mapping(Arc::new(Compiled {
            plan,
            reads,
            projection,
            warnings,
        })))
    }

    /// What works, but is hardly what was meant, such as a dash in a name that is read as a minus.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.0.warnings
    }

    /// Maps an input.
    ///
    /// # Errors
    /// A value of the wrong type, arithmetic without a result, or a limit of the environment that was passed. What
    /// is missing is null and no error.
    pub fn evaluate(&self, root: &Value, environment: &Environment) -> Result<Value, EvaluationError> {
        self.evaluate_with(root, &[], environment)
    }

    /// Maps an input with names that shadow its fields, as locals do. `$` is the input without them.
    ///
    /// # Errors
    /// As [`Mapping::evaluate`].
    pub fn evaluate_with(
        &self,
        root: &Value,
        bindings: &[(&str, &Value)],
        environment: &Environment,
    ) -> Result<Value, EvaluationError> {
        self.run(Datum::from(root), bindings, environment, Machine::value)
    }

    /// Maps an input that is still JSON text, as if it were read and given to [`Mapping::evaluate`]. What the mapping
    /// does not use is skipped and never built, see [`Projection`].
    ///
    /// # Errors
    /// As [`Mapping::evaluate`]; also a text that is not JSON.
    pub fn evaluate_json(&self, input: &str, environment: &Environment) -> Result<Value, EvaluationError> {
        let input = self.read(input)?;
        self.run(Datum::from(&input), &[], environment, Machine::value)
    }

    /// The same as [`Mapping::evaluate_json`], with the result as JSON text at the end of `output`. After an error
    /// `output` is as it was.
    ///
    /// # Errors
    /// As [`Mapping::evaluate_json`].
    pub fn write_json(
        &self,
        input: &str,
        environment: &Environment,
        output: &mut Vec<u8>,
    ) -> Result<(), EvaluationError> {
        let input = self.read(input)?;
        let before = output.len();
        let written = self.run(Datum::from(&input), &[], environment, |machine, plan| {
            machine.write_node(plan, &mut Output::new(output, &environment.limits))
        });
        if written.is_ok() {
            return written;
        }
        // The first error on that way need not be the one that everybody else is told.
        output.truncate(before);
        let value = self.run(Datum::from(&input), &[], environment, Machine::value)?;
        serde_json::to_writer(output, &value).ok();
        Ok(())
    }

    fn read<'t>(&'t self, input: &'t str) -> Result<Excerpt<'t>, EvaluationError> {
        projection::read(self.0.projection.outline(), input).map_err(|error| {
            Fault::new(fault_code::INPUT, format!("the input is not JSON: {error}")).into_error(None)
        })
    }

    fn run<'v, R>(
        &'v self,
        root: Datum<'v>,
        bindings: &[(&'v str, &'v Value)],
        environment: &'v Environment,
        run: impl FnOnce(&mut Machine<'v>, &'v MappingNode) -> Result<R, Fault>,
    ) -> Result<R, EvaluationError> {
        let mut machine = Machine::new(root, bindings, environment);
        run(&mut machine, &self.0.plan).map_err(|fault| fault.into_error(Some(self.place())))
    }

    /// What the mapping uses of an input, to read no more of a text than that.
    pub fn projection(&self) -> &Projection {
        &self.0.projection
    }

    /// Every part of an input that the mapping can touch, each once and none below another. A list or object that is only
    /// walked is listed where nothing below it is read; elsewhere the paths below stand for it, and that it is there, with
    /// as many parts as it has, may matter all the same. Locals are not input; names bound by [`Mapping::evaluate_with`]
    /// are listed as if they were fields of it.
    pub fn reads(&self) -> &[InputPath] {
        &self.0.reads
    }

    /// How the result for an input comes about, part by part. For people: it evaluates every part again, and takes a
    /// multiple of the time of [`Mapping::evaluate`].
    pub fn explain(&self, root: &Value, environment: &Environment) -> Explanation {
        explain::explain(
            &mut Machine::new(Datum::from(root), &[], environment),
            &self.0.plan,
        )
    }

    /// Where the mapping is written.
    pub fn place(&self) -> &Place {
        &self.0.plan.place
    }
}

/// What an alias of the document stands for is compiled at each alias, and its mistakes are found as often.
fn distinct(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut seen = HashSet::new();
    let new = |diagnostic: &Diagnostic| {
        let place = diagnostic
            .place
            .as_ref()
            .map(|place| (place.source.name.clone(), place.start, place.end));
        seen.insert((diagnostic.code, diagnostic.message.clone(), place))
    };
    diagnostics.into_iter().filter(new).collect()
}
