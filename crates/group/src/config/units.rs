//! Durations and sizes as people write them.

use std::time::Duration;

/// The longest duration that is taken: about 31 years, so that sums of a few never overflow.
const MOST_SECONDS: u64 = 1_000_000_000;

/// `500ms`, `20s`, `5m`, `1h`, `2d`.
///
/// # Errors
/// What such a text looks like.
pub fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "'{text}' is no duration; write a number with ms, s, m, h or d, such as 500ms or 20s"
        )
    };
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let in_ms: u64 = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    match number.checked_mul(in_ms) {
        Some(ms) if ms <= MOST_SECONDS * 1_000 => Ok(Duration::from_millis(ms)),
        _ => Err(format!("'{text}' is too long a time")),
    }
}

/// `100`, `64k`, `8m`, `2g`: bytes.
///
/// # Errors
/// What such a text looks like.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || {
        format!(
            "'{text}' is no size; write a number of bytes, or with k, m or g, such as 64k or 8m"
        )
    };
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        _ => return Err(wrong()),
    };
    match number.checked_mul(1 << shift) {
        Some(bytes) if bytes <= 1 << 50 => Ok(bytes),
        _ => Err(format!("'{text}' is too large")),
    }
}

/// The time in the largest unit that says it exactly.
#[must_use]
pub fn shown(time: Duration) -> String {
    let ms = time.as_millis();
    for (unit, in_ms) in [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
    ] {
        if ms > 0 && ms.is_multiple_of(in_ms) {
            return format!("{}{unit}", ms / in_ms);
        }
    }
    format!("{ms}ms")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms_are_read() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2d"), Ok(Duration::from_secs(172_800)));
        assert_eq!(size("64k"), Ok(65_536));
        assert_eq!(size("7"), Ok(7));
        for wrong in [
            "",
            "s",
            "1",
            "-1s",
            "1.5s",
            "1y",
            "99999999999999999999s",
            "99999999999d",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "k", "-1", "1.5m", "1t", "99999999999g"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(ms in 0u64..10_000_000_000) {
            let time = Duration::from_millis(ms);
            prop_assert_eq!(duration(&shown(time)), Ok(time));
        }

        #[test]
        fn any_text_is_answered(text in ".{0,20}") {
            let _ = (duration(&text), size(&text));
        }
    }
}
