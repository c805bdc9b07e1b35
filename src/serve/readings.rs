//! Lists that are read page by page: each from one image, whatever is published meanwhile.
//!
//! A page is cut out by its place in the list. Were the next one cut out of another image, with somebody less before it, the one
//! who then stands at the edge would be on neither page, and a product that takes the list for everybody would remove him.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::image::Image;
use super::query::Page;

/// How long the next page of a list may keep us waiting.
const KEPT: Duration = Duration::from_mins(10);
/// How many lists may be read at a time; of those begun first, the next page is refused.
const READINGS_MAX: usize = 256;
/// How many images are kept for them beside the present one: each is as large as the set.
const IMAGES_MAX: usize = 2;

/// The lists that are being read.
#[derive(Debug, Default)]
pub(super) struct Readings(Mutex<VecDeque<Reading>>);

#[derive(Debug)]
struct Reading {
    /// Whose list, and which.
    list: String,
    /// Where the last page began and where the next one may begin at the latest.
    last: usize,
    next: usize,
    /// Nothing, once it was not worth its memory any more.
    image: Option<Arc<Image>>,
    /// Monotonic time of the last page.
    used: Duration,
}

/// The list began in an image that is gone: it must be read from its beginning.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gone;

impl Readings {
    /// The image that a page behind the first is cut out of; `None` if nobody is known to have begun the list. `list` names the
    /// client and everything that it asks but for the page.
    ///
    /// # Errors
    /// [`Gone`] if the list was begun in an image that is no longer kept.
    pub(super) fn go_on(
        &self,
        list: &str,
        page: Page,
        now: Duration,
    ) -> Result<Option<Arc<Image>>, Gone> {
        let mut readings = self.readings(now);
        let goes_on =
            |it: &&mut Reading| it.list == list && it.last < page.start && page.start <= it.next;
        let Some(reading) = readings.iter_mut().find(goes_on) else {
            return Ok(None);
        };
        (reading.last, reading.next, reading.used) = (page.start, page.end(), now);
        reading.image.clone().map(Some).ok_or(Gone)
    }

    /// Notes that the first page of a list was cut out of an image, and that it has others.
    pub(super) fn begin(&self, list: String, page: Page, image: &Arc<Image>, now: Duration) {
        let mut readings = self.readings(now);
        readings.push_back(Reading {
            list,
            last: 0,
            next: page.end(),
            image: Some(Arc::clone(image)),
            used: now,
        });
        tidy(&mut readings, image);
    }

    /// Those that are still read.
    fn readings(&self, now: Duration) -> MutexGuard<'_, VecDeque<Reading>> {
        // Nothing that is done under the lock can panic half way.
        let mut readings = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        readings.retain(|it| now.saturating_sub(it.used) < KEPT);
        readings
    }
}

