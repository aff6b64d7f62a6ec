//! Documents with compressed object streams, from given objects.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::serialize::tail;

/// An object stream.
#[derive(Clone, Debug)]
pub struct Pack {
    /// The number of the stream.
    pub number: u32,
    /// The numbers and texts of its objects.
    pub objects: Vec<(u32, String)>,
    /// Number of spaces after the objects.
    pub padding: usize,
}

/// A document of plain objects, of which number 1 is the catalog, and of object
/// streams.
#[must_use]
pub fn packed(plain: &[(u32, String)], packs: &[Pack]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    // Object numbers, with type and fields of the cross-reference entries.
    let mut entries: Vec<(u32, [usize; 3])> = Vec::new();
    for (number, object) in plain {
        entries.push((*number, [1, out.len(), 0]));
        out.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    for Pack { number, objects, padding } in packs {
        let (mut head, mut bodies) = (String::new(), String::new());
        for (index, (inside, object)) in objects.iter().enumerate() {
            entries.push((*inside, [2, *number as usize, index]));
            head.push_str(&format!("{inside} {} ", bodies.len()));
            bodies.push_str(object);
            bodies.push('\n');
        }
        let data = compressed(&[head.as_bytes(), bodies.as_bytes()].concat(), *padding);
        entries.push((*number, [1, out.len(), 0]));
        let (count, first) = (objects.len(), head.len());
        let entries = format!("/Type/ObjStm/N {count}/First {first}/Filter/FlateDecode");
        stream(&mut out, *number, &entries, &data);
    }
    let own = entries.iter().map(|(number, _)| *number).max().unwrap() + 1;
    let section = out.len();
    entries.push((own, [1, section, 0]));
    entries.sort_unstable();
    let index: String = entries.iter().map(|(number, _)| format!("{number} 1 ")).collect();
    let mut data = Vec::new();
    for (_, [kind, second, third]) in &entries {
        data.push(u8::try_from(*kind).unwrap());
        data.extend(u32::try_from(*second).unwrap().to_be_bytes());
        data.extend(u16::try_from(*third).unwrap().to_be_bytes());
    }
    let keys = format!("/Type/XRef/W[1 4 2]/Index[{index}]/Size {}/Root 1 0 R", own + 1);
    stream(&mut out, own, &keys, &data);
    out.extend(tail(section).bytes());
    out
}

fn stream(out: &mut Vec<u8>, number: u32, entries: &str, data: &[u8]) {
    out.extend(format!("{number} 0 obj\n<<{entries}/Length {}>>\nstream\n", data.len()).bytes());
    out.extend(data);
    out.extend(b"\nendstream\nendobj\n");
}

fn compressed(data: &[u8], padding: usize) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    let spaces = [b' '; 1 << 16];
    let mut left = padding;
    while left > 0 {
        let piece = left.min(spaces.len());
        encoder.write_all(&spaces[..piece]).unwrap();
        left -= piece;
    }
    encoder.finish().unwrap()
}
