//! What linking knows of small projects: values across files, places, types, rates, lifetimes, effects and paths.

use leaklint::model::contract::By;
use leaklint::model::{CallId, FunctionId, In, Rate};
use leaklint::project::{Doing, ExitKind, Origin, Owner, Project};
use leaklint::text::{FileId, Sources};
use std::path::Path;

/// Lowers and links files, and asks.
fn ask<T>(files: &[(&str, &str)], question: impl FnOnce(&Project<'_>) -> T) -> T {
    let mut sources = Sources::default();
    let mut summaries = Vec::new();
    for (path, text) in files {
        sources.add(Path::new(path), path, (*text).into());
        summaries.push(leaklint::lower::lower(path, text));
    }
    let contracts = leaklint::catalog::builtin();
    let project = Project::link(&sources, &contracts, summaries);
    question(&project)
}

/// The call whose text starts so, in the whole project.
fn call(project: &Project<'_>, text: &str) -> In<CallId> {
    project
        .calls()
        .find(|call| project.sources.snippet(project.locate(*call)).starts_with(text))
        .unwrap_or_else(|| panic!("no call {text}"))
}

/// The function of that name.
fn function(project: &Project<'_>, name: &str) -> In<FunctionId> {
    project.functions().find(|f| project.function(*f).name == *name).unwrap_or_else(|| panic!("no function {name}"))
}

fn path(project: &Project<'_>, text: &str) -> String {
    project.path(call(project, text)).map(|path| path.to_string()).unwrap_or_default()
}

#[test]
fn paths_of_apis_are_followed_through_imports_and_aliases() {
    let files = [(
        "p/a.js",
        "const fs = require('fs');
             const { open: o } = require('node:fs');
             import net, { connect as c } from 'net';
             fs.open('x', () => {}); o('y', () => {}); c(1); net.createServer();
             const s = net.connect(2); s.on('data', f); s.destroy();
             process.stdout.on('x', f); setTimeout(f, 1);
             const { stdin } = process; stdin.resume();",
    )];
    ask(&files, |p| {
        assert_eq!(path(p, "fs.open"), "fs.open");
        assert_eq!(path(p, "o("), "fs.open");
        assert_eq!(path(p, "c("), "net.connect");
        assert_eq!(path(p, "net.createServer"), "net.createServer");
        assert_eq!(path(p, "s.destroy"), "net.Socket#destroy");
        assert_eq!(path(p, "setTimeout"), "setTimeout");
        assert!(p.api(call(p, "s.on(")).expect("row").registers.is_some());
        assert!(p.api(call(p, "process.stdout.on(")).expect("row").registers.is_some());
        assert!(p.api(call(p, "setTimeout")).expect("row").gives.is_some());
    });
}

#[test]
fn values_are_followed_across_files() {
    let files = [
        (
            "p/a.js",
            "const { make, Store } = require('./b'); const s = make(); s.on('x', f); const t = new Store(); t.go(); module.exports = t;",
        ),
        (
            "p/b.js",
            "const net = require('net'); function make() { return net.connect(1); } class Store { constructor() { this.items = new Map(); } go() { this.items.set(1, 2); } } module.exports = { make, Store };",
        ),
        ("p/c.js", "import t from './a'; t.items.clear(); t.go();"),
    ];
    ask(&files, |p| {
        assert_eq!(path(p, "s.on("), "net.Socket#on");
        let clear = call(p, "t.items.clear");
        let set = call(p, "this.items.set");
        let place = p.place(p.receiver(clear).unwrap()).unwrap();
        assert_eq!(Some(place), p.place(p.receiver(set).unwrap()));
        assert_eq!(p.place_text(place), "this.items");
        assert_eq!(p.accesses(place).len(), 3, "{:?}", p.accesses(place));
        let go = function(p, "go");
        assert_eq!(p.callers(go).len(), 2);
        assert!(matches!(p.origin(p.receiver(call(p, "t.go()")).unwrap()), Origin::New(..)));
        assert_eq!(p.ty(p.receiver(set).unwrap()).map(|ty| ty.name.as_str()), Some("Map"));
        assert_eq!(p.instances(p.class_of(go).unwrap()).rate, Some(Rate::PerInstance));
    });
}

#[test]
fn rates_say_how_often_and_why() {
    let files = [
        (
            "p/index.js",
            "const { helper, lazy } = require('./internal');
             class Client { constructor() { this.start(); } start() { setInterval(tick, 1); } send() { helper(); } }
             function tick() { beat(); }
             function beat() {}
             module.exports = { Client, boot };
             function boot() { lazy(); server.on('request', (req, res) => { perRequest(); }); }
             function perRequest() {}
             const server = require('http').createServer();
             once();
             function once() { for (const s of ['a', 'b']) listen(s); }
             function listen(s) { process.on(s, x); }",
        ),
        (
            "p/internal.js",
            "let started = false; let db;
             function helper() {}
             function lazy() { if (started) return; started = true; inner(); }
             function inner() {}
             function get() { if (!db) db = open(); return db; }
             function open() {}
             module.exports = { helper, lazy, get };",
        ),
    ];
    ask(&files, |p| {
        let rate = |name: &str| p.rate(function(p, name)).rate;
        assert_eq!(rate("boot"), Some(Rate::PerCall));
        assert_eq!(rate("send"), Some(Rate::PerCall));
        assert_eq!(rate("tick"), Some(Rate::PerEvent));
        assert_eq!(rate("beat"), Some(Rate::PerEvent));
        assert_eq!(rate("perRequest"), Some(Rate::PerEvent));
        assert_eq!(rate("helper"), Some(Rate::PerCall));
        assert_eq!(rate("once"), Some(Rate::Once));
        assert_eq!(rate("listen"), Some(Rate::Once));
        assert_eq!(rate("inner"), Some(Rate::Once));
        assert_eq!(rate("open"), Some(Rate::Once));
        assert!(p.rate(function(p, "perRequest")).because().contains("server.on('request')"));
    });
}

#[test]
fn lifetimes_tell_the_callers_things_from_our_own() {
    let files = [(
        "p/index.js",
        "const { EventEmitter } = require('events');
         const bus = new EventEmitter();
         function a(signal, opts) { signal.addEventListener('abort', x); opts.emitter.on('y', x); bus.on('z', x); const own = new EventEmitter(); own.on('w', x); process.on('exit', x); }
         class Foo { constructor() { this.e = new EventEmitter(); } go() { this.e.on('q', x); } }
         module.exports = { a, Foo };",
    )];
    ask(&files, |p| {
        let life = |text: &str| p.lifetime(p.receiver(call(p, text)).unwrap());
        assert!(life("signal.addEventListener").is_callers());
        assert!(life("opts.emitter.on").is_callers());
        assert!(life("bus.on").is_process());
        assert!(life("process.on").is_process());
        assert_eq!(life("own.on").born, Some(Rate::PerCall));
        assert_eq!(life("this.e.on").born, Some(Rate::PerInstance));
        assert!(matches!(life("this.e.on").owner, Owner::Instance(_)));
        assert!(matches!(life("own.on").owner, Owner::Call(_)));
        let _ = FileId(0);
    });
}

/// The rows of what a call gives, one word each: exit kind and state.
fn rows(project: &Project<'_>, text: &str) -> Vec<String> {
    let call = call(project, text);
    let mut found: Vec<String> = project
        .obligations(call)
        .iter()
        .flat_map(|obligation| project.paths(obligation))
        .map(|row| {
            let at = project.sources.line(row.at);
            format!("{:?}:{:?}@{at}", row.exit, row.state)
        })
        .collect();
    found.sort();
    found
}

fn js(text: &str, of: &str) -> Vec<String> {
    let text = format!("const fs = require('fs'); const net = require('net');\n{text}");
    ask(&[("p/a.js", &text)], |p| rows(p, of))
}

#[test]
fn paths_of_descriptors() {
    let found = js(
        "function f(p) { const fd = fs.openSync(p);
         fs.futimesSync(fd, 1, 2);
         fs.closeSync(fd); }",
        "fs.openSync",
    );
    assert!(found.iter().any(|row| row.starts_with("ImplicitThrow") && row.ends_with(":Held@3")), "{found:?}");
    assert!(found.contains(&"Fallthrough:Released@4".to_owned()), "{found:?}");
    let found = js(
        "function f(p) { const fd = fs.openSync(p);
         try { fs.futimesSync(fd, 1, 2); } finally { fs.closeSync(fd); } }",
        "fs.openSync",
    );
    assert!(!found.iter().any(|row| row.contains("Held")), "{found:?}");
    let found = js("function f(p) { const fd = fs.openSync(p); if (p) return 1; fs.closeSync(fd); }", "fs.openSync");
    assert!(found.contains(&"Return:Held@2".to_owned()), "{found:?}");
    let found = js("function f(p) { return fs.openSync(p); }", "fs.openSync");
    assert_eq!(found, ["Return:Returned@2"]);
}

