//! The bytes of one file: what reads see, and what each sector could hold after a power failure.
//!
//! Every write gets a stamp. A page keeps a version per write since the last sync that covered it:
//!
//! ```text
//!   versions of a page:   [ durable, write 7, write 9, write 12 ]
//!                             |                            `--- what reads see
//!                             `--- what is surely there after a power failure
//!   sync begun at stamp 9:  [ write 9, write 12 ]
//!   power failure:          each sector takes any one of the versions
//! ```
//!
//! Sizes are journalled by the filesystem: of the changes of size since the last sync, a prefix
//! survives. A cut takes effect for all its pages or for none.

use std::collections::{BTreeMap, BTreeSet};

use super::super::rng::Rng;

#[cfg(test)]
mod tests;

/// The unit in which content is kept.
pub(crate) const PAGE: usize = 4096;

/// The unit that a power failure cannot tear.
pub(crate) const SECTOR: usize = 512;

/// [`PAGE`] as a count of bytes in a file.
pub(crate) const PAGE_SIZE: u64 = 4096;

const _: () = assert!(PAGE.is_multiple_of(SECTOR));

/// The stamp of a version that no later sync makes durable.
const LOST: u64 = u64::MAX;

/// The bytes of a page; `None` is zeros.
type Image = Option<Box<[u8; PAGE]>>;

#[derive(Debug)]
struct Version {
    stamp: u64,
    image: Image,
    origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Written,
    /// By a change of size: it survives exactly when that does.
    Cut,
}

/// How much of what was not synced survives a power failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Survival {
    /// All of it: the device had written its cache out.
    Everything,
    /// None of it.
    Nothing,
    /// Each page on its own, the newest version this often in a thousand, else any.
    Pages(u16),
    /// Each sector on its own, the newest version this often in a thousand, else any.
    Sectors(u16),
}

impl Survival {
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        match rng.below(8) {
            0 => Self::Everything,
            1 => Self::Nothing,
            2 | 3 => Self::Pages(500),
            4 => Self::Sectors(900),
            5 => Self::Sectors(100),
            _ => Self::Sectors(500),
        }
    }

    /// Draws which of `count` versions, oldest first, is there afterwards.
    fn choose(self, rng: &mut Rng, count: usize) -> usize {
        match self {
            Self::Everything => count - 1,
            Self::Nothing => 0,
            Self::Pages(permille) | Self::Sectors(permille) if rng.chance(permille) => count - 1,
            Self::Pages(_) | Self::Sectors(_) => rng.index(count),
        }
    }

    /// Draws whether one change survives as a whole.
    pub(crate) fn spares(self, rng: &mut Rng) -> bool {
        self.choose(rng, 2) == 1
    }

    /// The unit that is chosen for on its own.
    fn unit(self) -> usize {
        match self {
            Self::Sectors(_) => SECTOR,
            Self::Everything | Self::Nothing | Self::Pages(_) => PAGE,
        }
    }
}

/// A write under way.
#[derive(Debug)]
struct Flight {
    position: u64,
    bytes: Vec<u8>,
}

/// One file's bytes.
#[derive(Debug)]
pub(crate) struct Content {
    /// Oldest version first, never empty; a page that is not here is zeros, durably.
    pages: BTreeMap<u64, Vec<Version>>,
    /// Pages with more than one version or a lost one.
    unsettled: BTreeSet<u64>,
    /// Stamp and size, oldest first, never empty: the first is durable.
    sizes: Vec<(u64, u64)>,
    flights: BTreeMap<u64, Flight>,
    stamp: u64,
}

impl Default for Content {
    fn default() -> Self {
        Self {
            pages: BTreeMap::new(),
            unsettled: BTreeSet::new(),
            sizes: vec![(0, 0)],
            flights: BTreeMap::new(),
            stamp: 0,
        }
    }
}

impl Content {
    /// Returns the size that reads see.
    pub(crate) fn size(&self) -> u64 {
        self.sizes.last().expect("there is a size").1
    }

