//! The serial of a certificate: a number, written in hex. Tools write it in many ways, which are told apart here.

use std::fmt::{self, Write as _};

/// The digits of the longest serial: 20 bytes (RFC 5280, section 4.1.2.2).
const MAX_DIGITS: usize = 40;

/// A decimal number of more digits is not converted.
const MAX_DECIMAL: usize = 100;

/// Why a text is not a serial in hex. It follows the serial's name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotASerial {
    /// With the hex that it stands for.
    Decimal(String),
    /// With what is wrong.
    Other(String),
}

impl fmt::Display for NotASerial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotASerial::Decimal(hex) => write!(f, "is in decimal: write it in hex, {hex}"),
            NotASerial::Other(wrong) => {
                write!(
                    f,
                    "must be a serial in hex, as `openssl x509 -noout -serial` shows it; it has {wrong}"
                )
            }
        }
    }
}

/// Brings a serial into the form of the platform: upper-case hex, two digits for each byte. Accepts what certificate
/// tools show: any letter case, `0x`, `serial=`, colons, hyphens or blanks between the bytes, leading zeros, and a
/// first zero that is left out.
///
/// # Errors
/// For any other text. A number of more than 40 digits without a letter is decimal:
/// as hex it would be longer than a serial can be. A shorter one may be either, and is taken as hex.
pub(crate) fn normalized(text: &str) -> Result<String, NotASerial> {
    let mut digits = String::with_capacity(MAX_DIGITS);
    for character in without_prefix(text).chars() {
        match character {
            ':' | '-' => {}
            '\t' => {}
            blank if (blank.is_whitespace() && !blank.is_control()) || is_invisible(blank) => {}
            digit if digit.is_ascii_hexdigit() => digits.push(digit.to_ascii_uppercase()),
            other => return Err(NotASerial::Other(format!("{other:?}"))),
        }
    }
    if digits.is_empty() {
        return Err(NotASerial::Other("no digit".to_owned()));
    }
    let number = digits.trim_start_matches('0');
    if number.len() > MAX_DIGITS {
        return Err(match decimal_to_hex(number) {
            Some(hex) => NotASerial::Decimal(hex),
            None => NotASerial::Other(format!("{} digits, where 40 are the most", number.len())),
        });
    }
    Ok(whole_bytes(number))
}

/// Whether two serials are the same number, or the same text; letter case does not matter. Java's and Python's SDKs
/// leave out leading zeros.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a.trim_start_matches('0').eq_ignore_ascii_case(b.trim_start_matches('0'))
}

/// Whether `text` is `serial`, a number in hex, written in decimal.
pub(crate) fn is_decimal_of(text: &str, serial: &str) -> bool {
    decimal_to_hex(text).is_some_and(|hex| same(&hex, serial))
}

/// The hex form of a decimal number; `None` for another text, and for a number that no serial has.
fn decimal_to_hex(text: &str) -> Option<String> {
    if text.is_empty() || text.len() > MAX_DECIMAL || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // The number in base 256, the lowest byte first.
    let mut bytes: Vec<u8> = Vec::new();
    for digit in text.bytes() {
        let mut carry = u32::from(digit - b'0');
        for byte in &mut bytes {
            let value = u32::from(*byte) * 10 + carry;
            [*byte, ..] = value.to_le_bytes();
            carry = value >> 8;
        }
        bytes.extend(u8::try_from(carry).ok().filter(|carry| *carry > 0));
    }
    let hex = bytes.iter().rev().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02X}");
        hex
    });
    (hex.len() <= MAX_DIGITS).then(|| whole_bytes(hex.trim_start_matches('0')))
}

/// Digits without leading zeros, as whole bytes.
fn whole_bytes(number: &str) -> String {
    match number {
        "" => "00".to_owned(),
        odd if odd.len() % 2 == 1 => format!("0{odd}"),
        even => even.to_owned(),
    }
}

/// Without the `serial=` of `openssl x509 -serial` or the `Serial Number:` of `-text`, and without `0x`.
fn without_prefix(text: &str) -> &str {
    let mut rest = text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c));
    for prefix in ["serial number:", "serial=", "0x"] {
        if let Some(found) = rest.get(..prefix.len()).filter(|start| start.eq_ignore_ascii_case(prefix)) {
            rest = rest.get(found.len()..).unwrap_or_default().trim_start();
        }
    }
    rest
}

