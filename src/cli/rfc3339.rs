//! Times as people write them: `2026-01-31T12:00:00Z`.
//!
//! *Source*: RFC 3339, section 5.6, without the leap second that no clock of a record shows.

use types::TimestampMs;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Reads a time; `None` if it is not one. Digits beyond the millisecond are cut off.
pub(super) fn parse(text: &str) -> Option<TimestampMs> {
    let mut reader = Reader(text.as_bytes());
    let year = reader.number(4)?;
    reader.mark(b"-")?;
    let month = reader.number(2)?;
    reader.mark(b"-")?;
    let day = reader.number(2)?;
    reader.mark(b"Tt")?;
    let hour = reader.number(2).filter(|&hour| hour < 24)?;
    reader.mark(b":")?;
    let minute = reader.number(2).filter(|&minute| minute < 60)?;
    reader.mark(b":")?;
    let second = reader.number(2).filter(|&second| second < 60)?;
    let milliseconds = reader.fraction()?;
    let ahead = reader.ahead_of_utc()?;
    if !reader.0.is_empty() || !(1..=12).contains(&month) {
        return None;
    }
    if !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    let days = days_before(year, month) + day - 1;
    let seconds = days * DAY + hour * HOUR + minute * MINUTE + second - ahead;
    Some(TimestampMs(seconds * 1000 + milliseconds))
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// Takes one byte if it is one of these.
    fn mark(&mut self, any_of: &[u8]) -> Option<u8> {
        let next = self.0.first().filter(|next| any_of.contains(next));
        next.is_some().then(|| self.byte()).flatten()
    }

    fn digit(&mut self) -> Option<i64> {
        self.mark(b"0123456789")
            .map(|digit| i64::from(digit - b'0'))
    }

    fn number(&mut self, digits: usize) -> Option<i64> {
        let mut number = 0;
        for _ in 0..digits {
            number = number * 10 + self.digit()?;
        }
        Some(number)
    }

    /// Takes a fraction of a second, if there is one, in milliseconds.
    fn fraction(&mut self) -> Option<i64> {
        if self.mark(b".").is_none() {
            return Some(0);
        }
        let (mut milliseconds, mut unit) = (self.digit()? * 100, 10);
        while let Some(digit) = self.digit() {
            milliseconds += digit * unit;
            unit /= 10;
        }
        Some(milliseconds)
    }

    /// Takes the distance to UTC, in seconds.
    fn ahead_of_utc(&mut self) -> Option<i64> {
        let sign = match self.mark(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let hours = self.number(2).filter(|&hours| hours < 24)?;
        self.mark(b":")?;
        let minutes = self.number(2).filter(|&minutes| minutes < 60)?;
        Some(sign * (hours * HOUR + minutes * MINUTE))
    }
}

/// Counts the days from 1970-01-01 to the first day of a month of the Gregorian calendar.
fn days_before(year: i64, month: i64) -> i64 {
    const DAYS_BEFORE_1970: i64 = 719_162;
    let full = year - 1;
    let leap_days = full.div_euclid(4) - full.div_euclid(100) + full.div_euclid(400);
    let months: i64 = (1..month).map(|month| days_of(year, month)).sum();
    full * 365 + leap_days + months - DAYS_BEFORE_1970
}

fn days_of(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn milliseconds(text: &str) -> Option<i64> {
        parse(text).map(|time| time.0)
    }

    /// Writes a time by walking the calendar day by day from the year 2000.
    fn written(time: i64, ahead_minutes: i64) -> String {
        let local = time + ahead_minutes * 60_000;
        let (mut days, rest) = (
            local.div_euclid(86_400_000) - 10_957,
            local.rem_euclid(86_400_000),
        );
        let (mut year, mut month) = (2000, 1);
        while days < 0 {
            month -= 1;
            if month == 0 {
                (year, month) = (year - 1, 12);
            }
            days += days_of(year, month);
        }
        while days >= days_of(year, month) {
            days -= days_of(year, month);
            month += 1;
            if month == 13 {
                (year, month) = (year + 1, 1);
            }
        }
        let (hour, minute) = (rest / 3_600_000, rest / 60_000 % 60);
        let (second, fraction) = (rest / 1000 % 60, rest % 1000);
        let sign = if ahead_minutes < 0 { '-' } else { '+' };
        let (zone_hour, zone_minute) = (ahead_minutes.abs() / 60, ahead_minutes.abs() % 60);
        let day = days + 1;
        format!(
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}\
             {sign}{zone_hour:02}:{zone_minute:02}"
        )
    }

    #[test]
    fn known_times_are_what_date_prints() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59z", 951_868_799),
            ("2026-01-31t12:00:00+02:00", 1_769_853_600),
            ("1969-12-31T23:59:59Z", -1),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
            ("0001-01-01T00:00:00Z", -62_135_596_800),
        ] {
            assert_eq!(milliseconds(text), Some(seconds * 1000), "{text}");
        }
        assert_eq!(milliseconds("1970-01-01T00:00:00.5Z"), Some(500));
        assert_eq!(
            milliseconds("1970-01-01T00:00:00.0239999999999999999999Z"),
            Some(23)
        );
    }

    #[test]
    fn what_is_not_a_time_is_refused() {
        for text in [
            "",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-01-31 12:00:00Z",
            "2026-01-31T12:00Z",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00Z ",
            "2026-01-31T12:00:00+2:00",
            "2026-01-31T12:00:00+24:00",
            "2026-00-31T12:00:00Z",
            "2026-13-31T12:00:00Z",
            "2026-02-29T12:00:00Z",
            "2100-02-29T12:00:00Z",
            "2026-04-31T12:00:00Z",
            "2026-01-00T12:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:60:00Z",
            "2026-12-31T23:59:60Z",
            "+026-01-31T12:00:00Z",
        ] {
            assert_eq!(milliseconds(text), None, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn a_time_that_is_written_is_read_again(
            time in -60_000_000_000_000_i64..250_000_000_000_000,
            ahead in -1439_i64..1440,
        ) {
            prop_assert_eq!(milliseconds(&written(time, ahead)), Some(time));
        }

        #[test]
        fn no_text_is_too_much(text in "[0-9TZ:.+-]{0,40}") {
            let _never_panics = parse(&text);
        }
    }
}
