//! The built-in rows of `rules/catalog/*.toml`, and rows that users add. Turns TOML into [`Contracts`]; judges no code.
//!
//! Built-in rows are proven by the tests below; rows of users go through [`parse`] and [`check`], which name the line and,
//! for a key or type that does not exist, the nearest one that does.

use crate::model::Contracts;
use crate::model::contract::{Api, Rows, Type};
use crate::nearest::{did_you_mean, explain};
use std::fmt;

/// What is wrong with a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowError {
    /// The file, as it was named to [`parse`].
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

impl std::error::Error for RowError {}

/// Rows for what comments say: what must be called, with the native function that gives what it is called on, and the type of
/// that.
pub fn said<'a>(calls: impl Iterator<Item = (&'a str, Option<&'a str>, String)>) -> Option<Rows> {
    let mut text = String::new();
    let mut seen = std::collections::BTreeSet::new();
    for (release, gives, ty) in calls {
        let family = if gives.is_some() { "os-handle" } else { "session" };
        if seen.insert(ty.clone()) {
            text.push_str(&format!(
                "[[type]]\nname = {ty:?}\nnoun = \"handle\"\nfamily = \"{family}\"\nsource = \"comment\"\n"
            ));
            if gives.is_some() {
                text.push_str(&format!("[[api]]\nnames = [{release:?}]\nreleases = {{ argument = 0 }}\nof = [{ty:?}]\nsource = \"comment\"\n"));
            }
        }
        if let Some(gives) = gives.filter(|gives| seen.insert((*gives).to_owned())) {
            text.push_str(&format!("[[api]]\nnames = [{gives:?}]\ngives = {ty:?}\nsource = \"comment\"\n"));
        }
    }
    if text.is_empty() { None } else { parse("comments", &text).ok() }
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../rules/catalog/", $name)))),*]
    };
}

/// The built-in files, in the order in which they are added.
const FILES: &[(&str, &str)] = files![
    "js-core.toml",
    "node-events.toml",
    "node-fs.toml",
    "node-streams.toml",
    "node-net-http.toml",
    "node-process-workers.toml",
    "node-diagnostics.toml",
    "web.toml",
    "npm-db.toml",
    "npm-http.toml",
    "npm-realtime.toml",
    "npm-misc.toml",
    "c-libc.toml",
    "cpp-std.toml",
    "posix.toml",
    "win32.toml",
    "corefoundation.toml",
    "c-libraries.toml",
    "c-media.toml",
    "libuv.toml",
    "napi.toml",
    "node-addon-api.toml",
    "nan-v8.toml",
    "conventions.toml",
    "words.toml",
];

/// The built-in rows.
pub fn builtin() -> Contracts {
    let mut contracts = Contracts::default();
    for rows in parse_all() {
        match rows {
            Ok(rows) => contracts.add(rows),
            // The test `every_row_is_well_formed` keeps this from ever happening in a release.
            Err(error) => debug_assert!(false, "{error}"),
        }
    }
    contracts
}

/// Parses the built-in files, on threads of its own: this runs inside a `OnceLock`, and a thread of rayon's pool that waits for
/// its share here may be given work that waits for the same lock.
fn parse_all() -> Vec<Result<Rows, RowError>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let share = FILES.len().div_ceil(threads);
    std::thread::scope(|scope| {
        let parts: Vec<_> = FILES
            .chunks(share)
            .map(|part| scope.spawn(|| part.iter().map(|(file, text)| parse(file, text)).collect::<Vec<_>>()))
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
    })
}

/// Reads rows. Says nothing of the types that they name: see [`check`].
pub fn parse(file: &str, text: &str) -> Result<Rows, RowError> {
    toml::from_str(text).map_err(|error| RowError {
        file: file.to_owned(),
        line: error.span().map_or(1, |span| line_at(text, span.start)),
        message: explain(error.message()),
    })
}

