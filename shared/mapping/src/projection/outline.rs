use crate::plan::Segment;

/// Outlines of more parts become those of everything. What is used of every part goes into each that has an outline of
/// its own, so that some would grow without an end.
const MOST_PARTS: usize = 10_000;

/// What of a value is used: the paths of a plan as a tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    /// All of it.
    whole: bool,
    /// How many elements or fields there are, and what the fields are called.
    walked: bool,
    /// The fields that are used, by their marks and then by name: most keys of an input that are not among them are told
    /// apart without a look at the names.
    keys: Vec<(Mark, String, Outline)>,
    /// A bit for each of their marks: a key without its bit is none of them.
    bits: u64,
    /// The elements that are used by their position. Negative ones count from the end.
    positions: Vec<(i64, Outline)>,
    /// What is used of every element and every field.
    each: Option<Box<Outline>>,
}

/// Of a name its length (as far as it fits), its first byte and its last one.
type Mark = u32;

fn mark(name: &str) -> Mark {
    let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    let [high, low] = length.to_be_bytes();
    let byte = |byte: Option<&u8>| byte.copied().unwrap_or_default();
    let bytes = name.as_bytes();
    Mark::from_be_bytes([high, low, byte(bytes.first()), byte(bytes.last())])
}

/// One of 64, spread by Knuth's multiplicative hash.
fn bit(mark: Mark) -> u64 {
    1 << (mark.wrapping_mul(0x9E37_79B1) >> 26)
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
    /// Of a value that is used whole, or walked, as far as it is.
    pub(crate) fn used(whole: bool, walked: bool) -> Outline {
        Outline {
            whole,
            walked,
            ..Outline::default()
        }
    }

    /// Says what is used of a part of which nothing was said yet.
    pub(crate) fn put(&mut self, segment: &Segment, below: Outline) {
        match segment {
            Segment::Key(key) => {
                if let Err(at) = self.find(key) {
                    self.insert(at, key, below);
                }
            }
            Segment::Index(position) => self.positions.push((*position, below)),
            Segment::Any => self.each = Some(Box::new(below)),
        }
    }

    /// All of a value.
    pub(crate) fn everything() -> Outline {
        Outline::used(true, false)
    }

    /// How many fields an object has at most that is read by this outline, where that is known.
    pub(crate) fn fields(&self) -> usize {
        self.keys.len()
    }

    /// What becomes of a field.
    pub(crate) fn key(&self, key: &str) -> Use<'_> {
        if self.bits & bit(mark(key)) == 0 {
            return self.any(self.walked);
        }
        match self.find(key).ok().and_then(|at| self.keys.get(at)) {
            Some((_, _, outline)) => Use::Read(outline),
            None => self.any(self.walked),
        }
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
        match self.key(key) {
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

    fn insert(&mut self, at: usize, key: &str, outline: Outline) {
        let mark = mark(key);
        self.bits |= bit(mark);
        self.keys.insert(at, (mark, key.to_owned(), outline));
    }

    /// Where a field is, or where it would have to be.
    fn find(&self, key: &str) -> Result<usize, usize> {
        let sought = mark(key);
        self.keys
            .binary_search_by(|(mark, known, _)| mark.cmp(&sought).then_with(|| known.as_str().cmp(key)))
    }

    fn add(&mut self, other: &Outline) {
        self.whole |= other.whole;
        self.walked |= other.walked;
        for (_, key, outline) in &other.keys {
            match self.find(key) {
                Ok(at) => {
                    if let Some((_, _, known)) = self.keys.get_mut(at) {
                        known.add(outline);
                    }
                }
                Err(at) => self.insert(at, key, outline.clone()),
            }
        }
        for (position, outline) in &other.positions {
            match self.positions.iter_mut().find(|(known, _)| known == position) {
                Some((_, known)) => known.add(outline),
                None => self.positions.push((*position, outline.clone())),
            }
        }
        if let Some(each) = &other.each {
            self.each.get_or_insert_default().add(each);
        }
    }

    /// Puts what is used of every part into the outlines of those parts that have one of their own, so that a reader
    /// has to look at one outline only.
    pub(crate) fn settle(&mut self) {
        if self.settle_within(&mut MOST_PARTS.clone()).is_none() {
            *self = Outline::everything();
        }
    }

    fn settle_within(&mut self, parts_left: &mut usize) -> Option<()> {
        *parts_left = parts_left.checked_sub(1)?;
        if self.whole {
            *self = Outline::everything();
            return Some(());
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
            each.settle_within(parts_left)?;
        }
        let each = self.each.as_deref();
        for outline in (self.keys.iter_mut().map(|(_, _, outline)| outline))
            .chain(self.positions.iter_mut().map(|(_, outline)| outline))
        {
            if let Some(each) = each {
                outline.add(each);
            }
            outline.settle_within(parts_left)?;
        }
        Some(())
    }
}
