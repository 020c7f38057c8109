//! The line that was typed: split into words as a shell does, and the quotes of a candidate.

/// A shell that asks for candidates.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    pub(super) fn of_name(name: &str) -> Option<Shell> {
        match name {
            "bash" => Some(Shell::Bash),
            "zsh" => Some(Shell::Zsh),
            "fish" => Some(Shell::Fish),
            _ => None,
        }
    }
}

/// A line up to the cursor.
#[derive(Default, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// The words before the last one, without their quotes; the program is the first.
    pub(super) words: Vec<String>,
    /// The word that is being typed.
    pub(super) current: String,
    /// The quote that is open in it.
    pub(super) quote: Option<char>,
}

impl Line {
    pub(super) fn split(text: &str, shell: Shell) -> Line {
        let mut line = Line::default();
        let mut letters = text.chars();
        let mut is_word = false;
        while let Some(letter) = letters.next() {
            match (line.quote, letter) {
                (Some(quote), _) if letter == quote => line.quote = None,
                (None, '\'' | '"') => (line.quote, is_word) = (Some(letter), true),
                (_, '\\') => {
                    let next = letters.clone().next();
                    // What a backslash escapes; before another letter, and at the end, it stands for itself or nothing.
                    let escapes = match line.quote {
                        None => true,
                        Some('"') => next.is_some_and(|next| matches!(next, '"' | '\\' | '$' | '`')),
                        Some(_) => {
                            shell == Shell::Fish && next.is_some_and(|next| matches!(next, '\'' | '\\'))
                        }
                    };
                    match escapes {
                        true => line.current.extend(letters.next()),
                        false => line.current.push('\\'),
                    }
                    is_word = true;
                }
                (None, _) if letter.is_ascii_whitespace() => {
                    if is_word {
                        line.words.push(std::mem::take(&mut line.current));
                    }
                    is_word = false;
                }
                _ => {
                    line.current.push(letter);
                    is_word = true;
                }
            }
        }
        // `NAME=VALUE` before the program.
        let assignments = line.words.iter().take_while(|word| is_assignment(word)).count();
        line.words.drain(..assignments);
        line
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}

/// A text as bash reads it after an open quote, or without one. Brackets and braces stay bare, as the documents write
/// them.
pub(super) fn quoted(text: &str, quote: Option<char>) -> String {
    let is_special = |letter: char| match quote {
        Some('"') => "\"\\$`".contains(letter),
        Some(_) => false,
        None => letter.is_ascii_whitespace() || "\"'\\$`!*?;&|<>()#~".contains(letter),
    };
    if quote == Some('\'') {
        return text.replace('\'', "'\\''");
    }
    let mut quoted = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_special(letter) {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted
}

/// A word of a script for bash or zsh.
pub(super) fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_open_quotes() {
        let split = |text: &str| {
            let line = Line::split(text, Shell::Bash);
            (line.words.join("|"), line.current, line.quote)
        };
        let of = |words: &str, current: &str, quote| (words.to_owned(), current.to_owned(), quote);
        assert_eq!(split("wxpay post v3/"), of("wxpay|post", "v3/", None));
        assert_eq!(split("wxpay  post "), of("wxpay|post", "", None));
        assert_eq!(split("A=1 wxpay post 'v3/{a"), of("wxpay|post", "v3/{a", Some('\'')));
        assert_eq!(split("wxpay x'y z' \"a b\\\"c\\d"), of("wxpay|xy z", "a b\"c\\d", Some('"')));
        assert_eq!(split("wxpay '' a\\ b\\"), of("wxpay|", "a b", None));
        assert_eq!(split("wxpay 支付'"), of("wxpay", "支付", Some('\'')));
        assert_eq!(split(""), of("", "", None));
        assert_eq!(Line::split("wxpay 'it\\'s ", Shell::Fish).current, "it's ");
    }

    #[test]
    fn a_candidate_is_one_word() {
        assert_eq!(quoted("amount[total]:=", None), "amount[total]:=");
        assert_eq!(quoted("Under Review", None), "Under\\ Review");
        assert_eq!(quoted("a'b$", Some('"')), "a'b\\$");
        assert_eq!(quoted("a'b$", Some('\'')), "a'\\''b$");
        assert_eq!(single_quoted("/it's/wxpay"), "'/it'\\''s/wxpay'");
    }
}
