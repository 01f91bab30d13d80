use super::Evaluate;
use super::arguments::{Arguments, Names};
use crate::compile::Compiler;
use crate::datum::Datum;
use crate::explain::Parts;
use crate::fault::Fault;
use crate::machine::Machine;
use crate::plan::{MappingNode, Shape, Tracer};

/// A mapping that sees named values: `EVAL()` and `WITH()`.
#[derive(Debug)]
pub(super) struct Named {
    operator: &'static str,
    names: Names,
    /// The argument that is the mapping.
    argument: &'static str,
    mapping: MappingNode,
}

impl Named {
    /// Compiles argument `argument` where the names are seen.
    pub(super) fn compile(
        arguments: &Arguments<'_>,
        names: Names,
        argument: &'static str,
        compiler: &mut Compiler,
    ) -> Option<Box<dyn Evaluate>> {
        let operator = arguments.operator;
        let mapping = names.around(operator, compiler, |compiler| {
            arguments.mapping(argument, compiler)
        })?;
        Some(Box::new(Named {
            operator,
            names,
            argument,
            mapping,
        }))
    }
}

impl Evaluate for Named {
    fn evaluate<'v>(&'v self, machine: &mut Machine<'v>) -> Result<Datum<'v>, Fault> {
        let values = self.names.evaluate(machine)?;
        machine.with_locals(values, |machine| machine.node(&self.mapping))
    }

    fn explain<'v>(&'v self, machine: &mut Machine<'v>, parts: &mut Parts) -> &'static str {
        if let Some(values) = self.names.explain(machine, parts) {
            let explained = machine.with_locals(values, |machine| {
                parts.argument(machine, self.argument, &self.mapping);
                Ok(())
            });
            explained.ok();
        }
        self.operator
    }

    fn trace(&self, tracer: &mut Tracer) -> Shape {
        let shapes = self.names.trace(tracer);
        tracer.with_locals(shapes, |tracer| tracer.node(&self.mapping))
    }
}
