//! Durations as people write them: `90s`, `1h30m`, `2d`, or as ISO 8601 has them: `PT1H30M`, `P2D`.
//!
//! *Source*: ISO 8601-1, 5.5.2.2, whole numbers only; without years and months, whose length is not
//! fixed.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// A duration that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("want a duration such as 90s, 15m, 1h30m, 2d, or PT1H30M")]
pub(super) struct NoDuration;

/// Reads what was typed.
///
/// *Errors*: [`NoDuration`].
pub(super) fn parse(text: &str) -> Result<Duration, NoDuration> {
    let seconds = match text.strip_prefix(['P', 'p']) {
        Some(iso) => match iso.split_once(['T', 't']) {
            Some((days, time)) => sum(days, &['w', 'd'])
                .zip(sum(time, &['h', 'm', 's']).filter(|_| !time.is_empty()))
                .and_then(|(days, time)| days.checked_add(time)),
            None => sum(iso, &['w', 'd']).filter(|_| !iso.is_empty()),
        },
        None => sum(text, &['w', 'd', 'h', 'm', 's']).filter(|_| !text.is_empty()),
    };
    seconds.map(Duration::from_secs).ok_or(NoDuration)
}

/// Writes a duration, rounded down to its two largest units: `3d 4h`, `12m 5s`, `0s`.
pub(super) fn written(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours) = (seconds / DAY, seconds % DAY / HOUR);
    let (minutes, rest) = (seconds % HOUR / MINUTE, seconds % MINUTE);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest}s"),
        (0, 0, _) => format!("{minutes}m {rest}s"),
        (0, _, _) => format!("{hours}h {minutes}m"),
        (_, _, _) => format!("{days}d {hours}h"),
    }
}

/// Adds up numbers with units, larger units first and each at most once, in seconds.
fn sum(text: &str, units: &[char]) -> Option<u64> {
    let (mut total, mut rest, mut units) = (0_u64, text, units);
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let (number, behind) = rest.split_at_checked(digits)?;
        let unit = behind.chars().next()?.to_ascii_lowercase();
        let place = units.iter().position(|&known| known == unit)?;
        let seconds = number.parse::<u64>().ok()?.checked_mul(length(unit))?;
        total = total.checked_add(seconds)?;
        units = units.get(place + 1..)?;
        rest = behind.get(1..)?;
    }
    Some(total)
}

fn length(unit: char) -> u64 {
    match unit {
        'w' => WEEK,
        'd' => DAY,
        'h' => HOUR,
        'm' => MINUTE,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_writing_are_understood() {
        for (text, seconds) in [
            ("0s", 0),
            ("90s", 90),
            ("15m", 900),
            ("1h30m", 5400),
            ("2d", 172_800),
            ("1w1d", 691_200),
            ("PT1H30M", 5400),
            ("pt5s", 5),
            ("P2D", 172_800),
            ("P1DT1M", 86_460),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1DT",
            "90",
            "s",
            "-5s",
            "+5s",
            "1.5h",
            "1m1h",
            "1s1s",
            "1y",
            "P1M",
            "P1H",
            "PT1D",
            "5 s",
            "1µ",
            "99999999999999999999s",
            "18446744073709551615w",
        ] {
            assert_eq!(parse(text), Err(NoDuration), "{text:?}");
        }
    }

    #[test]
    fn a_duration_is_written_in_its_two_largest_units() {
        for (seconds, want) in [
            (0, "0s"),
            (59, "59s"),
            (725, "12m 5s"),
            (5430, "1h 30m"),
            (273_700, "3d 4h"),
        ] {
            assert_eq!(written(Duration::from_secs(seconds)), want);
        }
    }
}