/// What is wrong with rows that parsed: types that no row defines, names without the documented form, the same name twice.
/// `contracts` holds the rows already.
pub fn check(contracts: &Contracts, rows: &Rows, file: &str, text: &str) -> Vec<RowError> {
    let mut errors = Vec::new();
    let mut report = |quoted: &str, message: String| {
        let line = text.find(&format!("\"{quoted}\"")).map_or(1, |at| line_at(text, at));
        errors.push(RowError { file: file.to_owned(), line, message });
    };
    for name in rows.types.iter().flat_map(types_of_type).chain(rows.apis.iter().flat_map(types_of_api)) {
        if contracts.ty(name).is_none() {
            let known = contracts.types.iter().map(|ty| ty.name.as_str());
            report(name, format!("no type is called `{name}`{}", did_you_mean(name, known)));
        }
    }
    let mut names: Vec<&str> = rows.apis.iter().flat_map(|api| &api.names).map(String::as_str).collect();
    for name in &names {
        if let Some(reason) = malformed(name) {
            report(name, format!("`{name}` is no name of an API: {reason}"));
        }
        if let Some((ty, _)) = name.split_once('#')
            && contracts.ty(ty).is_none_or(|known| known.name != ty)
        {
            let known = contracts.types.iter().map(|ty| ty.name.as_str());
            report(name, format!("`{name}` is a method of no type{}", did_you_mean(ty, known)));
        }
    }
    names.sort_unstable();
    let mut types: Vec<&str> =
        rows.types.iter().flat_map(|ty| ty.aliases.iter().chain([&ty.name])).map(String::as_str).collect();
    types.sort_unstable();
    for twice in names.windows(2).chain(types.windows(2)).filter(|pair| pair[0] == pair[1]) {
        report(twice[0], format!("`{}` is defined twice", twice[0]));
    }
    errors
}

/// The type names that an API's row refers to.
fn types_of_api(api: &Api) -> impl Iterator<Item = &str> {
    let given = api.gives.iter().chain(&api.returns_type).chain(api.also.iter().map(|also| &also.gives));
    let parameters = api.callbacks.iter().flat_map(|callback| &callback.parameters);
    given.chain(&api.of).chain(parameters).filter(|name| !name.is_empty()).map(String::as_str)
}

/// The type names that a type's row refers to.
fn types_of_type(ty: &Type) -> impl Iterator<Item = &str> {
    let events = ty.events.values().flatten();
    ty.extends.iter().chain(ty.members.values()).chain(events).filter(|name| !name.is_empty()).map(String::as_str)
}

