// SPDX-License-Identifier: MIT OR Apache-2.0
//! The links of the documents: files and headings that they lead to.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::source;

/// Checks that every link within the repository leads somewhere, and that every document of the
/// manual is in its index.
pub(crate) fn check() -> Result<()> {
    let root = source::root()?;
    let files: BTreeSet<Utf8PathBuf> = source::files(&["."])?.into_iter().collect();
    let mut texts = BTreeMap::new();
    for path in files.iter().filter(|path| path.extension() == Some("md")) {
        let text = std::fs::read_to_string(root.join(path)).with_context(|| format!("{path}"))?;
        texts.insert(path.clone(), text);
    }
    let mut faults = faults(&texts, &files);
    faults.extend(left_out(&texts));
    for path in files.iter().filter(|path| path.starts_with(FORMS)) {
        let text = std::fs::read_to_string(root.join(path)).with_context(|| format!("{path}"))?;
        let dead = pages(&text).into_iter().filter(|page| !files.contains(page));
        faults.extend(dead.map(|page| format!("{path}: there is no {page}")));
    }
    if !faults.is_empty() {
        bail!("{}", faults.join("\n"));
    }
    Ok(())
}

/// The forms of issues, which only know whole addresses.
const FORMS: &str = ".github/ISSUE_TEMPLATE";

/// The files of this repository that a text leads to by their addresses at its host.
fn pages(text: &str) -> Vec<Utf8PathBuf> {
    let ends = |c: char| c.is_whitespace() || matches!(c, ')' | '#' | '"' | '>');
    let rests = text.split("/blob/main/").skip(1);
    rests.map(|rest| rest.split(ends).next().unwrap_or_default().into()).collect()
}

/// Links that lead nowhere.
fn faults(texts: &BTreeMap<Utf8PathBuf, String>, files: &BTreeSet<Utf8PathBuf>) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, text) in texts {
        for (line, target) in links(text) {
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let file = if file.is_empty() { path.clone() } else { beside(path, file) };
            let is_folder = || files.iter().any(|own| own.starts_with(&file));
            if !files.contains(&file) && !is_folder() {
                faults.push(format!("{path}:{line}: there is no {file}"));
            } else if let Some(text) = texts.get(&file)
                && !anchor.is_empty()
                && !anchors(text).contains(anchor)
            {
                faults.push(format!("{path}:{line}: {file} has no heading #{anchor}"));
            }
        }
    }
    faults
}

/// Documents that the index of the manual does not name.
fn left_out(texts: &BTreeMap<Utf8PathBuf, String>) -> Vec<String> {
    const INDEX: &str = "docs/README.md";
    let index = Utf8PathBuf::from(INDEX);
    let named: BTreeSet<Utf8PathBuf> = texts
        .get(&index)
        .map(|text| links(text).into_iter().map(|(_, link)| beside(&index, &link)).collect())
        .unwrap_or_default();
    let documents = texts.keys().filter(|path| path.starts_with("docs") && **path != index);
    documents
        .filter(|path| !named.contains(*path))
        .map(|path| format!("{INDEX} does not name {path}"))
        .collect()
}

/// A path as it stands in a document, from the top of the repository.
fn beside(document: &Utf8Path, link: &str) -> Utf8PathBuf {
    let mut path = document.parent().map(Utf8Path::to_owned).unwrap_or_default();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                path.pop();
            }
            name => path.push(name),
        }
    }
    path
}

/// The links of a document that stay within the repository, each with its line: those of
/// Markdown, and pictures in HTML.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(text) {
        let (mut rest, marks) = (line, ["](", "src=\"", "href=\""]);
        while let Some((at, mark)) =
            marks.iter().filter_map(|mark| Some((rest.find(mark)?, mark))).min()
        {
            rest = &rest[at + mark.len()..];
            let end = rest.find([')', '"', ' ']).unwrap_or(rest.len());
            let target = &rest[..end];
            if !target.contains("://") && !target.starts_with("mailto:") && !target.is_empty() {
                found.push((number, target.to_owned()));
            }
        }
    }
    found
}

/// The lines that are not within a block of code.
fn prose(text: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    let mut lines = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.push((number, line));
        }
    }
    lines
}

/// What headings are called in links, by GitHub's rule.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for (_, line) in prose(text) {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = |own: &char| own.is_alphanumeric() || matches!(own, ' ' | '-' | '_');
        let name: String = heading.trim().to_lowercase().chars().filter(kept).collect();
        let name = name.replace(' ', "-");
        let before = seen.entry(name.clone()).or_insert(0);
        anchors.insert(if *before == 0 { name } else { format!("{name}-{before}") });
        *before += 1;
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_in_a_form_is_a_file_here() {
        let text = "url: https://example.org/me/it/blob/main/docs/checks.md#a\nsee (https://x/blob/main/SECURITY.md)";
        assert_eq!(pages(text), ["docs/checks.md", "SECURITY.md"]);
        assert!(pages("https://example.org/docs").is_empty());
    }

    #[test]
    fn every_link_in_the_documents_leads_somewhere() {
        check().unwrap();
    }

    #[test]
    fn every_failure_of_the_requirements_has_a_section_in_troubleshooting() {
        let path = source::root().unwrap().join("docs/requirements.md");
        let table = std::fs::read_to_string(path).unwrap();
        let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| TS-")).collect();
        assert_eq!(rows.len(), 10);
        for row in rows {
            // Where it leads, the links are checked for.
            assert!(row.contains("](troubleshooting.md#"), "{row}");
        }
    }

    #[test]
    fn files_and_headings_that_are_not_there_are_found() {
        let text = "[a](b.md) [c](b.md#two-words) [d](#here) [e](none.md)\n\
                    ![p](p.svg) <img src=\"q.svg\"> [w](https://example.org/x)\n\
                    # Here\n```\n[no](link.md)\n```\n";
        let texts = BTreeMap::from([
            (Utf8PathBuf::from("docs/a.md"), text.to_owned()),
            (Utf8PathBuf::from("docs/b.md"), "## Two `words`!\n".to_owned()),
        ]);
        let files = ["docs/a.md", "docs/b.md", "docs/p.svg"].map(Utf8PathBuf::from).into();
        assert_eq!(
            faults(&texts, &files),
            ["docs/a.md:1: there is no docs/none.md", "docs/a.md:2: there is no docs/q.svg"]
        );
        let other = BTreeMap::from([("a.md".into(), "[x](#y)\n# X\n".to_owned())]);
        assert_eq!(faults(&other, &["a.md".into()].into()), ["a.md:1: a.md has no heading #y"]);
    }

    #[test]
    fn headings_of_one_name_are_told_apart() {
        let anchors = anchors("# A b\n## A b\n### `C(a{sv} x)`\n");
        assert_eq!(anchors, ["a-b", "a-b-1", "casv-x"].map(str::to_owned).into());
    }

    #[test]
    fn a_document_that_the_index_does_not_name_is_a_fault() {
        let texts = BTreeMap::from([
            ("docs/README.md".into(), "[a](a.md)".to_owned()),
            ("docs/a.md".into(), String::new()),
            ("docs/b.md".into(), String::new()),
        ]);
        assert_eq!(left_out(&texts), ["docs/README.md does not name docs/b.md"]);
    }
}
