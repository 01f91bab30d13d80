use crate::plan::Segment;

/// What of a value is used: the paths of a plan as a tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    /// All of it.
    whole: bool,
    /// How many elements or fields there are, and what the fields are called.
    walked: bool,
    /// The fields that are used, by length and then by name: where a key of the input belongs is found in a few steps.
    keys: Vec<(String, Outline)>,
    /// The elements that are used by their position. Negative ones count from the end.
    positions: Vec<(i64, Outline)>,
    /// What is used of every element and every field.
    each: Option<Box<Outline>>,
}

/// What becomes of a part of the input.
#[derive(Clone, Copy)]
pub(crate) enum Use<'o> {
    /// It is read, as far as the outline says.
    Read(&'o Outline),
    /// That it is there matters, but not what it is.
    Count,
    /// It is as if it were not there.
    Skip,
}

impl Outline {
    /// Of paths to what is used whole, and to what is walked.
    pub(crate) fn new<'p>(
        whole: impl IntoIterator<Item = &'p Vec<Segment>>,
        walked: impl IntoIterator<Item = &'p Vec<Segment>>,
    ) -> Outline {
        let mut outline = Outline::default();
        for path in whole {
            outline.mark(path, &mut |used| used.whole = true);
        }
        for path in walked {
            outline.mark(path, &mut |used| used.walked = true);
        }
        outline.settle();
        outline
    }

    /// All of a value.
    pub(crate) fn everything() -> Outline {
        Outline {
            whole: true,
            ..Outline::default()
        }
    }

    /// How many fields an object has at most that is read by this outline, where that is known.
    pub(crate) fn fields(&self) -> usize {
        self.keys.len()
    }

    /// The outline of a field, and its name.
    pub(crate) fn key(&self, key: &str) -> (Use<'_>, Option<&str>) {
        if let Ok(at) = self.find(key)
            && let Some((name, outline)) = self.keys.get(at)
        {
            return (Use::Read(outline), Some(name));
        }
        (self.any(self.walked), None)
    }

    /// The outline of an element, by its position. Nothing is skipped: positions from the end need the length.
    pub(crate) fn element(&self, position: usize) -> Use<'_> {
        let known = self
            .positions
            .iter()
            .find(|(known, _)| usize::try_from(*known) == Ok(position));
        match known {
            Some((_, outline)) => Use::Read(outline),
            None => self.any(true),
        }
    }

    /// Whether elements of a list matter at all, be it only how many there are.
    pub(crate) fn has_elements(&self) -> bool {
        self.whole || self.walked || self.each.is_some() || !self.positions.is_empty()
    }

    fn any(&self, counted: bool) -> Use<'_> {
        match &self.each {
            _ if self.whole => Use::Read(self),
            Some(each) => Use::Read(each),
            None if counted => Use::Count,
            None => Use::Skip,
        }
    }

    /// The outline of what a way of keys leads to.
    pub(crate) fn under(&self, keys: &[&str]) -> Outline {
        let Some((key, deeper)) = keys.split_first() else {
            return self.clone();
        };
        match self.key(key).0 {
            Use::Read(outline) => outline.under(deeper),
            Use::Count | Use::Skip => Outline::default(),
        }
    }

    /// What this or the other uses.
    pub(crate) fn or(&self, other: &Outline) -> Outline {
        let mut joined = self.clone();
        joined.add(other);
        joined.settle();
        joined
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.keys
            .binary_search_by(|(known, _)| known.len().cmp(&key.len()).then_with(|| known.as_str().cmp(key)))
    }

    /// Changes the outline of what a path leads to.
    fn mark(&mut self, path: &[Segment], change: &mut dyn FnMut(&mut Outline)) {
        let Some((segment, deeper)) = path.split_first() else {
            return change(self);
        };
        let mut change = |below: &mut Outline| below.mark(deeper, change);
        match segment {
            Segment::Key(key) => self.change_key(key, &mut change),
            Segment::Index(position) => self.change_position(*position, &mut change),
            Segment::Any => change(self.each.get_or_insert_default()),
        }
    }

    fn change_key(&mut self, key: &str, change: &mut dyn FnMut(&mut Outline)) {
        match self.find(key) {
            Ok(at) => self
                .keys
                .get_mut(at)
                .into_iter()
                .for_each(|(_, known)| change(known)),
            Err(at) => {
                let mut outline = Outline::default();
                change(&mut outline);
                self.keys.insert(at, (key.to_owned(), outline));
            }
        }
    }

    fn change_position(&mut self, position: i64, change: &mut dyn FnMut(&mut Outline)) {
        match self.positions.iter_mut().find(|(known, _)| *known == position) {
            Some((_, known)) => change(known),
            None => {
                let mut outline = Outline::default();
                change(&mut outline);
                self.positions.push((position, outline));
            }
        }
    }

    fn add(&mut self, other: &Outline) {
        self.whole |= other.whole;
        self.walked |= other.walked;
        for (key, outline) in &other.keys {
            self.change_key(key, &mut |known| known.add(outline));
        }
        for (position, outline) in &other.positions {
            self.change_position(*position, &mut |known| known.add(outline));
        }
        if let Some(each) = &other.each {
            self.each.get_or_insert_default().add(each);
        }
    }

    /// Puts what is used of every part into the outlines of those parts that have one of their own, so that a reader
    /// has to look at one outline only.
    fn settle(&mut self) {
        if self.whole {
            *self = Outline::everything();
            return;
        }
        // A position from the end may turn out to be any.
        let (from_start, from_end): (Vec<_>, Vec<_>) = std::mem::take(&mut self.positions)
            .into_iter()
            .partition(|(position, _)| *position >= 0);
        self.positions = from_start;
        for (_, outline) in &from_end {
            self.each.get_or_insert_default().add(outline);
        }
        if let Some(each) = &mut self.each {
            each.settle();
        }
        let each = self.each.as_deref();
        for outline in (self.keys.iter_mut().map(|(_, outline)| outline))
            .chain(self.positions.iter_mut().map(|(_, outline)| outline))
        {
            if let Some(each) = each {
                outline.add(each);
            }
            outline.settle();
        }
    }
}