/// Lets go of what was begun first where there is too much.
fn tidy(readings: &mut VecDeque<Reading>, present: &Arc<Image>) {
    while readings.len() > READINGS_MAX {
        readings.pop_front();
    }
    let mut kept: Vec<*const Image> = vec![Arc::as_ptr(present)];
    for reading in readings.iter_mut().rev() {
        let Some(image) = &reading.image else {
            continue;
        };
        let image = Arc::as_ptr(image);
        if !kept.contains(&image) {
            if kept.len() > IMAGES_MAX {
                reading.image = None;
                continue;
            }
            kept.push(image);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Account, Holding, Link, ObservedAccount, Origin};

    fn image(names: &[&str]) -> Arc<Image> {
        let mut holding = Holding::default();
        for name in names {
            let pool = &mut holding.pool;
            let seen = ObservedAccount {
                remote_id: pool.add(&format!("id-{name}")),
                name: pool.add(name),
                active: true,
                ..ObservedAccount::default()
            };
            let link = Link {
                directory: pool.add("office"),
                user_id: pool.add(name),
                origin: Origin::Created,
                off_by_us: false,
                mail: pool.add(""),
                person: pool.add(""),
                tied: false,
                unlisted: false,
                absent_since: None,
                absent_for: 0,
                left_at: None,
            };
            holding.accounts.push(Account {
                seen,
                link: Some(link),
                exists: true,
            });
        }
        Arc::new(Image::of(&holding))
    }

    fn page(start: usize) -> Page {
        Page { start, results: 2 }
    }

    /// With the length of its list of users.
    fn all(image: &Arc<Image>) -> (&Arc<Image>, usize) {
        (image, image.users() as usize)
    }

    /// The image that a page is cut out of, as whoever answers finds it; `present` is served, and the list is so long there.
    fn shown(
        readings: &Readings,
        list: &str,
        page: Page,
        (present, length): (&Arc<Image>, usize),
        now: Duration,
    ) -> Result<Arc<Image>, Gone> {
        let image = readings.go_on(list, page, now)?;
        let image = image.unwrap_or_else(|| Arc::clone(present));
        if page.begins(length) {
            readings.begin(list.to_owned(), page, &image, now);
        }
        Ok(image)
    }

    const NOW: Duration = Duration::from_secs(1_000);

    #[test]
    fn a_list_goes_on_in_the_image_in_which_it_began() {
        let readings = Readings::default();
        let (old, new) = (image(&["a", "b", "c", "d"]), image(&["b", "c", "d"]));
        let ask =
            |start, present| shown(&readings, "users", page(start), all(present), NOW).unwrap();
        assert!(Arc::ptr_eq(&ask(0, &old), &old));
        assert!(Arc::ptr_eq(&ask(2, &new), &old));
        // The page behind the end is asked for, too, and pages may overlap.
        assert!(Arc::ptr_eq(&ask(3, &new), &old));
        assert!(Arc::ptr_eq(&ask(5, &new), &old));
        assert!(Arc::ptr_eq(&ask(0, &new), &new), "it begins anew");
    }

    #[test]
    fn lists_of_two_readers_do_not_mix() {
        let readings = Readings::default();
        let (old, new) = (
            image(&["a", "b", "c", "d", "e"]),
            image(&["b", "c", "d", "e"]),
        );
        let ask =
            |list, start, present| shown(&readings, list, page(start), all(present), NOW).unwrap();
        ask("jira users", 0, &old);
        ask("jira groups", 0, &new);
        assert!(Arc::ptr_eq(&ask("jira users", 2, &new), &old));
        assert!(Arc::ptr_eq(&ask("jira groups", 2, &old), &new));
        // Two nodes of one product: whoever began first goes on first.
        ask("wiki", 0, &old);
        ask("wiki", 0, &new);
        assert!(Arc::ptr_eq(&ask("wiki", 2, &new), &old));
        assert!(Arc::ptr_eq(&ask("wiki", 2, &new), &new));
    }

    #[test]
    fn who_waits_for_too_long_or_never_began_gets_what_is_there() {
        let readings = Readings::default();
        let (old, new) = (image(&["a", "b", "c"]), image(&["b", "c"]));
        shown(&readings, "users", page(0), all(&old), NOW).unwrap();
        let late = NOW + KEPT;
        let image = shown(&readings, "users", page(2), all(&new), late).unwrap();
        assert!(Arc::ptr_eq(&image, &new));
        let image = shown(&readings, "groups", page(2), all(&new), NOW).unwrap();
        assert!(Arc::ptr_eq(&image, &new));
    }

    #[test]
    fn a_list_whose_image_is_gone_is_refused_rather_than_mixed() {
        let readings = Readings::default();
        let images: Vec<_> = (0..4).map(|_| image(&["a", "b", "c"])).collect();
        for (number, present) in images.iter().enumerate() {
            let list = format!("list {number}");
            shown(&readings, &list, page(0), all(present), NOW).unwrap();
        }
        let present = &images[3];
        let ask = |list| shown(&readings, list, page(2), all(present), NOW);
        assert_eq!(ask("list 0").unwrap_err(), Gone);
        assert!(Arc::ptr_eq(&ask("list 1").unwrap(), &images[1]));
        assert!(Arc::ptr_eq(&ask("list 3").unwrap(), present));
    }

    #[test]
    fn a_list_of_one_page_is_not_remembered() {
        let readings = Readings::default();
        let present = image(&["a", "b"]);
        shown(&readings, "users", page(0), all(&present), NOW).unwrap();
        assert!(readings.0.lock().unwrap().is_empty());
    }

    #[test]
    fn no_more_lists_are_remembered_than_may_be() {
        let readings = Readings::default();
        let present = image(&["a", "b", "c"]);
        for number in 0..READINGS_MAX + 50 {
            let list = format!("list {number}");
            shown(&readings, &list, page(0), all(&present), NOW).unwrap();
        }
        assert_eq!(readings.0.lock().unwrap().len(), READINGS_MAX);
    }
}