/// Marks that come along when a serial is copied: Windows puts one before the serial that it shows.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const SERIAL: &str = "3775B6A45ACD588826D15E583A95F5DD12345678";

    #[test]
    fn the_ways_to_write_a_serial_are_one() {
        let pairs = |separator: &str| {
            let pairs: Vec<_> =
                SERIAL.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap()).collect();
            pairs.join(separator)
        };
        for text in [
            SERIAL.to_owned(),
            SERIAL.to_lowercase(),
            format!("0x{SERIAL}"),
            format!("0X{}", SERIAL.to_lowercase()),
            format!("00{SERIAL}"),
            format!("0x0000{SERIAL}"),
            format!(" {SERIAL}\r\n"),
            format!("serial={SERIAL}\n"),
            format!("Serial Number:\n                {}", pairs(":").to_lowercase()),
            pairs(":"),
            pairs(" ").to_lowercase(),
            pairs("-"),
            format!("\u{200e}{}", pairs(" ")),
            format!("\u{feff}{SERIAL}"),
            pairs("\t"),
            pairs("\u{a0}"),
        ] {
            assert_eq!(normalized(&text).as_deref(), Ok(SERIAL), "{text:?}");
        }
        for (text, expected) in [
            ("A32D72A03E93CDDF8C03BBD1F37EEDF87654321", "0A32D72A03E93CDDF8C03BBD1F37EEDF87654321"),
            ("ab", "AB"),
            ("abc", "0ABC"),
            ("0", "00"),
            ("0x0", "00"),
        ] {
            assert_eq!(normalized(text).as_deref(), Ok(expected), "{text:?}");
        }
    }

    /// Its digits alone do not say whether a short number is decimal: the caller compares it with the certificate.
    #[test]
    fn digits_of_a_usual_length_are_hex() {
        for text in ["1234567890123456789012345678901234567890", "9999999999999999999999999999999999999999"] {
            assert_eq!(normalized(text).as_deref(), Ok(text));
        }
        assert_eq!(normalized("0012345678901234567890123456789012345678").unwrap().len(), 38);
        assert!(is_decimal_of("316619589946583748254911118771567464205427955320", SERIAL));
        assert!(!is_decimal_of("316619589946583748254911118771567464205427955321", SERIAL));
        assert!(!is_decimal_of(SERIAL, SERIAL));
    }

    #[test]
    fn what_is_not_a_serial_is_refused() {
        let long = "F".repeat(41);
        for (text, part) in [
            (
                "316619589946583748254911118771567464205427955320",
                format!("in decimal: write it in hex, {SERIAL}"),
            ),
            ("0316619589946583748254911118771567464205427955320", format!("write it in hex, {SERIAL}")),
            (&long, "it has 41 digits, where 40 are the most".to_owned()),
            (&"9".repeat(60), "it has 60 digits, where 40 are the most".to_owned()),
            (&"1".repeat(1_000_000), "it has 1000000 digits".to_owned()),
            ("", "no digit".to_owned()),
            (" : ", "no digit".to_owned()),
            ("0x", "no digit".to_owned()),
            ("serial=", "no digit".to_owned()),
            ("37G5", "it has 'G'".to_owned()),
            ("37\r\n5", "it has '\\r'".to_owned()),
            ("3775\u{1b}[2J", "it has '\\u{1b}'".to_owned()),
            ("３７", "it has '３'".to_owned()),
            ("0x0x12", "it has 'x'".to_owned()),
        ] {
            let error = normalized(text).unwrap_err().to_string();
            assert!(error.contains(&part) && error.len() < 150, "{text:.60}: {error}");
        }
    }

    /// `openssl` writes a certificate's serial in decimal and in hex.
    #[test]
    fn decimal_is_converted_as_openssl_does() {
        let mut number = String::new();
        for digit in "731964205173986420517".chars().cycle().take(48) {
            number.push(digit);
            let output = Command::new("openssl").args(["prime", &number]).output().unwrap();
            // `HEX (DECIMAL) is prime` or `is not prime`.
            let hex = String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned();
            assert!(same(&decimal_to_hex(&number).unwrap(), &hex), "{number}: {hex}");
            assert!(is_decimal_of(&number, &hex));
        }
    }

    #[test]
    fn numbers_are_compared() {
        for (a, b, equal) in [
            ("0A32", "a32", true),
            ("0A32", "00A32", true),
            ("A32", "A320", false),
            ("PUB_KEY_ID_1", "PUB_KEY_ID_1", true),
            ("PUB_KEY_ID_1", "PUB_KEY_ID_01", false),
        ] {
            assert_eq!(same(a, b), equal, "{a} {b}");
        }
    }
}
