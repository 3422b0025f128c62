// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of a man page, in the macros of man(7).

use clap_mangen::roff::{Inline, Roff, bold, roman};

/// When the pages last changed in what they say.
pub(crate) const DATE: &str = "2026-11-30";
/// What the pages belong to.
pub(crate) const MANUAL: &str = "Vespera";
/// The release of all programs: they are released together.
pub(crate) const SOURCE: &str = concat!("Vespera ", env!("CARGO_PKG_VERSION"));

/// What every document of the library begins with.
const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";
/// What mandoc takes a longer line of the source for a fault of style.
const WIDTH: usize = 78;

/// A page in the making.
#[derive(Debug, Default)]
pub struct Page {
    text: String,
}

impl Page {
    /// Adds what somebody else made with the library.
    pub(crate) fn append(&mut self, made: &str) {
        self.text.push_str(&made.replace(PREAMBLE, ""));
    }

    /// Adds a heading.
    pub fn section(&mut self, heading: &str) {
        self.make(|roff| roff.control("SH", [heading.to_uppercase().as_str()]));
    }

    /// Adds a paragraph; what is between backticks is bold.
    pub fn paragraph(&mut self, text: &str) {
        self.make(|roff| roff.control("PP", []));
        self.line(text);
    }

    /// Adds the first paragraph below a heading.
    pub fn line(&mut self, text: &str) {
        self.make(|roff| roff.text(inlines(text)));
    }

    /// Adds a term with what it means.
    pub fn entry(&mut self, term: &str, text: &str) {
        self.make(|roff| roff.control("TP", []).text([bold(term)]));
        self.line(text);
    }

    /// Adds lines that are to stay as they are.
    pub fn literal(&mut self, text: &str) {
        self.make(|roff| {
            roff.control("RS", ["4"]).control("nf", []);
            for line in text.lines() {
                // A line without text would be two spaces for some readers.
                let shown = if line.is_empty() { roman("\u{a0}") } else { roman(line) };
                roff.text([shown]);
            }
            roff.control("fi", []).control("RE", [])
        });
    }

    /// Ends the page with other pages, as `maccel(1)`, if there are any.
    pub(crate) fn see_also<T: AsRef<str>>(&mut self, others: &[T]) {
        if others.is_empty() {
            return;
        }
        self.section("See also");
        let linked: Vec<_> = others.iter().map(|other| linked(other.as_ref())).collect();
        self.line(&linked.join(", "));
    }

    fn make(&mut self, add: impl FnOnce(&mut Roff) -> &mut Roff) {
        let mut roff = Roff::new();
        add(&mut roff);
        self.append(&roff.render());
    }

    /// The whole page.
    pub fn render(&self) -> String {
        let mut text = PREAMBLE.to_owned();
        let mut filled = true;
        let lines: Vec<&str> = self.text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            match *line {
                ".nf" => filled = false,
                ".fi" => filled = true,
                _ => {}
            }
            let next = lines.get(at + 1).copied().unwrap_or_default();
            if is_idle(line, next) {
                continue;
            }
            if filled && !line.starts_with('.') {
                fill(line, &mut text);
            } else {
                text.push_str(line.trim_end());
                text.push('\n');
            }
        }
        text
    }
}

/// Whether a line has no effect but a remark of mandoc.
fn is_idle(line: &str, next: &str) -> bool {
    let empty = line.trim().is_empty();
    // A break or a paragraph before what begins one anyway.
    let begins =
        next.is_empty() || [".RS", ".SH", ".TP", ".PP"].iter().any(|m| next.starts_with(m));
    empty || (matches!(line, ".br" | ".PP") && begins)
}

/// Breaks a line between words.
fn fill(line: &str, text: &mut String) {
    let mut column = 0;
    for word in line.split(' ').filter(|word| !word.is_empty()) {
        if column > 0 && column + 1 + word.len() > WIDTH {
            text.push('\n');
            column = 0;
            if word.starts_with(['.', '\'']) {
                text.push_str("\\&");
            }
        }
        if column > 0 {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += word.len();
    }
    text.push('\n');
}

/// `maccel(1)` with its name in bold.
fn linked(page: &str) -> String {
    match page.split_once('(') {
        Some((name, section)) => format!("`{name}`({section}"),
        None => page.to_owned(),
    }
}

/// Text with bold words.
fn inlines(text: &str) -> Vec<Inline> {
    let parts = text.split('`').enumerate().filter(|(_, part)| !part.is_empty());
    parts.map(|(at, part)| if at % 2 == 0 { roman(part) } else { bold(part) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_in_backticks_are_bold_and_long_lines_are_broken() {
        let mut page = Page::default();
        page.section("files");
        page.line(&format!("See `maccel set` {}.dotted", "word ".repeat(15)));
        let text = page.render();
        assert!(text.contains(".SH FILES\nSee \\fBmaccel set\\fR word"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        assert!(text.contains("\n\\&.dotted\n") || text.contains(" .dotted\n"), "{text}");
        assert_eq!(text.matches(".ie ").count(), 1);
    }

    #[test]
    fn a_word_that_begins_a_line_with_a_dot_is_no_macro() {
        let mut text = String::new();
        fill(&format!("{} .so /etc/shadow", "x".repeat(76)), &mut text);
        assert!(text.contains("\n\\&.so /etc/shadow\n"), "{text}");
    }

    #[test]
    fn literal_lines_stay_as_they_are() {
        let mut page = Page::default();
        page.literal(&format!("{}\n  .indented", "long ".repeat(30).trim_end()));
        let text = page.render();
        assert!(text.contains(&"long ".repeat(30).trim_end().to_owned()), "{text}");
        assert!(text.contains("\n  .indented\n"), "{text}");
    }
}
