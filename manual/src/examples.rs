// SPDX-License-Identifier: MIT OR Apache-2.0
//! The commands and files that documents show, so that tests can try them.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use clap::error::ErrorKind;

use crate::FileError;
use crate::committed::repository;

/// Folders of documents; those below them count, too.
const FOLDERS: &[&str] = &["docs"];
/// Documents outside.
const FILES: &[&str] =
    &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "kmod/README.md"];
/// It names options without their values.
const LEFT_OUT: &str = "docs/requirements.md";

/// A block of code in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The document and the line, for messages.
    pub place: String,
    /// The word behind the fence: `toml`, `sh`; empty if there is none.
    pub language: String,
    /// What is in it.
    pub text: String,
}

/// A command in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The document and the line, for messages.
    pub place: String,
    /// The program and its words.
    pub words: Vec<String>,
    /// Whether it stands in a block, to be typed as it is; a sentence may leave words out.
    pub whole: bool,
}

impl Shown {
    /// What is wrong with it, by what the program's own parser says.
    pub fn fault<T>(&self, parsed: Result<T, clap::Error>) -> Option<String> {
        let error = parsed.err().filter(clap::Error::use_stderr)?;
        let unfinished = matches!(
            error.kind(),
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                | ErrorKind::MissingRequiredArgument
                | ErrorKind::MissingSubcommand
        );
        let fault = || format!("{}: {}: {error}", self.place, self.words.join(" "));
        (self.whole || !unfinished).then(fault)
    }
}

/// All blocks of code in a language, in all documents.
///
/// # Errors
/// When a document cannot be read.
pub fn blocks(language: &str) -> Result<Vec<Block>, FileError> {
    let mut found = Vec::new();
    for (path, text) in documents()? {
        found.extend(blocks_of(&path, &text).into_iter().filter(|b| b.language == language));
    }
    Ok(found)
}

/// All commands of a program in all documents: in blocks, and between backticks.
///
/// # Errors
/// When a document cannot be read.
pub fn commands(program: &str) -> Result<Vec<Shown>, FileError> {
    let mut found = Vec::new();
    for (path, text) in documents()? {
        found.extend(commands_of(&path, &text, program));
    }
    Ok(found)
}

/// Whether a document says this, wherever its lines end.
///
/// # Errors
/// When it cannot be read.
pub fn says(document: &str, words: &str) -> Result<bool, FileError> {
    let text = crate::read(&repository().join(document))?;
    Ok(text.replace('\n', " ").contains(words))
}

/// What an option of a subcommand is when nobody says it.
pub fn default_of(program: &clap::Command, subcommand: &str, option: &str) -> Option<String> {
    let mut options = program.find_subcommand(subcommand)?.get_arguments();
    let option = options.find(|own| own.get_id() == option)?;
    Some(option.get_default_values().first()?.to_string_lossy().into_owned())
}

/// Every document with its path.
fn documents() -> Result<Vec<(Utf8PathBuf, String)>, FileError> {
    let root = repository();
    let mut paths: Vec<Utf8PathBuf> = FILES.iter().map(Utf8PathBuf::from).collect();
    for folder in FOLDERS {
        list(&root, Utf8Path::new(folder), &mut paths)?;
    }
    paths.sort();
    let read = |path: Utf8PathBuf| crate::read(&root.join(&path)).map(|text| (path, text));
    paths.into_iter().filter(|path| root.join(path).exists()).map(read).collect()
}

fn list(root: &Utf8Path, folder: &Utf8Path, paths: &mut Vec<Utf8PathBuf>) -> Result<(), FileError> {
    let fault = |source| FileError { action: "list", path: folder.to_owned(), source };
    for entry in fs::read_dir(root.join(folder)).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let path = folder.join(entry.file_name().to_string_lossy().as_ref());
        if root.join(&path).is_dir() {
            list(root, &path, paths)?;
        } else if path.extension() == Some("md") {
            paths.push(path);
        }
    }
    Ok(())
}

