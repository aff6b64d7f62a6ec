//! Verifies a signed document or a container: `verify SIGNED TRUST-ANCHORS.pem [DOCUMENT]`

use std::{env, error::Error, fs, fs::File};

use ades::{Document, VerifyOptions, chain};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (Some(signed), Some(anchors)) = (arguments.first(), arguments.get(1)) else {
        return Err("usage: verify SIGNED TRUST-ANCHORS.pem [DOCUMENT]".into());
    };
    let anchors = chain::anchors_from_pem(&fs::read_to_string(anchors)?)?;
    // This version does not read revocation data.
    let mut options = VerifyOptions::new().trust(&anchors).without_revocation();
    if let Some(document) = arguments.get(2) {
        // What a detached signature is about.
        options = options.original(None, Document::seekable(File::open(document)?));
    }
    let now = std::time::SystemTime::now().into();
    let report = ades::verify(&mut Document::seekable(File::open(signed)?), options, now)?;
    print!("{report}");
    println!("{}", report.conclusion());
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}
