//! Which parts of an input a mapping can touch.
//!
//! A plan is followed once with shapes in the place of values. A shape knows which parts of the input a value may
//! be; when the value is used (compared, given to a function, put out), those parts are read.

use std::collections::{BTreeMap, BTreeSet};

use super::{Expression, Kind, MappingNode, NodeKind, Origin, Path, PathSegment};
use crate::Place;
use crate::functions::{Argument, Flow};
use crate::projection::Outline;

/// A part of the input that a mapping can touch, from the root. What lies below its end may be read whole.
#[derive(Clone, Debug)]
pub struct InputPath {
    /// The way down; empty is the whole input.
    pub segments: Vec<Segment>,
    /// One place in the mapping that reads it.
    pub place: Place,
}

/// One step down into an input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A field of an object.
    Key(String),
    /// An element of a list; negative ones count from the end.
    Index(i64),
    /// Any element or field: every one of a loop, or one that is computed.
    Any,
}

impl InputPath {
    /// The fields at the start of the path, up to the first element.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().map_while(|segment| match segment {
            Segment::Key(key) => Some(key.as_str()),
            _ => None,
        })
    }
}

impl std::fmt::Display for InputPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "$")?;
        for segment in &self.segments {
            match segment {
                Segment::Key(key) if crate::dsl::is_name(key) => write!(f, ".{key}")?,
                Segment::Key(key) => write!(f, "[{key:?}]")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Any => write!(f, "[*]")?,
            }
        }
        Ok(())
    }
}

/// Shapes that are larger are no longer followed: what they may be is read whole.
const LARGEST_SHAPE: usize = 512;

/// Paths that are longer are cut off here: what lies below is read whole.
const LONGEST_PATH: usize = 64;

/// What is known of a value before there is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    /// Parts of the input that it may be.
    paths: BTreeSet<Vec<Segment>>,
    /// What its elements may be, if it is a list that the mapping builds.
    elements: Option<Box<Shape>>,
    /// Its fields, if it is an object that the mapping builds.
    fields: BTreeMap<String, Shape>,
}

impl Shape {
    /// A value that has nothing of the input left in it to read.
    pub(crate) fn computed() -> Self {
        Shape::default()
    }

    /// A list of such elements.
    pub(crate) fn list_of(elements: Shape) -> Self {
        Shape {
            elements: Some(Box::new(elements)),
            ..Shape::default()
        }
    }

    /// An object of such fields.
    pub(crate) fn object_of(fields: impl IntoIterator<Item = (String, Shape)>) -> Self {
        let mut shape = Shape::default();
        for (name, field) in fields {
            shape.add_field(name, field);
        }
        shape
    }

    fn part_of_input(path: Vec<Segment>) -> Self {
        Shape {
            paths: BTreeSet::from([path]),
            ..Shape::default()
        }
    }

    /// Either this or that.
    pub(crate) fn or(mut self, other: Shape) -> Self {
        if self.is_computed() {
            return other;
        }
        self.paths.extend(other.paths);
        self.elements = match (self.elements, other.elements) {
            (Some(a), Some(b)) => Some(Box::new(a.or(*b))),
            (a, b) => a.or(b),
        };
        for (name, shape) in other.fields {
            self.add_field(name, shape);
        }
        self
    }

    fn is_computed(&self) -> bool {
        self.paths.is_empty() && self.elements.is_none() && self.fields.is_empty()
    }

    fn add_field(&mut self, name: String, shape: Shape) {
        let known = self.fields.remove(&name).unwrap_or_default();
        self.fields.insert(name, known.or(shape));
    }

    /// The field of a name.
    pub(crate) fn key(mut self, key: &str) -> Shape {
        let below = self.below(&Segment::Key(key.to_owned()));
        let mut shape = self.fields.remove(key).unwrap_or_default();
        shape.paths.extend(below);
        shape
    }

