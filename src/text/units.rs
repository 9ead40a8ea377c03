//! Quantities and versions, in the notation of the orchestrators.

use std::fmt;

/// Returns the millicores of a quantity such as `2`, `0.5` or `500m`; above 0.
pub fn cpu(text: &str) -> Option<u64> {
    let milli = match text.strip_suffix('m') {
        Some(milli) => digits(milli)?,
        None => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
            if fraction.is_empty() || fraction.len() > 3 {
                return None;
            }
            let thousandths = digits(&format!("{fraction:0<3}"))?;
            digits(whole)?.checked_mul(1000)?.checked_add(thousandths)?
        }
    };
    (1..=1_000_000).contains(&milli).then_some(milli)
}

/// The units of bytes. The binary ones come first, so that `Ki` is tried before `k`.
const BYTES: [(&str, u64); 10] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
];

/// Returns the bytes of a quantity such as `8Gi`, `512Mi`, `1G` or `1048576`; above 0.
pub fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = BYTES
        .iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, *unit)))
        .unwrap_or((text, 1));
    digits(number)?.checked_mul(unit).filter(|b| *b > 0 && *b <= i64::MAX as u64)
}

fn digits(text: &str) -> Option<u64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Writes millicores as docker does: `2`, `0.5`, `0.25`.
pub fn cores(milli: u64) -> String {
    let text = format!("{}.{:03}", milli / 1000, milli % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Writes bytes with the largest binary unit that divides them: `8g` with `g`, `m`, `k`, or plain
/// `b`.
pub fn docker_bytes(bytes: u64) -> String {
    for (shift, unit) in [(30, 'g'), (20, 'm'), (10, 'k')] {
        if bytes.is_multiple_of(1 << shift) {
            return format!("{}{unit}", bytes >> shift);
        }
    }
    format!("{bytes}b")
}

/// Writes millicores as Kubernetes stores them: `2`, `500m`.
pub fn kubernetes_cpu(milli: u64) -> String {
    if milli.is_multiple_of(1000) { (milli / 1000).to_string() } else { format!("{milli}m") }
}

/// Writes bytes with the unit that gives the smallest whole number: `8Gi`, `1G`, `1023`.
pub fn kubernetes_bytes(bytes: u64) -> String {
    let units = BYTES.iter().filter(|(_, unit)| bytes.is_multiple_of(*unit));
    match units.max_by_key(|(_, unit)| *unit) {
        Some((suffix, unit)) if bytes > 0 => format!("{}{suffix}", bytes / unit),
        _ => bytes.to_string(),
    }
}

/// A version of up to three numbers. Versions compare number by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The number before the first dot.
    pub major: u32,
    /// The number after it.
    pub minor: u32,
    /// The number after the second dot; 0 if there is none.
    pub patch: u32,
}

impl Version {
    /// Makes the version `major.minor`.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor, patch: 0 }
    }

    /// Parses `1.34` or `20.10.24`; no `v`, no suffix, no leading zeros.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(|n| {
            let number: u32 = n.parse().ok()?;
            (number.to_string() == n).then_some(number)
        });
        let version = Self {
            major: numbers.next()??,
            minor: numbers.next()??,
            patch: numbers.next().unwrap_or(Some(0))?,
        };
        numbers.next().is_none().then_some(version)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch > 0 { write!(f, ".{}", self.patch) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_parsed_and_printed() {
        for (text, milli) in [("2", 2000), ("0.5", 500), ("500m", 500), ("1.25", 1250), ("0.001", 1)] {
            assert_eq!(cpu(text), Some(milli), "{text}");
        }
        for text in ["", "0", "m", "1.", ".5", "1.2345", "-1", "1e3", "2cores", "99999999999999999999"] {
            assert_eq!(cpu(text), None, "{text}");
        }
        for (text, b) in [("8Gi", 8 << 30), ("512Mi", 512 << 20), ("1G", 1_000_000_000), ("1024", 1024)] {
            assert_eq!(bytes(text), Some(b), "{text}");
        }
        for text in ["", "0", "Gi", "1.5Gi", "1gb", "-1Gi", "9999999Pi", "1 Gi"] {
            assert_eq!(bytes(text), None, "{text}");
        }
        assert_eq!((cores(2000), cores(500), cores(1250)), ("2".into(), "0.5".into(), "1.25".into()));
        for (b, text) in [
            (8 << 30, "8Gi"),
            (1 << 40, "1Ti"),
            (1_000_000_000_000, "1T"),
            (1536 << 20, "1536Mi"),
            (999, "999"),
        ] {
            assert_eq!((kubernetes_bytes(b).as_str(), bytes(text)), (text, Some(b)));
        }
        assert_eq!((kubernetes_cpu(2000), kubernetes_cpu(1250)), ("2".into(), "1250m".into()));
        assert_eq!(docker_bytes(8 << 30), "8g");
        assert_eq!(docker_bytes(1_000_000_000), "1000000000b");
    }

    #[test]
    fn versions_are_parsed_and_compared() {
        assert_eq!(Version::parse("1.34"), Some(Version::new(1, 34)));
        assert!(Version::parse("20.10.24") > Some(Version::new(20, 10)));
        for text in ["", "1", "v1.34", "1.34.1.1", "1.034", "1.", "1.34-rc1"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
