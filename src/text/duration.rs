//! Durations in whole seconds. Each format has its own grammar; one reader serves all of them.

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The grammar of a duration: numbers, each with a unit after it.
struct Grammar {
    /// The units, each with its length in nanoseconds.
    units: &'static [(&'static str, u64)],
    /// Whether a number may have a fraction.
    fractions: bool,
    /// Whether each unit must be shorter than the one before it.
    descending: bool,
    /// Whether a number without a unit counts seconds, and spaces may be anywhere.
    loose: bool,
}

/// `1h`, `2m`, `1m30s`: whole numbers, from the longest unit to the shortest.
const SPEC: Grammar = Grammar {
    units: &[("h", HOUR), ("m", MINUTE), ("s", SECOND)],
    fractions: false,
    descending: true,
    loose: false,
};

/// `1m30s`, `1.5h`, `300ms` (Go `src/time/format.go`, `ParseDuration`).
const GO: Grammar = Grammar {
    units: &[
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", SECOND),
        ("m", MINUTE),
        ("h", HOUR),
    ],
    fractions: true,
    descending: false,
    loose: false,
};

/// `90`, `90s`, `1min 30s` (`systemd.time(7)`; systemd `src/basic/time-util.c`, `extract_multiplier`).
const SYSTEMD: Grammar = Grammar {
    units: &[
        ("seconds", SECOND),
        ("second", SECOND),
        ("sec", SECOND),
        ("s", SECOND),
        ("minutes", MINUTE),
        ("minute", MINUTE),
        ("min", MINUTE),
        ("months", 2_629_800 * SECOND),
        ("month", 2_629_800 * SECOND),
        ("M", 2_629_800 * SECOND),
        ("msec", 1_000_000),
        ("ms", 1_000_000),
        ("m", MINUTE),
        ("hours", HOUR),
        ("hour", HOUR),
        ("hr", HOUR),
        ("h", HOUR),
        ("days", DAY),
        ("day", DAY),
        ("d", DAY),
        ("weeks", 7 * DAY),
        ("week", 7 * DAY),
        ("w", 7 * DAY),
        ("years", 31_557_600 * SECOND),
        ("year", 31_557_600 * SECOND),
        ("y", 31_557_600 * SECOND),
        ("usec", 1_000),
        ("us", 1_000),
        ("µs", 1_000),
    ],
    fractions: true,
    descending: false,
    loose: true,
};

/// `30`, `30s`, `0.5m` (`sleep(1)` of GNU coreutils).
const SLEEP: Grammar = Grammar {
    units: &[("s", SECOND), ("m", MINUTE), ("h", HOUR), ("d", DAY)],
    fractions: true,
    descending: true,
    loose: true,
};

/// Returns the seconds of a duration in a spec; `None` if it is invalid or longer than a week.
pub fn spec(text: &str) -> Option<u32> {
    const WEEK: u32 = 7 * 24 * 3600;
    SPEC.seconds(text).filter(|seconds| *seconds <= WEEK)
}

/// Returns the seconds of a Go duration, rounded up and 0 if it is negative; `None` if it is
/// invalid.
///
/// ```
/// use berthc::text::duration;
///
/// assert_eq!(duration::go("1m30.5s"), Some(91));
/// assert_eq!(duration::go("90"), None);
/// assert_eq!(duration::systemd("1min 30"), Some(90));
/// ```
pub fn go(text: &str) -> Option<u32> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let seconds = if unsigned == "0" { 0 } else { GO.seconds(unsigned)? };
    Some(if text.starts_with('-') { 0 } else { seconds })
}

/// Returns the seconds of a time span of systemd, rounded up; `u32::MAX` for `infinity`, `None` if
/// it is invalid.
pub fn systemd(text: &str) -> Option<u32> {
    if text.trim() == "infinity" { Some(u32::MAX) } else { SYSTEMD.seconds(text) }
}

/// Returns the seconds of an argument of `sleep`, rounded up; `None` if it is invalid or `infinity`.
pub fn sleep(text: &str) -> Option<u32> {
    SLEEP.seconds(text)
}

