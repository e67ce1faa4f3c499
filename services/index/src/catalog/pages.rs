//! The rendered forms of one page: HTML under two names and JSON, plain and compressed, made when somebody first asks for each, and kept.
//!
//! Made late, since most pages of a large index are never asked for, and those that are mostly in one form; kept, since
//! a request for a page that is there then costs a look-up and a write.

use std::collections::VecDeque;
use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderValue;
use http::header::CONTENT_ENCODING;
use opsctl_dist::simple::Format;
use opsctl_http::{Coding, Entity, Rendered};

/// What is compressed once is sent often, but it has to be there before the client gives up.
const GZIP_LEVEL: u32 = 6;
const ZSTD_LEVEL: i32 = 6;

/// The forms of one page that were asked for so far.
#[derive(Default)]
pub(crate) struct Pages {
    forms: Mutex<Forms>,
    /// Whether somebody has asked since it was last looked at.
    used: AtomicBool,
    /// Who counts its bytes, and how it is found by that.
    counted: Option<(Arc<Budget>, Weak<Pages>)>,
}

type Forms = [Option<Arc<Rendered>>; 9];

impl Pages {
    /// A page whose bytes count: it loses its forms when there are too many of all pages together.
    pub(crate) fn within(budget: &Arc<Budget>) -> Arc<Pages> {
        Arc::new_cyclic(|this| {
            let counted = Some((Arc::clone(budget), this.clone()));
            Pages { forms: Mutex::default(), used: AtomicBool::default(), counted }
        })
    }

    /// The page in this form. If it is not there, `render` makes its text and `entity` its headers; two that ask at once
    /// wait for one rendering.
    pub(crate) fn get(
        &self,
        format: Format,
        coding: Coding,
        entity: impl FnOnce() -> Entity,
        render: impl FnOnce() -> Vec<u8>,
    ) -> Arc<Rendered> {
        self.used.store(true, Ordering::Relaxed);
        let mut pages = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = &pages[slot(format, coding)] {
            return Arc::clone(page);
        }
        let same = |other: &Format| other.is_html() == format.is_html();
        let plain = [Format::Json, Format::Html, Format::Text].into_iter().filter(same);
        let plain = plain.filter_map(|format| pages[slot(format, Coding::Identity)].as_ref()).next();
        let plain = plain.map_or_else(|| render().into(), |page| page.bytes().clone());
        let page = Arc::new(Rendered::new(encoded(entity(), coding), encode(plain, coding)));
        let is_first = pages.iter().all(Option::is_none);
        pages[slot(format, coding)] = Some(Arc::clone(&page));
        drop(pages);
        if let Some((budget, this)) = &self.counted {
            budget.add(page.footprint(), is_first.then_some(this));
        }
        page
    }