/// Why a name lacks the documented form, if it does.
fn malformed(name: &str) -> Option<&'static str> {
    let path = name.strip_prefix("new ").unwrap_or(name);
    let (path, arity) = match path.rsplit_once('/') {
        Some((path, n)) if n.parse::<u8>().is_ok() => (path, true),
        _ => (path, false),
    };
    let (path, of_type) = match path.strip_suffix('>').and_then(|path| path.split_once('<')) {
        Some((path, ty)) => (path, Some(ty)),
        None => (path, None),
    };
    let (path, method) = path.split_once('#').map_or((path, None), |(path, method)| (path, Some(method)));
    let plain = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "_$.:/@-~".contains(c));
    if path.starts_with("node:") && !path.starts_with("node::") {
        Some("modules are written without `node:`")
    } else if of_type.is_some_and(|ty| ty.is_empty() || !plain(ty)) {
        Some("between `<` and `>` is one C++ type")
    } else if method.is_some() && name.starts_with("new ") {
        Some("a constructor is no method")
    } else if method.is_some_and(|method| method.is_empty() || !(method == "()" || plain(method))) {
        Some("what follows `#` is a method's name or `()`")
    } else if arity && path.is_empty() {
        Some("a number of arguments follows a name")
    } else if !path.starts_with("operator ") && (path.is_empty() || path.starts_with('.') || !plain(path)) {
        Some("a path is made of names, `.`, `::` and `/`")
    } else {
        None
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::contract::Spoken;

    #[test]
    fn every_row_is_well_formed() {
        let contracts = builtin();
        let mut all = [Rows::default(), Rows::default()];
        let mut errors = Vec::new();
        for (file, text) in FILES {
            let rows = parse(file, text).unwrap_or_else(|error| panic!("{error}"));
            errors.extend(check(&contracts, &rows, file, text));
            let of_language = &mut all[usize::from(rows.language == Some(Spoken::C))];
            of_language.types.extend(rows.types);
            of_language.apis.extend(rows.apis);
        }
        let text: String = FILES.iter().map(|(_, text)| *text).collect();
        if errors.is_empty() {
            errors.extend(all.iter().flat_map(|rows| check(&contracts, rows, "all files", &text)));
        }
        for (at, ty) in contracts.types.iter().enumerate() {
            let found = contracts.ty(&ty.name).expect("a type is found by its name");
            assert!(std::ptr::eq(found, &contracts.types[at]), "{} means two types", ty.name);
        }
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }

    #[test]
    fn what_is_given_can_be_released() {
        let contracts = builtin();
        let mut lost = Vec::new();
        let all_given = contracts.apis.iter().flat_map(|api| {
            api.gives.iter().chain(api.also.iter().map(|also| &also.gives)).map(move |name| (name, api))
        });
        for (name, api) in all_given {
            let ty = contracts.ty(name).expect("checked above");
            let named = |of: &String| contracts.bases(ty).any(|base| base.name == *of || base.aliases.contains(of));
            let by_name = |api: &&Api| api.releases.is_some() && api.of.iter().any(named);
            let by_method = |method: &str| {
                let forms = [contracts.method(ty, method), contracts.method_call(ty, method, 0)];
                forms.into_iter().flatten().any(|api| api.releases.is_some())
            };
            if !ty.collectable
                && !ty.raii
                && ty.through.is_empty()
                && !contracts.apis.iter().any(|api| by_name(&api))
                && !contracts.method_names(ty).any(by_method)
            {
                lost.push(format!("{:?} gives `{name}`, which nothing releases", api.names));
            }
        }
        assert!(lost.is_empty(), "{}", lost.join("\n"));
    }

    #[test]
    fn every_row_says_where_its_facts_are_documented() {
        for (file, text) in FILES {
            let rows = parse(file, text).unwrap();
            for api in rows.apis {
                assert!(!api.source.is_empty(), "{file}: {:?} has no source", api.names);
                assert!(!api.names.is_empty(), "{file}: an API without names");
            }
            for ty in rows.types {
                assert!(!ty.source.is_empty(), "{file}: type {} has no source", ty.name);
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_embedded() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/catalog");
        let mut found: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".toml"))
            .collect();
        found.sort();
        let mut embedded: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        embedded.sort_unstable();
        assert_eq!(found, embedded);
    }

    #[test]
    fn a_wrong_row_is_named_with_its_line_and_the_nearest_key() {
        let error = parse("rows.toml", "[[api]]\nnames = [\"f\"]\nrelaeses = \"receiver\"\n").unwrap_err();
        assert_eq!(error.to_string(), "rows.toml:3: unknown key `relaeses`; did you mean `releases`?");
        let error = parse("rows.toml", "[[api]]\nnames = [\"f\"]\nthrows = \"ofen\"\n").unwrap_err();
        assert_eq!(error.to_string(), "rows.toml:3: unknown value `ofen`; did you mean `often`?");
        let error = parse("rows.toml", "[[api]\n").unwrap_err();
        assert_eq!(error.line, 1);
    }

    #[test]
    fn rows_that_parse_are_checked() {
        let text = "[[type]]\nname = \"net.Socket\"\nnoun = \"socket\"\nfamily = \"socket\"\n\
                    [[api]]\nnames = [\"node:net.f\", \"net.connect\"]\ngives = \"net.Sokket\"\n\
                    [[api]]\nnames = [\"net.connect\", \"net.Sock#end\"]\n";
        let rows = parse("rows.toml", text).unwrap();
        let mut contracts = Contracts::default();
        contracts.add(rows.clone());
        let errors: Vec<String> = check(&contracts, &rows, "rows.toml", text).iter().map(ToString::to_string).collect();
        assert_eq!(
            errors,
            [
                "rows.toml:7: no type is called `net.Sokket`; did you mean `net.Socket`?",
                "rows.toml:6: `node:net.f` is no name of an API: modules are written without `node:`",
                "rows.toml:9: `net.Sock#end` is a method of no type; did you mean `net.Socket`?",
                "rows.toml:6: `net.connect` is defined twice",
            ]
        );
    }
}
