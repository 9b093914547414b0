//! Base58 in Bitcoin's alphabet: how keys, signatures and digests are written where people may have to read them.
//!
//! Written here because the usual way works digit by digit through every byte so far, which took a tenth of the time that a
//! credential's verification took. This one takes ten digits, or four bytes, in a step. A test compares it with the crate `bs58`.
//!
//! Both directions take time that is quadratic in the length, so callers bound what they decode.
//!
//! Source: The Base58 Encoding Scheme (draft-msporny-base58-03).

/// The digits, by value: no 0, O, I or l.
const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The values of ASCII characters; [`NO_DIGIT`] for those that are none.
const VALUES: [u8; 128] = {
    let mut values = [NO_DIGIT; 128];
    let mut value = 0;
    while value < ALPHABET.len() {
        values[ALPHABET[value] as usize] = value as u8;
        value += 1;
    }
    values
};
const NO_DIGIT: u8 = u8::MAX;

/// Digits that fit into 64 bits.
const DIGITS_A_STEP: usize = 10;

/// 58^5 and its exponent: with 32 bits more, a number below it fits into 64 bits.
const DIGITS_A_LIMB: usize = 5;
const LIMB: u64 = 58u64.pow(5);

/// The bytes that `text` stands for; `None` when it holds anything but digits.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let zeros = text.bytes().take_while(|b| *b == ALPHABET[0]).count();
    // A number in base 2^64, least significant first.
    let mut number: Vec<u64> = Vec::with_capacity(text.len() / DIGITS_A_STEP + 1);
    for digits in text.as_bytes()[zeros..].chunks(DIGITS_A_STEP) {
        let (mut step, mut scale) = (0u64, 1u64);
        for digit in digits {
            let value = *VALUES.get(usize::from(*digit)).filter(|value| **value != NO_DIGIT)?;
            step = step * 58 + u64::from(value);
            scale *= 58;
        }
        let mut carry = u128::from(step);
        for limb in &mut number {
            carry += u128::from(*limb) * u128::from(scale);
            *limb = carry as u64;
            carry >>= 64;
        }
        if carry > 0 {
            number.push(carry as u64);
        }
    }
    let mut bytes = vec![0; zeros];
    let significant = number.iter().rev().flat_map(|limb| limb.to_be_bytes());
    bytes.extend(significant.skip_while(|b| *b == 0));
    Some(bytes)
}

/// The digits of `bytes`.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    // A number in base 58^5, least significant first.
    let mut number: Vec<u64> = Vec::with_capacity(bytes.len() / 3 + 1);
    for step in bytes[zeros..].chunks(4) {
        let mut carry = step.iter().fold(0, |step, b| (step << 8) | u64::from(*b));
        for limb in &mut number {
            carry += *limb << (8 * step.len());
            *limb = carry % LIMB;
            carry /= LIMB;
        }
        while carry > 0 {
            number.push(carry % LIMB);
            carry /= LIMB;
        }
    }
    let mut text = String::with_capacity(zeros + number.len() * DIGITS_A_LIMB);
    text.extend((0..zeros).map(|_| char::from(ALPHABET[0])));
    let digits = number.iter().rev().flat_map(|limb| {
        let digit = |place: u32| (limb / 58u64.pow(place) % 58) as usize;
        [4, 3, 2, 1, 0].map(digit)
    });
    text.extend(digits.skip_while(|digit| *digit == 0).map(|digit| char::from(ALPHABET[digit])));
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_vectors_of_the_draft() {
        for (bytes, text) in [
            (b"Hello World!".as_slice(), "2NEpo7TZRRrLZSi2U"),
            (
                b"The quick brown fox jumps over the lazy dog.",
                "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
            ),
            (&[0x00, 0x00, 0x28, 0x7f, 0xb4, 0xcd], "11233QC4"),
            (b"", ""),
            (&[0; 3], "111"),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).unwrap(), bytes);
        }
        for bad in ["0", "O", "I", "l", "1 ", "z+", "\u{e9}", "2NEpo7TZRRrLZSi2Ul"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn it_is_what_bs58_says(
            zeros in 0..4usize,
            bytes in prop::collection::vec(any::<u8>(), 0..140),
            digits in "[1-9A-HJ-NP-Za-km-z]{0,140}",
            text in ".{0,20}",
        ) {
            let bytes = [vec![0; zeros], bytes].concat();
            prop_assert_eq!(encode(&bytes), bs58::encode(&bytes).into_string());
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
            for text in [digits, text] {
                prop_assert_eq!(decode(&text), bs58::decode(&text).into_vec().ok());
            }
        }
    }
}
