//! What a signature covers of its document.

use std::ops::Range;

use crate::report::Coverage;

use super::evaluate::Outcome;
use super::judge::Context;
use super::signature::Signature;
use super::tree::Element;

/// Whether what is covered by these references includes all of `range`, but for
/// signatures in it.
pub(crate) fn includes(context: &Context<'_>, covering: &[&Outcome], range: &Range<u64>) -> bool {
    let signature = |hole: &Range<u64>| {
        let found = context.survey.signatures.iter();
        found.filter(|found| !found.in_entity).any(|found| found.element.place == *hole)
    };
    covering.iter().any(|outcome| {
        let Some(covered) = &outcome.covered else { return false };
        let around = |part: Range<u64>| part.start <= range.start && range.end <= part.end;
        let inside = covered.outside
            || covered.selected.iter().any(|span| !span.in_entity && around(span.whole()));
        inside
            && covered.left_out.iter().all(|span| {
                let hole = span.whole();
                let apart = hole.end <= range.start || range.end <= hole.start;
                let within = range.start < hole.start && hole.end < range.end;
                apart || within && !span.in_entity && signature(&hole)
            })
    })
}

/// How much a signature covers, and whether that is what it has to.
pub(crate) fn coverage(
    context: &Context<'_>,
    signature: &Signature<'_>,
    covering: &[&Outcome],
    detached: bool,
) -> (Coverage, bool) {
    let survey = context.survey;
    let whole = if detached {
        // The document is what the signature names, and none of it is here.
        true
    } else if survey.root_place == signature.element.place {
        // Nothing is around the signature: what it envelops is the document.
        let properties = signature.qualifying.element;
        let mut data = signature.objects.iter().filter(|object| {
            let holds =
                |wanted: &Element| object.children.iter().any(|child| std::ptr::eq(child, wanted));
            !properties.is_some_and(holds)
        });
        let mut any = false;
        let all = data.all(|object| {
            any = true;
            includes(context, covering, &object.place)
        });
        any && all
    } else {
        includes(context, covering, &survey.root_place)
    };
    let expected = match survey.expected.as_slice() {
        [] => whole,
        expected => expected.iter().all(|expected| includes(context, covering, expected)),
    };
    (if whole { Coverage::Whole } else { Coverage::Part }, expected)
}