#[test]
fn paths_go_on_in_callbacks() {
    let leaks = js(
        "function f(p, cb) { fs.open(p, 'r', (err, fd) => {
           if (err) return cb(err);
           fs.futimes(fd, 1, 2, (er) => {
             if (er) return cb(er);
             fs.close(fd, cb);
           });
         }); }",
        "fs.open(",
    );
    assert!(leaks.contains(&"Return:Held@5".to_owned()), "{leaks:?}");
    assert!(leaks.contains(&"Return:NotAcquired@3".to_owned()), "{leaks:?}");
    let good = js(
        "function f(p, cb) { fs.open(p, 'r', (err, fd) => {
           if (err) return cb(err);
           fs.futimes(fd, 1, 2, (er) => { fs.close(fd, () => cb(er)); });
         }); }",
        "fs.open(",
    );
    assert!(!good.iter().any(|row| row.contains("Held")), "{good:?}");
}

#[test]
fn paths_know_await_and_finally() {
    let leaks = js(
        "async function f(p) { const h = await fs.promises.open(p);
         await h.read();
         await h.close(); }",
        "fs.promises.open",
    );
    assert!(leaks.iter().any(|row| row == "Rejection:Held@3"), "{leaks:?}");
    let good = js(
        "async function f(p) { let h; try { h = await fs.promises.open(p);
         await h.read(); } finally { if (h) await h.close(); } }",
        "fs.promises.open",
    );
    assert!(!good.iter().any(|row| row.contains("Held")), "{good:?}");
    let nulled = js(
        "async function f(p) { let h; try { h = await fs.promises.open(p);
         await h.sync();
         h = null; } finally { if (h) await h.close(); } }",
        "fs.promises.open",
    );
    assert!(nulled.contains(&"Overwrite:Held@4".to_owned()), "{nulled:?}");
    let then = js(
        "function f(p) { return fs.promises.open(p).then(h => { return h.read().then(() => h.close()); }); }",
        "fs.promises.open",
    );
    assert!(!then.iter().any(|row| row.contains("Held")), "{then:?}");
}

