//! The neutral filter tree: what every dialect's filter language becomes, and what engines lower.
//!
//! [`eval`] defines what each operator means by evaluating it on one record; engines must agree.

pub mod eval;
mod normal;
pub mod print;

use std::cmp::Ordering;

use crate::fields::FieldRef;
use crate::time::{Span, Timestamp};

/// A condition on records.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum Filter {
    /// Every record.
    All,
    /// All of these; of none, every record.
    And(Vec<Filter>),
    /// One of these; of none, no record.
    Or(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// Some value of the field passes the test. Inside of [`Filter::Element`]: some value that
    /// lies in that element.
    Test {
        /// The field.
        field: FieldRef,
        /// The test.
        test: Test,
    },
    /// Some single element of an array of objects passes `inner`, negations included.
    Element {
        /// The array; the fields of `inner` are paths below it, spelled in full.
        field: FieldRef,
        /// What the element must pass.
        inner: Box<Filter>,
    },
}

/// A test of one value.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum Test {
    /// `::`. The whole value, byte for byte; numbers and times by value. The empty text also
    /// matches a record without the field.
    Equals(Literal),
    /// `:`. On text fields the words of the literal, stemmed by the record's language, adjacent
    /// and in order, and its symbols literally; elsewhere the whole value after case folding.
    Matches(Literal),
    /// A pattern with `*`.
    Glob {
        /// Literal parts between the stars; the first and last may be empty.
        parts: Vec<String>,
        /// What the pattern is laid over.
        scope: Scope,
    },
    /// Up to `edits` insertions, deletions or substitutions of characters.
    Fuzzy {
        /// What was asked for.
        text: String,
        /// 1 or 2; each word of a phrase has its own.
        edits: u8,
        /// What it is compared with.
        scope: Scope,
    },
    /// `<`, `<=`, `>`, `>=`.
    Compare {
        /// Which.
        op: CompareOp,
        /// With what.
        bound: Bound,
    },
    /// The field, or anything below it, has a value that is not `null`.
    Exists,
}

/// What a pattern or a fuzzy text is compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Scope {
    /// Single case-folded words on text fields (not stemmed), elsewhere the case-folded value.
    Word,
    /// The whole value, case-sensitively.
    Whole,
}

/// A term as written in a filter.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct Literal {
    /// Its text, unescaped.
    pub text: String,
    /// Whether it stood in quotes: then it never means a number or a boolean.
    pub quoted: bool,
}

impl Literal {
    /// A term without quotes.
    #[must_use]
    pub fn bare(text: impl Into<String>) -> Self {
        Literal {
            text: text.into(),
            quoted: false,
        }
    }

    /// A term in quotes.
    #[must_use]
    pub fn quoted(text: impl Into<String>) -> Self {
        Literal {
            text: text.into(),
            quoted: true,
        }
    }
}

/// An order comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum CompareOp {
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl CompareOp {
    /// The operator as filters write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            CompareOp::Lt => "<",
            CompareOp::Le => "<=",
            CompareOp::Gt => ">",
            CompareOp::Ge => ">=",
        }
    }

    /// Whether it holds for a value that stands so to the bound.
    #[must_use]
    pub fn holds(self, value_to_bound: Ordering) -> bool {
        match self {
            CompareOp::Lt => value_to_bound.is_lt(),
            CompareOp::Le => value_to_bound.is_le(),
            CompareOp::Gt => value_to_bound.is_gt(),
            CompareOp::Ge => value_to_bound.is_ge(),
        }
    }
}

/// The right side of an order comparison.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub enum Bound {
    /// A number, as its text.
    Number(String),
    /// A moment or a whole day: `<` and `>=` look at its start, `<=` and `>` at its end.
    Time(TimeBound),
}

/// A written time with what it stands for.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct TimeBound {
    /// As written.
    pub text: String,
    /// First microsecond.
    pub start_us: i64,
    /// Last microsecond.
    pub end_us: i64,
}

impl TimeBound {
    /// The bound of a text that stands for `span`.
    #[must_use]
    pub fn new(text: &str, span: Span) -> Self {
        TimeBound {
            text: text.to_owned(),
            start_us: span.start.micros(),
            end_us: span.end.micros(),
        }
    }
}

impl Bound {
    /// A single moment.
    #[must_use]
    pub fn at(moment: Timestamp) -> Self {
        let span = Span {
            start: moment,
            end: moment,
        };
        Bound::Time(TimeBound::new(&moment.to_micros_text(), span))
    }
}

impl Filter {
    /// A test of a canonical field.
    #[must_use]
    pub fn test(canonical: &str, test: Test) -> Self {
        Filter::Test {
            field: FieldRef::canonical(canonical),
            test,
        }
    }

    /// A test of a canonical field for the whole value `text`, never read as a number.
    #[must_use]
    pub fn equals(canonical: &str, text: &str) -> Self {
        Filter::test(canonical, Test::Equals(Literal::quoted(text)))
    }

    /// A canonical field, or what lies below it, has a value.
    #[must_use]
    pub fn exists(canonical: &str) -> Self {
        Filter::test(canonical, Test::Exists)
    }

    /// This and another, flattened.
    #[must_use]
    pub fn and(self, other: Filter) -> Self {
        match (self, other) {
            (Filter::All, filter) | (filter, Filter::All) => filter,
            (Filter::And(mut parts), other) => {
                parts.push(other);
                Filter::And(parts)
            }
            (filter, other) => Filter::And(vec![filter, other]),
        }
    }

    /// The fields that decide it, with the language, by which words are stemmed.
    #[must_use]
    pub fn fields(&self) -> Vec<FieldRef> {
        let mut fields = vec![FieldRef::canonical("language")];
        self.gather(&mut fields);
        fields.sort();
        fields.dedup();
        fields
    }

    fn gather(&self, fields: &mut Vec<FieldRef>) {
        match self {
            Filter::All => {}
            Filter::And(parts) | Filter::Or(parts) => {
                for part in parts {
                    part.gather(fields);
                }
            }
            Filter::Not(inner) => inner.gather(fields),
            Filter::Test { field, .. } => fields.push(field.clone()),
            Filter::Element { field, inner } => {
                fields.push(field.clone());
                inner.gather(fields);
            }
        }
    }

    /// The negation.
    #[must_use]
    pub fn negate(self) -> Self {
        Filter::Not(Box::new(self))
    }
}
