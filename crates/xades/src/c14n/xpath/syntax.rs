//! The syntax of XPath 1.0, without variables, arithmetic and predicates after
//! parentheses.

use super::MAX_DEPTH;
use super::words::Word;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expr {
    Or(Vec<Self>),
    And(Vec<Self>),
    Compare(Operator, Box<Self>, Box<Self>),
    Union(Vec<Self>),
    Path(Path),
    Literal(String),
    Number(u32),
    Call(String, Vec<Self>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    /// The operator with its sides exchanged.
    pub(super) const fn turned(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }

    fn of(symbol: &str) -> Option<Self> {
        Some(match symbol {
            "=" => Self::Equal,
            "!=" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }
}

/// A location path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) start: Start,
    pub(super) steps: Vec<Step>,
}

/// The nodes at which a path starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Context,
    Root,
    Of(Box<Expr>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) axis: Axis,
    pub(super) test: NodeTest,
    pub(super) predicates: Vec<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    Ancestor,
    AncestorOrSelf,
    Attribute,
    Child,
    Descendant,
    DescendantOrSelf,
    Itself,
    Parent,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NodeTest {
    Name(NameTest),
    /// `*`
    Any,
    Node,
    Text,
    Comment,
    Instruction,
}

/// A name that nodes of the axis's principal type have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameTest {
    /// Empty for none.
    pub(super) namespace: String,
    /// `None`: any name in the namespace.
    pub(super) local_name: Option<String>,
}

/// The step that `//` stands for.
fn anywhere() -> Step {
    Step { axis: Axis::DescendantOrSelf, test: NodeTest::Node, predicates: Vec::new() }
}

/// Reads an expression from words.
pub(super) struct Parser<'p, 'e> {
    rest: &'p [Word<'e>],
    prefixes: &'p [(String, String)],
    depth: usize,
}

