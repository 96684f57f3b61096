//! What is known of code that is not in the project: which APIs acquire, release, register, take over and run what.
//! The rows are data (`rules/catalog/*.toml`, read by `catalog`; users add rows of the same form); here is what they mean.
//! Knows no file format beyond serde's, and no rule.
//!
//! APIs are named by the path that resolution yields: `fs.open`, `timers/promises.setTimeout` (modules without `node:`),
//! `setInterval`, `process.on` (globals), `net.Socket#destroy` (a method of anything of type `net.Socket`),
//! `new ws.WebSocket` (constructors), `napi_wrap`, `Napi::Buffer::New`, `Napi::ThreadSafeFunction#Release` (C and C++).
//!
//! Further forms of names:
//! * `Napi::Buffer::New/3`: the form with exactly three arguments; preferred to `Napi::Buffer::New` ([`Contracts::call`]).
//! * `disposer#()`: the thing itself is called (`const off = subscribe(f); off()`).
//! * `Symbol.dispose` and its like are methods `@@dispose`, `@@asyncDispose`, `@@iterator`, `@@asyncIterator`.
//! * A C++ class path alone (`std::string`, `Nan::Global`) is its constructor, under `new` or not. What `new` and `delete`
//!   do by themselves is said by `operator new`, `operator new[]`, `operator delete`, `operator delete[]`.
//! * `fs.promises` and `fs/promises` are one module, and so are `fs` and `graceful-fs`: see [`Module`].

use super::Rate;
use rustc_hash::FxHashMap;
use serde::Deserialize;

/// A type of handle or object that APIs give, take or belong to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Type {
    /// Its name, as APIs spell it: `net.Socket`, `fs.fd`, `heap`, `napi_ref`. Also the path of its class where it has one:
    /// constructing that class gives it, with or without a row for `new net.Socket`.
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
    /// How often such a thing is born where nothing else tells: `process.stdin` is `once`. Not inherited.
    #[serde(default)]
    pub lifetime: Option<Rate>,
    /// Dropping the last reference is harmless (pure memory, collected): no obligation by itself. Not inherited.
    #[serde(default)]
    pub collectable: bool,
    /// C++: its destructor releases it. Not inherited.
    #[serde(default)]
    pub raii: bool,
    /// Events of the thing after which it is gone by itself: `close`.
    #[serde(default)]
    pub ends: Vec<String>,
    /// Types of what the listeners of an event get, borrowed: `connection = ["net.Socket"]`; empty names where unknown.
    #[serde(default)]
    pub events: FxHashMap<String, Vec<String>>,
    /// Methods that give the type away: what one of these is called on is taken for one, if nothing else is known of it.
    #[serde(default)]
    pub duck: Vec<String>,
    /// Borrowed things reached by properties: `socket = "net.Socket"`.
    #[serde(default)]
    pub members: FxHashMap<String, String>,
    /// Members through which it is released or handed on: what takes or uses up `response.body` does it to the response.
    #[serde(default)]
    pub through: Vec<String>,
    /// It is a text, or known by one (a path): what is made of that names it too, and whoever is given it may take the thing
    /// over.
    #[serde(default)]
    pub text: bool,
    /// Paths of ready-made ones, which exist once in a process: `process`, `http.globalAgent`.
    #[serde(default)]
    pub values: Vec<String>,
    /// How an acquired one is told from a failed acquisition; with `valid`, `if (fd < 0) return` is no lost exit.
    #[serde(default)]
    pub valid: Valid,
    /// For base classes: methods that the framework calls, and how often (`OnOK = "once"`).
    #[serde(default)]
    pub overrides: FxHashMap<String, Runs>,
    /// Of these, the ones that the framework calls from the event loop without a handle scope around them.
    #[serde(default)]
    pub unscoped: Vec<String>,
    /// Names of option properties that bound it (`max`, `ttl`): a collection made with one of them does not grow for ever.
    #[serde(default)]
    pub bounded_by: Vec<String>,
    /// Names of option properties of which one must be `true` for it to hold anything that outlives its use (`keepAlive`).
    #[serde(default)]
    pub holds_with: Vec<String>,
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
    /// Only where this argument is null; else what is given there is filled, and stays its owner's: `mysql_init(&mysql)`.
    #[serde(default)]
    pub only_with_null: Option<u16>,
    /// What the place that it fills holds already, it goes on with: `getline` makes the line it is given larger.
    #[serde(default)]
    pub renews: bool,
    /// What the caller owns besides: `CreateProcess` gives a process and a thread handle, `pipe` two descriptors.
    #[serde(default)]
    pub also: Vec<Given>,
    /// How the API's return value says that it succeeded, where that is not what it gives: `napi_ok` is `zero`.
    #[serde(default)]
    pub succeeds: Valid,
    /// The type of a value that it returns without giving ownership (`emitter.on` returns the emitter: see `returns`).
    #[serde(default)]
    pub returns_type: Option<String>,
    /// Its result is the same thing as the receiver or an argument.
    #[serde(default)]
    pub returns: Option<Part>,
    /// The properties of its other arguments are put into what it returns: `Object.assign({}, options)`.
    #[serde(default)]
    pub merges: bool,
    /// Its result is a list of the elements of the receiver or of an argument: `Object.values(timers)`.
    #[serde(default)]
    pub elements: Option<Part>,
    /// The same, with their keys: `Object.entries(timers)`.
    #[serde(default)]
    pub entries: Option<Part>,
    /// Its result is the n-th argument, an error-first function, with a promise in place of its last callback.
    #[serde(default)]
    pub promisifies: Option<u16>,
    /// What it releases.
    #[serde(default)]
    pub releases: Option<Part>,
    /// Of what type, where several share a releaser; empty: whatever the argument is.
    #[serde(default)]
    pub of: Vec<String>,
    /// What happens to each argument, in order; `rest` past the end.
    #[serde(default)]
    pub arguments: Vec<Effect>,
    /// What happens to the arguments past the end of `arguments`.
    #[serde(default)]
    pub rest: Effect,
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
    /// JavaScript sees an argument's memory from now on: where no last owner is given ([`Effect::HandTo`]), nothing frees it.
    #[serde(default)]
    pub exposes: bool,
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