fn blocks_of(path: &Utf8Path, text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (line, number) in text.lines().zip(1..) {
        match (line.trim_start().strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => found.push(block),
            (Some(language), None) => {
                let place = format!("{path}:{number}");
                let language = language.trim().to_owned();
                open = Some(Block { place, language, text: String::new() });
            }
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    found
}

fn commands_of(path: &Utf8Path, text: &str, program: &str) -> Vec<Shown> {
    if path == LEFT_OUT {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut add = |place: String, command: &str, whole| {
        let command = command.trim().trim_start_matches("$ ").trim_start_matches("sudo ");
        let words = words(command);
        if words.len() > 1 && words.first().is_some_and(|word| word == program) {
            found.push(Shown { place, words, whole });
        }
    };
    for block in blocks_of(path, text) {
        if ["", "sh", "console"].contains(&block.language.as_str()) {
            let joined = block.text.replace("\\\n", " ");
            joined.lines().for_each(|line| add(block.place.clone(), line, true));
        }
    }
    let mut fenced = false;
    for (line, number) in text.lines().zip(1..) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let spans = line.split('`').skip(1).step_by(2);
            spans.for_each(|span| add(format!("{path}:{number}"), span, false));
        }
    }
    found
}

/// The words of one simple command; a comment, a pipe or a redirection ends it.
fn words(command: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in command.chars() {
        match (character, quote) {
            ('\'' | '"', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (own, Some(other)) if own == other => quote = None,
            (' ', None) => found.extend(word.take()),
            ('#', None) if word.is_none() => break,
            ('|' | '>' | ';' | '&', None) => break,
            (own, _) => word.get_or_insert_default().push(own),
        }
    }
    found.extend(word);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
Run `sudo maccel get mode` or `maccel`.

```
maccel set limit 3      # a comment
maccel plot --curve 'natural limit=3' \\
    --svg > curve.svg
other maccel
```

```toml
version = 1
```
";

    #[test]
    fn commands_are_found_in_blocks_and_in_sentences() {
        let shown = commands_of(Utf8Path::new("x.md"), TEXT, "maccel");
        let lines: Vec<String> = shown.iter().map(|one| one.words.join("|")).collect();
        assert_eq!(
            lines,
            ["maccel|set|limit|3", "maccel|plot|--curve|natural limit=3|--svg", "maccel|get|mode"]
        );
        assert_eq!(shown[2].place, "x.md:1");
    }

    #[test]
    fn a_sentence_may_leave_words_out_and_neither_may_have_wrong_ones() {
        let parse = |words: &[String]| {
            let file = clap::Arg::new("file").required(true);
            clap::Command::new("x")
                .subcommand(clap::Command::new("do").arg(file))
                .try_get_matches_from(words)
        };
        let shown = |words: &str, whole| {
            let words = words.split(' ').map(str::to_owned).collect();
            Shown { place: "x.md:1".to_owned(), words, whole }
        };
        for (words, whole, right) in [
            ("x do this", true, true),
            ("x do", false, true),
            ("x do", true, false),
            ("x undo", false, false),
            ("x do --help", true, true),
        ] {
            let shown = shown(words, whole);
            assert_eq!(shown.fault(parse(&shown.words)).is_none(), right, "{words}");
        }
    }

    #[test]
    fn blocks_have_their_language_and_place() {
        let blocks = blocks_of(Utf8Path::new("x.md"), TEXT);
        assert_eq!(blocks.len(), 2);
        assert_eq!((blocks[1].language.as_str(), blocks[1].place.as_str()), ("toml", "x.md:10"));
        assert_eq!(blocks[1].text, "version = 1\n");
    }

    #[test]
    fn the_documents_of_the_repository_are_found() {
        let paths: Vec<_> = documents().unwrap().into_iter().map(|(path, _)| path).collect();
        for path in ["README.md", "docs/settings.md"] {
            assert!(paths.contains(&path.into()), "{path}");
        }
    }
}
