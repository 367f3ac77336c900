//! Today's date for the headers of files. UTC, and `SOURCE_DATE_EPOCH` goes before the clock.
use crate::error::ExpectedError;
use std::time::{SystemTime, UNIX_EPOCH};

/// The date to write: the one that was given, else the environment's, else today's.
pub(crate) fn date(given: Option<&str>) -> Result<String, ExpectedError> {
    if let Some(text) = given {
        return check(text);
    }
    let seconds = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text.trim().parse().map_err(|_| {
            ExpectedError::usage(format!(
                "SOURCE_DATE_EPOCH: expected seconds since 1970, got {text:?}"
            ))
        })?,
        Err(_) => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_secs()),
    };
    Ok(from_seconds(seconds))
}

fn check(text: &str) -> Result<String, ExpectedError> {
    let wrong = || ExpectedError::usage(format!("--date: expected a day such as 2026-01-31, got {text:?}"));
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !shape {
        return Err(wrong());
    }
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(|digits| digits.parse::<u64>().ok());
    match (part(0..4), part(5..7), part(8..10)) {
        (Some(year), Some(month @ 1..=12), Some(day)) if day >= 1 && day <= days_in(year, month) => {
            Ok(text.to_owned())
        }
        _ => Err(wrong()),
    }
}

const fn leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts years and months off from 1970.
fn from_seconds(seconds: u64) -> String {
    // Nobody needs a later year, and the loop stays short.
    let mut days = (seconds / 86_400).min(2_932_896);
    let mut year = 1970;
    loop {
        let length = if leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let mut month = 1;
    while days >= days_in(year, month) {
        days -= days_in(year, month);
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_leap_days() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_798_761_599, "2026-12-31"),
            (1_798_761_600, "2027-01-01"),
            (u64::MAX, "9999-12-31"),
        ] {
            assert_eq!(from_seconds(seconds), day);
        }
    }

    #[test]
    fn takes_only_days_that_exist() {
        assert_eq!(check("2028-02-29").as_deref(), Ok("2028-02-29"));
        for text in [
            "2026-02-29",
            "2026-13-01",
            "2026-1-1",
            "26-01-01",
            "2026-00-10",
            "2026-01-00",
            "today",
            "２026-01-1",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
