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
