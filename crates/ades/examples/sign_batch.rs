//! Signs files of any kind in one batch: `sign_batch KEY.p12 PASSWORD FILE...`

use std::{env, error::Error, fs, fs::File, time::SystemTime};

use ades::{BatchItem, Document, SignatureParameters, SigningOptions, pkcs12::Pkcs12Signer};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let key = arguments.next().ok_or("the key file is missing")?;
    let password = arguments.next().ok_or("the password is missing")?;
    let signer = Pkcs12Signer::from_bytes(&fs::read(key)?, &password)?;
    let options = SigningOptions::new(SignatureParameters::new(SystemTime::now()));
    let mut files = Vec::new();
    for path in arguments {
        let signed = File::create(format!("{path}.signed"))?;
        files.push((Document::seekable(File::open(path)?), signed));
    }
    let items = files.iter_mut().map(|(document, signed)| BatchItem::new(document, signed));
    ades::sign_batch(&mut items.collect::<Vec<_>>(), &signer, &options)?;
    Ok(())
}
