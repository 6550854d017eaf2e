//! The lists of built-in intents and slot types.

use super::builtin::{BUILTIN_INTENTS, BUILTIN_SLOT_TYPES};

#[test]
fn they_are_in_order_without_doubles_and_have_locales() {
    for list in [BUILTIN_INTENTS, BUILTIN_SLOT_TYPES] {
        let names: Vec<String> = list.iter().map(|(name, _)| name.to_lowercase()).collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
        assert!(
            list.iter()
                .all(|(name, locales)| name.starts_with("AMAZON.") && !locales.is_empty())
        );
    }
}
