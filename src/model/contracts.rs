//! All contract rows together, indexed: what a path, a type, a method or a ready-made value is known to be.
//! Resolves names between rows (module aliases, base types, forms by number of arguments), never names in code.

use super::contract::{Api, Convention, Rows, Runs, Spoken, Type};
use super::words::Words;
use rustc_hash::FxHashMap;

/// All rows together, indexed.
#[derive(Clone, Debug, Default)]
pub struct Contracts {
    /// Types.
    pub types: Vec<Type>,
    /// APIs.
    pub apis: Vec<Api>,
    /// Naming conventions.
    pub conventions: Vec<Convention>,
    /// Word lists.
    pub words: Words,
    methods: FxHashMap<String, FxHashMap<String, Forms>>,
    /// For JavaScript, for C and C++, and for both.
    indexes: [Index; 3],
}

/// The names that mean something in the code of one language.
#[derive(Clone, Debug, Default)]
struct Index {
    types: FxHashMap<String, usize>,
    values: FxHashMap<String, usize>,
    ducks: FxHashMap<String, usize>,
    apis: FxHashMap<String, Forms>,
    modules: FxHashMap<String, String>,
}

/// The place of a language in [`Contracts::indexes`].
fn place(language: Option<Spoken>) -> usize {
    match language {
        Some(Spoken::Js) => 0,
        Some(Spoken::C) => 1,
        None => 2,
    }
}

/// The rows of one name: for any number of arguments, and for exact ones.
#[derive(Clone, Debug, Default)]
struct Forms {
    any: Option<usize>,
    exact: Vec<(usize, usize)>,
}

impl Forms {
    fn set(&mut self, arguments: Option<usize>, api: usize) {
        match arguments {
            None => self.any = Some(api),
            Some(n) => {
                self.exact.retain(|(known, _)| *known != n);
                self.exact.push((n, api));
            }
        }
    }

    fn get(&self, arguments: Option<usize>) -> Option<usize> {
        let exact = self.exact.iter().find(|(n, _)| arguments.is_none_or(|wanted| wanted == *n)).map(|&(_, api)| api);
        match arguments {
            Some(_) => exact.or(self.any),
            None => self.any.or(exact),
        }
    }
}

impl Contracts {
    /// Adds rows; a later API or type of the same name replaces an earlier one, so users can correct the built-in rows.
    pub fn add(&mut self, rows: Rows) {
        let index = &mut self.indexes[place(rows.language)];
        for ty in rows.types {
            let at = self.types.len();
            for name in std::iter::once(&ty.name).chain(&ty.aliases) {
                index.types.insert(name.clone(), at);
            }
            for value in &ty.values {
                index.values.insert(value.clone(), at);
            }
            for method in &ty.duck {
                index.ducks.insert(method.clone(), at);
            }
            self.types.push(ty);
        }
        for api in rows.apis {
            let at = self.apis.len();
            for name in &api.names {
                let (path, arguments) = arity(name);
                let forms = match path.split_once('#') {
                    Some((ty, method)) => {
                        self.methods.entry(ty.to_owned()).or_default().entry(method.to_owned()).or_default()
                    }
                    None => index.apis.entry(path.to_owned()).or_default(),
                };
                forms.set(arguments, at);
            }
            self.apis.push(api);
        }
        for module in rows.modules {
            for alias in module.aliases {
                index.modules.insert(alias, module.name.clone());
            }
        }
        self.conventions.extend(rows.conventions);
        self.words.extend(rows.words);
    }

