//! Writes objects to a file, with any kind of cross-reference section.

use std::fmt::Write as _;

/// The kind of cross-reference section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Xref {
    /// A table.
    Table,
    /// A stream. All objects except streams are in object streams. Nothing is
    /// compressed.
    Stream,
    /// A table, and a stream for the objects that only newer readers see.
    Hybrid,
}

#[derive(Clone, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Plain,
    Stream,
    /// Not in the table of a hybrid file.
    Hidden,
}

#[derive(Clone, Default)]
struct Object {
    body: Vec<u8>,
    kind: Kind,
}

/// The objects of a file, numbered from 1.
#[derive(Default)]
pub(super) struct Objects(Vec<Object>);

/// Number of objects in an object stream.
const PER_STREAM: usize = 50;

impl Objects {
    pub(super) fn reserve(&mut self) -> u32 {
        self.push(Vec::new(), Kind::Plain)
    }

    pub(super) fn set(&mut self, number: u32, body: &str) {
        self.0[number as usize - 1].body = body.as_bytes().to_vec();
    }

    pub(super) fn add(&mut self, body: &str) -> u32 {
        self.push(body.as_bytes().to_vec(), Kind::Plain)
    }

    pub(super) fn add_hidden(&mut self, body: &str) -> u32 {
        self.push(body.as_bytes().to_vec(), Kind::Hidden)
    }

    /// Adds a stream. `entries` are those of its dictionary, without `/Length`.
    pub(super) fn add_stream(&mut self, entries: &str, data: &[u8]) -> u32 {
        self.push(stream(entries, data), Kind::Stream)
    }

    fn push(&mut self, body: Vec<u8>, kind: Kind) -> u32 {
        self.0.push(Object { body, kind });
        u32::try_from(self.0.len()).unwrap()
    }

    /// Writes the file. `trailer` has the entries of the trailer except `/Size`,
    /// `/Prev` and `/XRefStm`.
    pub(super) fn write(mut self, version: &str, xref: Xref, trailer: &str) -> Vec<u8> {
        let count = self.0.len();
        let packed: Vec<usize> = (0..count)
            .filter(|&at| match self.0[at].kind {
                Kind::Plain => xref == Xref::Stream,
                Kind::Stream => false,
                Kind::Hidden => xref != Xref::Table,
            })
            .collect();
        // Entries of the cross-reference stream: the type and two fields.
        let mut entries: Vec<(u8, usize, usize)> = vec![(0, 0, 65535); count + 1];
        for chunk in packed.chunks(PER_STREAM) {
            let container = self.0.len() + 1;
            for (index, &at) in chunk.iter().enumerate() {
                entries[at + 1] = (2, container, index);
            }
            let pack = self.object_stream(chunk);
            self.push(pack, Kind::Hidden);
        }
        let mut out = format!("%PDF-{version}\n%").into_bytes();
        out.extend(b"\xE2\xE3\xCF\xD3\n");
        entries.resize(self.0.len() + 1, (0, 0, 65535));
        for (at, object) in self.0.iter().enumerate() {
            if entries[at + 1].0 == 0 {
                entries[at + 1] = (1, out.len(), 0);
                out.extend(format!("{} 0 obj\n", at + 1).bytes());
                out.extend(&object.body);
                out.extend(b"\nendobj\n");
            }
        }
        match xref {
            Xref::Table => table(&mut out, &entries, trailer),
            Xref::Stream => {
                let at = xref_stream(&mut out, &mut entries, 0, trailer);
                out.extend(tail(at).bytes());
            }
            Xref::Hybrid => {
                let mut hidden = entries.clone();
                for (at, entry) in entries.iter_mut().enumerate().skip(1) {
                    let listed = at <= count && entry.0 == 1;
                    *(if listed { &mut hidden[at] } else { entry }) = (0, 0, 65535);
                }
                let at = xref_stream(&mut out, &mut hidden, 1, trailer);
                entries.push((0, 0, 65535));
                table(&mut out, &entries, &format!("{trailer}/XRefStm {at}"));
            }
        }
        out
    }

    fn object_stream(&self, chunk: &[usize]) -> Vec<u8> {
        let (mut head, mut bodies) = (String::new(), Vec::new());
        for &at in chunk {
            write!(head, "{} {} ", at + 1, bodies.len()).unwrap();
            bodies.extend(&self.0[at].body);
            bodies.push(b'\n');
        }
        let entries = format!("/Type/ObjStm/N {}/First {}", chunk.len(), head.len());
        stream(&entries, &[head.as_bytes(), &bodies].concat())
    }
}

fn stream(entries: &str, data: &[u8]) -> Vec<u8> {
    let head = format!("<<{entries}/Length {}>>\nstream\n", data.len());
    [head.as_bytes(), data, b"\nendstream"].concat()
}

fn table(out: &mut Vec<u8>, entries: &[(u8, usize, usize)], trailer: &str) {
    let at = out.len();
    let mut table = format!("xref\n0 {}\n", entries.len());
    for &(kind, offset, generation) in entries {
        let kind = if kind == 1 { 'n' } else { 'f' };
        writeln!(table, "{offset:010} {generation:05} {kind} ").unwrap();
    }
    write!(table, "trailer\n<</Size {}{trailer}>>\n{}", entries.len(), tail(at)).unwrap();
    out.extend(table.bytes());
}

/// Writes the cross-reference stream with the entries from object `first`, and its
/// own. Returns its offset.
fn xref_stream(
    out: &mut Vec<u8>,
    entries: &mut Vec<(u8, usize, usize)>,
    first: usize,
    trailer: &str,
) -> usize {
    let (at, number) = (out.len(), entries.len());
    entries.push((1, at, 0));
    let mut data = Vec::new();
    for &(kind, a, b) in &entries[first..] {
        data.push(kind);
        data.extend(u32::try_from(a).unwrap().to_be_bytes());
        data.extend(u16::try_from(b).unwrap().to_be_bytes());
    }
    let (size, listed) = (entries.len(), entries.len() - first);
    let keys = format!("/Type/XRef/W[1 4 2]/Index[{first} {listed}]/Size {size}{trailer}");
    out.extend(format!("{number} 0 obj\n").bytes());
    out.extend(stream(&keys, &data));
    out.extend(b"\nendobj\n");
    at
}

/// The entries of the trailer for all kinds.
pub(super) fn trailer(catalog: u32, info: u32, id: u64) -> String {
    format!("/Root {catalog} 0 R/Info {info} 0 R/ID[<{id:032X}><{id:032X}>]")
}

/// The last lines of a file: `startxref` and `%%EOF`.
pub(super) fn tail(startxref: usize) -> String {
    format!("startxref\n{startxref}\n%%EOF\n")
}
