// SPDX-License-Identifier: MIT OR Apache-2.0
//! Man pages of a program, from the definition of its command line.

use camino::Utf8Path;
use clap::Command;
use clap_mangen::Man;

use crate::roff::{DATE, MANUAL, Page, SOURCE};
use crate::{FileError, write};

/// A program, and what its command line does not say.
#[derive(Debug)]
pub struct Program<'a> {
    /// The definition of the command line, under the name that is typed.
    pub command: Command,
    /// The section: 1 for commands, 8 for what an administrator or systemd starts.
    pub section: u8,
    /// Paragraphs of the description, after the first sentence.
    pub description: &'a [&'a str],
    /// Files, and what each is.
    pub files: &'a [(&'a str, &'a str)],
    /// Other pages, as `vesperactl(1)`.
    pub see_also: &'a [&'a str],
}

impl Program<'_> {
    /// Writes the page of the program and those of its subcommands below a folder of man pages,
    /// as `man1/NAME.1` and `man1/NAME-SUBCOMMAND.1`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &Utf8Path) -> Result<(), FileError> {
        let mut command = self.command.clone().disable_help_subcommand(true);
        command.build();
        let folder = folder.join(format!("man{}", self.section));
        let title = command.get_name().to_owned();
        self.write_below(&folder, &title, &command, None)
    }

    fn write_below(
        &self,
        folder: &Utf8Path,
        name: &str,
        command: &Command,
        parent: Option<&str>,
    ) -> Result<(), FileError> {
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            self.write_below(folder, &format!("{name}-{}", sub.get_name()), sub, Some(name))?;
        }
        let text = self.page(name, command, parent);
        write(&folder.join(format!("{name}.{}", self.section)), &text)
    }

    fn page(&self, name: &str, command: &Command, parent: Option<&str>) -> String {
        let man = Man::new(command.clone().display_name(name))
            .title(name.to_uppercase())
            .section(self.section.to_string())
            .date(DATE)
            .source(SOURCE)
            .manual(MANUAL);
        let mut page = Page::default();
        add(&mut page, |out| man.render_title(out));
        add(&mut page, |out| man.render_name_section(out));
        add(&mut page, |out| man.render_synopsis_section(out));
        add(&mut page, |out| man.render_description_section(out));
        if parent.is_none() {
            self.description.iter().for_each(|text| page.paragraph(text));
        }
        if command.get_arguments().any(|argument| !argument.is_hide_set()) {
            add(&mut page, |out| man.render_options_section(out));
        }
        if command.get_subcommands().any(|sub| !sub.is_hide_set()) {
            add(&mut page, |out| man.render_subcommands_section(out));
        }
        if let Some(help) = command.get_after_long_help().or_else(|| command.get_after_help()) {
            after(&mut page, &help.to_string());
        }
        if parent.is_none() && !self.files.is_empty() {
            page.section("Files");
            self.files.iter().for_each(|(path, what)| page.entry(path, what));
        }
        let mut others: Vec<String> =
            parent.iter().map(|parent| format!("{parent}({})", self.section)).collect();
        if parent.is_none() {
            others.extend(self.see_also.iter().map(|&other| other.to_owned()));
        }
        page.see_also(&others);
        page.render()
    }
}

/// Adds a part that the library makes.
fn add(page: &mut Page, part: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) {
    let mut made = Vec::new();
    // Writing to memory cannot fail.
    let _ = part(&mut made);
    page.append(&String::from_utf8_lossy(&made));
}

/// What stands after the help: `Heading:` above indented lines, `Heading: text`, or text.
fn after(page: &mut Page, help: &str) {
    let mut headed = false;
    let mut lines = help.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        if let Some(heading) = line.strip_suffix(':').filter(|_| !line.starts_with(' ')) {
            page.section(heading);
            headed = true;
            let mut block = Vec::new();
            while let Some(line) = lines.next_if(|line| line.starts_with("  ")) {
                block.push(line.strip_prefix("  ").unwrap_or(line));
            }
            page.literal(&block.join("\n"));
            continue;
        }
        let mut text = line.to_owned();
        while let Some(more) = lines.next_if(|line| !line.trim().is_empty()) {
            text.push(' ');
            text.push_str(more);
        }
        match text.split_once(": ").filter(|(heading, _)| heading.split(' ').count() <= 2) {
            Some((heading, rest)) => {
                page.section(heading);
                page.line(rest);
            }
            None if headed => page.paragraph(&text),
            None => {
                page.section("Notes");
                page.line(&text);
            }
        }
        headed = true;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Arg;

    use super::*;

    fn program() -> Program<'static> {
        let status = Command::new("status").about("Show it").arg(Arg::new("json").long("json"));
        Program {
            command: Command::new("thing")
                .about("Do things")
                .after_help("Examples:\n  thing status\n\nExit codes: 0 done, 1 not.")
                .subcommand(status)
                .subcommand(Command::new("man").hide(true)),
            section: 1,
            description: &["More about `thing`."],
            files: &[("/etc/thing", "its settings")],
            see_also: &["other(8)"],
        }
    }

    #[test]
    fn a_page_has_what_the_command_line_says_and_what_it_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        program().write(folder).unwrap();
        let page = fs::read_to_string(folder.join("man1/thing.1")).unwrap();
        for words in [
            ".TH THING 1 ",
            "thing \\- Do things",
            "More about \\fBthing\\fR.",
            "thing\\-status(1)",
            ".SH EXAMPLES\n.RS 4\n.nf\nthing status\n.fi",
            ".SH \"EXIT CODES\"\n0 done, 1 not.",
            "\\fB/etc/thing\\fR\nits settings",
            "\\fBother\\fR(8)",
        ] {
            assert!(page.contains(words), "{words} in\n{page}");
        }
        let below = fs::read_to_string(folder.join("man1/thing-status.1")).unwrap();
        assert!(below.contains("\\-\\-json") && below.contains("\\fBthing\\fR(1)"), "{below}");
        assert!(!folder.join("man1/thing-man.1").exists(), "it is hidden");
    }

    #[test]
    fn mandoc_has_nothing_to_say_about_the_pages() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap();
        program().write(folder).unwrap();
        assert_eq!(crate::lint::pages(folder).unwrap(), 2);
    }
}
