//! Conditions joined by `&&`, `||` and parentheses: the same in JSON patterns and in columns.

use super::cursor::Cursor;
use super::{DEPTH_MAX, PatternError};

/// Conditions, joined.
#[derive(Clone, Debug)]
pub(super) enum Expr<C> {
    And(Vec<Expr<C>>),
    Or(Vec<Expr<C>>),
    Leaf(C),
}

impl<C> Expr<C> {
    /// Whether it holds, given which conditions do.
    pub(super) fn holds(&self, leaf: &impl Fn(&C) -> bool) -> bool {
        match self {
            Expr::And(parts) => parts.iter().all(|part| part.holds(leaf)),
            Expr::Or(parts) => parts.iter().any(|part| part.holds(leaf)),
            Expr::Leaf(condition) => leaf(condition),
        }
    }

    /// Shows every condition, in the order written.
    pub(super) fn each<'a>(&'a self, see: &mut impl FnMut(&'a C)) {
        match self {
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| part.each(see)),
            Expr::Leaf(condition) => see(condition),
        }
    }
}

/// Reads what stands here; `leaf` reads one condition, which begins where it is called.
pub(super) fn parse<C, L>(cursor: &mut Cursor, leaf: &mut L) -> Result<Expr<C>, PatternError>
where
    L: FnMut(&mut Cursor) -> Result<C, PatternError>,
{
    or(cursor, 0, leaf)
}

fn or<C, L>(cursor: &mut Cursor, depth: usize, leaf: &mut L) -> Result<Expr<C>, PatternError>
where
    L: FnMut(&mut Cursor) -> Result<C, PatternError>,
{
    let first = and(cursor, depth, leaf)?;
    let mut others = Vec::new();
    while cursor.take("||") {
        others.push(and(cursor, depth, leaf)?);
    }
    Ok(joined(first, others, Expr::Or))
}

fn and<C, L>(cursor: &mut Cursor, depth: usize, leaf: &mut L) -> Result<Expr<C>, PatternError>
where
    L: FnMut(&mut Cursor) -> Result<C, PatternError>,
{
    let first = prim(cursor, depth, leaf)?;
    let mut others = Vec::new();
    while cursor.take("&&") {
        others.push(prim(cursor, depth, leaf)?);
    }
    Ok(joined(first, others, Expr::And))
}

fn prim<C, L>(cursor: &mut Cursor, depth: usize, leaf: &mut L) -> Result<Expr<C>, PatternError>
where
    L: FnMut(&mut Cursor) -> Result<C, PatternError>,
{
    cursor.skip_spaces();
    let start = cursor.column();
    let expr = if cursor.take("(") {
        if depth == DEPTH_MAX {
            let message = format!("parentheses are nested deeper than {DEPTH_MAX} levels");
            return Err(PatternError::new(message, start));
        }
        let inner = or(cursor, depth + 1, leaf)?;
        if !cursor.take(")") {
            return match cursor.peek() {
                None => Err(PatternError::new("this parenthesis is not closed", start)),
                Some(_) => cursor.error("expected `&&`, `||` or `)`"),
            };
        }
        inner
    } else {
        cursor.count_term()?;
        Expr::Leaf(leaf(cursor)?)
    };
    cursor.skip_spaces();
    Ok(expr)
}

/// One alone is that one.
fn joined<C>(
    first: Expr<C>,
    others: Vec<Expr<C>>,
    several: impl FnOnce(Vec<Expr<C>>) -> Expr<C>,
) -> Expr<C> {
    if others.is_empty() {
        return first;
    }
    let mut parts = vec![first];
    parts.extend(others);
    several(parts)
}
