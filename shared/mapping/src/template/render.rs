use std::borrow::Cow;

use super::parse::{Computed, Part, Reference};
use super::{Escape, Template};
use crate::datum::Datum;
use crate::document::Place;
use crate::fault::{Fault, fault_code};
use crate::machine::Machine;

impl Template {
    /// Renders where the machine stands. `scope` is where names are looked up, the last first; the first is what
    /// `{{.}}` is outside of sections.
    pub(crate) fn render_in<'v>(
        &'v self,
        machine: &mut Machine<'v>,
        scope: Vec<Datum<'v>>,
        escape: &mut dyn Escape,
    ) -> Result<String, Fault> {
        let mut rendering = Rendering {
            machine,
            outside: scope.len(),
            scope,
            escape,
            place: &self.0.place,
            out: String::new(),
        };
        rendering.parts(&self.0.parts)?;
        Ok(rendering.out)
    }
}

struct Rendering<'r, 'v> {
    machine: &'r mut Machine<'v>,
    scope: Vec<Datum<'v>>,
    /// How much of the scope was there before any section.
    outside: usize,
    escape: &'r mut dyn Escape,
    place: &'v Place,
    out: String,
}

impl<'v> Rendering<'_, 'v> {
    fn parts(&mut self, parts: &'v [Part]) -> Result<(), Fault> {
        for part in parts {
            self.machine.spend(1)?;
            match part {
                Part::Text(text) => self.escape.literal(text, &mut self.out),
                Part::Value { what, raw, span } => {
                    let value = self.value(what)?;
                    if !value.is_null() {
                        let at = || self.place.within(span.start, span.len());
                        let value = self
                            .machine
                            .finish(value)
                            .map_err(|fault| fault.in_place(&at()))?;
                        self.escape
                            .value(&value, *raw, &mut self.out)
                            .map_err(|message| Fault::new(fault_code::VALUE, message).in_place(&at()))?;
                    }
                }
                Part::Section {
                    what,
                    inverted,
                    parts,
                    ..
                } => {
                    let value = self.value(what)?;
                    match (inverted, value.is_truthy()) {
                        (true, false) => self.parts(parts)?,
                        (false, true) => self.section(value, parts)?,
                        (true, true) | (false, false) => {}
                    }
                }
            }
            let most = self.machine.environment.limits.output_bytes;
            if self.out.len() > most {
                return Err(Fault::new(
                    fault_code::OUTPUT,
                    format!("the text is larger than {most} bytes"),
                ));
            }
        }
        Ok(())
    }

    fn section(&mut self, value: Datum<'v>, parts: &'v [Part]) -> Result<(), Fault> {
        if let Datum::List(list) = &value {
            for element in list.iter() {
                self.within(element, parts)?;
            }
            return Ok(());
        }
        self.within(value, parts)
    }

    fn within(&mut self, value: Datum<'v>, parts: &'v [Part]) -> Result<(), Fault> {
        self.machine.spend(1)?;
        self.scope.push(value);
        let result = self.parts(parts);
        self.scope.pop();
        result
    }

    fn value(&mut self, what: &'v Reference) -> Result<Datum<'v>, Fault> {
        match what {
            Reference::Current => {
                let in_section = self.scope.len() > self.outside;
                let current = if in_section {
                    self.scope.last()
                } else {
                    self.scope.first()
                };
                let current = current.cloned().unwrap_or(Datum::Null);
                self.copied(current)
            }
            Reference::Name(names) => {
                let Some((first, rest)) = names.split_first() else {
                    return Ok(Datum::Null);
                };
                let mut value = self.nearest(first)?;
                for name in rest {
                    value = self.field(&value, name)?.unwrap_or(Datum::Null);
                }
                self.copied(value)
            }
            Reference::Expression(Computed {
                expression,
                names,
                span,
            }) => {
                let values = names
                    .iter()
                    .map(|name| self.nearest(name))
                    .collect::<Result<Vec<_>, _>>()?;
                self.machine
                    .with_locals(values, |machine| machine.expression(expression))
                    .map_err(|fault| fault.in_place(&self.place.within(span.start, span.len())))
            }
        }
    }

    /// A name where it is found first, from the innermost section to the root.
    fn nearest(&mut self, name: &str) -> Result<Datum<'v>, Fault> {
        for depth in (0..self.scope.len()).rev() {
            let Some(scope) = self.scope.get(depth).cloned() else {
                continue;
            };
            if let Some(value) = self.field(&scope, name)? {
                return Ok(value);
            }
        }
        Ok(Datum::Null)
    }

    fn field(&mut self, value: &Datum<'v>, name: &str) -> Result<Option<Datum<'v>>, Fault> {
        match value {
            Datum::Object(object) => {
                // A field of an object that was built is searched for.
                self.machine.spend(1 + object.len() as u64 / 16)?;
                Ok(if object.contains(name) {
                    object.get(name)
                } else {
                    None
                })
            }
            Datum::List(list) => Ok(name.parse().ok().and_then(|position| list.get(position))),
            _ => Ok(None),
        }
    }

    /// Pays for a clone of a text that was built, the one clone that copies.
    fn copied(&mut self, value: Datum<'v>) -> Result<Datum<'v>, Fault> {
        if let Datum::Text(Cow::Owned(text)) = &value {
            self.machine.spend(text.len() as u64 / 256)?;
        }
        Ok(value)
    }
}
