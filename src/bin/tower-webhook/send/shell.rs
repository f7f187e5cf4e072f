//! Words of a POSIX shell.

/// A text as one word, in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A text as one word, in quotes where it needs them.
pub(crate) fn word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@,+%".contains(&byte);
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => text.to_owned(),
        false => quoted(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_quotes() {
        assert_eq!(quoted("$(a) `b` \"c\"\n\\"), "'$(a) `b` \"c\"\n\\'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn a_word_has_quotes_where_a_shell_would_make_something_of_it() {
        for plain in ["a.toml", "http://[::1]:8080", "all=0.2,poison@3", "/etc/a-b_c"] {
            assert_eq!(word(plain), if plain.contains('[') { quoted(plain) } else { plain.to_owned() });
        }
        for strange in ["", "a b", "a'b", "$(a)", "~/a", "a*", "a&b", "é"] {
            assert_eq!(word(strange), quoted(strange));
        }
    }
}