impl Grammar {
    /// Returns the seconds of `text`, rounded up, at most `u32::MAX`; `None` if it is invalid.
    fn seconds(&self, text: &str) -> Option<u32> {
        let space = |text| if self.loose { str::trim_start(text) } else { text };
        let (mut rest, mut total, mut last) = (space(text), 0u64, u64::MAX);
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let end = rest.find(|c: char| !(c.is_ascii_digit() || self.fractions && c == '.'));
            let (number, after) = rest.split_at(end.unwrap_or(rest.len()));
            let after = space(after);
            let end = after.find(|c: char| c.is_ascii_digit() || c == '.' || c.is_whitespace());
            let (name, after) = after.split_at(end.unwrap_or(after.len()));
            let unit = match self.units.iter().find(|(unit, _)| *unit == name) {
                Some((_, unit)) => *unit,
                None if name.is_empty() && self.loose => SECOND,
                None => return None,
            };
            if self.descending && unit >= last {
                return None;
            }
            last = unit;
            total = total.checked_add(times(number, unit)?)?;
            rest = space(after);
        }
        Some(u32::try_from(total.div_ceil(SECOND)).unwrap_or(u32::MAX))
    }
}

/// Multiplies a decimal number by a unit in nanoseconds, and rounds down. Digits after the ninth
/// decimal place are ignored. Returns `None` if it is not a number, or above 584 years.
fn times(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let billionths: u64 = format!("{:0<9.9}", fraction).parse().ok()?;
    let part = u128::from(unit) * u128::from(billionths) / 1_000_000_000;
    whole.checked_mul(unit)?.checked_add(u64::try_from(part).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_specs_are_whole_seconds() {
        for (text, seconds) in [("0s", 0), ("240s", 240), ("1m30s", 90), ("1h", 3600), ("1h1s", 3601)] {
            assert_eq!(spec(text), Some(seconds), "{text}");
        }
        for text in [
            "",
            "s",
            "30",
            "1.5s",
            "30s1m",
            "1m1m",
            "-1s",
            "1d",
            "99999999999999999999s",
            "9999h",
            "١s",
            "1m 30s",
        ] {
            assert_eq!(spec(text), None, "{text}");
        }
    }

    #[test]
    fn go_durations_have_fractions_and_signs() {
        let valid = [
            ("0", 0),
            ("1m30s", 90),
            ("1.5h", 5400),
            (".5s", 1),
            ("1.s", 1),
            ("0.7s0.1s0.2s", 1),
            ("1001ms", 2),
            ("1µs", 1),
            ("+5s", 5),
            ("-5s", 0),
            ("30s1m", 90),
        ];
        for (text, seconds) in valid {
            assert_eq!(go(text), Some(seconds), "{text}");
        }
        for text in ["", "-", "30", "s", ".s", "1.2.3s", "1d", "1m 30s", " 1s", "--5s", "infinity"] {
            assert_eq!(go(text), None, "{text}");
        }
    }

    #[test]
    fn durations_of_sleep_have_one_letter_units() {
        for (text, seconds) in [("30", 30), ("30s", 30), ("0.5m", 30), ("1h", 3600)] {
            assert_eq!(sleep(text), Some(seconds), "{text}");
        }
        for text in ["", "5min", "$WAIT", "infinity"] {
            assert_eq!(sleep(text), None, "{text}");
        }
    }

    #[test]
    fn time_spans_of_systemd_have_spaces_and_words() {
        let valid = [
            ("90", 90),
            ("90s", 90),
            ("1min 30s", 90),
            ("1 min 30", 90),
            (" 2hours", 7200),
            ("1.5 min", 90),
            ("500ms", 1),
            ("1week1d", 691_200),
            ("1month", 2_629_800),
            ("1y", 31_557_600),
            ("0", 0),
            ("infinity", u32::MAX),
            ("500y", u32::MAX),
        ];
        for (text, seconds) in valid {
            assert_eq!(systemd(text), Some(seconds), "{text}");
        }
        for text in ["", " ", "s", "min", "5 fortnights", "-5", "1.2.3", "5,5s", "999999999999999999999s"] {
            assert_eq!(systemd(text), None, "{text}");
        }
    }
}
