//! The value of an expression on one row.

use super::functions;
use super::row::Row;
use super::syntax::{Expr, Operator};
use super::value::{Value, whole};

/// The value of an expression; `aggregates` are those of the `stats` around it.
pub(super) fn eval(expr: &Expr, row: &Row, aggregates: &[Value]) -> Value {
    let of = |expr: &Expr| eval(expr, row, aggregates);
    match expr {
        Expr::Literal(value) => value.clone(),
        Expr::Field(slot) => row.get(*slot).clone(),
        Expr::And(parts) => Value::truth(parts.iter().all(|part| of(part).is_true())),
        Expr::Or(parts) => Value::truth(parts.iter().any(|part| of(part).is_true())),
        Expr::Not(inner) => Value::truth(!of(inner).is_true()),
        Expr::Negative(inner) => {
            let number = of(inner).as_number();
            number.map_or(Value::Absent, |number| Value::number(-number))
        }
        Expr::Compare(comparison, left, right) => {
            Value::truth(comparison.holds(&of(left), &of(right)))
        }
        Expr::Arithmetic(operator, left, right) => {
            let numbers = of(left).as_number().zip(of(right).as_number());
            numbers.map_or(Value::Absent, |(left, right)| {
                Value::number(operator.apply(left, right))
            })
        }
        Expr::In {
            value,
            list,
            is_negated,
        } => {
            let value = of(value);
            let is_in = |item| value.ordering(&of(item)).is_some_and(|found| found.is_eq());
            Value::truth(!value.is_absent() && list.iter().any(is_in) != *is_negated)
        }
        Expr::Contains {
            value,
            text,
            is_negated,
        } => {
            let (value, text) = (of(value), of(text));
            let texts = value.as_text().zip(text.as_text());
            let holds = texts.map(|(value, text)| value.contains(&*text));
            Value::truth(holds.is_some_and(|holds| holds != *is_negated))
        }
        Expr::Matches {
            value,
            regex,
            is_negated,
        } => {
            let value = of(value);
            let holds = value.as_text().map(|text| regex.is_match(&text));
            Value::truth(holds.is_some_and(|holds| holds != *is_negated))
        }
        Expr::Call(function, args) => {
            let args: Vec<Value> = args.iter().map(of).collect();
            functions::call(*function, &args)
        }
        Expr::Floor(moment, period, is_ceil) => {
            let Some(millis) = of(moment).as_number().map(whole) else {
                return Value::Absent;
            };
            Value::Time(if *is_ceil {
                period.ceil(millis)
            } else {
                period.floor(millis)
            })
        }
        Expr::Aggregate(index) => aggregates.get(*index).cloned().unwrap_or(Value::Absent),
    }
}

impl Operator {
    fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            Operator::Divide => left / right,
            Operator::Remainder => left % right,
            Operator::Power => left.powf(right),
        }
    }
}
