//! Where the records of one kind go.

use hashbrown::HashMap;

use crate::model::NONE;

/// What becomes of the records of one kind.
#[derive(Default)]
pub(super) struct Course {
    /// For each old record its new place, or [`NONE`].
    pub(super) now: Vec<u32>,
    /// For each new record its old place, or [`NONE`].
    pub(super) was: Vec<u32>,
    /// Old places of those that go, rising.
    pub(super) gone: Vec<u32>,
    /// What the delta brings: the place in its records, and the new place.
    pub(super) fresh: Vec<(u32, u32)>,
    /// Old places of those that are gone or bear another handle.
    pub(super) departed: Vec<u32>,
}

impl Course {
    /// Pairs by id. `None` when an id stands twice, or is both gone and fresh.
    pub(super) fn of<'a>(
        old: impl ExactSizeIterator<Item = &'a str>,
        fresh: impl ExactSizeIterator<Item = &'a str>,
        gone: impl Iterator<Item = &'a str>,
    ) -> Option<Course> {
        // For each id its place in the delta, or `NONE` for one that goes; and where it was, once it is found.
        let mut spoken: HashMap<&str, (u32, u32)> = HashMap::new();
        let count = fresh.len();
        for (from, id) in (0u32..).zip(fresh) {
            if spoken.insert(id, (from, NONE)).is_some() {
                return None;
            }
        }
        for id in gone {
            if spoken
                .insert(id, (NONE, NONE))
                .is_some_and(|it| it.0 != NONE)
            {
                return None;
            }
        }
        let mut course = Course {
            now: Vec::with_capacity(old.len()),
            was: Vec::with_capacity(old.len() + count),
            ..Course::default()
        };
        let mut came = vec![true; count];
        for (was, id) in (0u32..).zip(old) {
            let at = course.was.len() as u32;
            if let Some(it) = spoken.get_mut(id) {
                if it.1 != NONE {
                    return None;
                }
                it.1 = was;
                if it.0 == NONE {
                    course.now.push(NONE);
                    course.gone.push(was);
                    continue;
                }
                came[it.0 as usize] = false;
                course.fresh.push((it.0, at));
            }
            course.now.push(at);
            course.was.push(was);
        }
        for from in (0..count as u32).filter(|it| came[*it as usize]) {
            course.fresh.push((from, course.was.len() as u32));
            course.was.push(NONE);
        }
        Some(course)
    }

    /// The new place of a record that stays.
    pub(super) fn at(&self, old: u32) -> u32 {
        self.now[old as usize]
    }

    pub(super) fn is_departed(&self, old: u32) -> bool {
        self.departed.binary_search(&old).is_ok()
    }

    /// Old places of those that go or whose handle is another; `moved` compares an old place with a new one.
    pub(super) fn departed(&self, moved: impl Fn(usize, usize) -> bool) -> Vec<u32> {
        let stayed = self.fresh.iter().map(|it| (self.was[it.1 as usize], it.1));
        let stayed = stayed.filter(|it| it.0 != NONE);
        let moved = stayed.filter(|it| moved(it.0 as usize, it.1 as usize));
        let mut departed: Vec<u32> = moved
            .map(|it| it.0)
            .chain(self.gone.iter().copied())
            .collect();
        departed.sort_unstable();
        departed
    }
}