#[test]
fn wrappers_acquire_and_release_for_their_callers() {
    let text = "const net = require('net');
     function dial(port) { const s = net.connect(port); s.setNoDelay(); return s; }
     function hangUp(s) { if (s) s.destroy(); }
     function keep(s) { all.push(s); }
     const all = [];
     function good() { const s = dial(1); s.write('x'); hangUp(s); }
     function bad() { const s = dial(2);
       if (all.length) return;
       hangUp(s); }
     module.exports = { good, bad };";
    ask(&[("p/a.js", text)], |p| {
        let dial = p.calls().filter(|c| p.callee_text(*c) == "dial").collect::<Vec<_>>();
        let gives = p.gives(dial[0]).expect("a wrapper gives what it makes");
        assert_eq!(gives.ty.name, "net.Socket");
        assert_eq!(p.path(gives.from).unwrap(), "net.connect");
        let rows = rows(p, "dial(2)");
        assert!(rows.contains(&"Return:Held@8".to_owned()), "{rows:?}");
        assert!(!rows_of(p, dial[0]).iter().any(|row| row.contains("Held")));
    });
}

fn rows_of(project: &Project<'_>, call: In<CallId>) -> Vec<String> {
    project
        .obligations(call)
        .iter()
        .flat_map(|obligation| project.paths(obligation))
        .map(|row| format!("{:?}:{:?}", row.exit, row.state))
        .collect()
}

fn cpp(text: &str, of: &str) -> Vec<String> {
    ask(&[("p/a.cc", text)], |p| rows(p, of))
}

#[test]
fn paths_of_heap_blocks() {
    let found = cpp(
        "int f(int n) { char* p = (char*)malloc(n);
         if (p == NULL) return -1;
         if (n > 4) return 1;
         free(p);
         return 0; }",
        "malloc",
    );
    assert!(found.contains(&"Return:Held@3".to_owned()), "{found:?}");
    assert!(found.contains(&"Return:NotAcquired@2".to_owned()), "{found:?}");
    assert!(found.contains(&"Return:Released@5".to_owned()), "{found:?}");
    let found = cpp(
        "int f(int n) { bool own = false; char* p = NULL;
         if (n) { p = (char*)malloc(n); own = true; }
         if (own) free(p);
         return 0; }",
        "malloc",
    );
    assert!(!found.iter().any(|row| row.contains("Held")), "{found:?}");
    let found = cpp(
        "int f(int n) { int r = 1; char* p = (char*)malloc(n);
         if (n > 3) goto out;
         r = 0;
         out: free(p);
         return r; }",
        "malloc",
    );
    assert!(!found.iter().any(|row| row.contains("Held")), "{found:?}");
    let found = cpp("void f() { std::unique_ptr<Foo> p(new Foo()); g(); }", "new Foo");
    assert!(!found.iter().any(|row| row.contains("Held")), "{found:?}");
}

