//! Lower-case hexadecimal. Each value has exactly one spelling, so that a stored
//! state has only one, too.

pub(crate) fn encode(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(if half < 10 { b'0' + half } else { b'a' + half - 10 });
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let nibble = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let mut octets = Vec::with_capacity(pairs.len());
    for &[high, low] in pairs {
        octets.push(nibble(high)? << 4 | nibble(low)?);
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    #[test]
    fn other_spellings_are_rejected() {
        assert_eq!(super::decode("00ff").unwrap(), [0, 255]);
        assert_eq!(super::encode(&[0, 255]), "00ff");
        for bad in ["0", "0F", "zz", "é"] {
            assert_eq!(super::decode(bad), None);
        }
    }
}
