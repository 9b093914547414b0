//! Text that others wrote, made fit to be shown to a person.
//!
//! A credential's names come from whoever signed it. Printed as they are, they could move the cursor,
//! reverse the reading order or fill the screen.

use crate::limits::SHOWN_TEXT_BYTES_MAX;

/// `text` on one line, without control characters, direction marks and other invisible characters, cut
/// to [`SHOWN_TEXT_BYTES_MAX`] bytes at the boundary of a character.
pub fn shown(text: &str) -> String {
    let mut line = String::new();
    for c in text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| is_visible(*c)) {
        if line.len() + c.len_utf8() > SHOWN_TEXT_BYTES_MAX {
            break;
        }
        // A run of blanks could push what follows off the screen.
        if c != ' ' || !(line.is_empty() || line.ends_with(' ')) {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Joiners (U+200C, U+200D) stay: Persian, Indic scripts and emoji are written with them.
fn is_visible(c: char) -> bool {
    !c.is_control()
        && !matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_visible_bounded_line() {
        assert_eq!(shown("  Rust\r\n\tat   work "), "Rust at work");
        assert_eq!(shown("\u{1b}[31mred\u{7}\u{202e}gnorw\u{e0041}"), "[31mredgnorw");
        assert_eq!(shown("می\u{200c}خواهم"), "می\u{200c}خواهم");
        let long = shown(&"é".repeat(10_000));
        assert_eq!((long.len(), long.chars().count()), (SHOWN_TEXT_BYTES_MAX, SHOWN_TEXT_BYTES_MAX / 2));
    }
}
