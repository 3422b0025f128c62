// SPDX-License-Identifier: MIT OR Apache-2.0
//! A report for people: as text and as Markdown.

use super::{Finding, Report, Severity, Status};

impl Finding {
    const fn mark(&self) -> &'static str {
        match (self.status, self.severity) {
            (Status::Ok, _) => "ok",
            (Status::Failed, Severity::Error) => "FAILED",
            (Status::Failed, Severity::Warning) => "warning",
            (Status::Unknown, _) => "UNKNOWN",
            (Status::Skipped, _) => "skipped",
        }
    }
}

impl Report {
    fn count(&self, status: Status) -> usize {
        self.findings.iter().filter(|finding| finding.status == status).count()
    }

    /// One sentence: whether it passed, and the numbers.
    pub fn headline(&self) -> String {
        let faults = self.findings.iter().filter(|finding| finding.is_fault()).count();
        let verdict = match faults {
            0 => "verified".to_owned(),
            1 => "not verified, 1 fault".to_owned(),
            faults => format!("not verified, {faults} faults"),
        };
        format!(
            "{verdict}: {} ok, {} failed, {} unknown, {} skipped",
            self.count(Status::Ok),
            self.count(Status::Failed),
            self.count(Status::Unknown),
            self.count(Status::Skipped)
        )
    }

    /// The report for a terminal or a log.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let (mark, code, detail) = (finding.mark(), finding.code, &finding.detail);
            text.push_str(&format!("{mark:<8} {code:<21} {}: {detail}\n", finding.title));
        }
        text.push_str(&format!("{}\n", self.headline()));
        text
    }

    /// The report for the summary of a workflow.
    pub fn markdown(&self) -> String {
        let mut text = format!("## Verification\n\n{}\n\n", self.headline());
        text.push_str("| | check | what | found |\n|---|---|---|---|\n");
        for finding in &self.findings {
            let detail = finding.detail.replace('|', "\\|").replace('\n', "<br>");
            let (mark, code, title) = (finding.mark(), finding.code, finding.title);
            text.push_str(&format!("| {mark} | `{code}` | {title} | {detail} |\n"));
        }
        text
    }
}
