//! Expressions, and what all parts of the parser need.

use super::{CHAIN_MAX, DEPTH_MAX, Parser, RESERVED, TERMS_MAX};
use crate::cloudwatch::insights::QueryError;
use crate::cloudwatch::insights::lex::Token;
use crate::cloudwatch::insights::syntax::{Comparison, Expr, Operator, Slot};
use crate::cloudwatch::insights::value::Value;

const COMPARISONS: [(&str, Comparison); 6] = [
    ("=", Comparison::Eq),
    ("!=", Comparison::Ne),
    ("<", Comparison::Lt),
    ("<=", Comparison::Le),
    (">", Comparison::Gt),
    (">=", Comparison::Ge),
];

const SUMS: [(&str, Operator); 2] = [("+", Operator::Add), ("-", Operator::Subtract)];

const PRODUCTS: [(&str, Operator); 3] = [
    ("*", Operator::Multiply),
    ("/", Operator::Divide),
    ("%", Operator::Remainder),
];

impl Parser {
    pub(super) fn expr(&mut self) -> Result<Expr, QueryError> {
        self.nested(Self::or)
    }

    fn nested<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, QueryError>,
    ) -> Result<T, QueryError> {
        if self.depth == DEPTH_MAX {
            return self.error(format!("nested deeper than {DEPTH_MAX} levels"));
        }
        self.depth += 1;
        let found = inner(self)?;
        self.depth -= 1;
        Ok(found)
    }

    fn or(&mut self) -> Result<Expr, QueryError> {
        self.joined("or", Self::and, Expr::Or)
    }

    fn and(&mut self) -> Result<Expr, QueryError> {
        self.joined("and", Self::not, Expr::And)
    }

    fn joined(
        &mut self,
        word: &str,
        part: impl Fn(&mut Self) -> Result<Expr, QueryError>,
        several: impl FnOnce(Vec<Expr>) -> Expr,
    ) -> Result<Expr, QueryError> {
        let first = part(self)?;
        if !self.is_word(word) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take_word(word)? {
            parts.push(part(self)?);
        }
        Ok(several(parts))
    }

    fn not(&mut self) -> Result<Expr, QueryError> {
        if self.take_word("not")? {
            let inner = self.nested(Self::not)?;
            return Ok(Expr::Not(Box::new(inner)));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expr, QueryError> {
        let value = self.sum()?;
        for (symbol, comparison) in COMPARISONS {
            if self.take(symbol)? {
                let right = self.sum()?;
                return Ok(Expr::Compare(comparison, Box::new(value), Box::new(right)));
            }
        }
        if self.take("=~")? {
            return self.pattern(value, false, true);
        }
        let is_negated = self.take_word("not")?;
        if self.take_word("like")? {
            return self.pattern(value, is_negated, false);
        }
        if self.take_word("in")? {
            self.expect("[", "expected `[`")?;
            let list = self.list(Self::expr)?;
            self.expect("]", "expected `,` or `]`")?;
            return Ok(Expr::In {
                value: Box::new(value),
                list,
                is_negated,
            });
        }
        if is_negated {
            return self.error("expected `in` or `like`");
        }
        Ok(value)
    }

    /// What stands behind `like`, where a string is a part of the value, or behind `=~`, where it
    /// is a regular expression.
    fn pattern(
        &mut self,
        value: Expr,
        is_negated: bool,
        is_regex: bool,
    ) -> Result<Expr, QueryError> {
        let value = Box::new(value);
        let regex = match self.current.token.clone() {
            Token::Symbol("/") => self.regex()?,
            Token::Text(text) if is_regex => {
                let (start, end) = (self.current.start, self.current.end);
                self.advance()?;
                self.compile(&text, start, end)?
            }
            _ if is_regex => return self.error("expected a regular expression"),
            _ => {
                return Ok(Expr::Contains {
                    value,
                    text: Box::new(self.sum()?),
                    is_negated,
                });
            }
        };
        Ok(Expr::Matches {
            value,
            regex,
            is_negated,
        })
    }

    fn sum(&mut self) -> Result<Expr, QueryError> {
        self.chain(&SUMS, Self::product)
    }

    fn product(&mut self) -> Result<Expr, QueryError> {
        self.chain(&PRODUCTS, Self::power)
    }

    fn chain(
        &mut self,
        operators: &[(&str, Operator)],
        part: impl Fn(&mut Self) -> Result<Expr, QueryError>,
    ) -> Result<Expr, QueryError> {
        let mut left = part(self)?;
        let mut n_operators = 0;
        while let Some(operator) = self.take_operator(operators)? {
            n_operators += 1;
            if n_operators > CHAIN_MAX {
                return self.error(format!("more than {CHAIN_MAX} operators in a row"));
            }
            let right = part(self)?;
            left = Expr::Arithmetic(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn take_operator(
        &mut self,
        operators: &[(&str, Operator)],
    ) -> Result<Option<Operator>, QueryError> {
        for (symbol, operator) in operators {
            if self.take(symbol)? {
                return Ok(Some(*operator));
            }
        }
        Ok(None)
    }

    fn power(&mut self) -> Result<Expr, QueryError> {
        if self.take("-")? {
            let inner = self.nested(Self::power)?;
            return Ok(Expr::Negative(Box::new(inner)));
        }
        let base = self.primary()?;
        if !self.take("^")? {
            return Ok(base);
        }
        let exponent = self.nested(Self::power)?;
        Ok(Expr::Arithmetic(
            Operator::Power,
            Box::new(base),
            Box::new(exponent),
        ))
    }

    fn primary(&mut self) -> Result<Expr, QueryError> {
        self.n_terms += 1;
        if self.n_terms > TERMS_MAX {
            return self.error(format!("a query has at most {TERMS_MAX} fields and values"));
        }
        let start = self.current.start;
        let literal = match self.current.token.clone() {
            Token::Number(number) => Value::Number(number),
            Token::Text(text) => Value::text(&text),
            Token::Symbol("(") => {
                self.advance()?;
                let inner = self.expr()?;
                self.expect(")", "expected an operator or `)`")?;
                return Ok(inner);
            }
            Token::Word(word) if !is_reserved(&word) => {
                self.advance()?;
                if self.is_symbol("(") {
                    return self.call(&word, start);
                }
                match word.to_ascii_lowercase().as_str() {
                    "true" => return Ok(Expr::Literal(Value::truth(true))),
                    "false" => return Ok(Expr::Literal(Value::truth(false))),
                    _ => return Ok(Expr::Field(self.names.read(&word))),
                }
            }
            Token::Quoted(name) => {
                self.advance()?;
                return Ok(Expr::Field(self.names.read(&name)));
            }
            _ => return self.error("expected a value"),
        };
        self.advance()?;
        Ok(Expr::Literal(literal))
    }

    /// One or more, with commas between them.
    pub(super) fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, QueryError>,
    ) -> Result<Vec<T>, QueryError> {
        let mut items = vec![item(self)?];
        while self.take(",")? {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A name that gets a value.
    pub(super) fn bound_name(&mut self) -> Result<Slot, QueryError> {
        let name = self.name("expected a name")?;
        Ok(self.names.bind(&name))
    }

    pub(super) fn name(&mut self, message: &str) -> Result<String, QueryError> {
        if !self.is_name() {
            return self.error(message);
        }
        let (Token::Word(name) | Token::Quoted(name)) = self.current.token.clone() else {
            return self.error(message);
        };
        self.advance()?;
        Ok(name)
    }

    pub(super) fn is_name(&self) -> bool {
        match &self.current.token {
            Token::Word(word) => !is_reserved(word),
            Token::Quoted(_) => true,
            _ => false,
        }
    }

    pub(super) fn is_end(&self) -> bool {
        self.current.token == Token::End
    }

    pub(super) fn is_symbol(&self, wanted: &str) -> bool {
        matches!(&self.current.token, Token::Symbol(symbol) if *symbol == wanted)
    }

    fn is_word(&self, wanted: &str) -> bool {
        matches!(&self.current.token, Token::Word(word) if word.eq_ignore_ascii_case(wanted))
    }

    pub(super) fn advance(&mut self) -> Result<(), QueryError> {
        self.last_end = self.current.end;
        self.current = self.lexer.next()?;
        Ok(())
    }

    /// Takes a symbol if it stands here.
    pub(super) fn take(&mut self, symbol: &str) -> Result<bool, QueryError> {
        let stands = self.is_symbol(symbol);
        if stands {
            self.advance()?;
        }
        Ok(stands)
    }

    /// Takes a word of the language if it stands here.
    pub(super) fn take_word(&mut self, word: &str) -> Result<bool, QueryError> {
        let stands = self.is_word(word);
        if stands {
            self.advance()?;
        }
        Ok(stands)
    }

    pub(super) fn expect(&mut self, symbol: &str, message: &str) -> Result<(), QueryError> {
        match self.take(symbol)? {
            true => Ok(()),
            false => self.error(message),
        }
    }

    /// An error at the current token.
    pub(super) fn error<T>(&self, message: impl Into<String>) -> Result<T, QueryError> {
        self.lexer
            .error(message, self.current.start, self.current.end)
    }
}

fn is_reserved(word: &str) -> bool {
    RESERVED.iter().any(|r| r.eq_ignore_ascii_case(word))
}
