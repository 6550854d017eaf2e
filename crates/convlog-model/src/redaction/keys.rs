//! Rules by the name of a key: names in any case, and with any separator.

/// Which keys a rule means.
#[derive(Clone, Debug)]
pub(super) enum KeyNames {
    /// Those that usually hold secrets.
    Secrets,
    /// These names.
    Named(Vec<KeyName>),
}

/// A name, folded; `*` at its beginning or end stands for anything.
#[derive(Clone, Debug)]
pub(super) struct KeyName {
    text: String,
    open_start: bool,
    open_end: bool,
}

/// Endings of folded keys that hold secrets. `tokens` is none of them: it counts.
const SECRET_ENDINGS: &[&str] = &[
    "token",
    "secret",
    "secrets",
    "password",
    "passwords",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "authorization",
    "authentication",
    "authcode",
    "authkey",
    "authorizationcode",
    "cookie",
    "cookies",
    "apikey",
    "apikeys",
    "privatekey",
    "secretkey",
    "secretaccesskey",
    "accesskey",
    "signingkey",
    "encryptionkey",
    "masterkey",
    "sharedkey",
    "accountkey",
    "subscriptionkey",
    "credential",
    "credentials",
    "bearer",
    "jwt",
    "connectionstring",
    "signature",
];

/// First words of keys that say whether there is a secret, not which.
const FLAG_WORDS: &[&str] = &["has", "is", "with"];

impl KeyNames {
    /// Whether a key is meant; `is_flag` says that what it holds is no text but a truth or number.
    pub(super) fn matches(&self, key: &str, is_flag: bool) -> bool {
        match self {
            KeyNames::Secrets => is_secret(key, is_flag),
            KeyNames::Named(names) => {
                let folded = folded(key);
                names.iter().any(|name| name.matches(&folded))
            }
        }
    }
}

impl KeyName {
    /// The name that a document gives; `None` when nothing is left of it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('*').unwrap_or(text);
        let open_start = inner.len() < text.len();
        let bare = inner.strip_suffix('*').unwrap_or(inner);
        let folded = folded(bare);
        (!folded.is_empty() && !bare.contains('*')).then_some(KeyName {
            text: folded,
            open_start,
            open_end: bare.len() < inner.len(),
        })
    }

    fn matches(&self, folded: &str) -> bool {
        match (self.open_start, self.open_end) {
            (false, false) => folded == self.text,
            (true, false) => folded.ends_with(&self.text),
            (false, true) => folded.starts_with(&self.text),
            (true, true) => folded.contains(&self.text),
        }
    }
}

fn is_secret(key: &str, is_flag: bool) -> bool {
    let folded = folded(key);
    let is_meant = SECRET_ENDINGS.iter().any(|end| folded.ends_with(end));
    is_meant && !(is_flag && FLAG_WORDS.contains(&first_word(key).as_str()))
}

/// A key without separators, in lower case.
fn folded(key: &str) -> String {
    let letters = key.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// The first word of several, in lower case; empty where there is one word.
fn first_word(key: &str) -> String {
    let key = key.trim_start_matches(|c: char| !c.is_alphanumeric());
    let is_end = |(i, c): &(usize, char)| *i > 0 && (c.is_uppercase() || !c.is_alphanumeric());
    let end = key.char_indices().find(is_end);
    let first = end.and_then(|(i, _)| key.get(..i));
    first.unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRETS: &[&str] = &[
        "token",
        "Token",
        "TOKEN",
        "access_token",
        "accessToken",
        "AccessToken",
        "access-token",
        "accesstoken",
        "refresh_token",
        "refreshToken",
        "id_token",
        "idToken",
        "csrfToken",
        "x-csrf-token",
        "session_token",
        "secret",
        "client_secret",
        "clientSecret",
        "client-secret",
        "webhookSecret",
        "secrets",
        "password",
        "Password",
        "userPassword",
        "user_password",
        "db.password",
        "passwd",
        "pwd",
        "passphrase",
        "key passphrase",
        "authorization",
        "Authorization",
        "Proxy-Authorization",
        "cookie",
        "Cookie",
        "Set-Cookie",
        "set_cookie",
        "cookies",
        "api_key",
        "apiKey",
        "apikey",
        "API-KEY",
        "x-api-key",
        "X_API_KEY",
        "private_key",
        "privateKey",
        "secret_access_key",
        "SecretAccessKey",
        "aws_secret_access_key",
        "credentials",
        "withdrawalToken",
        "issuerSecret",
        "hash_password",
        "X-Convlog-Signature",
    ];

    const OTHERS: &[&str] = &[
        "tokens",
        "total_tokens",
        "max_tokens",
        "prompt_tokens",
        "tokenCount",
        "token_count",
        "token_type",
        "tokenizer",
        "secretary",
        "secret_name",
        "password_changed_at",
        "passwordless",
        "password_hint_shown",
        "cookie_consent",
        "cookiePolicy",
        "authorization_url",
        "authorized",
        "author",
        "api_key_id",
        "apiKeyName",
        "private_key_id",
        "key",
        "keys",
        "keyword",
        "public_key",
        "primaryKey",
        "foreign_key",
        "id",
        "name",
        "type",
        "text",
        "message",
        "user_id",
        "session_id",
        "conversation",
        "compass",
        "bypass",
        "passenger",
        "passport_check",
        "credential_type",
        "bearer_of_news",
        "",
        "-",
        "*",
    ];

    #[test]
    fn keys_of_secrets_in_every_spelling() {
        assert!(SECRETS.len() >= 40 && OTHERS.len() >= 40);
        for key in SECRETS {
            assert!(KeyNames::Secrets.matches(key, false), "{key}");
        }
        for key in OTHERS {
            assert!(!KeyNames::Secrets.matches(key, false), "{key}");
        }
    }

    #[test]
    fn flags_are_no_secrets_where_they_hold_no_text() {
        for key in [
            "hasPassword",
            "has_token",
            "isSecret",
            "is-secret",
            "withCredentials",
            "HasToken",
        ] {
            assert!(!KeyNames::Secrets.matches(key, true), "{key}");
            assert!(KeyNames::Secrets.matches(key, false), "{key}");
        }
        for key in ["password", "withdrawalToken", "hashToken", "issuer_secret"] {
            assert!(KeyNames::Secrets.matches(key, true), "{key}");
        }
    }

    #[test]
    fn names_of_a_document_mean_whole_keys_unless_they_have_a_star() {
        let matches = |name: &str, key: &str| {
            let names = KeyNames::Named(vec![KeyName::parse(name).unwrap()]);
            names.matches(key, false)
        };
        for (name, key) in [
            ("user_id", "userId"),
            ("UserID", "user-id"),
            ("*id", "user_id"),
            ("user*", "userName"),
            ("*ssn*", "the_ssn_here"),
        ] {
            assert!(matches(name, key), "{name} {key}");
        }
        for (name, key) in [
            ("id", "user_id"),
            ("user", "username"),
            ("*id", "idle"),
            ("user*", "the_user"),
        ] {
            assert!(!matches(name, key), "{name} {key}");
        }
        for name in ["", "*", "**", "-", "a*b"] {
            assert!(KeyName::parse(name).is_none(), "{name}");
        }
    }
}