    /// The element at an index, or any.
    pub(crate) fn element(mut self, index: &Segment) -> Shape {
        let any = *index == Segment::Any;
        let below = self.below(index);
        let mut shape = self.elements.map(|elements| *elements).unwrap_or_default();
        if any {
            shape = self.fields.into_values().fold(shape, Shape::or);
        }
        shape.paths.extend(below);
        shape
    }

    /// Each element or field.
    pub(crate) fn each(&self) -> Shape {
        self.clone().element(&Segment::Any)
    }

    fn below(&mut self, segment: &Segment) -> Vec<Vec<Segment>> {
        let down = |mut path: Vec<Segment>| {
            if path.len() < LONGEST_PATH {
                path.push(segment.clone());
            }
            path
        };
        std::mem::take(&mut self.paths).into_iter().map(down).collect()
    }

    fn is_larger_than(&self, most: usize) -> bool {
        fn count(shape: &Shape, left: usize) -> Option<usize> {
            let mut left = left.checked_sub(1 + shape.paths.len())?;
            for part in shape.elements.as_deref().into_iter().chain(shape.fields.values()) {
                left = count(part, left)?;
            }
            Some(left)
        }
        count(self, most).is_none()
    }
}

/// Follows a plan and notes what is read.
pub(crate) struct Tracer {
    locals: Vec<Shape>,
    place: Place,
    reads: BTreeMap<Vec<Segment>, Noted>,
    /// Lists that are walked: their length matters even if their elements do not.
    walked: BTreeMap<Vec<Segment>, Noted>,
    noted: usize,
}

/// When and where a path was first read.
struct Noted {
    order: usize,
    place: Place,
}

impl Tracer {
    /// Follows a plan whose value is put out.
    pub(crate) fn of(root: &MappingNode) -> Self {
        let mut tracer = Tracer::new(&root.place);
        let shape = tracer.node(root);
        tracer.read(&shape);
        tracer
    }

    /// What was read and what was walked, as a tree.
    pub(crate) fn outline(&self) -> Outline {
        Outline::new(self.reads.keys(), self.walked.keys())
    }

    pub(crate) fn new(place: &Place) -> Self {
        let (reads, walked) = (BTreeMap::new(), BTreeMap::new());
        Tracer {
            locals: Vec::new(),
            place: place.clone(),
            reads,
            walked,
            noted: 0,
        }
    }

    /// The input paths that were read, each once, none below another, in the order in which they were found.
    pub(crate) fn finish(self) -> Vec<InputPath> {
        let Tracer {
            mut reads, walked, ..
        } = self;
        for (path, noted) in walked {
            // Paths below another come right behind it.
            let next = reads.range(path.clone()..).next();
            if !next.is_some_and(|(read, _)| read.starts_with(&path)) {
                reads.insert(path, noted);
            }
        }
        let mut narrow: Vec<(Vec<Segment>, Noted)> = Vec::new();
        for (path, noted) in reads {
            if !narrow.last().is_some_and(|(above, _)| path.starts_with(above)) {
                narrow.push((path, noted));
            }
        }
        narrow.sort_by_key(|(_, noted)| noted.order);
        narrow
            .into_iter()
            .map(|(segments, noted)| InputPath {
                segments,
                place: noted.place,
            })
            .collect()
    }

    /// The value is used as a whole.
    pub(crate) fn read(&mut self, shape: &Shape) {
        for path in &shape.paths {
            if !self.reads.contains_key(path) {
                let noted = self.note();
                self.reads.insert(path.clone(), noted);
            }
        }
        for part in shape.elements.as_deref().into_iter().chain(shape.fields.values()) {
            self.read(part);
        }
    }

    /// The value is walked element by element; what is read of each is noted apart.
    pub(crate) fn walk(&mut self, shape: &Shape) {
        for path in &shape.paths {
            if !self.walked.contains_key(path) {
                let noted = self.note();
                self.walked.insert(path.clone(), noted);
            }
        }
    }

