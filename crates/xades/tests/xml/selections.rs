//! Parts of documents that the transforms of signatures select.

use xades::Error;
use xades::c14n::{Canonicalization, Pass, Selection, SetOperation, Target, canonicalize};
use xades::xml::Reader;

use crate::{by_id, c14n};

use SetOperation::{Intersect, Subtract, Union};

fn named(local_name: &str) -> Target {
    Target::Named { namespace: String::new(), local_name: local_name.into(), nth: None }
}

fn id(id: &str) -> Target {
    Target::Id(id.into())
}

fn form(document: &str, selection: Selection) -> Result<String, Error> {
    c14n(document.as_bytes(), Canonicalization::EXCLUSIVE.with_comments(), selection)
}

/// As the example in XPath Filter 2.0, clause 4: intersect, subtract, union.
#[test]
fn steps_of_a_filter_apply_in_order() {
    let document = "<d><in>1<!--c--><out>2<again>3</again></out></in><in>4<out>5</out></in>6</d>";
    let filtered = |steps: &[(SetOperation, &str)]| {
        let steps = steps.iter().map(|(operation, name)| (*operation, named(name)));
        form(document, Selection::document().filtered(steps)).unwrap()
    };
    assert_eq!(filtered(&[]), document);
    assert_eq!(
        filtered(&[(Intersect, "in"), (Subtract, "out"), (Union, "again")]),
        "<in>1<!--c--><again>3</again></in><in>4</in>"
    );
    assert_eq!(filtered(&[(Union, "again"), (Subtract, "out")]), filtered(&[(Subtract, "out")]));
    assert_eq!(filtered(&[(Intersect, "out"), (Subtract, "d"), (Union, "none")]), "");
    // Two transforms leave the nodes that both leave.
    let both = Selection::document()
        .filtered([(Intersect, named("in")), (Union, named("again"))])
        .filtered([(Subtract, named("out"))]);
    assert_eq!(form(document, both).unwrap(), "<in>1<!--c--></in><in>4</in>");
    // A filter adds no nodes outside the selected element.
    let part = Selection::element(named("out"))
        .filtered([(Subtract, named("again")), (Union, named("in"))]);
    assert_eq!(form(document, part).unwrap(), "<out>2<again>3</again></out><out>5</out>");
}

#[test]
fn the_covered_elements_are_reported() {
    let document = "<d><in>1<out>2<again>3</again></out></in></d>";
    let selection = Selection::document().filtered([
        (Intersect, named("in")),
        (Subtract, named("out")),
        (Union, named("again")),
    ]);
    let reader = Reader::from_slice(document.as_bytes()).unwrap();
    let covered = canonicalize(reader, Canonicalization::EXCLUSIVE, selection, &mut |_| Ok(()));
    let covered = covered.unwrap();
    let text = |span: &xades::xml::Span| {
        let whole = span.whole();
        document[whole.start as usize..whole.end as usize].to_owned()
    };
    let selected: Vec<String> = covered.selected.iter().map(text).collect();
    assert_eq!(selected, ["<again>3</again>", "<in>1<out>2<again>3</again></out></in>"]);
    let left_out: Vec<String> = covered.left_out.iter().map(text).collect();
    assert_eq!(left_out, ["<out>2<again>3</again></out>"]);
}

#[test]
fn a_filter_accepts_an_unknown_id_and_refuses_a_duplicate_one() {
    let document = "<d><a Id='x'>1</a><b ID='y'>2</b><c id='y'>3</c></d>";
    let less = |name: &str| form(document, Selection::document().filtered([(Subtract, id(name))]));
    assert_eq!(less("none").unwrap(), form(document, Selection::document()).unwrap());
    assert_eq!(less("x").unwrap(), "<d><b ID=\"y\">2</b><c id=\"y\">3</c></d>");
    assert!(matches!(less("y"), Err(Error::DuplicateId { first: 18, second: 33 })));
    let needed = form(document, Selection::document().without(id("none")));
    assert!(matches!(needed, Err(Error::NoSuchElement { .. })));
}

/// XML Signature, clause 4.4.3.3: `""` and `"#x"` leave out comments, even if the
/// canonical form keeps comments.
#[test]
fn a_selection_can_leave_out_comments() {
    let document = "<!--1--><d><!--2--><a Id='x'>3<!--4--></a></d><!--5-->";
    let whole = form(document, Selection::document()).unwrap();
    assert_eq!(
        whole,
        document.replace("'x'", "\"x\"").replace("--><d>", "-->\n<d>").replace("</d><", "</d>\n<")
    );
    let bare = form(document, Selection::document().without_comments()).unwrap();
    assert_eq!(bare, "<d><a Id=\"x\">3</a></d>");
    let part = |selection| form(document, selection).unwrap();
    assert_eq!(part(by_id("x")), "<a Id=\"x\">3<!--4--></a>");
    assert_eq!(part(by_id("x").without_comments()), "<a Id=\"x\">3</a>");
}

#[test]
fn more_steps_than_the_limit_are_refused() {
    let steps = |count| (0..count).map(|_| (Subtract, named("x")));
    assert_eq!(form("<d/>", Selection::document().filtered(steps(63))).unwrap(), "<d></d>");
    let refused = form("<d/>", Selection::document().filtered(steps(64)));
    assert!(matches!(refused, Err(Error::Limit { .. })));
}

/// One reading makes several forms that are independent of each other.
#[test]
fn filters_of_one_pass_are_independent() {
    let document = "<d><a Id='1'>x</a><a Id='2'>y</a></d>";
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let mut to_first = |piece: &[u8]| {
        first.extend_from_slice(piece);
        Ok(())
    };
    let mut to_second = |piece: &[u8]| {
        second.extend_from_slice(piece);
        Ok(())
    };
    let mut pass = Pass::new(Reader::from_slice(document.as_bytes()).unwrap());
    let without = |name| Selection::document().filtered([(Subtract, id(name))]);
    pass.add(Canonicalization::EXCLUSIVE, without("1"), &mut to_first);
    pass.add(Canonicalization::EXCLUSIVE, without("2"), &mut to_second);
    pass.run().unwrap();
    assert_eq!(first, b"<d><a Id=\"2\">y</a></d>");
    assert_eq!(second, b"<d><a Id=\"1\">x</a></d>");
}

#[test]
fn nodes_around_selected_elements_are_in_no_form() {
    let document = "<!-- 0 --><r xmlns:p='urn:p' xml:lang='en' p:a='1'> 1 <a xml:id='x'>2<!-- 2 -->\
        <a>3</a></a> 4 <?pi 4?><b><a xml:space='preserve'><?pi 5?></a></b></r><!-- 6 -->";
    let all = Selection::element(named("a"));
    let expected = "<a xmlns:p=\"urn:p\" xml:id=\"x\" xml:lang=\"en\">2<!-- 2 --><a>3</a></a>\
        <a xmlns:p=\"urn:p\" xml:lang=\"en\" xml:space=\"preserve\"><?pi 5?></a>";
    let method = Canonicalization::C14N_1_0.with_comments();
    assert_eq!(c14n(document.as_bytes(), method, all).unwrap(), expected);
}
