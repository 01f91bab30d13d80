//! Which parts of an input a mapping can touch.
//!
//! A plan is followed once with shapes in the place of values. A shape knows which parts of the input a value may
//! be; when the value is used (compared, given to a function, put out), those parts are read.

use std::collections::BTreeMap;

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

/// A [`Segment`] that is only looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way<'s> {
    Key(&'s str),
    Index(i64),
    Any,
}

impl<'s> From<&'s Segment> for Way<'s> {
    fn from(segment: &'s Segment) -> Self {
        match segment {
            Segment::Key(key) => Way::Key(key),
            Segment::Index(index) => Way::Index(*index),
            Segment::Any => Way::Any,
        }
    }
}

impl From<Way<'_>> for Segment {
    fn from(way: Way<'_>) -> Self {
        match way {
            Way::Key(key) => Segment::Key(key.to_owned()),
            Way::Index(index) => Segment::Index(index),
            Way::Any => Segment::Any,
        }
    }
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
    /// Parts of the input that it may be: steps of the tracer, each once, in order.
    paths: Vec<usize>,
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

    /// Either this or that.
    pub(crate) fn or(mut self, other: Shape) -> Self {
        if self.is_computed() {
            return other;
        }
        self.add_paths(other.paths);
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

    fn add_paths(&mut self, paths: Vec<usize>) {
        if self.paths.is_empty() {
            self.paths = paths;
            return;
        }
        for path in paths {
            if let Err(at) = self.paths.binary_search(&path) {
                self.paths.insert(at, path);
            }
        }
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
    /// The parts of the input that values may be, as a tree; the first is the input.
    steps: Vec<Step>,
    noted: usize,
}

/// A part of the input.
struct Step {
    /// The step above and the way from there; none of the input itself.
    from: Option<(usize, Segment)>,
    /// How many steps it is below the input.
    length: usize,
    /// The steps below, by their segments.
    below: Vec<usize>,
    /// Where it is read whole.
    read: Option<Noted>,
    /// Where it is walked: its length matters even if its elements do not.
    walked: Option<Noted>,
    /// Where it is tested for being truthy or null: that takes no more of it than walking, but for who gives the input a
    /// part at a time it is as good as read, because an object without its fields is not truthy.
    tested: Option<Noted>,
}

/// When and where a part was first used.
#[derive(Clone)]
struct Noted {
    order: usize,
    place: Place,
}

impl Step {
    fn new(from: Option<(usize, Segment)>, length: usize) -> Self {
        Step {
            from,
            length,
            below: Vec::new(),
            read: None,
            walked: None,
            tested: None,
        }
    }

    /// Where all of it was first needed, for who leaves out what is not.
    fn whole(&self) -> Option<&Noted> {
        let noted = self.read.iter().chain(&self.tested);
        noted.min_by_key(|noted| noted.order)
    }
}

impl Tracer {
    /// The whole input.
    const INPUT: usize = 0;

    /// Follows a plan whose value is put out.
    pub(crate) fn of(root: &MappingNode) -> Self {
        let mut tracer = Tracer::new(&root.place);
        let shape = tracer.node(root);
        tracer.read(&shape);
        tracer
    }

    pub(crate) fn new(place: &Place) -> Self {
        Tracer {
            locals: Vec::new(),
            place: place.clone(),
            steps: vec![Step::new(None, 0)],
            noted: 0,
        }
    }

    /// What was read and what was walked, as a tree.
    pub(crate) fn outline(&self) -> Outline {
        let mut outline = self.outline_of(Self::INPUT).unwrap_or_default();
        outline.settle();
        outline
    }

    fn outline_of(&self, at: usize) -> Option<Outline> {
        let step = self.steps.get(at)?;
        let (read, walked) = (
            step.read.is_some(),
            step.walked.is_some() || step.tested.is_some(),
        );
        let mut outline = Outline::used(read, walked);
        let mut used = read || walked;
        for at in &step.below {
            if let Some((_, segment)) = self.steps.get(*at).and_then(|step| step.from.as_ref())
                && let Some(below) = self.outline_of(*at)
            {
                outline.put(segment, below);
                used = true;
            }
        }
        used.then_some(outline)
    }

    /// The input paths that were read, each once, none below another, in the order in which they were found.
    pub(crate) fn finish(self) -> Vec<InputPath> {
        let mut found = Vec::new();
        self.find_reads(Self::INPUT, &mut found);
        found.sort_by_key(|(_, noted)| noted.order);
        found
            .into_iter()
            .map(|(at, noted)| InputPath {
                segments: self.segments(at),
                place: noted.place.clone(),
            })
            .collect()
    }

    /// What is read at a step and below; where nothing is, the step itself if it is walked.
    fn find_reads<'s>(&'s self, at: usize, found: &mut Vec<(usize, &'s Noted)>) {
        let Some(step) = self.steps.get(at) else { return };
        if let Some(noted) = step.whole() {
            return found.push((at, noted));
        }
        let before = found.len();
        for below in &step.below {
            self.find_reads(*below, found);
        }
        let is_read =
            |(at, _): &(usize, &Noted)| self.steps.get(*at).is_some_and(|step| step.whole().is_some());
        if let Some(noted) = &step.walked
            && !found.iter().skip(before).any(is_read)
        {
            found.truncate(before);
            found.push((at, noted));
        }
    }

    /// The way from the input to a step.
    fn segments(&self, mut at: usize) -> Vec<Segment> {
        let mut segments = Vec::new();
        while let Some((above, segment)) = self.steps.get(at).and_then(|step| step.from.as_ref()) {
            segments.push(segment.clone());
            at = *above;
        }
        segments.reverse();
        segments
    }

    /// The step below another.
    fn below(&mut self, above: usize, way: Way<'_>) -> usize {
        let Some(step) = self.steps.get(above).filter(|step| step.length < LONGEST_PATH) else {
            self.note(above, |step| &mut step.read);
            return above;
        };
        let known = step.below.binary_search_by(|at| {
            let from = self.steps.get(*at).and_then(|step| step.from.as_ref());
            from.map(|(_, known)| Way::from(known)).cmp(&Some(way))
        });
        let (length, new) = (step.length + 1, self.steps.len());
        match known {
            Ok(at) => step.below.get(at).copied().unwrap_or(above),
            Err(at) => {
                if let Some(step) = self.steps.get_mut(above) {
                    step.below.insert(at, new);
                }
                self.steps.push(Step::new(Some((above, way.into())), length));
                new
            }
        }
    }

    /// The parts of the input below others.
    fn all_below(&mut self, mut paths: Vec<usize>, way: Way<'_>) -> Vec<usize> {
        for path in &mut paths {
            *path = self.below(*path, way);
        }
        paths.sort_unstable();
        paths.dedup();
        paths
    }

    /// The field of a name.
    pub(crate) fn key(&mut self, mut shape: Shape, key: &str) -> Shape {
        let below = self.all_below(shape.paths, Way::Key(key));
        let mut field = shape.fields.remove(key).unwrap_or_default();
        field.add_paths(below);
        field
    }

    /// The element at an index, or any.
    fn element(&mut self, shape: Shape, index: Way<'_>) -> Shape {
        let below = self.all_below(shape.paths, index);
        let mut element = shape.elements.map(|elements| *elements).unwrap_or_default();
        if index == Way::Any {
            element = shape.fields.into_values().fold(element, Shape::or);
        }
        element.add_paths(below);
        element
    }

    /// Each element or field.
    pub(crate) fn each(&mut self, shape: &Shape) -> Shape {
        self.element(shape.clone(), Way::Any)
    }

    /// The value is used as a whole.
    pub(crate) fn read(&mut self, shape: &Shape) {
        for path in &shape.paths {
            self.note(*path, |step| &mut step.read);
        }
        for part in shape.elements.as_deref().into_iter().chain(shape.fields.values()) {
            self.read(part);
        }
    }

    /// The value is only asked whether it is truthy, or null.
    fn test(&mut self, shape: &Shape) {
        for path in &shape.paths {
            self.note(*path, |step| &mut step.tested);
        }
    }

    /// The value is walked element by element; what is read of each is noted apart.
    pub(crate) fn walk(&mut self, shape: &Shape) {
        for path in &shape.paths {
            self.note(*path, |step| &mut step.walked);
        }
    }

    fn note(&mut self, path: usize, used: fn(&mut Step) -> &mut Option<Noted>) {
        if let Some(noted @ None) = self.steps.get_mut(path).map(used) {
            self.noted += 1;
            *noted = Some(Noted {
                order: self.noted,
                place: self.place.clone(),
            });
        }
    }

    /// One list of the elements, and of those of elements that are lists.
    pub(crate) fn flat(&mut self, items: &Shape) -> Shape {
        self.walk(items);
        let each = self.each(items);
        self.walk(&each);
        Shape::list_of(self.each(&each).or(each))
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
        let each = self.each(items);
        let mut shapes = vec![Shape::computed(); super::loop_slot::COUNT];
        if let Some(item) = shapes.get_mut(super::loop_slot::ITEM) {
            *item = each;
        }
        self.with_locals(shapes, follow)
    }

    /// Follows what decides about each element by being truthy: a condition, or the element itself.
    pub(crate) fn condition(&mut self, condition: Option<&MappingNode>, items: &Shape) {
        match condition {
            Some(condition) => self.with_loop(items, |tracer| tracer.tested(condition)),
            None => {
                self.walk(items);
                let each = self.each(items);
                self.test(&each);
            }
        }
    }

    /// Follows a node whose value is truthy or not, and used no further.
    pub(crate) fn tested(&mut self, node: &MappingNode) {
        let shape = self.node(node);
        self.test(&shape);
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
            Kind::Negate(operand) => {
                let shape = self.expression(operand);
                self.read(&shape);
                Shape::computed()
            }
            Kind::Not(operand) => {
                let shape = self.expression(operand);
                self.test(&shape);
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
                        self.test(&operand);
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
                self.test(&condition);
                let then = self.expression(then);
                match otherwise {
                    Some(otherwise) => then.or(self.expression(otherwise)),
                    None => then,
                }
            }
        }
    }

    fn path(&mut self, path: &Path) -> Shape {
        let input = Shape {
            paths: vec![Self::INPUT],
            ..Shape::default()
        };
        let mut shape = match &path.origin {
            Origin::Root => input,
            Origin::Name(name) => self.key(input, name),
            Origin::Local(slot) => self.local(*slot),
            Origin::Loop(_) => Shape::computed(),
            Origin::Value(value) => self.expression(value),
        };
        for segment in &path.segments {
            shape = match segment {
                PathSegment::Key(key) => self.key(shape, key),
                PathSegment::Index(index) => {
                    self.walk(&shape);
                    self.element(shape, Way::Index(*index))
                }
                PathSegment::Computed(index) => {
                    let index = self.expression(index);
                    self.read(&index);
                    self.walk(&shape);
                    self.element(shape, Way::Any)
                }
                PathSegment::Slice { from, to } => {
                    for bound in [from, to].into_iter().flatten() {
                        let bound = self.expression(bound);
                        self.read(&bound);
                    }
                    self.walk(&shape);
                    Shape::list_of(self.element(shape, Way::Any))
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
                    // Which one it is depends on which of them are null.
                    self.test(&one);
                    if arguments.len() == 1 {
                        let each = self.each(&one);
                        self.test(&each);
                        shape = shape.or(each);
                    }
                    shape = shape.or(one);
                }
            }
            return shape;
        }
        let Some((Argument::Value { expression, .. }, rest)) = arguments.split_first() else {
            return Shape::computed();
        };
        let list = self.expression(expression);
        if flow == Flow::Flattened {
            return self.flat(&list);
        }
        self.walk(&list);
        if flow == Flow::Listed {
            return Shape::list_of(list.clone()).or(list);
        }
        let each = self.each(&list);
        let mut result = Shape::computed();
        for argument in rest {
            let shape = self.argument(argument, &each);
            if flow == Flow::Mapped {
                result = result.or(shape);
            } else {
                self.test(&shape);
            }
        }
        match flow {
            Flow::Mapped => Shape::list_of(result),
            // An index counts what is left, so it may be any of them.
            Flow::Kept => list.or(Shape::list_of(each)),
            Flow::Chosen => each,
            Flow::Computed | Flow::Tested | Flow::OneOf | Flow::Flattened | Flow::Listed => Shape::computed(),
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
