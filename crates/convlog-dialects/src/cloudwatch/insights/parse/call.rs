//! Calls: functions, bins, aggregates.

use super::Parser;
use crate::cloudwatch::insights::QueryError;
use crate::cloudwatch::insights::aggregate::{self, Aggregate, AggregateKind};
use crate::cloudwatch::insights::functions;
use crate::cloudwatch::insights::lex::Token;
use crate::cloudwatch::insights::period::Period;
use crate::cloudwatch::insights::syntax::{Expr, TIMESTAMP};

impl Parser {
    /// What follows the name of a function that started at `start`.
    pub(super) fn call(&mut self, name: &str, start: usize) -> Result<Expr, QueryError> {
        let kind = aggregate::lookup(name);
        let expr = match (name.to_ascii_lowercase().as_str(), kind) {
            ("bin", _) => {
                self.advance()?;
                self.names.mark_read(TIMESTAMP);
                let moment = Box::new(Expr::Field(TIMESTAMP));
                let period = self.period()?;
                self.expect(")", "expected `)`")?;
                Some(Expr::Floor(moment, period, false))
            }
            (floor @ ("datefloor" | "dateceil"), _) => {
                self.advance()?;
                let moment = Box::new(self.expr()?);
                self.expect(",", "expected `,`")?;
                let period = self.period()?;
                self.expect(")", "expected `)`")?;
                Some(Expr::Floor(moment, period, floor == "dateceil"))
            }
            (_, Some(kind)) => self.aggregate(kind, start)?,
            _ => Some(self.function(name, start)?),
        };
        // What `stats` has computed is not computed again by a later command that repeats it.
        let text = self.lexer.slice(start, self.last_end);
        let same = |written: &str| match kind {
            Some(_) => written.eq_ignore_ascii_case(&text),
            None => written == text,
        };
        let found = self.written.iter().find(|(written, _)| same(written));
        let known = found.filter(|_| self.aggregates.is_none());
        match (known, expr) {
            (Some((_, slot)), _) => Ok(Expr::Field(*slot)),
            (None, Some(expr)) => Ok(expr),
            (None, None) => {
                let message = "an aggregate stands only in stats, and not inside of another one";
                self.lexer.error(message, start, self.last_end)
            }
        }
    }

    fn function(&mut self, name: &str, start: usize) -> Result<Expr, QueryError> {
        let Some((function, fewest, most)) = functions::lookup(name) else {
            return self.lexer.error("unknown function", start, self.last_end);
        };
        self.advance()?;
        let mut args = Vec::new();
        if !self.is_symbol(")") {
            args = self.list(Self::expr)?;
        }
        self.expect(")", "expected `,` or `)`")?;
        if !(fewest..=most).contains(&args.len()) {
            let message = "wrong number of arguments";
            return self.lexer.error(message, start, self.last_end);
        }
        Ok(Expr::Call(function, args))
    }

    /// The arguments of an aggregate; `None` where there can be none.
    fn aggregate(&mut self, kind: AggregateKind, start: usize) -> Result<Option<Expr>, QueryError> {
        self.advance()?;
        // While its arguments are read there is no place for another one.
        let around = self.aggregates.take();
        let is_count = kind == AggregateKind::Count;
        let of = if is_count && (self.take("*")? || self.is_symbol(")")) {
            None
        } else {
            Some(self.expr()?)
        };
        let kind = match kind {
            AggregateKind::Percentile(percent) if percent.is_nan() => {
                self.expect(",", "expected `,` and a percentage")?;
                AggregateKind::Percentile(self.percentage()?)
            }
            other => other,
        };
        self.expect(")", "expected `)`")?;
        let Some(mut aggregates) = around else {
            return Ok(None);
        };
        if aggregates.len() == super::AGGREGATES_MAX {
            let message = format!("at most {} aggregates", super::AGGREGATES_MAX);
            return self.lexer.error(message, start, self.last_end);
        }
        aggregates.push(Aggregate { kind, of });
        let index = aggregates.len() - 1;
        self.aggregates = Some(aggregates);
        Ok(Some(Expr::Aggregate(index)))
    }

    fn percentage(&mut self) -> Result<f64, QueryError> {
        match self.current.token {
            Token::Number(percent) if (0.0..=100.0).contains(&percent) => {
                self.advance()?;
                Ok(percent)
            }
            _ => self.error("expected a percentage from 0 to 100"),
        }
    }

    fn period(&mut self) -> Result<Period, QueryError> {
        let (start, message) = (self.current.start, "expected a period such as 5m");
        let Token::Number(n) = self.current.token else {
            return self.error(message);
        };
        self.advance()?;
        let Token::Word(unit) = self.current.token.clone() else {
            return self.error(message);
        };
        match Period::new(n, &unit) {
            Some(period) => {
                self.advance()?;
                Ok(period)
            }
            None => self.lexer.error(message, start, self.current.end),
        }
    }
}
