//! Tests of words: by stems in the language of each row, by patterns and nearness over the words of
//! a path.

use convlog_model::fields::FieldRef;
use convlog_model::filter::eval::ValueTest;
use convlog_model::filter::{Literal, Test};
use convlog_model::flatten::Scalar;
use convlog_model::text::{fold, has_symbols, stemmer_of, words};

use super::value::Hits;
use super::{Lower, Target};
use crate::embedded::index::source::Damaged;
use crate::embedded::index::term::{self, Kind};
use crate::embedded::rowset::RowSet;

impl Lower<'_> {
    /// The words of a literal, adjacent and in order, and its symbols: only a single word is sure.
    pub(super) fn says(&self, literal: &Literal, hits: &mut Hits<'_>) -> Result<(), Damaged> {
        self.no_strings(literal, &fold(&literal.text), hits)?;
        let wanted: Vec<String> = words(&literal.text).collect();
        let has_symbols = has_symbols(&literal.text);
        if wanted.is_empty() {
            return match has_symbols {
                true => self.look_up(Kind::Present, &[], false, hits),
                false => Ok(()),
            };
        }
        let is_sure = wanted.len() == 1 && !has_symbols;
        for (class, mine) in self.languages()? {
            let only = match &hits.target.only {
                Some(only) => {
                    let mut both = only.clone();
                    both.intersect(&mine);
                    both
                }
                None => mine,
            };
            let target = Target {
                path: hits.target.path,
                only: Some(only),
            };
            let mut all = RowSet::full(hits.domain.len());
            let mut is_known = is_sure;
            for word in &wanted {
                let (rows, is_exact) = self.stemmed(word, class, &target, hits)?;
                all.intersect(&rows);
                is_known &= is_exact;
            }
            match is_known {
                true => hits.sure.unite(&all),
                false => hits.maybe.unite(&all),
            }
        }
        Ok(())
    }

    /// The rows in the language of each stemmer that some row has; 0 are those without one.
    fn languages(&self) -> Result<Vec<(u8, RowSet)>, Damaged> {
        let mut others = RowSet::full(self.index.rows());
        let mut all = Vec::new();
        for (value, found) in self.index.engine_terms(Kind::Language, &[])? {
            let Some(class) = value.first().copied() else {
                continue;
            };
            let mut rows = RowSet::empty(self.index.rows());
            self.index.rows_of(found, &mut rows)?;
            others.subtract(&rows);
            all.push((class, rows));
        }
        all.push((0, others));
        all.retain(|(_, rows)| !rows.is_empty());
        Ok(all)
    }

    /// Where a word with the same stem stands, and whether that is sure.
    fn stemmed(
        &self,
        word: &str,
        class: u8,
        target: &Target,
        hits: &Hits<'_>,
    ) -> Result<(RowSet, bool), Damaged> {
        let stemmer = stemmer_of(class);
        let stem_of = |word: &str| match &stemmer {
            Some(stemmer) => stemmer.stem(word).into_owned(),
            None => word.to_owned(),
        };
        let stem = stem_of(word);
        let mut rows = RowSet::empty(hits.domain.len());
        let (kind, value) = term::of_word(&stem);
        if stem_of(&stem) == stem
            && let Some(found) = self.index.find(target.path, kind, &value)?
        {
            self.add(found, target, hits.domain, &mut rows)?;
        }
        if stemmer.is_some() {
            let value = term::of_stem(class, &stem);
            if let Some(found) = self.index.find(target.path, Kind::Stem, &value)? {
                self.add(found, target, hits.domain, &mut rows)?;
            }
        }
        Ok((rows, kind == Kind::Word))
    }

    /// Words under a pattern, or near to the words of a text.
    pub(super) fn described_words(
        &self,
        field: &FieldRef,
        test: &Test,
        hits: &mut Hits<'_>,
    ) -> Result<(), Damaged> {
        let passes = ValueTest::new(field, test, None);
        for kind in [Kind::Number, Kind::Bool] {
            self.walk(kind, &[], hits, |value| {
                term::value(kind, value).is_some_and(|value| passes.passes(&value))
            })?;
        }
        match test {
            Test::Glob { parts, .. } => {
                let prefix = fold(parts.first().map_or("", String::as_str));
                self.walk(Kind::Word, prefix.as_bytes(), hits, |word| {
                    is_word(&passes, word)
                })?;
                self.any_of(Kind::LongWord, hits)
            }
            Test::Fuzzy { text, edits, scope } => {
                let wanted: Vec<String> = words(&fold(text)).collect();
                if let [_] = wanted.as_slice() {
                    self.walk(Kind::Word, &[], hits, |word| is_word(&passes, word))?;
                    return self.any_of(Kind::LongWord, hits);
                }
                let mut all = RowSet::full(hits.domain.len());
                for word in &wanted {
                    let one = Test::Fuzzy {
                        text: word.clone(),
                        edits: *edits,
                        scope: *scope,
                    };
                    let passes = ValueTest::new(field, &one, None);
                    let mut near = Hits {
                        target: hits.target,
                        domain: hits.domain,
                        sure: RowSet::empty(hits.domain.len()),
                        maybe: RowSet::empty(hits.domain.len()),
                    };
                    self.walk(Kind::Word, &[], &mut near, |word| is_word(&passes, word))?;
                    self.any_of(Kind::LongWord, &mut near)?;
                    near.sure.unite(&near.maybe);
                    all.intersect(&near.sure);
                }
                if !wanted.is_empty() {
                    hits.maybe.unite(&all);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn is_word(passes: &ValueTest<'_>, word: &[u8]) -> bool {
    let word = std::str::from_utf8(word).map(str::to_owned);
    word.is_ok_and(|word| passes.passes(&Scalar::Text(word)))
}
