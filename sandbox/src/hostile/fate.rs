//! What goes wrong with a request. It follows from the seed and the request's number.

use super::random::Random;

/// How a request as a whole ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// As it should.
    Well,
    /// A 500 with JSON; nothing was done.
    Error,
    /// A 503 with HTML, from something in front; nothing was done.
    Unavailable,
    /// A 200 with HTML, as from a sign-in page; nothing was done.
    Html,
    /// A 200 with JSON that ends too early, with the length to match; the work was done.
    HalfJson,
    /// The connection closes; nothing was done.
    DroppedBefore,
    /// The connection closes after the work was done.
    DroppedAfter,
    /// The connection closes in the middle of the answer.
    DroppedInTheMiddle,
    /// A 429, with `Retry-After` in seconds or without; nothing was done.
    TooMany(Option<u8>),
    /// The answer takes a while; the work was done.
    Slow,
}

/// What happens to a page of a list that is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// Nothing.
    Whole,
    /// Its token has expired (410), or is refused without saying why (400).
    Refused { says_why: bool },
    /// The next token is the one that was sent.
    RoundAgain,
    /// The next token leads to this page again.
    Again,
    /// It has no rows; its next token leads to it again.
    Empty,
}

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fate {
    pub(super) ending: Ending,
    pub(super) page: Page,
    /// The rows of a page come in another order; the seed of it.
    pub(super) shuffled: Option<u64>,
    /// The answer comes from the copy that is behind.
    pub(super) from_second_copy: bool,
    /// `Date` cannot be read.
    pub(super) bad_date: bool,
}

impl Fate {
    pub(super) const GOOD: Self = Self {
        ending: Ending::Well,
        page: Page::Whole,
        shuffled: None,
        from_second_copy: false,
        bad_date: false,
    };

    /// The fate of the request with this number.
    pub(super) fn of(seed: u64, request: u64, rate: f64) -> Self {
        if rate <= 0.0 {
            return Self::GOOD;
        }
        let mut random = Random::new(seed ^ request.rotate_left(32), 2);
        let waits = u8::try_from(random.between(1, 20)).unwrap_or(1);
        let endings = [
            (0.5, Ending::Error),
            (0.3, Ending::Unavailable),
            (0.2, Ending::Html),
            (0.3, Ending::HalfJson),
            (0.3, Ending::DroppedBefore),
            (0.3, Ending::DroppedAfter),
            (0.3, Ending::DroppedInTheMiddle),
            (0.3, Ending::TooMany(Some(waits))),
            (0.3, Ending::TooMany(None)),
            (0.2, Ending::Slow),
        ];
        let pages = [
            (0.3, Page::Refused { says_why: true }),
            (0.3, Page::Refused { says_why: false }),
            (0.2, Page::RoundAgain),
            (0.5, Page::Again),
            (0.8, Page::Empty),
        ];
        // A draw for each, so that one does not shift the others.
        let ending = endings.into_iter().fold(Ending::Well, |all, (weight, ending)| {
            if random.chance(weight * rate) { ending } else { all }
        });
        let page = pages.into_iter().fold(
            Page::Whole,
            |all, (weight, page)| {
                if random.chance(weight * rate) { page } else { all }
            },
        );
        Self {
            ending,
            page,
            shuffled: random.chance(rate).then_some(request),
            from_second_copy: random.chance(0.3),
            bad_date: random.chance(rate),
        }
    }

    /// What is counted, by name.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        let ending = match self.ending {
            Ending::Well => None,
            Ending::Error => Some("500"),
            Ending::Unavailable => Some("503_html"),
            Ending::Html => Some("200_html"),
            Ending::HalfJson => Some("half_json"),
            Ending::DroppedBefore => Some("dropped_before"),
            Ending::DroppedAfter => Some("dropped_after"),
            Ending::DroppedInTheMiddle => Some("dropped_in_the_middle"),
            Ending::TooMany(Some(_)) => Some("429_retry_after"),
            Ending::TooMany(None) => Some("429"),
            Ending::Slow => Some("slow"),
        };
        ending.into_iter().chain(self.bad_date.then_some("bad_date"))
    }
}
