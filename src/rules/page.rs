//! The front matter of a rule's page. Reads `key: value` lines and nothing else of the page.

use crate::finding::{Law, RuleInfo, Severity};

/// The keys that every page has, in their order.
#[cfg(test)]
const KEYS: &[&str] = &["summary", "family", "law", "severity", "languages", "fix", "cwe", "since"];

/// What a page says of its rule. `tests/rules.rs` proves that every page says all of it; a key that is missing is empty here.
pub fn info(name: &'static str, page: &'static str) -> RuleInfo {
    let value = |key: &str| fields(page).find(|(known, _)| *known == key).map_or("", |(_, value)| value);
    RuleInfo {
        name,
        summary: value("summary").to_owned(),
        family: value("family").to_owned(),
        law: match value("law") {
            "retention" => Some(Law::Retention),
            "loss" => Some(Law::Loss),
            _ => None,
        },
        severity: match value("severity") {
            "error" => Severity::Error,
            "off" => Severity::Off,
            _ => Severity::Warning,
        },
        languages: value("languages").split(',').map(|language| language.trim().to_owned()).collect(),
        cwe: value("cwe").parse().unwrap_or(0),
        since: value("since").to_owned(),
        page,
    }
}

/// The `key: value` lines between the first two `---`.
fn fields(page: &str) -> impl Iterator<Item = (&str, &str)> {
    let front = page.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).map_or("", |(front, _)| front);
    front.lines().filter_map(|line| line.split_once(':')).map(|(key, value)| (key.trim(), value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_its_front_matter() {
        for info in crate::rules::infos() {
            let keys: Vec<&str> = fields(info.page).map(|(key, _)| key).collect();
            assert_eq!(keys, KEYS, "front matter of {}", info.name);
            assert!(
                info.cwe > 0 && !info.family.is_empty() && info.languages.iter().all(|language| !language.is_empty())
            );
            assert!(!info.summary.ends_with('.'), "the summary of {} ends with a full stop", info.name);
            assert!(info.page.contains(&format!("\n# {}\n", info.name)), "the heading of {}", info.name);
        }
    }

    #[test]
    fn rules_are_sorted_by_name() {
        assert!(crate::rules::RULES.is_sorted_by_key(|rule| rule.name));
    }
}
