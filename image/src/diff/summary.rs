// SPDX-License-Identifier: MIT OR Apache-2.0
//! A difference for people, as text and as Markdown.

use super::{Diff, File, Pair};

/// How many files of a kind are listed, the largest first.
const LISTED: usize = 20;
const NONE: &str = "none";

impl Diff {
    /// The difference for a terminal.
    pub fn text(&self) -> String {
        let mut text = format!("old {}\nnew {}\n", self.reference.old, self.reference.new);
        for (name, pair) in [("kernel", &self.kernel), ("module", &self.module)] {
            text.push_str(&format!("\n{name}: {}\n", change(pair)));
        }
        text.push_str(&format!("\npackages: {}\n", self.packages_headline()));
        for (name, pair) in &self.packages {
            text.push_str(&format!("  {name}: {}\n", change(pair)));
        }
        text.push_str(&format!("\nfiles: {}\n", self.files_headline()));
        for (sign, files) in self.kinds() {
            for file in largest(files) {
                text.push_str(&format!("  {sign} {} ({})\n", file.path, bytes(file.size)));
            }
            if files.len() > LISTED {
                text.push_str(&format!("  {sign} and {} more\n", files.len() - LISTED));
            }
        }
        text.push_str("\nlayers:\n");
        for new in &self.layers {
            let word = if new.shared { "shared" } else { "new" };
            let (digest, size) = (&new.layer.digest, bytes(new.layer.size));
            text.push_str(&format!("  {word:<6} {size:>10}  {digest}\n"));
        }
        text.push_str(&format!("\ndownload: {}\n", self.download_headline()));
        text
    }

    /// The difference for the summary of a workflow.
    pub fn markdown(&self) -> String {
        let mut text = format!(
            "## Changes\n\n| | |\n|---|---|\n| old | `{}` |\n| new | `{}` |\n",
            self.reference.old, self.reference.new
        );
        for (name, value) in [
            ("kernel", change(&self.kernel)),
            ("module", change(&self.module)),
            ("packages", self.packages_headline()),
            ("files", self.files_headline()),
            ("download", self.download_headline()),
        ] {
            text.push_str(&format!("| {name} | {value} |\n"));
        }
        if !self.packages.is_empty() {
            text.push_str("\n| package | change |\n|---|---|\n");
            for (name, pair) in &self.packages {
                text.push_str(&format!("| `{name}` | {} |\n", change(pair)));
            }
        }
        text
    }

    fn kinds(&self) -> [(char, &[File]); 3] {
        [('+', &self.files.added), ('-', &self.files.removed), ('~', &self.files.changed)]
    }

    fn packages_headline(&self) -> String {
        match &self.no_packages {
            Some(reason) => format!("not compared: {reason}"),
            None if self.packages.is_empty() => "no change".to_owned(),
            None => format!("{} changes", self.packages.len()),
        }
    }

    fn files_headline(&self) -> String {
        let [added, removed, changed] = self.kinds().map(|(_, files)| files.len());
        format!("{added} added, {removed} removed, {changed} changed")
    }

    fn download_headline(&self) -> String {
        let new = self.layers.iter().filter(|layer| !layer.shared).count();
        let what = if self.packed { "" } else { ", unpacked: only a registry knows more" };
        format!("{} in {new} of {} layers{what}", bytes(self.download), self.layers.len())
    }
}

fn change(pair: &Pair<Option<String>>) -> String {
    let word = |value: &Option<String>| value.clone().unwrap_or_else(|| NONE.to_owned());
    if pair.old == pair.new {
        return format!("{} (no change)", word(&pair.old));
    }
    format!("{} -> {}", word(&pair.old), word(&pair.new))
}

fn largest(files: &[File]) -> Vec<&File> {
    let mut sorted: Vec<&File> = files.iter().collect();
    sorted.sort_by_key(|file| std::cmp::Reverse(file.size));
    sorted.truncate(LISTED);
    sorted
}

/// 999 B, 1.5 kB, 12 MB.
fn bytes(count: u64) -> String {
    let mut value = count as f64;
    for unit in ["B", "kB", "MB"] {
        if value < 1000.0 {
            let digits = usize::from(value < 10.0 && unit != "B");
            return format!("{value:.digits$} {unit}");
        }
        value /= 1000.0;
    }
    format!("{value:.1} GB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_say_them() {
        for (count, expected) in [
            (0, "0 B"),
            (999, "999 B"),
            (1500, "1.5 kB"),
            (12_345_678, "12 MB"),
            (5_100_000_000, "5.1 GB"),
        ] {
            assert_eq!(bytes(count), expected);
        }
    }
}
