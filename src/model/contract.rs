//! What is known of code that is not in the project: which APIs acquire, release, register, take over and run what.
//! The rows are data (`rules/catalog/*.toml`, read by `catalog`; users add rows of the same form); here is what they mean.
//! Knows no file format beyond serde's, and no rule.
//!
//! APIs are named by the path that resolution yields: `fs.open`, `timers/promises.setTimeout` (modules without `node:`),
//! `setInterval`, `process.on` (globals), `net.Socket#destroy` (a method of anything of type `net.Socket`),
//! `new ws.WebSocket` (constructors), `napi_wrap`, `Napi::Buffer::New`, `Napi::ThreadSafeFunction#Release` (C and C++).

use super::Rate;
use rustc_hash::FxHashMap;
use serde::Deserialize;

/// A type of handle or object that APIs give, take or belong to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Type {
    /// Its name, as APIs spell it: `net.Socket`, `fs.fd`, `heap`, `napi_ref`. Also the path of its class where it has one.
    pub name: String,
    /// Other paths of the same class: `tls.TLSSocket` written elsewhere, an alias export.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What messages call it: `socket`, `file descriptor`, `heap block`.
    pub noun: String,
    /// The group that rules select by: `timer`, `emitter`, `signal`, `collection`, `file`, `stream`, `socket`, `client`, `pool`,
    /// `connection`, `worker`, `process`, `watcher`, `session`, `subscription`, `body`, `heap`, `array-heap`, `reference`,
    /// `persistent`, `tsfn`, `async-work`, `uv-handle`, `os-handle`, `library`, ...
    pub family: String,
    /// Types whose APIs work on it too (`tls.TLSSocket` extends `net.Socket` extends `events.EventEmitter`).
    #[serde(default)]
    pub extends: Vec<String>,
    /// How often such a thing is born where nothing else tells: `process.stdin` is `once`.
    #[serde(default)]
    pub lifetime: Option<Rate>,
    /// Dropping the last reference is harmless (pure memory, collected): no obligation by itself.
    #[serde(default)]
    pub collectable: bool,
    /// C++: its destructor releases it.
    #[serde(default)]
    pub raii: bool,
    /// Events of the thing after which it is gone by itself: `close`.
    #[serde(default)]
    pub ends: Vec<String>,
    /// Borrowed things reached by properties: `socket = "net.Socket"`.
    #[serde(default)]
    pub members: FxHashMap<String, String>,
    /// For base classes: methods that the framework calls, and how often (`OnOK = "once"`).
    #[serde(default)]
    pub overrides: FxHashMap<String, Runs>,
    /// Names of option properties that bound it (`max`, `ttl`): a collection made with one of them does not grow for ever.
    #[serde(default)]
    pub bounded_by: Vec<String>,
    /// Where this is documented: a section, header or source file. For the reader of the row.
    #[serde(default)]
    pub source: String,
}

/// What one API (or several with the same contract) does.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Api {
    /// The paths of the APIs.
    pub names: Vec<String>,
    /// The type of handle that the caller owns afterwards.
    #[serde(default)]
    pub gives: Option<String>,
    /// How it is handed over.
    #[serde(default)]
    pub by: By,
    /// The type of a value that it returns without giving ownership (`emitter.on` returns the emitter: see `returns`).
    #[serde(default)]
    pub returns_type: Option<String>,
    /// Its result is the same thing as the receiver or an argument.
    #[serde(default)]
    pub returns: Option<Part>,
    /// What it releases.
    #[serde(default)]
    pub releases: Option<Part>,
    /// Of what type, where several share a releaser; empty: whatever the argument is.
    #[serde(default)]
    pub of: Vec<String>,
    /// What happens to each argument, in order; `unknown` past the end.
    #[serde(default)]
    pub arguments: Vec<Effect>,
    /// Function arguments and when they run.
    #[serde(default)]
    pub callbacks: Vec<Callback>,
    /// It registers something that stays until it is removed.
    #[serde(default)]
    pub registers: Option<Registers>,
    /// It removes what another API registered.
    #[serde(default)]
    pub removes: Option<Removes>,
    /// The receiver (or argument) grows by one.
    #[serde(default)]
    pub grows: Option<Grows>,
    /// The receiver (or argument) loses something.
    #[serde(default)]
    pub shrinks: Option<Shrinks>,
    /// When it can throw (or reject, if awaited) in ordinary operation.
    #[serde(default)]
    pub throws: Throws,
    /// C macros: it may leave the calling function.
    #[serde(default)]
    pub exits: bool,
    /// It never comes back.
    #[serde(default)]
    pub never_returns: bool,
    /// Where this is documented.
    #[serde(default)]
    pub source: String,
}

