//! What the steps of a compound action read of the answers they get: as much as any expression looks at.
//!
//! Where the body of an answer becomes `data.<output_key>` as it is, that is what the expressions look at below that
//! name. Where it comes there in another shape, as the `items` of pages or as the list of a `for_each`, the expressions
//! are compiled once more, with the shape that the body is given in the place of `data`: then what they look at is known
//! as parts of the body.

use mapping::{Content, Key, Mapping, Node, Place, Projection, Segment};
use upstream::BodyReads;

use crate::integration::Step;
use crate::model::compound::{self, Block, Compound};
use crate::model::http_action::FailWhen;
use crate::model::paginate::Paginate;
use crate::read::{Expression, OneOrMany};

/// What the expressions of a compound action look at.
pub(crate) struct Readers<'m> {
    expressions: Vec<&'m Expression>,
    used: Projection,
}

impl<'m> Readers<'m> {
    pub(crate) fn of(model: &'m Compound) -> Self {
        let expressions = expressions(model);
        let used = Projection::of(expressions.iter().map(|expression| &expression.mapping));
        Self { expressions, used }
    }

    /// What is read of the answers that a step gets; `paginate` is that of its HTTP action. All expressions count, those
    /// of earlier steps too: `retry_from` goes back.
    pub(crate) fn of_step(
        &self,
        model: &compound::Step,
        step: &Step,
        paginate: Option<&Paginate>,
    ) -> BodyReads {
        let http_action = &step.http_action;
        let of_body = match paginate {
            None if http_action.result.is_some() => Some(Projection::new()),
            None if step.for_each.is_none() => Some(self.used.under(&["data", &step.output_key])),
            _ => self.through_shape(model, step, paginate),
        };
        // What cannot be followed may be anything.
        http_action.reads(&of_body.unwrap_or_else(Projection::everything))
    }

    /// What is read of a body that comes into `data` in another shape.
    fn through_shape(
        &self,
        model: &compound::Step,
        step: &Step,
        paginate: Option<&Paginate>,
    ) -> Option<Projection> {
        let build = Build(&model.place);
        let body = build.text("response.body");
        let mut looks = Vec::new();
        let result = match paginate {
            None => body,
            Some(paginate) => {
                let items = &paginate.items.get()?.node;
                let of_each = [&paginate.keep, &paginate.unique_by].into_iter().flatten();
                looks.push(build.map("item", items.clone(), of_each.collect()));
                // An item's place among those of all pages says nothing of its place in one.
                build.object([("items", build.each(items.clone()))])
            }
        };
        let path = ["data", step.output_key.as_str()].map(|name| Segment::Key(name.to_owned()));
        let readers = self.expressions.iter().copied();
        let mut readers: Vec<_> = readers
            .filter(|reader| reads_at(&reader.mapping, &path))
            .collect();
        let mut look = |result: Node, readers: Vec<&Expression>| {
            let data = build.object([(step.output_key.as_str(), result)]);
            looks.push(build.map("data", build.list(vec![data]), readers));
        };
        if step.for_each.is_some() {
            // The step's own rules see one result, everything else the list.
            let own: Vec<_> = of_rules(model.fail_when.as_ref()).collect();
            readers.retain(|reader| !own.iter().any(|own| std::ptr::eq(*own, *reader)));
            look(result.clone(), own);
            look(build.list(vec![result]), readers);
        } else {
            look(result, readers);
        }
        let mapping = Mapping::compile(&build.list(looks)).ok()?;
        // `$` is the data bank, whatever shadows its names.
        (!reads_at(&mapping, &path)).then(|| mapping.projection().under(&["response", "body"]))
    }
}

/// Whether a mapping may read anything at or below a place.
fn reads_at(mapping: &Mapping, place: &[Segment]) -> bool {
    let leads_there = |(segment, name): (&Segment, &Segment)| segment == name || *segment == Segment::Any;
    let mut paths = mapping.reads().iter();
    paths.any(|path| path.segments.iter().zip(place).all(leads_there))
}

/// Every expression of a compound action that sees the data bank.
pub(crate) fn expressions(model: &Compound) -> Vec<&Expression> {
    let mut expressions = Vec::new();
    for block in model.blocks() {
        match block {
            Block::Action(step) => {
                let own = [&step.input_args, &step.when, &step.for_each];
                expressions.extend(own.into_iter().flatten());
                expressions.extend(of_rules(step.fail_when.as_ref()));
            }
            Block::Check(check) => expressions.extend(of_rules(check.fail_when.get())),
            Block::Return(..) | Block::Unusable => {}
        }
    }
    expressions.extend(of_rules(model.fail_when.as_ref()));
    if let Some(answer) = model.answer() {
        expressions.extend(of_rules(answer.fail_when.as_ref()));
        expressions.extend(answer.output_mapper.get());
    }
    expressions
}

fn of_rules(rules: Option<&OneOrMany<FailWhen>>) -> impl Iterator<Item = &Expression> {
    let rules = rules.into_iter().flat_map(|rules| &rules.0);
    rules.flat_map(|rule| rule.condition().into_iter().chain(rule.message()))
}

/// Builds a mapping that nobody wrote. Its parts have the place of what it is built for.
struct Build<'p>(&'p Place);

impl Build<'_> {
    fn node(&self, content: Content) -> Node {
        Node {
            place: self.0.clone(),
            content,
        }
    }

    fn text(&self, text: &str) -> Node {
        self.node(Content::Text(text.to_owned()))
    }

    fn list(&self, elements: Vec<Node>) -> Node {
        self.node(Content::List(elements))
    }

    fn object<const N: usize>(&self, entries: [(&str, Node); N]) -> Node {
        let entries = entries.map(|(name, node)| {
            let key = Key {
                place: self.0.clone(),
                name: name.to_owned(),
            };
            (key, node)
        });
        self.node(Content::Object(entries.into()))
    }

    /// The mapping that gives each of the items, whichever.
    fn each(&self, items: Node) -> Node {
        let arguments = self.object([("items", items), ("converter", self.text("item"))]);
        self.object([("MAP()", arguments)])
    }

    /// The mapping that evaluates the readers for each of the items, which they see under `name`.
    fn map(&self, name: &str, items: Node, readers: Vec<&Expression>) -> Node {
        let readers = readers.into_iter().map(|reader| reader.node.clone()).collect();
        let arguments = self.object([
            ("items", items),
            ("context", self.object([("item", self.text(name))])),
            ("converter", self.list(readers)),
        ]);
        self.object([("MAP()", arguments)])
    }
}
