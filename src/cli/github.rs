//! Workflow commands of GitHub Actions, which become annotations of the changed lines.

use berthc::Severity;
use berthc::text::quote::shown;

use super::finding::Finding;

/// Returns one line for each finding.
pub fn annotations(findings: &[Finding]) -> String {
    findings.iter().map(annotation).collect()
}

fn annotation(f: &Finding) -> String {
    let level = match f.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some(spot) = f.spots.first() {
        properties.push(format!("file={}", property(spot.path.strip_prefix("./").unwrap_or(&spot.path))));
        properties.push(format!("line={},endLine={}", spot.start.0, spot.end.0));
        // GitHub refuses columns for a range of several lines.
        if spot.start.0 == spot.end.0 {
            properties.push(format!("col={},endColumn={}", spot.start.1, spot.end.1));
        }
    }
    properties.push(format!("title={}", property(&f.code)));
    let lines: Vec<_> = std::iter::once(&f.message).chain(&f.more).map(|line| shown(line)).collect();
    format!("::{level} {}::{}\n", properties.join(","), data(&lines.join("\n")))
}

/// Escapes the text of a command, as `@actions/core` does.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a command, as `@actions/core` does.
fn property(text: &str) -> String {
    data(&shown(text)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_a_workflow_command() {
        let spot = |end| super::super::finding::Spot {
            path: "a,b:c.yaml".into(),
            start: (2, 3),
            end: (end, 9),
            text: String::new(),
        };
        let mut finding = Finding {
            code: "fleet/x".into(),
            severity: Severity::Error,
            message: "100%\n::error::x".into(),
            more: vec!["more".into()],
            spots: vec![spot(2)],
            steps: Vec::new(),
        };
        let line = annotation(&finding);
        let wanted = "::error file=a%2Cb%3Ac.yaml,line=2,endLine=2,col=3,endColumn=9,title=fleet/x\
                      ::100%25\\n::error::x%0Amore\n";
        assert_eq!(line, wanted);
        finding.spots = vec![spot(4)];
        assert!(!annotation(&finding).contains("col="));
    }
}
