//! Numbers as most records write them: a few digits, perhaps a point.

use super::cell::Cell;

/// The powers of ten that an f64 holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Whole numbers up to here are exact in an f64.
const EXACT: u64 = 1 << 53;

/// Reads a number of at most 18 digits and without an exponent from the start of `json`; returns it
/// and how many bytes it takes. Nothing where it is of another form, or none.
///
/// A fraction is one division of two numbers that are exact, so it is rounded once and correctly
/// (Clinger, How to Read Floating Point Numbers Accurately, 1990).
pub(super) fn short(json: &[u8]) -> Option<(Cell<'static>, usize)> {
    let is_negative = json.first() == Some(&b'-');
    let start = usize::from(is_negative);
    let (whole, whole_digits) = digits(&json[start..], 0);
    if whole_digits == 0 || whole_digits > 18 || (whole_digits > 1 && json[start] == b'0') {
        return None;
    }
    let end = start + whole_digits;
    match json.get(end) {
        Some(b'.') => {}
        Some(b'e' | b'E' | b'+' | b'-') => return None,
        _ => {
            let whole = whole as i64;
            return Some((Cell::Int(if is_negative { -whole } else { whole }), end));
        }
    }
    let (mantissa, digits) = digits(&json[end + 1..], whole);
    let end = end + 1 + digits;
    let is_plain = !matches!(json.get(end), Some(b'e' | b'E' | b'+' | b'-' | b'.'));
    if digits == 0 || whole_digits + digits > 18 || mantissa > EXACT || !is_plain {
        return None;
    }
    let value = mantissa as f64 / TENS[digits];
    Some((Cell::Float(if is_negative { -value } else { value }), end))
}

/// Appends digits to a number; returns it and how many there were. Wraps around behind 19 of them.
fn digits(json: &[u8], before: u64) -> (u64, usize) {
    let mut number = before;
    for (index, byte) in json.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return (number, index);
        }
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    (number, json.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_long_or_odd_is_left_to_others() {
        for odd in [
            "",
            "-",
            "x",
            "01",
            "1e5",
            "1.",
            "1.5e3",
            "1.2.3",
            "1234567890123456789",
            "0.1234567890123456789",
            "1-2",
        ] {
            assert_eq!(short(odd.as_bytes()), None, "{odd}");
        }
        assert_eq!(short(b"-12,"), Some((Cell::Int(-12), 3)));
        assert_eq!(short(b"0}"), Some((Cell::Int(0), 1)));
        assert_eq!(short(b"-0.5"), Some((Cell::Float(-0.5), 4)));
    }

    proptest! {
        /// What is read is what the standard library reads.
        #[test]
        fn numbers_are_those_of_the_standard_library(value in any::<f64>(), whole in any::<i64>(), digits in 0usize..12) {
            let texts = [whole.to_string(), format!("{value}"), format!("{:.digits$}", value % 1e9), format!("{:.digits$}", whole as f64 / 1e12)];
            for text in texts {
                if let Some((cell, length)) = short(text.as_bytes()) {
                    prop_assert_eq!(length, text.len());
                    match cell {
                        Cell::Int(read) => prop_assert_eq!(read, text.parse::<i64>().unwrap()),
                        Cell::Float(read) => prop_assert_eq!(read.to_bits(), text.parse::<f64>().unwrap().to_bits()),
                        _ => unreachable!("a number"),
                    }
                }
            }
        }
    }
}
