//! Signs an XML document so that others can sign it later: `sign_xml KEY.p12 PASSWORD IN.xml OUT.xml`

use std::{env, error::Error, fs, fs::File, time::SystemTime};

use ades::{
    CommitmentType, Document, SignatureParameters, SigningOptions, XmlOptions, pkcs12::Pkcs12Signer,
};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [key, password, input, output] = arguments.as_slice() else {
        return Err("usage: sign_xml KEY.p12 PASSWORD IN.xml OUT.xml".into());
    };
    let signer = Pkcs12Signer::from_bytes(&fs::read(key)?, password)?;

    let parameters = SignatureParameters::new(SystemTime::now())
        .commitment(CommitmentType::APPROVAL)
        .signer_role("Buyer");
    let options = SigningOptions::new(parameters).xml(XmlOptions::new().allow_parallel());

    let mut document = Document::seekable(File::open(input)?);
    ades::sign(&mut document, &signer, &options, &mut File::create(output)?)?;
    Ok(())
}