/// A further acquisition of the same call.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Given {
    /// The type of handle that the caller owns afterwards.
    pub gives: String,
    /// How it is handed over.
    #[serde(default)]
    pub by: By,
}

/// How a value says that there is something, or that a call succeeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Valid {
    /// By nothing, or not known.
    #[default]
    Unknown,
    /// Neither null, zero nor false: pointers, `BOOL`.
    Truthy,
    /// Zero: status codes (`napi_ok`, `SQLITE_OK`, libuv and pthread results, `S_OK`).
    Zero,
    /// Not negative: file descriptors, counts.
    NonNegative,
    /// More than zero: lengths of what there is to give.
    Positive,
    /// Something else than the one invalid value: `INVALID_HANDLE_VALUE`, `MAP_FAILED`.
    NotInvalid,
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
    /// Written to an element of the array that the n-th argument is: `pipe(fds)` fills the elements 0 and 1.
    OutElement(u16, u16),
    /// The n-th argument's thing itself becomes an obligation (once more): `napi_acquire_threadsafe_function(f)`.
    Argument(u16),
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
    /// Copied; the caller still owns its own. What is copied of a handle is its number: whoever gets that can release it.
    Copy,
    /// The callee (or what it returns) owns it from now on.
    Take,
    /// Likewise, but only if the call reports success.
    TakeOnSuccess,
    /// The receiver keeps a reference; ownership stays with the caller.
    Store,
    /// Given to the n-th argument, a function, which is its last owner (finalizers, completion callbacks).
    /// Where that argument is absent or null it is [`Effect::Store`].
    HandTo(u16),
    /// Likewise, but only if the call reports success.
    HandToOnSuccess(u16),
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

/// Who enters a C or C++ callback.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Thread {
    /// The engine or the API itself, which sees to scopes.
    #[default]
    Caller,
    /// The event loop, on the thread of JavaScript, with no handle scope open.
    Loop,
    /// Another thread.
    Other,
}

/// A function argument.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Callback {
    /// Which argument, 0-based; negative from the end (`-1`: the last).
    pub argument: i16,
    /// The function is this property of the argument: `new Transform({ transform() {} })`.
    #[serde(default)]
    pub property: Option<String>,
    /// All later arguments that are functions likewise: `app.get(path, ...handlers)`.
    #[serde(default)]
    pub rest: bool,
    /// When it runs.
    pub runs: Runs,
    /// C and C++: who enters it.
    #[serde(default)]
    pub thread: Thread,
    /// Its first parameter is an error: nothing was acquired where it is set.
    #[serde(default)]
    pub error_first: bool,
    /// Types of its parameters, by position, an error first where there is one, empty where there is nothing to say;
    /// borrowed from the API (`["http.IncomingMessage", "http.ServerResponse"]`).
    #[serde(default)]
    pub parameters: Vec<String>,
    /// Its first parameter is an element of the receiver or of an argument: `list.forEach(fn)`.
    #[serde(default)]
    pub element: Option<Part>,
}

