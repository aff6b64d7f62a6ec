//! Signs a PDF visibly and certifies it: `sign_pdf KEY.p12 PASSWORD FONT.ttf IN.pdf OUT.pdf`

use std::{env, error::Error, fs, fs::File, time::SystemTime};

use ades::{
    Certification, Document, PdfOptions, Rectangle, SignatureParameters, SigningOptions, Stamp,
    StampPosition, pkcs12::Pkcs12Signer,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [key, password, font, input, output] = arguments.as_slice() else {
        return Err("usage: sign_pdf KEY.p12 PASSWORD FONT.ttf IN.pdf OUT.pdf".into());
    };
    let signer = Pkcs12Signer::from_bytes(&fs::read(key)?, password)?;

    // On the first page, 72 points from the left and from the bottom.
    let rectangle = Rectangle::new(72.0, 72.0, 200.0, 60.0);
    let stamp = Stamp::new(StampPosition::Page { page: 1, rectangle })
        .text("Signed by {name}\n{time}\n{reason}")
        .font(fs::read(font)?);
    let pdf = PdfOptions::new().reason("I agree").certify(Certification::FormFilling).stamp(stamp);
    let options = SigningOptions::new(SignatureParameters::new(SystemTime::now())).pdf(pdf);

    let mut document = Document::seekable(File::open(input)?);
    let warnings = ades::sign(&mut document, &signer, &options, &mut File::create(output)?)?;
    for warning in warnings {
        eprintln!("{input}: {warning}");
    }
    Ok(())
}
