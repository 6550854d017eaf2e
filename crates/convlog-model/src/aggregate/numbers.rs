//! Numbers of a group: which of them count, their mean and percentiles, in whatever order they come.

use crate::fields::FieldRef;
use crate::flatten::{Flat, Scalar};
use crate::json::Json;
use crate::number::Decimal;

/// The numbers of a field in one record, with their texts. Equal ones directly in one object, in an
/// array of numbers for instance, count once, with the smallest text.
#[must_use]
pub fn numbers_of<'a>(field: &'a FieldRef, record: &'a Flat) -> Vec<(Decimal, &'a str)> {
    let mut placed = Vec::new();
    for leaf in record.values(field) {
        if let Scalar::Number(text) = &leaf.value
            && let Some(number) = Decimal::parse(text)
        {
            placed.push((&leaf.path, leaf.element, number, text.as_str()));
        }
    }
    placed.sort();
    placed.dedup_by(|later, kept| (later.0, later.1, &later.2) == (kept.0, kept.1, &kept.2));
    let numbers = placed.into_iter();
    numbers.map(|(_, _, number, text)| (number, text)).collect()
}

/// Powers of two that one part of a sum covers.
const PART_BITS: i16 = 32;

/// A mean in the making. The sum is kept exactly, so that no order decides how it is rounded.
#[derive(Clone, Debug, Default)]
pub struct Mean {
    /// Multiples of 2^(32 n), for rising n.
    parts: Vec<(i16, i128)>,
    n_numbers: u64,
    is_beyond: bool,
}

impl Mean {
    /// Adds a number.
    pub fn add(&mut self, number: f64) {
        self.n_numbers += 1;
        if !number.is_finite() {
            self.is_beyond = true;
            return;
        }
        let bits = number.to_bits();
        let fraction = i128::from(bits & ((1 << 52) - 1));
        let written = i16::try_from((bits >> 52) & 0x7FF).unwrap_or(0);
        let (mantissa, exponent) = match written {
            0 => (fraction, -1074),
            written => (fraction | (1 << 52), written - 1075),
        };
        let signed = if number < 0.0 { -mantissa } else { mantissa };
        // Below 2^84, which leaves room for 2^43 of them.
        let value = signed << exponent.rem_euclid(PART_BITS);
        let part = exponent.div_euclid(PART_BITS);
        match self.parts.binary_search_by_key(&part, |(part, _)| *part) {
            Ok(at) => {
                if let Some((_, sum)) = self.parts.get_mut(at) {
                    *sum = sum.saturating_add(value);
                }
            }
            Err(at) => self.parts.insert(at, (part, value)),
        }
    }

    /// The mean; `null` of no numbers, or when the sum is beyond a float.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut sum = 0.0;
        for (part, value) in &self.parts {
            let half = half_power(*part);
            sum += *value as f64 * half * half;
        }
        let mean = serde_json::Number::from_f64(sum / self.n_numbers as f64);
        let mean = mean.filter(|_| !self.is_beyond);
        mean.map_or(Json::Null, |mean| Json::Number(mean.to_string().into()))
    }
}

/// 2^(16 n), of which the square may be too small to be a float of full precision.
fn half_power(part: i16) -> f64 {
    let exponent = 1023 + i64::from(part) * i64::from(PART_BITS / 2);
    f64::from_bits(u64::try_from(exponent).unwrap_or(0) << 52)
}

/// `{"p50":…,"p90":…,"p95":…,"p99":…}`; `null` of no numbers. `chosen` gives the number of a rank,
/// counted from 0.
#[must_use]
pub fn percentiles(n_numbers: u64, mut chosen: impl FnMut(u64) -> Option<String>) -> Json {
    let mut nearest = |percent: u128| {
        let rank = (u128::from(n_numbers) * percent).div_ceil(100);
        let rank = u64::try_from(rank.saturating_sub(1)).unwrap_or(u64::MAX);
        chosen(rank).map_or(Json::Null, |number| Json::Number(number.into()))
    };
    if n_numbers == 0 {
        return Json::Null;
    }
    Json::object([
        ("p50", nearest(50)),
        ("p90", nearest(90)),
        ("p95", nearest(95)),
        ("p99", nearest(99)),
    ])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mean(numbers: impl IntoIterator<Item = f64>) -> String {
        let mut mean = Mean::default();
        numbers.into_iter().for_each(|number| mean.add(number));
        mean.to_json().to_string()
    }

    #[test]
    fn sums_are_rounded_once() {
        assert_eq!(mean([0.1, 0.2, 0.3]), "0.19999999999999998");
        assert_eq!(mean([1e16, 1.0, -1e16]), (1.0 / 3.0).to_string());
        assert_eq!(mean([5e-324, 5e-324]), "5e-324");
        assert_eq!(mean([f64::MAX, -f64::MAX, 3.0]), "1.0");
        assert_eq!(mean([-0.0]), "0.0");
    }

    #[test]
    fn sums_beyond_a_float_have_no_mean() {
        for numbers in [
            vec![],
            vec![f64::INFINITY, 1.0],
            vec![f64::INFINITY, f64::NEG_INFINITY],
            vec![f64::MAX, f64::MAX],
        ] {
            assert_eq!(mean(numbers), "null");
        }
    }

    proptest! {
        #[test]
        fn no_order_decides_the_mean(mut numbers in proptest::collection::vec(any::<f64>(), 0..40)) {
            let forward = mean(numbers.iter().copied());
            numbers.reverse();
            prop_assert_eq!(mean(numbers.iter().copied()), forward.clone());
            numbers.sort_by(f64::total_cmp);
            prop_assert_eq!(mean(numbers), forward);
        }
    }
}
