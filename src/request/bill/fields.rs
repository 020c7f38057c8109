//! The fields of one line of a bill. Nothing is quoted, so a comma separates only in front of a backquote: the pieces
//! between a line's commas are joined again where a field has one.

use std::borrow::Cow;

use super::lines::Line;

/// How a line's pieces between commas look.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) pieces: usize,
    /// Pieces that do not begin with a backquote.
    pub(super) bare: usize,
    first_is_bare: bool,
}

/// Why a line cannot be split into as many fields as there are columns.
pub(super) enum SplitError {
    /// Fewer pieces than columns.
    TooFew,
    /// A field contains a comma followed by a backquote.
    TooManyFields,
    /// Some columns have no backquote, so a comma inside a field cannot be told from a separator.
    Ambiguous,
}

impl Shape {
    pub(super) fn of(line: &Line<'_>) -> Shape {
        let mut shape = Shape { pieces: 0, bare: 0, first_is_bare: false };
        for piece in line.pieces() {
            if value(piece).is_none() {
                shape.first_is_bare |= shape.pieces == 0;
                shape.bare += 1;
            }
            shape.pieces += 1;
        }
        shape
    }

    /// Whether no piece begins with a backquote: a header, or a row without its backquotes.
    pub(super) fn is_bare(self) -> bool {
        self.bare == self.pieces
    }
}

/// Splits a row. With as many pieces as columns each piece is a field, with a backquote or without. With more, each
/// bare piece must be the rest of the field in front of it.
pub(super) fn split(line: &Line<'_>, shape: Shape, columns: usize) -> Result<Vec<String>, SplitError> {
    let surplus = shape.pieces.checked_sub(columns).ok_or(SplitError::TooFew)?;
    if surplus > shape.bare {
        return Err(SplitError::TooManyFields);
    }
    if surplus > 0 && (surplus < shape.bare || shape.first_is_bare) {
        return Err(SplitError::Ambiguous);
    }
    let mut fields: Vec<String> = Vec::with_capacity(columns);
    for piece in line.pieces() {
        match (value(piece), fields.last_mut()) {
            (None, Some(last)) if surplus > 0 => {
                last.push(',');
                last.push_str(piece);
            }
            (field, _) => fields.push(field.unwrap_or(piece).to_owned()),
        }
    }
    for field in &mut fields {
        if let Cow::Owned(unescaped) = unescape(field) {
            *field = unescaped;
        }
    }
    Ok(fields)
}

/// The text after a piece's backquote. Blanks in front of it mean nothing.
fn value(piece: &str) -> Option<&str> {
    piece.trim_start_matches([' ', '\t']).strip_prefix('`')
}

/// Undoes the platform's escapes: `\n`, `\r`, and `\ ` for a comma. Other backslashes are a merchant's own; of two
/// together, neither begins an escape.
fn unescape(field: &str) -> Cow<'_, str> {
    if !field.contains('\\') {
        return Cow::Borrowed(field);
    }
    let mut unescaped = String::with_capacity(field.len());
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            unescaped.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => unescaped.push('\n'),
            Some('r') => unescaped.push('\r'),
            Some(' ') => unescaped.push(','),
            other => unescaped.extend(std::iter::once('\\').chain(other)),
        }
    }
    Cow::Owned(unescaped)
}