#[test]
fn members_are_joined_over_header_and_source() {
    let files = [
        (
            "p/foo.h",
            "class Base { protected: char* name_; }; class Foo : public Base { public: Foo(); ~Foo(); void Set(); private: char* buf_; };",
        ),
        (
            "p/foo.cc",
            "#include \"foo.h\"\nFoo::Foo() { buf_ = (char*)malloc(4); name_ = strdup(\"x\"); }\nFoo::~Foo() { free(buf_); }\nvoid Foo::Set() { this->buf_ = 0; }",
        ),
    ];
    ask(&files, |p| {
        let free = call(p, "free(buf_)");
        let place = p.place(p.argument(free, 0).unwrap()).unwrap();
        let (class, name) = place.field().expect("a field");
        assert_eq!(name, "buf_");
        assert_eq!(p.class(class).name, "Foo");
        assert!(p.accesses(place).len() >= 3, "{:?}", p.accesses(place));
        assert_eq!(p.methods(class).len(), 3);
        let base = p.fields(p.bases(class)[0]);
        assert_eq!(p.accesses(base[0]).len(), 1);
    });
}

#[test]
fn paths_go_on_in_the_steps_of_a_promise_chain() {
    let text = |close: &str| {
        format!(
            "function write(p, o, cb) {{ let fd = null;
             new Promise((resolve) => {{ setImmediate(resolve); }}).then(function open() {{
               return new Promise(function (resolve, reject) {{
                 fs.open(p, 'w', function (err, f) {{ fd = f; if (err) reject(err); else resolve(); }});
               }});
             }}).then(function put() {{ return new Promise((resolve, reject) => {{ fs.write(fd, 'x', e => e ? reject(e) : resolve()); }});
             }}).then(function done() {{
               {close}
             }}).then(cb, cb); }}"
        )
    };
    let bad = js(&text("if (o.sync) {\n fs.closeSync(fd);\n }"), "fs.open(");
    assert!(bad.iter().any(|row| row.contains("Held")), "{bad:?}");
    let good = js(&text("fs.closeSync(fd);"), "fs.open(");
    assert!(!good.iter().any(|row| row.contains("Held")), "{good:?}");
}

#[test]
fn a_promisified_function_gives_by_promise() {
    let text = "const fs = require('fs'), { promisify } = require('util');
        const open = promisify(fs.open);
        async function f(path) { const fd = await open(path, 'r'); use(fd); }
        const fse = require('fs-extra');
        async function g(path) { const fd = await fse.open(path); use(fd); }";
    ask(&[("p/a.js", text)], |p| {
        for site in ["open(path, 'r')", "fse.open"] {
            let gives = p.gives(call(p, site)).expect("it gives a descriptor");
            assert_eq!(gives.ty.name, "fs.fd");
            assert_eq!(gives.by, By::Promise);
        }
    });
}

#[test]
fn inherited_catalog_methods_are_known_without_their_receiver() {
    let text = "class A : public Nan::ObjectWrap { void Grab(); void Keep() { Ref(); } };
        void A::Grab() { Ref(); Helper(); }";
    ask(&[("a.cc", text)], |p| {
        let paths: Vec<String> = p.calls().filter_map(|call| Some(p.path(call)?.to_string())).collect();
        assert_eq!(paths.iter().filter(|path| *path == "node::ObjectWrap#Ref").count(), 2, "{paths:?}");
        assert!(paths.iter().any(|path| path == "Helper"), "{paths:?}");
    });
}

#[test]
fn super_calls_are_calls_of_the_catalog_type() {
    let text = "const { EventEmitter } = require('events');
        class A extends EventEmitter { on(event, f) { this.n = 1; return super.on(event, f); } }";
    ask(&[("p/a.js", text)], |p| {
        assert_eq!(path(p, "super.on"), "events.EventEmitter#on");
        assert!(p.receiver(call(p, "super.on")).is_some());
    });
}

#[test]
fn what_methods_do_with_a_field_is_known_through_their_helpers() {
    let text = "class A {
       start() { this.timer = setInterval(f, 1); }
       stop() { this.clear(); }
       clear() { if (this.timer) { clearInterval(this.timer); this.timer = null; } }
       half(x) { if (x) clearInterval(this.timer); }
       other() { this.x = 1; }
       take() { const t = this.timer; this.timer = null; clearInterval(t); }
       drop() { this.timer = null; }
     }
     module.exports = A;";
    ask(&[("p/a.js", text)], |p| {
        let set = call(p, "setInterval");
        let field = p.fields(p.class_of(function(p, "start")).unwrap());
        let place = *field.iter().find(|place| p.place_text(**place) == "this.timer").unwrap();
        let ty = p.gives(set).map(|gives| gives.ty);
        let doing = |name: &str| p.place_effect(function(p, name), place, ty);
        assert_eq!(doing("stop"), Doing::Releases);
        assert_eq!(doing("clear"), Doing::Releases);
        assert_eq!(doing("half"), Doing::MayRelease);
        assert_eq!(doing("other"), Doing::Borrows);
        assert_eq!(doing("take"), Doing::Releases);
        let rows = p.place_paths(function(p, "drop"), place, ty);
        assert!(rows.iter().any(|row| row.exit == ExitKind::Overwrite && row.is_lost()), "{rows:?}");
    });
}