    /// The rows as code of one language sees them. Names that stand in code are looked up here; names that stand in rows
    /// mean the same in all languages.
    pub fn speaking(&self, language: Spoken) -> View<'_> {
        View { contracts: self, language: Some(language) }
    }

    fn all(&self) -> View<'_> {
        View { contracts: self, language: None }
    }

    /// [`View::ty`] for any language.
    pub fn ty(&self, name: &str) -> Option<&Type> {
        self.all().ty(name)
    }

    /// [`View::value`] for any language.
    pub fn value(&self, path: &str) -> Option<&Type> {
        self.all().value(path)
    }

    /// [`View::duck`] for any language.
    pub fn duck(&self, method: &str) -> Option<&Type> {
        self.all().duck(method)
    }

    /// [`View::api`] for any language.
    pub fn api(&self, path: &str) -> Option<&Api> {
        self.all().api(path)
    }

    /// [`View::call`] for any language.
    pub fn call(&self, path: &str, arguments: usize) -> Option<&Api> {
        self.all().call(path, arguments)
    }

    /// The type of a member of a type: `socket` of an `http.IncomingMessage`.
    pub fn member(&self, ty: &Type, name: &str) -> Option<&Type> {
        self.bases(ty).find_map(|base| self.ty(base.members.get(name)?))
    }

    /// The types of what an event's listeners get.
    pub fn event<'a>(&'a self, ty: &'a Type, event: &str) -> Option<&'a [String]> {
        self.bases(ty).find_map(|base| base.events.get(event)).map(Vec::as_slice)
    }

    /// When the framework calls a method that a class derived from the type overrides.
    pub fn overridden(&self, ty: &Type, method: &str) -> Option<Runs> {
        self.bases(ty).find_map(|base| base.overrides.get(method).copied())
    }

    /// A method of a type, looked up through what the type extends.
    pub fn method(&self, ty: &Type, method: &str) -> Option<&Api> {
        self.find_method(ty, method, None)
    }

    /// A method of a type for a call with so many arguments.
    pub fn method_call(&self, ty: &Type, method: &str, arguments: usize) -> Option<&Api> {
        self.find_method(ty, method, Some(arguments))
    }

    /// The methods of a type that rows speak of, with those of what it extends.
    pub fn method_names<'a>(&'a self, ty: &'a Type) -> impl Iterator<Item = &'a str> {
        self.bases(ty).filter_map(|ty| self.methods.get(&ty.name)).flat_map(FxHashMap::keys).map(String::as_str)
    }

    /// Whether a type is, or extends, one of a family.
    pub fn is_family(&self, ty: &Type, family: &str) -> bool {
        self.bases(ty).any(|base| base.family == family)
    }

    /// A type and all that it extends, nearest first.
    pub fn bases<'a>(&'a self, ty: &'a Type) -> impl Iterator<Item = &'a Type> {
        let mut found = vec![ty];
        let mut next = 0;
        while let Some(&ty) = found.get(next) {
            for base in ty.extends.iter().filter_map(|base| self.ty(base)) {
                if !found.iter().any(|known| std::ptr::eq(*known, base)) {
                    found.push(base);
                }
            }
            next += 1;
        }
        found.into_iter()
    }

    fn find_method(&self, ty: &Type, method: &str, arguments: Option<usize>) -> Option<&Api> {
        let of = |ty: &Type| self.methods.get(&ty.name)?.get(method)?.get(arguments);
        self.bases(ty).find_map(of).map(|at| &self.apis[at])
    }
}

/// The rows as code of one language sees them.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    contracts: &'a Contracts,
    language: Option<Spoken>,
}

impl<'a> View<'a> {
    /// The type of a name or alias.
    pub fn ty(self, name: &str) -> Option<&'a Type> {
        self.found_type(name, |index| &index.types)
    }

    /// The type of the ready-made thing that a path denotes: `process`, `http.globalAgent`.
    pub fn value(self, path: &str) -> Option<&'a Type> {
        self.found_type(path, |index| &index.values)
    }

    /// What a thing of unknown type is taken for when this method is called on it.
    pub fn duck(self, method: &str) -> Option<&'a Type> {
        self.found_type(method, |index| &index.ducks)
    }

    /// The API of a path: `fs.open`, `new ws.WebSocket`, `net.Socket#end`, `malloc`.
    pub fn api(self, path: &str) -> Option<&'a Api> {
        self.find(path, None)
    }

    /// The API of a path for a call with so many arguments: `Nan::NewBuffer/2` before `Nan::NewBuffer`.
    pub fn call(self, path: &str, arguments: usize) -> Option<&'a Api> {
        self.find(path, Some(arguments))
    }

    /// What is known in this language, what the user said without a language first.
    fn indexes(self) -> impl Iterator<Item = &'a Index> {
        let [js, c, both] = &self.contracts.indexes;
        let own = match self.language {
            Some(Spoken::Js) => [Some(js), None],
            Some(Spoken::C) => [Some(c), None],
            None => [Some(js), Some(c)],
        };
        std::iter::once(both).chain(own.into_iter().flatten())
    }

    fn found_type(self, name: &str, of: fn(&Index) -> &FxHashMap<String, usize>) -> Option<&'a Type> {
        let get = |name: &str| self.indexes().find_map(|index| of(index).get(name).copied());
        let at = get(name).or_else(|| self.aliased(name, &get))?;
        Some(&self.contracts.types[at])
    }

    fn find(self, path: &str, arguments: Option<usize>) -> Option<&'a Api> {
        let contracts = self.contracts;
        if let Some((ty, method)) = path.split_once('#') {
            return contracts.find_method(self.ty(ty)?, method, arguments);
        }
        let get = |path: &str| self.indexes().find_map(|index| index.apis.get(path)?.get(arguments));
        let at = get(path).or_else(|| match path.strip_prefix("new ") {
            Some(class) => {
                let name = self.ty(class).map_or(class, |ty| ty.name.as_str());
                let constructor = |name: &str| get(&format!("new {name}"));
                constructor(name).or_else(|| self.aliased(class, &constructor))
            }
            None => self.aliased(path, &get),
        })?;
        Some(&contracts.apis[at])
    }

    /// The name that rows use for a module or class that has several.
    fn other_name(self, path: &str) -> Option<&'a str> {
        let module = self.indexes().find_map(|index| index.modules.get(path));
        module.map(String::as_str).or_else(|| {
            let at = self.indexes().find_map(|index| index.types.get(path).copied())?;
            let name = self.contracts.types[at].name.as_str();
            (name != path).then_some(name)
        })
    }

    /// Looks a path up under the names that rows use, where its module or class has another one: `graceful-fs.open` as
    /// `fs.open`, `Persistent::New` as `v8::Persistent::New`.
    fn aliased(self, path: &str, find: &dyn Fn(&str) -> Option<usize>) -> Option<usize> {
        let mut path = path.to_owned();
        for _ in 0..4 {
            // The longest alias first: `fs.promises.open` is a module with a dot behind it, `socket.io` one with a dot inside.
            let (end, name) = std::iter::once(path.len())
                .chain(path.rmatch_indices(['.', ':']).map(|(at, _)| at))
                .find_map(|end| Some((end, self.other_name(&path[..end])?)))?;
            let rest = &path[end..];
            path = if name.is_empty() { rest.trim_start_matches('.').to_owned() } else { format!("{name}{rest}") };
            if let Some(found) = find(&path) {
                return Some(found);
            }
        }
        None
    }
}

