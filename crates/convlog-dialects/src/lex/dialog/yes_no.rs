//! Yes and no in the languages of bots.

use super::words::{Said, folded};

/// How both are said in one language.
#[derive(Clone, Debug)]
pub(super) struct YesNo {
    yes: Vec<Vec<String>>,
    no: Vec<Vec<String>>,
}

/// Longest answer, in words, of which only the beginning is looked at.
const ANSWER_MAX: usize = 6;
/// The same in texts without spaces, where a word is a character.
const CHARACTERS_MAX: usize = 14;

/// By language: yes, no.
const LISTS: [(&str, &[&str], &[&str]); 7] = [
    (
        "en",
        &[
            "yes",
            "yeah",
            "yep",
            "yup",
            "sure",
            "of course",
            "ok",
            "okay",
            "correct",
            "right",
            "that's right",
            "that is right",
            "that's correct",
            "that is correct",
            "go ahead",
            "please do",
            "do it",
            "sounds good",
            "absolutely",
            "definitely",
            "confirm",
            "y",
        ],
        &[
            "no",
            "nope",
            "nah",
            "not",
            "don't",
            "do not",
            "never",
            "wrong",
            "that's wrong",
            "that is wrong",
            "incorrect",
            "no way",
            "negative",
            "cancel",
            "n",
        ],
    ),
    (
        "de",
        &[
            "ja", "jawohl", "jep", "klar", "genau", "gerne", "richtig", "stimmt", "korrekt",
            "okay", "ok", "sicher", "passt", "bitte",
        ],
        &[
            "nein",
            "nee",
            "nö",
            "nicht",
            "falsch",
            "auf keinen fall",
            "niemals",
            "stimmt nicht",
            "passt nicht",
            "lieber nicht",
        ],
    ),
    (
        "fr",
        &[
            "oui",
            "ouais",
            "d'accord",
            "bien sûr",
            "exact",
            "exactement",
            "correct",
            "c'est ça",
            "c'est correct",
            "ok",
            "okay",
            "volontiers",
        ],
        &[
            "non",
            "pas",
            "jamais",
            "pas du tout",
            "faux",
            "c'est faux",
            "incorrect",
            "surtout pas",
        ],
    ),
    (
        "es",
        &[
            "sí",
            "si",
            "claro",
            "por supuesto",
            "correcto",
            "exacto",
            "de acuerdo",
            "vale",
            "está bien",
            "ok",
            "okay",
            "así es",
        ],
        &[
            "no",
            "nunca",
            "jamás",
            "incorrecto",
            "para nada",
            "de ninguna manera",
            "negativo",
        ],
    ),
    (
        "it",
        &[
            "sì",
            "si",
            "certo",
            "esatto",
            "corretto",
            "va bene",
            "d'accordo",
            "giusto",
            "ok",
            "okay",
            "certamente",
        ],
        &[
            "no",
            "mai",
            "sbagliato",
            "per niente",
            "assolutamente no",
            "non",
        ],
    ),
    (
        "ja",
        &[
            "はい",
            "ええ",
            "うん",
            "そうです",
            "お願いします",
            "もちろん",
            "いいですよ",
            "正しいです",
            "オッケー",
            "ok",
        ],
        &[
            "いいえ",
            "いや",
            "ううん",
            "違います",
            "ちがいます",
            "だめ",
            "やめて",
            "いりません",
            "結構です",
        ],
    ),
    (
        "ko",
        &[
            "네",
            "예",
            "응",
            "맞아요",
            "맞습니다",
            "그래",
            "그래요",
            "좋아요",
            "물론",
            "물론이죠",
            "ok",
        ],
        &[
            "아니",
            "아니요",
            "아니오",
            "아뇨",
            "아닙니다",
            "싫어",
            "싫어요",
            "틀려요",
            "틀렸어요",
            "안 돼",
            "안돼요",
        ],
    ),
];

impl YesNo {
    /// The words of a locale such as `de-DE`; English ones where there are none.
    pub(super) fn new(locale: &str) -> Self {
        let language = locale.split(['-', '_']).next().unwrap_or_default();
        let own = LISTS.iter().find(|(name, ..)| *name == language);
        let (yes, no): (&[&str], &[&str]) = match own.or(LISTS.first()) {
            Some((_, yes, no)) => (yes, no),
            None => (&[], &[]),
        };
        let phrases = |list: &[&str]| -> Vec<Vec<String>> {
            let mut phrases: Vec<Vec<String>> = list.iter().map(|text| folded(text)).collect();
            phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
            phrases
        };
        YesNo {
            yes: phrases(yes),
            no: phrases(no),
        }
    }

    /// Whether a short answer begins with yes or no: the longer of both phrases counts, and a no
    /// later on turns a yes.
    pub(super) fn of(&self, said: &Said) -> Option<bool> {
        let words = said.tokens.iter().filter(|token| !token.glued).count();
        if words > ANSWER_MAX || said.len() > CHARACTERS_MAX {
            return None;
        }
        let longest = |list: &[Vec<String>], at: usize| {
            let here = list.iter().find(|phrase| said.has(at, phrase));
            here.map_or(0, Vec::len)
        };
        let (yes, no) = (longest(&self.yes, 0), longest(&self.no, 0));
        let is_single = said.tokens.iter().all(|token| !token.glued);
        match (yes, no) {
            (0, 0) => None,
            (yes, no) if no >= yes => Some(false),
            // In texts without spaces a character of a no may be part of any word.
            (yes, _) if is_single => Some((yes..said.len()).all(|at| longest(&self.no, at) == 0)),
            _ => Some(true),
        }
    }
}
