//! The known word that a mistyped one most likely means.

/// The nearest of the known words, if any is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    similar::get_close_matches(word, &known, 1, 0.6).first().copied()
}

/// `; did you mean ...?` for messages, or nothing.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default()
}

/// serde's words for a key or value that it does not know, with the nearest one that it does.
pub fn explain(message: &str) -> String {
    let Some(rest) = message.strip_prefix("unknown field `").or_else(|| message.strip_prefix("unknown variant `"))
    else {
        return message.to_owned();
    };
    let mut quoted = rest.split('`').step_by(2);
    let unknown = quoted.next().unwrap_or_default();
    let kind = if message.starts_with("unknown field") { "key" } else { "value" };
    format!("unknown {kind} `{unknown}`{}", did_you_mean(unknown, quoted))
}