/// How an acquired handle reaches the caller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Returned (or constructed).
    #[default]
    Return,
    /// The returned promise resolves to it.
    Promise,
    /// The n-th argument of the last function argument: `callback = 1` for `(err, fd)`.
    Callback(u16),
    /// Written through the n-th argument, 0-based: `napi_create_reference(env, v, 1, &ref)` is `out = 3`.
    Out(u16),
    /// Written to a field of the struct that the n-th argument points to: `CreateProcess` fills `hProcess` and `hThread`.
    OutField(u16, String),
    /// The receiver itself becomes an obligation: `uv_timer_init(loop, &h)` is `out`, `session.connect()` is this.
    Receiver,
}

/// A part of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// What the method is called on.
    Receiver,
    /// The n-th argument, 0-based.
    Argument(u16),
    /// Whatever the API's own acquisition gave (a returned disposer is called).
    Result,
}

/// What happens to an argument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Not known.
    #[default]
    Unknown,
    /// Only looked at during the call.
    Borrow,
    /// Copied; the caller still owns its own.
    Copy,
    /// The callee (or what it returns) owns it from now on.
    Take,
    /// Likewise, but only if the call reports success.
    TakeOnSuccess,
    /// The receiver keeps a reference; ownership stays with the caller.
    Store,
    /// Given to the n-th argument, a function, which is its last owner (finalizers, completion callbacks).
    HandTo(u16),
}

/// When a function argument runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runs {
    /// During the call, once or for each element.
    Sync,
    /// Once, later, and surely (an error-first completion callback).
    Once,
    /// At most once, later (a `once` listener, a timeout).
    Maybe,
    /// Any number of times.
    Event,
}

/// A function argument.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Callback {
    /// Which argument, 0-based; negative from the end (`-1`: the last).
    pub argument: i16,
    /// When it runs.
    pub runs: Runs,
    /// Its first parameter is an error: nothing was acquired where it is set.
    #[serde(default)]
    pub error_first: bool,
    /// Types of its parameters, by position, borrowed from the API (`["http.IncomingMessage", "http.ServerResponse"]`).
    #[serde(default)]
    pub parameters: Vec<String>,
    /// Only for this event (of an API that registers for an event): `connection`, `request`, `socket`.
    #[serde(default)]
    pub event: Option<String>,
}

/// A registration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Registers {
    /// `listener`, `subscription`, `hook`, `tap`, `mark`, `task`.
    pub kind: String,
    /// The argument that names the event or channel.
    #[serde(default)]
    pub event: Option<u16>,
    /// The event's name where the API itself fixes it (`nodeCron.schedule`, `net.createServer(fn)`).
    #[serde(default)]
    pub fixed_event: Option<String>,
    /// The argument that is the function.
    #[serde(default)]
    pub handler: Option<u16>,
    /// The argument with options (`once`, `signal`).
    #[serde(default)]
    pub options: Option<u16>,
    /// It removes itself after the first event.
    #[serde(default)]
    pub once: bool,
    /// The same function is registered only once (EventTarget).
    #[serde(default)]
    pub dedupes: bool,
}

/// A removal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Removes {
    /// What kind of registration.
    pub kind: String,
    /// The argument that names the event; absent arguments at the call mean all events.
    #[serde(default)]
    pub event: Option<u16>,
    /// The argument that is the function; absent arguments at the call mean all functions.
    #[serde(default)]
    pub handler: Option<u16>,
    /// All of them.
    #[serde(default)]
    pub all: bool,
}

