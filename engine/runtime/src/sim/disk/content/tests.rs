//! The content of a file against a plain model of it: a list of every value each sector has had.

use super::*;

/// Sectors of the modelled file.
const SECTORS: usize = 32;

/// What a file could hold, written down without any cleverness.
struct Model {
    /// Per sector: the values since the last sync that covered it, oldest first.
    possible: Vec<Vec<u8>>,
}

impl Model {
    fn write(&mut self, first: usize, count: usize, value: u8) {
        for sector in &mut self.possible[first..first + count] {
            sector.push(value);
        }
    }

    fn sync(&mut self) {
        for sector in &mut self.possible {
            sector.drain(..sector.len() - 1);
        }
    }
}

fn bytes(sectors: usize, value: u8) -> Vec<u8> {
    vec![value; sectors * SECTOR]
}

fn position(sector: usize) -> u64 {
    u64::try_from(sector * SECTOR).unwrap()
}

fn write(content: &mut Content, first: usize, count: usize, value: u8) {
    let key = content.begin_write(position(first), bytes(count, value));
    assert!(content.finish_write(key).is_some());
}

/// Reads one value per sector; a sector of two values is torn.
fn values(content: &Content) -> Vec<u8> {
    let read = content.read(0, SECTORS * SECTOR);
    let sectors = read.chunks(SECTOR);
    sectors
        .map(|sector| {
            assert!(sector.iter().all(|byte| *byte == sector[0]), "torn");
            sector[0]
        })
        .collect()
}

#[test]
fn random_writes_syncs_and_power_failures_agree_with_the_model() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let mut content = Content::default();
        content.extend(position(SECTORS));
        content.settle(content.stamp());
        let mut model = Model {
            possible: vec![vec![0]; SECTORS],
        };
        for step in 0..120 {
            let value = u8::try_from(step + 1).unwrap();
            match rng.below(10) {
                0 => {
                    content.settle(content.stamp());
                    model.sync();
                }
                1 => {
                    let survival = Survival::draw(&mut rng);
                    content.fail_power(&mut rng, survival);
                    for (seen, possible) in values(&content).into_iter().zip(&mut model.possible) {
                        assert!(
                            possible.contains(&seen),
                            "seed {seed}: {seen} of {possible:?}"
                        );
                        *possible = vec![seen];
                    }
                }
                _ => {
                    let first = rng.index(SECTORS);
                    let count = 1 + rng.index(SECTORS - first);
                    write(&mut content, first, count, value);
                    model.write(first, count, value);
                }
            }
            let newest: Vec<u8> = model
                .possible
                .iter()
                .map(|all| all[all.len() - 1])
                .collect();
            assert_eq!(values(&content), newest, "seed {seed}");
        }
    }
}

#[test]
fn a_write_that_completes_after_the_sync_began_is_not_covered() {
    let mut content = Content::default();
    write(&mut content, 0, 8, 1);
    let began = content.stamp();
    write(&mut content, 0, 8, 2);
    content.settle(began);
    content.fail_power(&mut Rng::new(1), Survival::Nothing);
    assert_eq!(content.read(0, 1), [1]);
}

#[test]
fn a_lost_write_stays_in_doubt_until_it_is_overwritten_and_synced() {
    let mut content = Content::default();
    write(&mut content, 0, 8, 1);
    content.settle(content.stamp());
    write(&mut content, 0, 8, 2);
    content.lose(content.stamp());
    content.settle(content.stamp());
    assert_eq!(content.read(0, 1), [2]);
    write(&mut content, 0, 8, 3);
    content.settle(content.stamp());
    content.fail_power(&mut Rng::new(1), Survival::Nothing);
    assert_eq!(content.read(0, 1), [3]);

    write(&mut content, 0, 8, 4);
    content.lose(content.stamp());
    content.settle(content.stamp());
    content.fail_power(&mut Rng::new(1), Survival::Nothing);
    assert_eq!(content.read(0, 1), [3]);
}

#[test]
fn sizes_survive_in_the_order_they_were_set() {
    let mut seen = BTreeSet::new();
    for seed in 0..100 {
        let mut rng = Rng::new(seed);
        let mut content = Content::default();
        write(&mut content, 0, 16, 1);
        content.settle(content.stamp());
        content.set_len(1000);
        content.set_len(position(16));
        write(&mut content, 8, 8, 2);
        let survival = Survival::draw(&mut rng);
        content.fail_power(&mut rng, survival);
        let size = content.size();
        let tail = content.read(1000, 24);
        if size == 1000 {
            assert!(tail.is_empty());
        } else {
            assert_eq!(size, position(16));
            assert!(
                tail == [0; 24] || tail == [1; 24],
                "the cut happened or did not"
            );
        }
        let later = content.read(position(8), 1).first().copied();
        seen.insert((size, tail.first().copied(), later));
    }
    // Nothing survived; the cut alone; the cut and the growth, with and without the write.
    assert!(seen.contains(&(position(16), Some(1), Some(1))), "{seen:?}");
    assert!(seen.contains(&(1000, None, None)), "{seen:?}");
    assert!(seen.contains(&(position(16), Some(0), Some(0))), "{seen:?}");
    assert!(seen.contains(&(position(16), Some(0), Some(2))), "{seen:?}");
}