    fn note(&mut self) -> Noted {
        self.noted += 1;
        Noted {
            order: self.noted,
            place: self.place.clone(),
        }
    }

    /// The shape, unless it is too large to be followed.
    fn bounded(&mut self, shape: Shape) -> Shape {
        if !shape.is_larger_than(LARGEST_SHAPE) {
            return shape;
        }
        self.read(&shape);
        Shape::computed()
    }

    /// Follows something while more locals are alive.
    pub(crate) fn with_locals<R>(
        &mut self,
        shapes: impl IntoIterator<Item = Shape>,
        follow: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let before = self.locals.len();
        self.locals.extend(shapes);
        let result = follow(self);
        self.locals.truncate(before);
        result
    }

    /// Follows something for each element of a list or object: an item and the fields of `loop`.
    pub(crate) fn with_loop<R>(&mut self, items: &Shape, follow: impl FnOnce(&mut Self) -> R) -> R {
        self.walk(items);
        let mut shapes = vec![Shape::computed(); super::loop_slot::COUNT];
        if let Some(item) = shapes.get_mut(super::loop_slot::ITEM) {
            *item = items.each();
        }
        self.with_locals(shapes, follow)
    }

    /// Follows what decides about each element: a condition, or the element itself.
    pub(crate) fn condition(&mut self, condition: Option<&MappingNode>, items: &Shape) {
        match condition {
            Some(condition) => self.with_loop(items, |tracer| tracer.used(condition)),
            None => {
                self.walk(items);
                self.read(&items.each());
            }
        }
    }

    /// What is known of a local.
    pub(crate) fn local(&self, slot: usize) -> Shape {
        self.locals.get(slot).cloned().unwrap_or_default()
    }

    pub(crate) fn node(&mut self, node: &MappingNode) -> Shape {
        let outside = std::mem::replace(&mut self.place, node.place.clone());
        let shape = match &node.kind {
            NodeKind::Constant(_) => Shape::computed(),
            NodeKind::Expression(expression) => self.expression(expression),
            NodeKind::List(elements) => {
                let mut shape = Shape::computed();
                for element in elements {
                    shape = shape.or(self.node(element));
                }
                Shape::list_of(shape)
            }
            NodeKind::Object(fields) => Shape::object_of(
                fields
                    .iter()
                    .map(|(name, field)| (name.clone(), self.node(field))),
            ),
            NodeKind::Operator(operator) => operator.trace(self),
        };
        let shape = self.bounded(shape);
        self.place = outside;
        shape
    }

    /// Follows a node whose value is used as a whole.
    pub(crate) fn used(&mut self, node: &MappingNode) {
        let shape = self.node(node);
        self.read(&shape);
    }

    pub(crate) fn expression(&mut self, expression: &Expression) -> Shape {
        let shape = self.kind(&expression.kind);
        self.bounded(shape)
    }

    fn kind(&mut self, kind: &Kind) -> Shape {
        match kind {
            Kind::Constant(_) => Shape::computed(),
            Kind::Path(path) => self.path(path),
            Kind::Call { function, arguments } => self.call(function.flow, arguments),
            Kind::List(elements) => {
                let mut shape = Shape::computed();
                for element in elements {
                    shape = shape.or(self.expression(element));
                }
                Shape::list_of(shape)
            }
            Kind::Object(entries) => {
                let mut fields = Vec::new();
                let mut computed = Shape::computed();
                for (key, value) in entries {
                    let shape = self.expression(value);
                    match &key.kind {
                        Kind::Constant(serde_json::Value::String(name)) => fields.push((name.clone(), shape)),
                        _ => {
                            let key = self.expression(key);
                            self.read(&key);
                            computed = computed.or(shape);
                        }
                    }
                }
                // Under a computed key it may be found by any.
                self.read(&computed);
                Shape::object_of(fields)
            }
            Kind::Negate(operand) | Kind::Not(operand) => {
                let shape = self.expression(operand);
                self.read(&shape);
                Shape::computed()
            }
            Kind::Binary { left, right, .. } => {
                for operand in [left, right] {
                    let shape = self.expression(operand);
                    self.read(&shape);
                }
                Shape::computed()
            }
            Kind::And(operands) | Kind::Or(operands) => {
                let mut shape = Shape::computed();
                for (position, operand) in operands.iter().enumerate() {
                    let operand = self.expression(operand);
                    // All but the last are tested for being truthy.
                    if position + 1 < operands.len() {
                        self.read(&operand);
                    }
                    shape = shape.or(operand);
                }
                shape
            }
            Kind::If {
                condition,
                then,
                otherwise,
            } => {
                let condition = self.expression(condition);
                self.read(&condition);
                let then = self.expression(then);
                match otherwise {
                    Some(otherwise) => then.or(self.expression(otherwise)),
                    None => then,
                }
            }
        }
    }

