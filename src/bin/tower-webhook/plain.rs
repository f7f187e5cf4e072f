//! Text that gives no orders: what a terminal or a viewer of logs would act on is written as its number.
//!
//! Strangers choose paths, headers and bodies. What of that is said goes through here, on its way to stdout or stderr.

/// Whether a letter is an order and not a sign: controls (C0, DEL, C1), marks and turns of direction, separators of
/// lines and paragraphs.
pub(crate) fn is_order(letter: char) -> bool {
    let turns =
        matches!(letter, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    letter.is_control() || turns || matches!(letter, '\u{2028}' | '\u{2029}')
}

/// For people: `\u{9b}` in place of the order.
pub(crate) fn shown(text: &str) -> String {
    written(text, |out, letter| out.extend(letter.escape_unicode()))
}

/// For programs: the same JSON, on one line, with `\u009b` in place of the order. Orders stand in its strings alone,
/// and all of them have four digits.
pub(crate) fn json(text: &str) -> String {
    written(text, |out, letter| out.push_str(&format!("\\u{:04x}", u32::from(letter))))
}

fn written(text: &str, order: impl Fn(&mut String, char)) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match is_order(letter) {
            true => order(&mut out, letter),
            false => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDERS: &str = "\0\u{7}\n\u{1b}\u{7f}\u{80}\u{9b}\u{9f}\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}";
    const SIGNS: &str = "a é€\u{a0}\u{200d}\u{202f}\u{2065}\u{1f3e6}\\\"";

    #[test]
    fn orders_are_numbers_and_signs_stay() {
        assert_eq!((shown(SIGNS).as_str(), json(SIGNS).as_str()), (SIGNS, SIGNS));
        assert_eq!(shown("a\u{1b}[31m\u{202e}b\n"), "a\\u{1b}[31m\\u{202e}b\\u{a}");
        for letter in ORDERS.chars() {
            assert!(is_order(letter), "{letter:?}");
            assert!(!shown(&letter.to_string()).contains(letter), "{letter:?}");
        }
    }

    #[test]
    fn json_says_the_same_as_before() {
        let text = format!("{ORDERS}{SIGNS}");
        let line = json(&serde_json::to_string(&text).unwrap());
        assert!(!line.chars().any(is_order), "{line}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
    }
}