    /// Returns the stamp of the last change: what a sync that begins now covers.
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp
    }

    /// Begins a write: from now on a power failure may leave any part of it.
    pub(crate) fn begin_write(&mut self, position: u64, bytes: Vec<u8>) -> u64 {
        let key = self.next_stamp();
        self.flights.insert(key, Flight { position, bytes });
        key
    }

    /// Completes a write; returns its stamp, `None` if a power failure came first.
    pub(crate) fn finish_write(&mut self, key: u64) -> Option<u64> {
        let flight = self.flights.remove(&key)?;
        let stamp = self.next_stamp();
        self.apply(stamp, flight.position, &flight.bytes);
        Some(stamp)
    }

    /// Completes the first `count` bytes of a write, the rest does not happen.
    pub(crate) fn cut_write_short(&mut self, key: u64, count: usize) {
        if let Some(flight) = self.flights.remove(&key) {
            let stamp = self.next_stamp();
            self.apply(stamp, flight.position, &flight.bytes[..count]);
        }
    }

    /// Ends a write with an error: each sector is written or not, and no sync makes it durable.
    pub(crate) fn fail_write(&mut self, key: u64, rng: &mut Rng) {
        let Some(flight) = self.flights.remove(&key) else {
            return;
        };
        for (index, sector) in flight.bytes.chunks(SECTOR).enumerate() {
            if rng.chance(500) {
                let index = u64::try_from(index * SECTOR).expect("a write fits memory");
                self.apply(LOST, flight.position + index, sector);
            }
        }
    }

    /// Reads what is there, up to the end of the file.
    pub(crate) fn read(&self, position: u64, len: usize) -> Vec<u8> {
        let available = self.size().saturating_sub(position);
        let len = usize::try_from(available).map_or(len, |available| len.min(available));
        let mut bytes = vec![0; len];
        let mut done = 0;
        while done < len {
            let (page, within, count) = step(position, done, len);
            if let Some(image) = self.newest(page) {
                bytes[done..done + count].copy_from_slice(&image[within..within + count]);
            }
            done += count;
        }
        bytes
    }

    /// Extends the size to `len` if it is smaller.
    pub(crate) fn extend(&mut self, len: u64) {
        if len > self.size() {
            let stamp = self.next_stamp();
            self.sizes.push((stamp, len));
        }
    }

    /// Sets the size; what is cut off reads as zeros if the file grows again.
    pub(crate) fn set_len(&mut self, len: u64) {
        if len >= self.size() {
            return self.extend(len);
        }
        let stamp = self.next_stamp();
        self.sizes.push((stamp, len));
        let kept = usize::try_from(len % PAGE_SIZE).expect("a page is small");
        let first = len / PAGE_SIZE;
        let touched: Vec<u64> = self.pages.range(first..).map(|(page, _)| *page).collect();
        for page in touched {
            let mut image = None;
            if page == first && kept > 0 {
                image = self.newest(page).copied().map(Box::new);
                if let Some(image) = &mut image {
                    image[kept..].fill(0);
                }
            }
            self.push(page, stamp, image, Origin::Cut);
        }
    }

    /// Makes durable all that was done up to a stamp.
    pub(crate) fn settle(&mut self, stamp: u64) {
        let pages: Vec<u64> = self.unsettled.iter().copied().collect();
        for page in pages {
            self.settle_page(page, stamp);
        }
        self.settle_size(stamp);
    }

    /// Makes durable what one write of that stamp covered, and the size.
    pub(crate) fn settle_range(&mut self, stamp: u64, position: u64, len: u64) {
        let pages = position / PAGE_SIZE..(position + len).div_ceil(PAGE_SIZE);
        for page in pages {
            self.settle_page(page, stamp);
        }
        self.settle_size(stamp);
    }

    /// Lets a sync fail: what it covered is never made durable by a later one.
    pub(crate) fn lose(&mut self, stamp: u64) {
        for page in &self.unsettled {
            let versions = self.pages.get_mut(page).into_iter().flatten().skip(1);
            for version in versions.filter(|version| version.origin == Origin::Written) {
                if version.stamp <= stamp {
                    version.stamp = LOST;
                }
            }
        }
    }

    /// Cuts the power: decides what every sector holds from now on.
    pub(crate) fn fail_power(&mut self, rng: &mut Rng, survival: Survival) {
        self.land_flights(rng, survival);
        let survivor = survival.choose(rng, self.sizes.len());
        let (survived, size) = self.sizes[survivor];
        for page in std::mem::take(&mut self.unsettled) {
            let versions = self.pages.remove(&page).expect("an unsettled page is here");
            let image = collapse(versions, survived, rng, survival);
            self.keep(page, image);
        }
        self.drop_beyond(size);
        self.sizes = vec![(self.stamp, size)];
    }

    /// Lets a process die: the machine goes on, writes under way are done or not.
    pub(crate) fn fail_process(&mut self, rng: &mut Rng) {
        let survival = Survival::Sectors(500);
        self.land_flights(rng, survival);
    }

    /// Ends the writes under way at a crash, each in whole, in part or not at all.
    fn land_flights(&mut self, rng: &mut Rng, survival: Survival) {
        for flight in std::mem::take(&mut self.flights).into_values() {
            if !survival.spares(rng) {
                continue;
            }
            let stamp = self.next_stamp();
            let sectors = flight.bytes.len().div_ceil(SECTOR);
            if sectors == 0 {
                continue;
            }
            let count = (SECTOR * (rng.index(sectors) + 1)).min(flight.bytes.len());
            self.apply(stamp, flight.position, &flight.bytes[..count]);
        }
    }

    /// Writes bytes that begin and end anywhere as a new version of their pages.
    fn apply(&mut self, stamp: u64, position: u64, bytes: &[u8]) {
        let mut done = 0;
        while done < bytes.len() {
            let (page, within, count) = step(position, done, bytes.len());
            let mut image = Box::new(self.newest(page).copied().unwrap_or([0; PAGE]));
            image[within..within + count].copy_from_slice(&bytes[done..done + count]);
            self.push(page, stamp, Some(image), Origin::Written);
            done += count;
        }
        let end = position + u64::try_from(bytes.len()).expect("a write fits memory");
        if end > self.size() {
            let stamp = if stamp == LOST {
                self.next_stamp()
            } else {
                stamp
            };
            self.sizes.push((stamp, end));
        }
    }

    fn push(&mut self, page: u64, stamp: u64, image: Image, origin: Origin) {
        let durable = || {
            vec![Version {
                stamp: 0,
                image: None,
                origin: Origin::Written,
            }]
        };
        let versions = self.pages.entry(page).or_insert_with(durable);
        versions.push(Version {
            stamp,
            image,
            origin,
        });
        self.unsettled.insert(page);
    }

    fn settle_page(&mut self, page: u64, stamp: u64) {
        let Some(versions) = self.pages.get_mut(&page) else {
            return;
        };
        let durable = versions.iter().rposition(|version| version.stamp <= stamp);
        if let Some(durable) = durable {
            versions.drain(..durable);
        }
        if versions.len() == 1 && versions[0].stamp != LOST {
            self.unsettled.remove(&page);
            if versions[0].image.is_none() {
                self.pages.remove(&page);
            }
        }
    }

    fn settle_size(&mut self, stamp: u64) {
        let durable = self.sizes.iter().rposition(|(at, _)| *at <= stamp);
        if let Some(durable) = durable {
            self.sizes.drain(..durable);
        }
    }

    fn keep(&mut self, page: u64, image: Image) {
        if image.is_some() {
            let version = Version {
                stamp: self.stamp,
                image,
                origin: Origin::Written,
            };
            self.pages.insert(page, vec![version]);
        }
    }

    fn drop_beyond(&mut self, size: u64) {
        let kept = usize::try_from(size % PAGE_SIZE).expect("a page is small");
        self.pages.split_off(&size.div_ceil(PAGE_SIZE));
        if kept == 0 {
            return;
        }
        let last = self.pages.get_mut(&(size / PAGE_SIZE));
        for version in last.into_iter().flatten() {
            if let Some(image) = &mut version.image {
                image[kept..].fill(0);
            }
        }
    }

    fn newest(&self, page: u64) -> Option<&[u8; PAGE]> {
        self.pages.get(&page)?.last()?.image.as_deref()
    }

    fn next_stamp(&mut self) -> u64 {
        self.stamp += 1;
        self.stamp
    }
}

/// Returns the page of the next bytes, where in it they begin, and how many are in it.
fn step(position: u64, done: usize, len: usize) -> (u64, usize, usize) {
    let at = position + u64::try_from(done).expect("memory is addressed with 64 bits");
    let within = usize::try_from(at % PAGE_SIZE).expect("a page is small");
    (at / PAGE_SIZE, within, (PAGE - within).min(len - done))
}

/// Makes one image of a page's versions; changes of size up to the stamp `survived` took effect.
fn collapse(mut versions: Vec<Version>, survived: u64, rng: &mut Rng, survival: Survival) -> Image {
    versions.retain(|version| version.origin == Origin::Written || version.stamp <= survived);
    let cut = versions
        .iter()
        .rposition(|version| version.origin == Origin::Cut);
    versions.drain(..cut.unwrap_or(0));
    if versions.len() == 1 {
        return versions.pop().expect("there is one").image;
    }
    let mut image = Box::new([0; PAGE]);
    let unit = survival.unit();
    for start in (0..PAGE).step_by(unit) {
        let chosen = &versions[survival.choose(rng, versions.len())];
        if let Some(source) = &chosen.image {
            image[start..start + unit].copy_from_slice(&source[start..start + unit]);
        }
    }
    Some(image)
}