    /// Bytes that are kept.
    pub(crate) fn weight(&self) -> usize {
        weight(&self.forms.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets the forms; returns how many bytes that were.
    fn clear(&self) -> usize {
        let mut forms = self.forms.lock().unwrap_or_else(PoisonError::into_inner);
        weight(&std::mem::take(&mut *forms))
    }
}

fn weight(forms: &Forms) -> usize {
    forms.iter().flatten().map(|page| page.footprint()).sum()
}

impl Drop for Pages {
    fn drop(&mut self) {
        if let Some((budget, _)) = &self.counted {
            let forms = self.forms.get_mut().unwrap_or_else(PoisonError::into_inner);
            let mut kept = budget.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.bytes = kept.bytes.saturating_sub(weight(forms));
        }
    }
}

/// How many bytes of rendered pages are kept, of all projects together. When there are more, pages that nobody has asked
/// for since the last look lose their forms, one after the other (the clock algorithm).
#[derive(Debug)]
pub(crate) struct Budget {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: usize,
    clock: VecDeque<Weak<Pages>>,
}

impl Budget {
    pub(crate) fn new(most: usize) -> Arc<Budget> {
        Arc::new(Budget { most, kept: Mutex::default() })
    }

    /// A form was made of `bytes`; `page` has had none until now.
    fn add(&self, bytes: usize, page: Option<&Weak<Pages>>) {
        // what is the last of a page must not go while the lock is held, since it takes it
        let mut looked = Vec::new();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes = kept.bytes.saturating_add(bytes);
        kept.clock.extend(page.cloned());
        // once around takes the marks away, and the second time something is found
        for _ in 0..kept.clock.len() * 2 {
            if kept.bytes <= self.most {
                break;
            }
            let Some(next) = kept.clock.pop_front() else { break };
            let Some(page) = next.upgrade() else { continue };
            match page.used.swap(false, Ordering::Relaxed) {
                true => kept.clock.push_back(next),
                false => kept.bytes = kept.bytes.saturating_sub(page.clear()),
            }
            looked.push(page);
        }
        drop(kept);
        drop(looked);
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pages({} bytes)", self.weight())
    }
}

fn slot(format: Format, coding: Coding) -> usize {
    let format = match format {
        Format::Json => 0,
        Format::Html => 1,
        Format::Text => 2,
    };
    let coding = match coding {
        Coding::Identity => 0,
        Coding::Gzip => 1,
        Coding::Zstd => 2,
    };
    format * 3 + coding
}

fn encoded(entity: Entity, coding: Coding) -> Entity {
    match coding {
        Coding::Identity => entity,
        Coding::Gzip => entity.header(CONTENT_ENCODING, HeaderValue::from_static("gzip")),
        Coding::Zstd => entity.header(CONTENT_ENCODING, HeaderValue::from_static("zstd")),
    }
}

/// Compresses. Into memory, which does not fail.
fn encode(plain: Bytes, coding: Coding) -> Bytes {
    match coding {
        Coding::Identity => plain,
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL));
            encoder.write_all(&plain).and_then(|()| encoder.finish()).unwrap_or_default().into()
        }
        Coding::Zstd => zstd::bulk::compress(&plain, ZSTD_LEVEL).unwrap_or_default().into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    const FORMATS: [Format; 3] = [Format::Json, Format::Html, Format::Text];
    const CODINGS: [Coding; 3] = [Coding::Identity, Coding::Gzip, Coding::Zstd];

    fn entity() -> Entity {
        Entity::new(HeaderValue::from_static("text/html"))
    }

    fn decode(page: &Rendered, coding: Coding) -> Vec<u8> {
        let mut plain = Vec::new();
        match coding {
            Coding::Identity => plain.extend_from_slice(page.bytes()),
            Coding::Gzip => drop(flate2::read::GzDecoder::new(&**page.bytes()).read_to_end(&mut plain).unwrap()),
            Coding::Zstd => plain = zstd::decode_all(&**page.bytes()).unwrap(),
        }
        plain
    }

    #[test]
    fn each_form_is_rendered_once() {
        let pages = Pages::default();
        let text = |format: Format| format!("{} {}", format.is_html(), "x".repeat(10_000)).into_bytes();
        for (format, coding) in FORMATS.into_iter().flat_map(|format| CODINGS.map(|coding| (format, coding))) {
            let page = pages.get(format, coding, entity, || text(format));
            assert_eq!(decode(&page, coding), text(format));
            let again = pages.get(format, coding, entity, || panic!("it is there"));
            assert!(Arc::ptr_eq(&page, &again));
        }
        assert!(pages.weight() > 30_000 && pages.weight() < 31_000, "{pages:?}");
    }

    #[test]
    fn pages_that_nobody_asks_for_lose_their_forms() {
        let budget = Budget::new(50_000);
        let bytes = || budget.kept.lock().unwrap().bytes;
        let ask = |page: &Pages| page.get(Format::Json, Coding::Identity, entity, || vec![b'x'; 10_000]);
        let all: Vec<_> = (0..100).map(|_| Pages::within(&budget)).collect();
        for (at, page) in all.iter().enumerate() {
            ask(page);
            // this one is asked for all the time
            ask(&all[0]);
            assert!(bytes() <= 60_000, "{at}: {}", bytes());
        }
        let kept: Vec<_> = all.iter().enumerate().filter(|(_, page)| page.weight() > 0).map(|(at, _)| at).collect();
        assert!(kept.len() <= 5 && kept.contains(&0) && kept.contains(&99), "{kept:?}");
        assert_eq!(bytes(), all.iter().map(|page| page.weight()).sum::<usize>());
        // one that lost its forms is made again
        assert_eq!(ask(&all[50]).bytes().len(), 10_000);
        drop(all);
        assert_eq!(bytes(), 0);
    }

    #[test]
    fn the_plain_form_need_not_be_kept() {
        let pages = Pages::default();
        pages.get(Format::Html, Coding::Zstd, entity, || vec![b'x'; 10_000]);
        assert!(pages.weight() < 200);
    }
}