/// A growth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grows {
    /// What grows.
    pub what: Part,
    /// The argument that is the key; none for appends.
    #[serde(default)]
    pub key: Option<u16>,
    /// The argument that is kept.
    #[serde(default)]
    pub value: Option<u16>,
}

/// A loss of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Shrinks {
    /// What shrinks.
    pub what: Part,
    /// The argument that is the key; none: some element, or all.
    #[serde(default)]
    pub key: Option<u16>,
    /// All elements go.
    #[serde(default)]
    pub all: bool,
}

/// When an API throws in ordinary operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Throws {
    /// Not known: linking weighs it.
    #[default]
    Unknown,
    /// Only if used wrongly.
    Never,
    /// On ordinary failures (a missing file, malformed input).
    Often,
}

/// A C naming convention: what `acquire` gives, one of `release` takes. `*` stands for the same text on both sides.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Convention {
    /// `*_new`, `*_create`, `*Create`, `*_open`.
    pub acquire: String,
    /// `*_free`, `*_destroy`.
    pub release: Vec<String>,
}

/// Words that people use for things that no contract can name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Words {
    /// Method names that end an object's life: `close`, `destroy`, `stop`, `Symbol.dispose` as `@@dispose`.
    pub disposal: Vec<String>,
    /// Method names that start it anew, possibly several times: `connect`, `start`, `reconnect`, `open`.
    pub start: Vec<String>,
    /// Names of flags that say an object is ending: `closing`, `destroyed`.
    pub ending: Vec<String>,
}

/// All rows together, indexed.
#[derive(Clone, Debug, Default)]
pub struct Contracts {
    /// Types.
    pub types: Vec<Type>,
    /// APIs.
    pub apis: Vec<Api>,
    /// Naming conventions of C libraries.
    pub conventions: Vec<Convention>,
    /// Word lists.
    pub words: Words,
    types_by_name: FxHashMap<String, usize>,
    apis_by_name: FxHashMap<String, usize>,
}

impl Contracts {
    /// Adds rows; a later API or type of the same name replaces an earlier one, so users can correct the built-in rows.
    pub fn add(&mut self, types: Vec<Type>, apis: Vec<Api>, conventions: Vec<Convention>, words: Words) {
        for ty in types {
            let at = self.types.len();
            for name in std::iter::once(&ty.name).chain(&ty.aliases) {
                self.types_by_name.insert(name.clone(), at);
            }
            self.types.push(ty);
        }
        for api in apis {
            let at = self.apis.len();
            for name in &api.names {
                self.apis_by_name.insert(name.clone(), at);
            }
            self.apis.push(api);
        }
        self.conventions.extend(conventions);
        self.words.disposal.extend(words.disposal);
        self.words.start.extend(words.start);
        self.words.ending.extend(words.ending);
    }

    /// The type of a name or alias.
    pub fn ty(&self, name: &str) -> Option<&Type> {
        self.types_by_name.get(name).map(|&at| &self.types[at])
    }

    /// The API of a path: `fs.open`, `new ws.WebSocket`, `net.Socket#end`, `malloc`.
    pub fn api(&self, path: &str) -> Option<&Api> {
        self.apis_by_name.get(path).map(|&at| &self.apis[at])
    }

    /// A method of a type, looked up through what the type extends.
    pub fn method(&self, ty: &Type, method: &str) -> Option<&Api> {
        let mut left = vec![ty];
        let mut seen = 0;
        while let Some(ty) = left.pop() {
            if let Some(api) = self.api(&format!("{}#{method}", ty.name)) {
                return Some(api);
            }
            seen += 1;
            if seen < 16 {
                left.extend(ty.extends.iter().filter_map(|base| self.ty(base)));
            }
        }
        None
    }

    /// Whether a type is, or extends, one of a family.
    pub fn is_family(&self, ty: &Type, family: &str) -> bool {
        ty.family == family
            || ty.extends.iter().filter_map(|base| self.ty(base)).any(|base| self.is_family(base, family))
    }
}