/// Splits `Nan::NewBuffer/2` into the path and the number of arguments that it is for.
fn arity(name: &str) -> (&str, Option<usize>) {
    match name.rsplit_once('/').map(|(path, n)| (path, n.parse())) {
        Some((path, Ok(n))) => (path, Some(n)),
        _ => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contracts(rows: &str) -> Contracts {
        let mut contracts = Contracts::default();
        contracts.add(toml::from_str(rows).expect("rows parse"));
        contracts
    }

    #[test]
    fn a_form_for_the_number_of_arguments_is_preferred() {
        let contracts = contracts(
            r#"
            [[api]]
            names = ["f"]
            source = "any"
            [[api]]
            names = ["f/2", "T#m/1"]
            source = "two"
            [[type]]
            name = "T"
            noun = "t"
            family = "t"
            "#,
        );
        assert_eq!(contracts.call("f", 2).unwrap().source, "two");
        assert_eq!(contracts.call("f", 3).unwrap().source, "any");
        assert_eq!(contracts.api("f").unwrap().source, "any");
        assert!(contracts.call("T#m", 1).is_some());
        assert!(contracts.call("T#m", 2).is_none());
    }

    #[test]
    fn modules_types_and_bases_have_other_names() {
        let contracts = contracts(
            r#"
            [[module]]
            name = ""
            aliases = ["timers", "globalThis"]
            [[module]]
            name = "fs.promises"
            aliases = ["fs/promises", "fs-extra"]
            [[api]]
            names = ["setInterval", "fs.promises.open", "new a.B", "a.A#close"]
            [[type]]
            name = "a.A"
            noun = "a"
            family = "x"
            extends = ["a.B"]
            [[type]]
            name = "a.B"
            aliases = ["b"]
            noun = "b"
            family = "y"
            extends = ["a.A"]
            "#,
        );
        for path in
            ["timers.setInterval", "globalThis.setInterval", "fs/promises.open", "fs-extra.open", "new b", "b#close"]
        {
            assert!(contracts.api(path).is_some(), "{path}");
        }
        assert!(contracts.api("fs.open").is_none());
        assert!(contracts.is_family(contracts.ty("a.B").unwrap(), "x"));
        assert!(!contracts.is_family(contracts.ty("a.B").unwrap(), "z"));
    }

    #[test]
    fn conventions_share_the_first_star() {
        let convention = |acquire: &str, release: &str| Convention {
            acquire: acquire.into(),
            release: vec![release.into()],
            except: vec!["*_set_new".into()],
            language: Spoken::C,
            gives: None,
            certain: false,
            source: String::new(),
        };
        assert_eq!(convention("*_new", "*_free").releasers("as_key_new"), Some(vec!["as_key_free".into()]));
        assert_eq!(convention("*_new", "*_free").releasers("as_set_new"), None);
        assert_eq!(
            convention("CF*Create*", "CFRelease").releasers("CFStringCreateCopy"),
            Some(vec!["CFRelease".into()])
        );
        assert_eq!(convention("CF*Create*", "CFRelease").releasers("CFArrayGetCount"), None);
        assert_eq!(convention("*New*", "*Free").releasers("YGNodeNewWithConfig"), Some(vec!["YGNodeFree".into()]));
    }

    #[test]
    fn names_in_code_mean_what_their_language_means() {
        let mut contracts =
            contracts("language = \"js\"\n[[type]]\nname = \"Worker\"\nnoun = \"w\"\nfamily = \"worker\"\n");
        let rows =
            "language = \"c\"\n[[api]]\nnames = [\"open\", \"n::f\"]\n[[module]]\nname = \"n\"\naliases = [\"m\"]\n";
        contracts.add(toml::from_str(rows).expect("rows parse"));
        let (js, c) = (contracts.speaking(Spoken::Js), contracts.speaking(Spoken::C));
        assert!(js.ty("Worker").is_some() && c.ty("Worker").is_none());
        assert!(js.api("open").is_none() && c.api("open").is_some());
        assert!(js.api("m::f").is_none() && c.api("m::f").is_some());
        assert!(contracts.ty("Worker").is_some() && contracts.api("open").is_some());
    }
}