/// A registration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Registers {
    /// `listener`, `subscription`, `hook`, `tap`, `mark`, `task`, `memory` (a balance that the opposite call evens out).
    pub kind: String,
    /// What it is registered on; the receiver if it isn't said.
    #[serde(default)]
    pub on: Option<Part>,
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
    /// What it is removed from; the receiver if it isn't said.
    #[serde(default)]
    pub on: Option<Part>,
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

/// A naming convention: what `acquire` gives, one of `release` takes. `*` stands for any text, the first one of a pattern for
/// the same text on both sides (`CF*Create*` with `CFRelease`, `*_new` with `*_free`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Convention {
    /// `*_new`, `*_create`, `*Create`, `*_open`.
    pub acquire: String,
    /// `*_free`, `*_destroy`.
    pub release: Vec<String>,
    /// Names that look like `acquire` and are not: `*_set_new`.
    #[serde(default)]
    pub except: Vec<String>,
    /// Where it holds: for C and C++ functions, or for JavaScript functions and methods.
    #[serde(default)]
    pub language: Spoken,
    /// The type of what is given, where a row tells; the released argument is the first one of it.
    #[serde(default)]
    pub gives: Option<String>,
    /// The convention is a documented rule of the library (Core Foundation's), not a habit: no releaser needs to be seen.
    #[serde(default)]
    pub certain: bool,
    /// Where it is documented.
    #[serde(default)]
    pub source: String,
}

/// The language that rows speak of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spoken {
    /// C and C++.
    #[default]
    C,
    /// JavaScript and TypeScript.
    Js,
}

/// Modules that give the same API under other names: `graceful-fs` for `fs`, `timers` for the globals.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Module {
    /// The path that rows use: `fs`, `fs/promises`; empty for the globals.
    pub name: String,
    /// Other paths of it: `graceful-fs`, `fs.promises`, `globalThis`.
    pub aliases: Vec<String>,
}

/// Rows, as a file of them is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Rows {
    /// `language`: the code in which these names mean this; both where it isn't said. C++'s `Worker` is not JavaScript's.
    pub language: Option<Spoken>,
    /// `[[type]]`.
    #[serde(rename = "type")]
    pub types: Vec<Type>,
    /// `[[api]]`.
    #[serde(rename = "api")]
    pub apis: Vec<Api>,
    /// `[[convention]]`.
    #[serde(rename = "convention")]
    pub conventions: Vec<Convention>,
    /// `[[module]]`.
    #[serde(rename = "module")]
    pub modules: Vec<Module>,
    /// `[words]`.
    pub words: super::words::Words,
}

impl Convention {
    /// What a function's name says whose part it makes, where it goes on to say which: `x_frame` of `x_frame_new_data`.
    pub fn stem<'n>(&self, name: &'n str) -> Option<&'n str> {
        if self.acquire.ends_with("_*") { matched(&self.acquire, name) } else { None }
    }

    /// What may release a thing that a call of `name` gave; none where the name does not follow the convention.
    pub fn releasers(&self, name: &str) -> Option<Vec<String>> {
        if self.except.iter().any(|except| matched(except, name).is_some()) {
            return None;
        }
        let shared = matched(&self.acquire, name)?;
        Some(self.release.iter().map(|release| release.replacen('*', shared, 1)).collect())
    }
}

/// What the first `*` of a pattern stands for in a name; the empty text for a pattern without one.
fn matched<'a>(pattern: &str, name: &'a str) -> Option<&'a str> {
    let Some((head, tail)) = pattern.split_once('*') else {
        return (pattern == name).then_some("");
    };
    let rest = name.strip_prefix(head)?;
    (0..=rest.len())
        .rev()
        .filter(|&end| rest.is_char_boundary(end))
        .find(|&end| matched_all(tail, &rest[end..]))
        .map(|end| &rest[..end])
}

/// Whether a pattern with any number of `*` matches the whole name.
fn matched_all(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some(_) => matched(pattern, name).is_some(),
    }
}