impl<'p, 'e> Parser<'p, 'e> {
    pub(super) const fn new(words: &'p [Word<'e>], prefixes: &'p [(String, String)]) -> Self {
        Self { rest: words, prefixes, depth: 0 }
    }

    /// The expression that all words are.
    pub(super) fn expression(mut self) -> Option<Expr> {
        let expression = self.or()?;
        self.rest.is_empty().then_some(expression)
    }

    fn take(&mut self, symbol: &str) -> bool {
        self.take_word(|word| matches!(word, Word::Symbol(it) if *it == symbol))
    }

    /// Takes an operator that is spelt like a name.
    fn take_named(&mut self, name: &str) -> bool {
        self.take_word(|word| matches!(word, Word::Name(it) if *it == name))
    }

    fn take_word(&mut self, is: impl Fn(&Word<'_>) -> bool) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if is(first) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn next_is(&self, at: usize, symbol: &str) -> bool {
        matches!(self.rest.get(at), Some(Word::Symbol(it)) if *it == symbol)
    }

    fn or(&mut self) -> Option<Expr> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut all = vec![self.and()?];
        while self.take_named("or") {
            all.push(self.and()?);
        }
        self.depth -= 1;
        single_or(all, Expr::Or)
    }

    fn and(&mut self) -> Option<Expr> {
        let mut all = vec![self.comparison()?];
        while self.take_named("and") {
            all.push(self.comparison()?);
        }
        single_or(all, Expr::And)
    }

    /// Two operands at most: `a = b = c` compares a truth value.
    fn comparison(&mut self) -> Option<Expr> {
        let left = self.union()?;
        let Some(Word::Symbol(symbol)) = self.rest.first() else { return Some(left) };
        let Some(operator) = Operator::of(symbol) else { return Some(left) };
        self.take(symbol);
        let right = self.union()?;
        Some(Expr::Compare(operator, Box::new(left), Box::new(right)))
    }

    fn union(&mut self) -> Option<Expr> {
        let mut all = vec![self.path()?];
        while self.take("|") {
            all.push(self.path()?);
        }
        single_or(all, Expr::Union)
    }

    fn path(&mut self) -> Option<Expr> {
        if self.take("//") {
            return self.steps(Start::Root, vec![anywhere()]);
        }
        if self.take("/") {
            let has_step = matches!(self.rest.first(), Some(Word::Name(_)))
                || ["*", "@", ".", ".."].iter().any(|symbol| self.next_is(0, symbol));
            if has_step {
                return self.steps(Start::Root, Vec::new());
            }
            return Some(Expr::Path(Path { start: Start::Root, steps: Vec::new() }));
        }
        let Some(primary) = self.primary()? else {
            return self.steps(Start::Context, Vec::new());
        };
        if self.take("//") {
            self.steps(Start::Of(Box::new(primary)), vec![anywhere()])
        } else if self.take("/") {
            self.steps(Start::Of(Box::new(primary)), Vec::new())
        } else if self.next_is(0, "[") {
            None
        } else {
            Some(primary)
        }
    }

    /// A literal, a number, a call or an expression in parentheses. `Some(None)` if a
    /// step follows instead.
    fn primary(&mut self) -> Option<Option<Expr>> {
        let expression = match *self.rest.first()? {
            Word::Literal(literal) => Expr::Literal(literal.to_owned()),
            Word::Number(number) => Expr::Number(number.parse().ok()?),
            Word::Symbol("(") => {
                self.take("(");
                let inner = self.or()?;
                return self.take(")").then_some(Some(inner));
            }
            Word::Name(name) if self.next_is(1, "(") && !is_node_type(name) => {
                return self.call(name).map(Some);
            }
            _ => return Some(None),
        };
        self.rest = self.rest.get(1..)?;
        Some(Some(expression))
    }

    fn call(&mut self, name: &str) -> Option<Expr> {
        self.rest = self.rest.get(2..)?;
        let mut arguments = Vec::new();
        if !self.take(")") {
            arguments.push(self.or()?);
            while self.take(",") {
                arguments.push(self.or()?);
            }
            self.take(")").then_some(())?;
        }
        Some(Expr::Call(name.to_owned(), arguments))
    }

    fn steps(&mut self, start: Start, mut steps: Vec<Step>) -> Option<Expr> {
        loop {
            steps.push(self.step()?);
            if self.take("//") {
                steps.push(anywhere());
            } else if !self.take("/") {
                return Some(Expr::Path(Path { start, steps }));
            }
        }
    }

    fn step(&mut self) -> Option<Step> {
        let (axis, abbreviated) = if self.take("..") {
            (Axis::Parent, true)
        } else if self.take(".") {
            (Axis::Itself, true)
        } else {
            (self.axis()?, false)
        };
        if abbreviated {
            return Some(Step { axis, test: NodeTest::Node, predicates: Vec::new() });
        }
        let test = self.node_test()?;
        let mut predicates = Vec::new();
        while self.take("[") {
            predicates.push(self.or()?);
            self.take("]").then_some(())?;
        }
        Some(Step { axis, test, predicates })
    }

    fn axis(&mut self) -> Option<Axis> {
        if self.take("@") {
            return Some(Axis::Attribute);
        }
        let Some(Word::Name(name)) = self.rest.first() else { return Some(Axis::Child) };
        if !self.next_is(1, "::") {
            return Some(Axis::Child);
        }
        let axis = match *name {
            "ancestor" => Axis::Ancestor,
            "ancestor-or-self" => Axis::AncestorOrSelf,
            "attribute" => Axis::Attribute,
            "child" => Axis::Child,
            "descendant" => Axis::Descendant,
            "descendant-or-self" => Axis::DescendantOrSelf,
            "parent" => Axis::Parent,
            "self" => Axis::Itself,
            _ => return None,
        };
        self.rest = self.rest.get(2..)?;
        Some(axis)
    }

    fn node_test(&mut self) -> Option<NodeTest> {
        if self.take("*") {
            return Some(NodeTest::Any);
        }
        let Word::Name(name) = *self.rest.first()? else { return None };
        self.rest = self.rest.get(1..)?;
        if !self.take("(") {
            return self.name_test(name).map(NodeTest::Name);
        }
        let test = match name {
            "node" => NodeTest::Node,
            "text" => NodeTest::Text,
            "comment" => NodeTest::Comment,
            "processing-instruction" => NodeTest::Instruction,
            _ => return None,
        };
        self.take(")").then_some(test)
    }

    /// A name without a prefix is in no namespace (clause 2.3).
    fn name_test(&self, name: &str) -> Option<NameTest> {
        let (prefix, local_name) = match name.split_once(':') {
            Some((prefix, local_name)) => (Some(prefix), local_name),
            None => (None, name),
        };
        let namespace = match prefix {
            None => String::new(),
            Some(prefix) => self.prefixes.iter().find(|(bound, _)| bound == prefix)?.1.clone(),
        };
        let local_name = (local_name != "*").then(|| local_name.to_owned());
        Some(NameTest { namespace, local_name })
    }
}

fn is_node_type(name: &str) -> bool {
    matches!(name, "comment" | "node" | "processing-instruction" | "text")
}

fn single_or(mut all: Vec<Expr>, several: fn(Vec<Expr>) -> Expr) -> Option<Expr> {
    if all.len() == 1 { all.pop() } else { Some(several(all)) }
}
