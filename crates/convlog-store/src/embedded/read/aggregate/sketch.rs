//! Distinct values and numbers of many groups where there are too many to keep: HyperLogLog, and a
//! DDSketch whose bins are merged two by two when they become too many. One table holds those of
//! all groups, so that memory has a bound whatever the number of groups.

use convlog_model::aggregate::percentiles;
use convlog_model::json::Json;
use hashbrown::HashMap;

use crate::embedded::bytes::to_usize;

/// Bytes that the registers of all groups may take.
const REGISTERS_MAX: usize = 64 << 20;
/// Bits of a hash that choose a register: 0.8 % of error, for up to 4,096 groups.
const CHOOSING_MAX: u32 = 14;
/// For the most groups there are: 4.6 % of error.
const CHOOSING_MIN: u32 = 9;

/// Estimates of numbers of distinct values, by the estimator of O. Ertl, "New cardinality
/// estimation algorithms for HyperLogLog sketches" (2017), which needs no table of corrections.
#[derive(Debug)]
pub(super) struct Distinct {
    choosing: u32,
    registers: Vec<u8>,
}

impl Distinct {
    pub(super) fn new(n_groups: usize) -> Self {
        let fits = |bits: &u32| (n_groups << *bits) <= REGISTERS_MAX;
        let choosing = (CHOOSING_MIN..=CHOOSING_MAX).rev().find(fits);
        let choosing = choosing.unwrap_or(CHOOSING_MIN);
        Distinct {
            choosing,
            registers: vec![0; n_groups << choosing],
        }
    }

    fn of(&self, group: u32) -> std::ops::Range<usize> {
        let first = to_usize(group.into()) << self.choosing;
        first..first + (1 << self.choosing)
    }

    pub(super) fn add(&mut self, group: u32, hash: u64) {
        let chosen = to_usize(hash >> (u64::BITS - self.choosing));
        let rest = (hash << self.choosing) | (1 << (self.choosing - 1));
        let rank = u8::try_from(rest.leading_zeros() + 1).unwrap_or(u8::MAX);
        let range = self.of(group);
        let register = self.registers.get_mut(range);
        if let Some(register) = register.and_then(|registers| registers.get_mut(chosen)) {
            *register = rank.max(*register);
        }
    }

    pub(super) fn estimate(&self, group: u32) -> u64 {
        let registers = self.registers.get(self.of(group)).unwrap_or_default();
        let mut counts = [0_f64; 66];
        for register in registers {
            if let Some(count) = counts.get_mut(usize::from(*register)) {
                *count += 1.0;
            }
        }
        let n_registers = registers.len() as f64;
        let last = to_usize((u64::BITS - self.choosing + 1).into());
        let count = |rank: usize| counts.get(rank).copied().unwrap_or(0.0);
        let mut sum = n_registers * tau(1.0 - count(last) / n_registers);
        for rank in (1..last).rev() {
            sum = (sum + count(rank)) / 2.0;
        }
        sum += n_registers * sigma(count(0) / n_registers);
        let estimate = n_registers * n_registers / (2.0 * std::f64::consts::LN_2 * sum);
        estimate.round() as u64
    }
}

fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut weight, mut sum) = (1.0, x);
    loop {
        x *= x;
        let before = sum;
        sum += x * weight;
        weight += weight;
        if sum <= before {
            return sum;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut weight, mut sum) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = sum;
        weight /= 2.0;
        sum -= (1.0 - x) * (1.0 - x) * weight;
        if sum >= before {
            return sum / 3.0;
        }
    }
}

/// Bins of all groups.
const BINS_MAX: usize = 1 << 21;
/// Greatest number of a bin by its smallest: 1 % of error.
const RATIO: f64 = 1.01 / 0.99;

/// Numbers by bins of a constant ratio.
#[derive(Debug)]
pub(super) struct Numbers {
    ratio: f64,
    /// By group, sign, and the power of the ratio that is the upper end.
    bins: HashMap<(u32, i8, i32), u64>,
}

impl Numbers {
    pub(super) fn new() -> Self {
        Numbers {
            ratio: RATIO,
            bins: HashMap::new(),
        }
    }

    pub(super) fn add(&mut self, group: u32, number: f64, count: u64) {
        let number = number.clamp(f64::MIN, f64::MAX);
        let bin = match number {
            0.0 => (group, 0, 0),
            _ => {
                let power = (number.abs().ln() / self.ratio.ln()).ceil() as i32;
                (group, if number < 0.0 { -1 } else { 1 }, power)
            }
        };
        *self.bins.entry(bin).or_insert(0) += count;
    }

