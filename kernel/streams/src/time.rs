//! Points and spans of event time: epoch microseconds inside, ISO 8601 in UTC outside.

use std::time::Duration;

use crate::{Error, Result};

/// Microseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000;
/// Microseconds in a day.
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// Returns a span of `n` seconds.
pub fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// Returns a span of `n` minutes.
pub fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

/// Returns a span of `n` hours.
pub fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}

/// Returns a span of `n` days of 24 hours each.
pub fn days(n: u64) -> Duration {
    Duration::from_secs(n * 86_400)
}

/// Reads a span as Spark writes it: a whole number and a unit, for instance `10 seconds`.
///
/// Units: microsecond, millisecond, second, minute, hour, day (24 hours), week (7 days), each with
/// or without an s.
///
/// # Errors
/// For a month or a year, which have no fixed length, and for what is no span.
pub fn span(text: &str) -> Result<Duration> {
    let (number, unit) = text.trim().split_once(' ').unwrap_or((text, ""));
    let unit = unit.trim().to_lowercase();
    let micros: u64 = match unit.strip_suffix('s').unwrap_or(&unit) {
        "microsecond" => 1,
        "millisecond" => 1000,
        "second" => 1_000_000,
        "minute" => 60_000_000,
        "hour" => 3_600_000_000,
        "day" => 86_400_000_000,
        "week" => 604_800_000_000,
        "month" | "year" => {
            return Err(Error::new(format!(
                "a {unit} has no fixed length, so no window can have it"
            ))
            .have(format!("`{text}`"))
            .hint("days(30)"));
        }
        _ => return Err(no_span(text)),
    };
    let number: u64 = number.parse().map_err(|_| no_span(text))?;
    let micros = number.checked_mul(micros).ok_or_else(|| no_span(text))?;
    Ok(Duration::from_micros(micros))
}

fn no_span(text: &str) -> Error {
    Error::new("this is no span of time")
        .have(format!("`{text}`"))
        .hint("\"10 seconds\", or seconds(10)")
}

/// Returns the span in microseconds.
pub(crate) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

