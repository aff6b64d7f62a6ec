//! Countersignatures that are raised on their own. An archive time-stamp of CAdES belongs to the
//! signature on the document; a countersignature of XAdES is a whole signature, with its own.

use ades::{
    ExtendOptions, Format, Level, Operation, Packaging, Selection, SigningOptions, TargetLevel,
    Verdict,
};
use ades_tests::levels::{Raising, signer};
use ades_tests::pki::{Key, Pki, TestSigner};
use ades_tests::signing::parameters;
use chrono::TimeDelta;
use serde_json::Value;

use crate::{CONTENT, Court, XML, assert_level, signed};

fn countersigned(format: Format, by: [&TestSigner; 2]) -> Vec<u8> {
    let options = SigningOptions::new(parameters());
    let (document, packaging) = match format {
        Format::Cades => (CONTENT, Packaging::Enveloping),
        _ => (XML, Packaging::Enveloped),
    };
    let one = signed(document, by[0], &options.clone().packaging(packaging));
    signed(&one, by[1], &options.operation(Operation::Countersign { which: vec![0] }))
}

fn inner(report: &ades::Report) -> &Verdict {
    &report.signatures[0].countersignatures[0]
}

/// The verdicts of EU DSS on the signature and its countersignature.
fn both(court: &Court, raising: &Raising<'_>, container: &[u8]) -> [Value; 2] {
    let verdicts = court.verdicts(container, None, raising.services.now + TimeDelta::seconds(30));
    let of = |counter: bool| verdicts.iter().find(|one| one["counter"] == counter).unwrap().clone();
    assert_eq!(verdicts.len(), 2);
    [of(false), of(true)]
}

fn only(place: &[usize], wish: TargetLevel) -> ExtendOptions {
    ExtendOptions::new(wish).selection(Selection::At(place.to_vec()))
}

#[test]
fn a_countersignature_reaches_what_its_format_allows() {
    let (first, second) = (signer(Pki::shared(), Key::P256), signer(Pki::shared(), Key::P384));
    let court = Court::new(&[Pki::shared().issuing()]);
    for format in [Format::Cades, Format::Xades] {
        let mut current = countersigned(format, [&first, &second]);
        let mut raising = Raising::new(&first);
        raising.services.known.push(second.leaf().clone());
        for (wish, name) in
            [(TargetLevel::T, "T"), (TargetLevel::Lt, "LT"), (TargetLevel::Lta, "LTA")]
        {
            let what = format!("{format:?} {wish:?}");
            let stamps = raising.services.counts[0];
            let (raised, reached) = raising.raise(&current, only(&[0, 0], wish));
            if (format, wish) == (Format::Cades, TargetLevel::Lta) {
                let [missing] = &reached.missing[..] else { panic!("{reached:?}") };
                assert_eq!(missing.code, "not-extendable");
                assert!(missing.text.contains("the signature around it"), "{missing:?}");
                assert_eq!((raised == current, raising.services.counts[0]), (true, stamps));
                continue;
            }
            assert_eq!((reached.level, reached.missing), (wish.level(), vec![]), "{what}");
            let [outer, counter] = both(&court, &raising, &raised);
            assert_level(&counter, name, &what);
            assert_eq!(outer["intact"], true, "{what}");
            let report = raising.verify(&raised);
            assert_eq!(inner(&report).level, wish.level(), "{what}\n{report}");
            assert_eq!(report.signatures[0].level, Level::B, "{what}\n{report}");
            current = raised;
        }
        // The signature around it, whose archive time-stamp covers it.
        let (raised, reached) = raising.raise(&current, only(&[0], TargetLevel::Lta));
        assert_eq!((reached.level, reached.missing), (Level::Lta, vec![]), "{format:?}");
        let [outer, counter] = both(&court, &raising, &raised);
        assert_level(&outer, "LTA", &format!("{format:?}"));
        let inner_level = if format == Format::Cades { "LT" } else { "LTA" };
        assert_level(&counter, inner_level, &format!("{format:?}"));
        let report = raising.verify(&raised);
        assert!(report.is_passed(), "{format:?}\n{report}");
        // From now on, nothing is added to it.
        let stamps = raising.services.counts[0];
        let (same, reached) = raising.raise(&raised, only(&[0, 0], TargetLevel::Lta));
        assert_eq!((same == raised, raising.services.counts[0]), (true, stamps), "{format:?}");
        assert_eq!(reached.missing[0].code, "not-extendable", "{format:?} {reached:?}");
    }
}
