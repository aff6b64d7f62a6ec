//! A small document of each kind.

use super::{
    Annots, Document, Encryption, Form, Xref, encrypted, junk_before, linearized, nuls_after,
    object_streams, prev_loop, wrong_startxref,
};

/// A document with its properties.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its special feature, as a file name.
    pub name: &'static str,
    /// The user password, if there is one.
    pub password: Option<&'static str>,
    /// Whether the cross-reference sections are correct and unambiguous.
    pub sound: bool,
    /// The file.
    pub octets: Vec<u8>,
}

/// Generates a small document of each kind.
#[must_use]
pub fn samples() -> Vec<Sample> {
    let plain = Document::default();
    let form = Document {
        form: Form::Inline,
        annots: Annots::Direct,
        signature_fields: &["Signature1"],
        ..plain.clone()
    };
    let documents = [
        ("table", plain.clone()),
        ("version-1.0", Document { version: "1.0", ..plain.clone() }),
        ("version-2.0", Document { version: "2.0", ..plain.clone() }),
        ("xref-stream", Document { xref: Xref::Stream, ..form.clone() }),
        ("hybrid", Document { xref: Xref::Hybrid, ..form.clone() }),
        ("form-inline", Document { form: Form::Inline, ..plain.clone() }),
        ("form-indirect", Document { form: Form::Indirect, ..plain.clone() }),
        ("signature-field", Document { signature_fields: &["Signature1"], ..plain.clone() }),
        (
            "signature-fields-in-groups",
            Document { signature_fields: &["buyer.sign", "seller.sign"], ..form.clone() },
        ),
        (
            "seed-values",
            Document {
                signature_fields: &["Signature1"],
                field_entries: "/SV<</Type/SV/Ff 8/Reasons[(Agreed)]>>",
                ..plain.clone()
            },
        ),
        (
            "lock",
            Document {
                signature_fields: &["Signature1", "Signature2"],
                field_entries: "/Lock<</Type/SigFieldLock/Action/Include/Fields[(Text)]>>",
                ..form.clone()
            },
        ),
        ("annots-direct", Document { annots: Annots::Direct, ..plain.clone() }),
        ("annots-indirect", Document { annots: Annots::Indirect, ..plain.clone() }),
        ("annots-shared", Document { annots: Annots::Shared, ..plain.clone() }),
        ("inherited", Document { inherited: true, ..plain.clone() }),
        // EU DSS takes twice as long for each additional level.
        ("deep", Document { depth: 8, inherited: true, ..plain.clone() }),
        ("rotated-90", Document { rotate: 90, ..form.clone() }),
        ("rotated-270", Document { rotate: 270, ..form.clone() }),
        ("cropped", Document { crop_box: Some([50, 60, 500, 700]), ..form.clone() }),
        (
            "rotated-and-cropped",
            Document { rotate: 180, crop_box: Some([50, 60, 500, 700]), ..form.clone() },
        ),
    ];
    let mut samples: Vec<Sample> =
        documents.into_iter().map(|(name, document)| sample(name, document.write())).collect();
    let (plain, form) = (plain.write(), form.write());
    samples.push(sample("linearized", linearized(&form)));
    samples.push(sample("object-streams", object_streams(&form)));
    samples.push(sample("linearized-object-streams", linearized(&object_streams(&form))));
    for (name, with_password, encryption) in [
        ("rc4", "rc4-password", Encryption::Rc4),
        ("aes-128", "aes-128-password", Encryption::Aes128),
        ("aes-256", "aes-256-password", Encryption::Aes256),
    ] {
        samples.push(sample(name, encrypted(&form, encryption, "")));
        samples.push(Sample {
            password: Some("user"),
            ..sample(with_password, encrypted(&form, encryption, "user"))
        });
    }
    samples.push(sample("nuls-after", nuls_after(&plain)));
    for (name, octets) in [
        ("junk-before", junk_before(&plain)),
        ("wrong-startxref", wrong_startxref(&plain)),
        ("prev-loop", prev_loop(&plain)),
    ] {
        samples.push(Sample { sound: false, ..sample(name, octets) });
    }
    samples
}

const fn sample(name: &'static str, octets: Vec<u8>) -> Sample {
    Sample { name, password: None, sound: true, octets }
}
