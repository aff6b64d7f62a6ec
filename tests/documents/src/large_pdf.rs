//! Large PDF documents for benchmarks, written as a stream.

use std::io::{self, Write};

use crate::Random;

/// The width of the images in pixels. A pixel is one octet.
const WIDTH: usize = 500;

/// Writes a document of `pages` pages, each with an incompressible image of
/// `height` rows of 500 octets: 2,000 pages of 1,000 rows are 1 GB. Returns the
/// number of octets.
pub fn write_image_pages(out: &mut impl Write, pages: u32, height: usize) -> io::Result<u64> {
    let image = WIDTH * height;
    let mut file = Streamed::new(out)?;
    let mut random = Random::new(u64::from(pages));
    let page = |at: u32| 4 + 3 * at;
    file.object(1, "<</Type/Catalog/Pages 2 0 R>>")?;
    let kids: Vec<String> = (0..pages).map(|at| format!("{} 0 R", page(at))).collect();
    file.object(2, &format!("<</Type/Pages/Count {pages}/Kids[{}]>>", kids.join(" ")))?;
    file.object(3, "<</Title(Images)>>")?;
    let mut noise = Vec::with_capacity(2 * image);
    while noise.len() < 2 * image {
        noise.extend(random.next().to_le_bytes());
    }
    for at in 0..pages {
        let number = page(at);
        file.object(
            number,
            &format!(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {WIDTH} {height}]/Contents {} 0 R\
                 /Resources<</XObject<</Im {} 0 R>>>>>>",
                number + 1,
                number + 2
            ),
        )?;
        file.stream(number + 1, "", format!("{WIDTH} 0 0 {height} 0 0 cm /Im Do").as_bytes())?;
        let from = usize::try_from(random.next() % image as u64).unwrap();
        let entries = format!(
            "/Type/XObject/Subtype/Image/Width {WIDTH}/Height {height}\
             /ColorSpace/DeviceGray/BitsPerComponent 8"
        );
        file.stream(number + 2, &entries, &noise[from..from + image])?;
    }
    file.finish(random.next())
}

/// Writes a document of one page and a total of `count` objects (at least 5).
/// Returns the number of octets.
pub fn write_many_objects(out: &mut impl Write, count: u32) -> io::Result<u64> {
    let mut file = Streamed::new(out)?;
    file.object(1, "<</Type/Catalog/Pages 2 0 R/Many 6 0 R>>")?;
    file.object(2, "<</Type/Pages/Count 1/Kids[4 0 R]>>")?;
    file.object(3, "<</Title(Many objects)>>")?;
    file.object(
        4,
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Resources<<>>>>",
    )?;
    file.stream(5, "", b"0.5 g 100 100 200 200 re f")?;
    for number in 6..=count {
        let next = if number < count { number + 1 } else { 1 };
        file.object(number, &format!("<</Number {number}/Next {next} 0 R>>"))?;
    }
    file.finish(u64::from(count))
}

/// Writes objects in the order of their numbers, then the cross-reference table.
struct Streamed<'a, W> {
    out: &'a mut W,
    position: u64,
    offsets: Vec<u64>,
}

impl<'a, W: Write> Streamed<'a, W> {
    fn new(out: &'a mut W) -> io::Result<Self> {
        let mut new = Self { out, position: 0, offsets: Vec::new() };
        new.put(b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")?;
        Ok(new)
    }

    fn put(&mut self, octets: &[u8]) -> io::Result<()> {
        self.position += octets.len() as u64;
        self.out.write_all(octets)
    }

    fn begin(&mut self, number: u32) -> io::Result<()> {
        self.offsets.push(self.position);
        assert_eq!(self.offsets.len(), number as usize, "objects are in order");
        self.put(format!("{number} 0 obj\n").as_bytes())
    }

    fn object(&mut self, number: u32, body: &str) -> io::Result<()> {
        self.begin(number)?;
        self.put(body.as_bytes())?;
        self.put(b"\nendobj\n")
    }

    fn stream(&mut self, number: u32, entries: &str, data: &[u8]) -> io::Result<()> {
        self.begin(number)?;
        self.put(format!("<<{entries}/Length {}>>\nstream\n", data.len()).as_bytes())?;
        self.put(data)?;
        self.put(b"\nendstream\nendobj\n")
    }

    fn finish(mut self, id: u64) -> io::Result<u64> {
        let (at, size) = (self.position, self.offsets.len() + 1);
        self.put(format!("xref\n0 {size}\n0000000000 65535 f \n").as_bytes())?;
        for offset in std::mem::take(&mut self.offsets) {
            self.put(format!("{offset:010} 00000 n \n").as_bytes())?;
        }
        self.put(
            format!(
                "trailer\n<</Size {size}/Root 1 0 R/Info 3 0 R/ID[<{id:032X}><{id:032X}>]>>\n\
                 startxref\n{at}\n%%EOF\n"
            )
            .as_bytes(),
        )?;
        Ok(self.position)
    }
}