    /// Merges bins while there are too many.
    pub(super) fn shrink(&mut self) {
        self.shrink_to(BINS_MAX);
    }

    fn shrink_to(&mut self, bins_max: usize) {
        while self.bins.len() > bins_max && self.ratio < f64::MAX.sqrt() {
            let mut merged = HashMap::new();
            for ((group, sign, power), count) in self.bins.drain() {
                let power = power.saturating_add(1).div_euclid(2);
                *merged.entry((group, sign, power)).or_insert(0) += count;
            }
            self.bins = merged;
            self.ratio *= self.ratio;
        }
    }

    /// The percentiles of each group.
    pub(super) fn finish(self, n_groups: usize) -> Vec<Json> {
        let mut sorted: Vec<_> = self.bins.into_iter().collect();
        sorted.sort_unstable_by_key(|((group, sign, power), _)| {
            (*group, *sign, i32::from(*sign) * *power)
        });
        let middle = |sign: i8, power: i32| {
            let upper = self.ratio.powi(power);
            let middle = f64::from(sign) * (2.0 / (self.ratio + 1.0) * upper);
            // Of finite floats this is a number of JSON.
            format!("{:?}", middle.clamp(f64::MIN, f64::MAX))
        };
        let mut by_group = vec![Json::Null; n_groups];
        for bins in sorted.chunk_by(|a, b| a.0.0 == b.0.0) {
            let group = bins.first().map_or(0, |((group, ..), _)| *group);
            let total = bins.iter().map(|(_, count)| count).sum();
            let told = percentiles(total, |rank| {
                let mut before = 0;
                let chosen = bins.iter().find(|(_, count)| {
                    before += count;
                    before > rank
                });
                chosen.map(|((_, sign, power), _)| middle(*sign, *power))
            });
            if let Some(place) = by_group.get_mut(to_usize(group.into())) {
                *place = told;
            }
        }
        by_group
    }
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    #[test]
    fn numbers_of_distinct_values_are_near() {
        for (n_groups, error) in [(1, 0.04), (100_000, 0.2)] {
            let mut distinct = Distinct::new(n_groups);
            for n_values in [0_u64, 1, 10, 1_000, 20_000, 300_000] {
                let mut distinct_of_one = Distinct {
                    choosing: distinct.choosing,
                    registers: vec![0; 1 << distinct.choosing],
                };
                for value in 0..n_values {
                    for _ in 0..2 {
                        distinct_of_one.add(0, xxh3_64(&value.to_le_bytes()));
                    }
                }
                let estimate = distinct_of_one.estimate(0) as f64;
                let off = (estimate - n_values as f64).abs();
                assert!(off <= n_values as f64 * error, "{n_values}: {estimate}");
            }
            distinct.add(0, 17);
            assert_eq!(distinct.estimate(0), 1);
            assert!(distinct.registers.len() <= REGISTERS_MAX);
        }
    }

    fn p50_and_p99(numbers: Numbers) -> Vec<f64> {
        let told = numbers.finish(2).pop().unwrap();
        let number = |name| told.get(name).unwrap().to_string().parse().unwrap();
        vec![number("p50"), number("p99")]
    }

    #[test]
    fn percentiles_are_within_a_hundredth_and_further_off_when_bins_were_merged() {
        let filled = || {
            let mut numbers = Numbers::new();
            for number in -1_000..=9_000 {
                numbers.add(1, f64::from(number), 1);
            }
            numbers
        };
        let near = |told: &[f64], error: f64| {
            for (told, expected) in told.iter().zip([4_000.0_f64, 8_899.0]) {
                assert!((told / expected - 1.0).abs() <= error, "{told} {expected}");
            }
        };
        near(&p50_and_p99(filled()), 0.0101);
        let mut merged = filled();
        merged.shrink_to(120);
        assert!(merged.bins.len() <= 120);
        near(&p50_and_p99(merged), 0.15);
    }

    #[test]
    fn signs_zero_and_what_no_float_holds_have_bins() {
        let mut numbers = Numbers::new();
        for number in [f64::NEG_INFINITY, -1.0, 0.0, 0.0, f64::INFINITY] {
            numbers.add(0, number, 1);
        }
        let told = numbers.finish(1).pop().unwrap();
        assert_eq!(told.get("p50").unwrap().to_string(), "0.0");
        let greatest = told.get("p99").unwrap().to_string();
        assert!(greatest.parse::<f64>().unwrap() > 1e306, "{greatest}");
    }
}
