//! Recursive descent over the grammar of [`super`].

use super::lex::Lexer;
use super::names::{Resolver, Shape};
use super::syntax::{Leaf, Node, Op, Value};
use super::{DEPTH_MAX, FilterError, LENGTH_MAX, Names};

/// Longest location, in bytes.
const PATH_MAX: usize = 1_024;

/// The tree of a filter; `None` for an empty one.
pub(super) fn parse(text: &str, names: Resolver) -> Result<Option<Node>, FilterError> {
    let lexer = Lexer::new(text);
    if lexer.len() > LENGTH_MAX {
        let message = format!("a filter has at most {LENGTH_MAX} characters");
        return Err(FilterError::new(message, LENGTH_MAX + 1));
    }
    let mut parser = Parser {
        lexer,
        names,
        depth: 0,
    };
    parser.lexer.skip_spaces();
    if parser.lexer.peek().is_none() {
        return Ok(None);
    }
    let tree = parser.or(None)?;
    match parser.lexer.peek() {
        None => Ok(Some(tree)),
        Some(')' | ']') => parser.lexer.error("this bracket was not opened"),
        Some(_) => parser.lexer.error("expected `,`, `|` or the end"),
    }
}

struct Parser {
    lexer: Lexer,
    names: Resolver,
    depth: usize,
}

impl Parser {
    fn or(&mut self, within: Option<&str>) -> Result<Node, FilterError> {
        if self.names.names() == Names::Own && self.depth > 0 {
            self.lexer.skip_spaces();
            if matches!(self.lexer.peek(), Some(')' | ']')) {
                return Ok(Node::And(Vec::new()));
            }
        }
        let mut parts = vec![self.and(within)?];
        while self.lexer.take("|") {
            parts.push(self.and(within)?);
        }
        Ok(single(parts, Node::Or))
    }

    fn and(&mut self, within: Option<&str>) -> Result<Node, FilterError> {
        let mut parts = vec![self.prim(within)?];
        while self.lexer.take(",") {
            parts.push(self.prim(within)?);
        }
        Ok(single(parts, Node::And))
    }

    fn prim(&mut self, within: Option<&str>) -> Result<Node, FilterError> {
        self.lexer.skip_spaces();
        let negated = self.names.names() == Names::Own && self.lexer.take("!");
        let node = match self.lexer.peek() {
            Some('(' | '[') => self.bracketed(|parser| parser.group(within))?,
            _ if negated => return self.lexer.error("expected a group in brackets behind `!`"),
            _ => self.condition(within)?,
        };
        self.lexer.skip_spaces();
        Ok(if negated {
            Node::Not(Box::new(node))
        } else {
            node
        })
    }

    /// The inside of a group; an empty one is every record, in the own API alone.
    fn group(&mut self, within: Option<&str>) -> Result<Node, FilterError> {
        self.lexer.skip_spaces();
        let own = self.names.names() == Names::Own;
        match self.lexer.peek() {
            Some(')' | ']') if own => Ok(Node::And(Vec::new())),
            _ => self.or(within),
        }
    }

    /// What stands between two brackets of the same kind.
    fn bracketed<T>(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<T, FilterError>,
    ) -> Result<T, FilterError> {
        let start = self.lexer.column();
        let Some(close) = self.lexer.open() else {
            return self.lexer.error("expected a bracket");
        };
        if self.depth == DEPTH_MAX {
            let message = format!("groups are nested deeper than {DEPTH_MAX} levels");
            return Err(FilterError::new(message, start));
        }
        self.depth += 1;
        let node = inner(self)?;
        self.depth -= 1;
        self.lexer.skip_spaces();
        match self.lexer.peek() {
            Some(c) if c == close => {
                self.lexer.bump();
                self.lexer.skip_spaces();
                Ok(node)
            }
            None => Err(FilterError::new("this bracket is not closed", start)),
            Some(_) => self.lexer.error(format!("expected `,`, `|` or `{close}`")),
        }
    }

    fn condition(&mut self, within: Option<&str>) -> Result<Node, FilterError> {
        self.lexer.skip_spaces();
        let column = self.lexer.column();
        let location = self.lexer.location()?;
        let mut path = match within {
            Some(outer) => format!("{outer}.{location}"),
            None => location,
        };
        // Each round takes one `:sub` of a path that goes on behind a colon.
        loop {
            self.lexer.skip_spaces();
            let at = self.lexer.column();
            let Some((op, negated)) = self.lexer.operator() else {
                return self.lexer.error("expected an operator");
            };
            if path.len() > PATH_MAX {
                let message = format!("the name of a field has at most {PATH_MAX} bytes");
                return Err(FilterError::new(message, column));
            }
            let shape = self.names.shape(&path, column)?;
            self.lexer.skip_spaces();
            if op == Op::Matches && !negated && shape != Shape::Leaf {
                let grouped = matches!(self.lexer.peek(), Some('(' | '['));
                let goes_on = self.lexer.looks_like_condition();
                if grouped && (goes_on || shape == Shape::Group) {
                    let inner = self.bracketed(|parser| parser.group(Some(&path)))?;
                    let inner = Box::new(inner);
                    return Ok(Node::Nested {
                        path,
                        column,
                        inner,
                    });
                }
                if goes_on {
                    path = format!("{path}.{}", self.lexer.location()?);
                    continue;
                }
            }
            let value = self.value(op)?;
            let exists = matches!(&value, Value::Term(term) if term.is_star());
            if shape == Shape::Group && !exists {
                let message = "this is a list of objects: say `:` and a field of theirs";
                return Err(FilterError::new(message, at));
            }
            return Ok(Node::Leaf(Leaf {
                path,
                column,
                op,
                negated,
                value,
            }));
        }
    }

    fn value(&mut self, op: Op) -> Result<Value, FilterError> {
        if !matches!(self.lexer.peek(), Some('(' | '[')) {
            return Ok(Value::Term(self.lexer.term()?));
        }
        if let Op::Compare(_) = op {
            return self.lexer.error("a comparison takes one number or time");
        }
        self.bracketed(Self::terms)
    }

    fn terms(&mut self) -> Result<Value, FilterError> {
        let mut parts = vec![self.and_terms()?];
        while self.lexer.take("|") {
            parts.push(self.and_terms()?);
        }
        Ok(single(parts, Value::Or))
    }

    fn and_terms(&mut self) -> Result<Value, FilterError> {
        let mut parts = vec![Value::Term(self.lexer.term()?)];
        while self.lexer.take(",") {
            parts.push(Value::Term(self.lexer.term()?));
        }
        Ok(single(parts, Value::And))
    }
}

/// A list of one is that one.
fn single<T>(mut parts: Vec<T>, several: impl FnOnce(Vec<T>) -> T) -> T {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            several(parts)
        }
    }
}