    fn path(&mut self, path: &Path) -> Shape {
        let mut shape = match &path.origin {
            Origin::Root => Shape::part_of_input(Vec::new()),
            Origin::Name(name) => Shape::part_of_input(vec![Segment::Key(name.clone())]),
            Origin::Local(slot) => self.local(*slot),
            Origin::Loop(_) => Shape::computed(),
            Origin::Value(value) => self.expression(value),
        };
        for segment in &path.segments {
            shape = match segment {
                PathSegment::Key(key) => shape.key(key),
                PathSegment::Index(index) => {
                    self.walk(&shape);
                    shape.element(&Segment::Index(*index))
                }
                PathSegment::Computed(index) => {
                    let index = self.expression(index);
                    self.read(&index);
                    self.walk(&shape);
                    shape.element(&Segment::Any)
                }
                PathSegment::Slice { from, to } => {
                    for bound in [from, to].into_iter().flatten() {
                        let bound = self.expression(bound);
                        self.read(&bound);
                    }
                    self.walk(&shape);
                    Shape::list_of(shape.element(&Segment::Any))
                }
            };
        }
        shape
    }

    fn call(&mut self, flow: Flow, arguments: &[Argument]) -> Shape {
        if flow == Flow::Computed {
            for argument in arguments {
                let shape = self.argument(argument, &Shape::computed());
                self.read(&shape);
            }
            return Shape::computed();
        }
        if flow == Flow::OneOf {
            let mut shape = Shape::computed();
            for argument in arguments {
                if let Argument::Value { expression, .. } = argument {
                    let one = self.expression(expression);
                    // Which one it is depends on what they are.
                    self.read(&one);
                    shape = shape.or(one.each()).or(one);
                }
            }
            return shape;
        }
        let Some((Argument::Value { expression, .. }, rest)) = arguments.split_first() else {
            return Shape::computed();
        };
        let list = self.expression(expression);
        self.walk(&list);
        let each = list.each();
        let mut result = Shape::computed();
        for argument in rest {
            let shape = self.argument(argument, &each);
            if flow == Flow::Mapped {
                result = result.or(shape);
            } else {
                self.read(&shape);
            }
        }
        match flow {
            Flow::Mapped => Shape::list_of(result),
            // An index counts what is left, so it may be any of them.
            Flow::Kept => list.or(Shape::list_of(each)),
            Flow::Chosen => each,
            Flow::Computed | Flow::Tested | Flow::OneOf => Shape::computed(),
        }
    }

    fn argument(&mut self, argument: &Argument, element: &Shape) -> Shape {
        match argument {
            Argument::Value { expression, .. } => {
                let shape = self.expression(expression);
                self.read(&shape);
                Shape::computed()
            }
            Argument::Lambda { parameters, body } => {
                let mut shapes = vec![Shape::computed(); *parameters];
                if let Some(last) = shapes.last_mut() {
                    last.clone_from(element);
                }
                self.with_locals(shapes, |tracer| tracer.expression(body))
            }
        }
    }
}