/// Reads `2013-02-08`, `2013-02-08 10:15`, `2013-02-08T10:15:00.250Z` or an offset such as `+01:00`.
///
/// Returns epoch microseconds and whether the text named a zone; a text without one means UTC.
pub(crate) fn parse(text: &str) -> Option<(i64, bool)> {
    let bytes = text.as_bytes();
    if bytes.len() < 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let date = days_from_civil(
        digits(bytes, 0, 4)?,
        digits(bytes, 5, 2)?,
        digits(bytes, 8, 2)?,
    )?;
    if bytes.len() == 10 {
        return Some((date * DAY, false));
    }
    if (bytes[10] != b'T' && bytes[10] != b' ') || bytes.len() < 16 || bytes[13] != b':' {
        return None;
    }
    let (hour, minute) = (digits(bytes, 11, 2)?, digits(bytes, 14, 2)?);
    let mut at = 16;
    let mut clock = (hour * 60 + minute) * 60 * SECOND;
    let mut second = 0;
    if bytes.get(at) == Some(&b':') {
        second = digits(bytes, at + 1, 2)?;
        clock += second * SECOND;
        at += 3;
        if bytes.get(at) == Some(&b'.') {
            let length = bytes[at + 1..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            clock += fraction(&bytes[at + 1..at + 1 + length])?;
            at += 1 + length;
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (offset, zoned) = zone(&bytes[at..])?;
    Some((date * DAY + clock - offset, zoned))
}

/// Reads a time that a person typed as an argument.
pub(crate) fn parse_argument(text: &str) -> Result<i64> {
    parse(text).map(|(time, _)| time).ok_or_else(|| {
        Error::new(format!("`{text}` is not a time"))
            .hint("\"2013-02-08\" or \"2013-02-08 10:15:00\" (UTC)")
    })
}

/// Writes epoch microseconds as `2013-02-08T10:15:00.250Z` with `digits` (0, 3, 6 or 9) decimals.
pub(crate) fn write_iso(to: &mut Vec<u8>, time: i64, decimals: usize, zone: bool) {
    use std::io::Write;
    let (days, clock) = (time.div_euclid(DAY), time.rem_euclid(DAY));
    let (year, month, day) = civil_from_days(days);
    let (whole, part) = (clock / SECOND, clock % SECOND);
    let (hour, minute, second) = (whole / 3600, whole / 60 % 60, whole % 60);
    let _ = write!(
        to,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
    );
    match decimals {
        0 => {}
        3 => drop(write!(to, ".{:03}", part / 1000)),
        6 => drop(write!(to, ".{part:06}")),
        _ => drop(write!(to, ".{part:06}000")),
    }
    if zone {
        to.push(b'Z');
    }
}

/// Returns `2013-02-08 10:15:00`, with decimals only if there are any.
pub(crate) fn show(time: i64) -> String {
    let decimals = match time.rem_euclid(SECOND) {
        0 => 0,
        part if part % 1000 == 0 => 3,
        _ => 6,
    };
    let mut text = Vec::new();
    write_iso(&mut text, time, decimals, false);
    String::from_utf8(text)
        .expect("digits are text")
        .replace('T', " ")
}

/// Returns the time of day, `10:15:00`.
pub(crate) fn show_clock(time: i64) -> String {
    show(time)[11..].to_owned()
}

/// Returns a span as people say it: `250 ms`, `45 s`, `30 min`, `1.5 h`, `2 days`.
pub(crate) fn show_span(span: i64) -> String {
    if span == DAY {
        return "1 day".into();
    }
    let (value, unit) = match span {
        ..SECOND => (span as f64 / 1e3, "ms"),
        SECOND..60_000_000 => (span as f64 / 1e6, "s"),
        60_000_000..3_600_000_000 => (span as f64 / 60e6, "min"),
        3_600_000_000..DAY => (span as f64 / 3600e6, "h"),
        _ => (span as f64 / DAY as f64, "days"),
    };
    let text = format!("{value:.1}");
    format!("{} {unit}", text.strip_suffix(".0").unwrap_or(&text))
}

/// Returns year, month and day of a day counted from 1970-01-01.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    // Years start in March here, so that the leap day is the last day of its year.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let shifted = year - i64::from(month <= 2);
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100
        + day_of_year
        - 719_468;
    // 31 April would silently become 1 May.
    (civil_from_days(days) == (year, month, day)).then_some(days)
}

fn digits(bytes: &[u8], at: usize, length: usize) -> Option<i64> {
    let part = bytes.get(at..at + length)?;
    part.iter().try_fold(0, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + i64::from(byte - b'0'))
    })
}

/// Reads decimals of a second as microseconds; what is smaller is cut off.
fn fraction(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let mut padded = [b'0'; 9];
    padded[..digits.len()].copy_from_slice(digits);
    self::digits(&padded, 0, 6)
}

fn zone(rest: &[u8]) -> Option<(i64, bool)> {
    match rest {
        [] => Some((0, false)),
        [b'Z'] => Some((0, true)),
        [sign @ (b'+' | b'-'), clock @ ..] if clock.len() == 5 || clock.len() == 4 => {
            let minute = if clock.len() == 5 { 3 } else { 2 };
            let span = (digits(clock, 0, 2)? * 60 + digits(clock, minute, 2)?) * 60 * SECOND;
            Some((if *sign == b'-' { -span } else { span }, true))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_microseconds_turn_into_each_other() {
        for time in [
            0,
            -1,
            1_740_823_180_344_000,
            -40_000_000,
            951_782_400_000_000,
            4_102_444_799_999_999,
        ] {
            let mut text = Vec::new();
            write_iso(&mut text, time, 6, true);
            assert_eq!(
                parse(std::str::from_utf8(&text).unwrap()),
                Some((time, true))
            );
        }
        assert_eq!(
            parse("2013-02-08T10:15+01:00"),
            Some((1_360_314_900_000_000, true))
        );
        assert_eq!(parse("2013-04-31"), None);
        assert_eq!(parse("2013-02-08T1"), None);
    }
}
