//! RC4, which documents up to PDF 1.7 may use.

/// Encrypts or decrypts; both are the same operation.
pub(super) fn apply(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut state: Vec<u8> = (0..=255).collect();
    let mut j = 0u8;
    for (i, key) in (0..=255u8).zip(key.iter().cycle()) {
        j = j.wrapping_add(at(&state, i)).wrapping_add(*key);
        state.swap(usize::from(i), usize::from(j));
    }
    let (mut i, mut j) = (0u8, 0u8);
    let step = |octet: &u8| {
        i = i.wrapping_add(1);
        j = j.wrapping_add(at(&state, i));
        state.swap(usize::from(i), usize::from(j));
        octet ^ at(&state, at(&state, i).wrapping_add(at(&state, j)))
    };
    data.iter().map(step).collect()
}

fn at(state: &[u8], index: u8) -> u8 {
    state.get(usize::from(index)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn known_answers() {
        // RFC 6229, section 2: the first octets of the stream for key 0102030405.
        let stream = super::apply(&[1, 2, 3, 4, 5], &[0; 8]);
        assert_eq!(stream, [0xb2, 0x39, 0x63, 0x05, 0xf0, 0x3d, 0xc0, 0x27]);
    }
}
