//! What JavaScript and TypeScript become: each test gives a snippet and the lines of its facts that matter.

use leaklint::lower::lower;
use leaklint::model::dump::dump;
use leaklint::model::{Flow, Step, Summary, Value};

/// The facts of a snippet, as `leaklint facts` prints them.
fn facts(path: &str, source: &str) -> String {
    let summary = lower(path, source);
    check_whole(&summary, source);
    dump(&summary)
}

/// Checks what holds of every summary: each call happens once, in its own function; places are places; spans lie in the text.
#[track_caller]
fn check_whole(summary: &Summary, source: &str) {
    let mut happens = vec![0; summary.calls.len()];
    for (at, function) in summary.functions.iter().enumerate() {
        assert!(function.span.end as usize <= source.len());
        assert_eq!(function.parent.is_none(), at == 0);
        function.flow.walk(&mut |flow| match flow {
            Flow::Step(Step::Call(call)) => {
                happens[call.index()] += 1;
                assert_eq!(summary.call(*call).function.index(), at);
            }
            Flow::Step(Step::Assign(assign)) => {
                let place = summary.value(assign.place);
                assert!(!matches!(place, Value::This(_) | Value::Literal(_) | Value::Class(_)), "{place:?}");
            }
            _ => {}
        });
    }
    for (call, times) in summary.calls.iter().zip(happens) {
        // Compiled private fields are read as assignments.
        let is_field = call.span.of(source).contains(".set(this");
        assert!(times == 1 || is_field, "{}", call.span.of(source));
    }
    for (at, binding) in summary.bindings.iter().enumerate() {
        assert!(summary.scope(binding.scope).bindings.iter().any(|id| id.index() == at));
    }
}

/// Checks that the facts of a snippet hold these lines, in this order, and that nothing was lost.
#[track_caller]
fn check_as(path: &str, source: &str, lines: &[&str]) {
    let facts = facts(path, source);
    let mut left = facts.lines().map(str::trim);
    for line in lines {
        assert!(left.any(|fact| fact == *line), "no line `{line}` (in this order) in\n{facts}");
    }
    assert!(!facts.starts_with("error") && !facts.starts_with("partial"), "{facts}");
}

#[track_caller]
fn check(source: &str, lines: &[&str]) {
    check_as("a.js", source, lines);
}

/// Checks that a line is not among the facts of a snippet.
#[track_caller]
fn check_absent(source: &str, line: &str) {
    let facts = facts("a.js", source);
    assert!(!facts.lines().any(|fact| fact.trim() == line), "`{line}` in\n{facts}");
}

mod values {
    use super::*;

    #[test]
    fn aliases_of_this_are_this() {
        check(
            "function F() { var self = this; on(function () { self.t = setInterval(g, 1); }); }",
            &["fn#2 plain() in fn#1 captures-this captures self", "this#1.t = setInterval(g, 1)"],
        );
        check("class A { m() { on(() => this.x); } }", &["fn#2 arrow() in fn#1 captures-this", "return this#1.x"]);
        check_absent("function F() { var self = this; self.x(); }", "declare self = this#1");
    }

    #[test]
    fn bound_literals_use_the_outer_receiver() {
        check(
            "function f() { on(function () { this.a(); }.bind(this)); }",
            &["on(fn#2.bind(this#1)) [discarded]", "this#1.a() [discarded]"],
        );
        check(
            "function f() { list.forEach(function (x) { this.a(x); }, this); (function () { this.b(); }).call(this); }",
            &["fn#3() [discarded]", "this#1.a(x) [discarded]", "this#1.b() [discarded]"],
        );
    }

    #[test]
    fn imports_in_all_forms() {
        check(
            "import d, { a as b } from 'x'; import * as n from 'y'; d(); b(); n.c();",
            &[
                "import d of fn#0, 1 assignments, is import(x).default",
                "import b of fn#0, 1 assignments, is import(x).a",
                "import n of fn#0, 1 assignments, is import(y)",
            ],
        );
        check(
            "const { a } = require('x'), b = require('y').c; const z = await import('z');",
            &["declare a = import(x).a", "declare b = import(y).c", "declare z = import(z)"],
        );
        for wrapper in ["__importDefault", "__importStar", "_interopRequireDefault", "tslib_1.__importStar", "__toESM"]
        {
            check(&format!("const x = {wrapper}(require('x'));"), &["declare x = import(x)"]);
        }
        check("const x_1 = require('x'); (0, x_1.f)(1);", &["x_1.f(1) [discarded]"]);
        check_as(
            "a.ts",
            "import x = require('x'); import { type T, y } from 'y'; x.f(y as T);",
            &["x.f(y) [discarded]"],
        );
    }

    #[test]
    fn casts_and_parentheses_say_nothing() {
        check_as("a.ts", "((a as any)!.b satisfies X).c(<Y>d);", &["a.b.c(d) [discarded]"]);
    }

    #[test]
    fn choices_spreads_and_objects() {
        check(
            "const a = b ? c() : d; const e = f || {}; g(...h, { i, j: 1, ...k }); const [l, m] = [n, o()];",
            &[
                "if b",
                "c()",
                "declare a = (c() | d)",
                "declare e = (f | {})",
                "g(...h, {i: i, j: 1, ...k}) [discarded]",
                "declare l = n",
                "declare m = o()",
            ],
        );
    }

    #[test]
    fn places() {
        check(
            "a['b'] = 1; a[c] = 2; delete a[c]; a.d ??= e(); a.n++; x = y;",
            &[
                "a.b = 1",
                "a[c] = 2",
                "delete a[c]",
                "if a.d == null",
                "e()",
                "if-empty a.d = e()",
                "a.n = ?(a.n, \"++\")",
            ],
        );
        check("s[Symbol.dispose]();", &["s.@@dispose() [discarded]"]);
        check("read(x); x = 5;", &["implicit x of fn#0, 1 assignments, is 5", "read(x) [discarded]"]);
    }

    #[test]
    fn optional_discarded_awaited() {
        check(
            "async function f() { a?.b(); const x = await c(); await d(); void e(); }",
            &[
                "a.b() [discarded optional]",
                "c() [awaited]",
                "await c()",
                "declare x = (await c())",
                "d() [discarded awaited]",
                "e() [discarded]",
            ],
        );
    }

    #[test]
    fn templates_and_operators_tell_keys_apart() {
        check(
            "m.set(`a:${k}`, v); m.delete(`b:${k}`); n[i + 1] = n[i - 1]; tag`x ${y}`;",
            &[
                "m.set(?(\"a:\", k), v) [discarded]",
                "m.delete(?(\"b:\", k)) [discarded]",
                "n[?(\"+\", i, 1)] = n[?(\"-\", i, 1)]",
                "tag(\"…\", y)",
            ],
        );
    }

    #[test]
    fn jsx_mentions_its_parts() {
        check_as(
            "a.jsx",
            "const e = <A on={f(x)} {...p}>{y} text <b/></A>;",
            &["f(x)", "declare e = ?(A, f(x), p, y, ?())"],
        );
    }
}

mod scopes {
    use super::*;

    #[test]
    fn hoisting_shadowing_and_single_values() {
        check(
            "f(); function f() { v = 1; if (a) { var v; let w = 2; { let w = 3; use(w); } } } const once = g(), { p, q: [r] } = o;",
            &[
                "function f of fn#0, 1 assignments, is fn#1",
                "const once of fn#0, 1 assignments, is g()",
                "const p of fn#0, 1 assignments, is o.p",
                "const r of fn#0, 1 assignments, is o.q[0]",
                "var v of fn#1, 1 assignments, is 1",
                "use(w$6) [discarded]",
                "end of w$6",
                "end of w$5",
                "end of v",
            ],
        );
    }

    #[test]
    fn captures() {
        check(
            "function f(big) { const id = big.id; return () => () => id; }",
            &[
                "const id of fn#1, 1 assignments, is big.id, captured by fn#2 fn#3",
                "fn#2 arrow() in fn#1 captures id",
                "fn#3 arrow() in fn#2 captures id",
            ],
        );
        check("function f() { let a; eval('a'); }", &["fn#0 module() eval", "fn#1 plain f() in fn#0 eval"]);
    }

    #[test]
    fn parameters() {
        check(
            "function f(a = g(), { b, c = 1 }, ...d) {}",
            &[
                "parameter 0 a of fn#1, 1 assignments",
                "parameter 1 $2 of fn#1, 1 assignments",
                "parameter 2 d of fn#1, 1 assignments",
                "let b of fn#1, 1 assignments, is $2.b",
                "let c of fn#1, 1 assignments, is ($2.c | 1)",
                "fn#1 plain f(a, $2, d) in fn#0",
                "if a == undefined",
                "g()",
                "default a = g()",
            ],
        );
        check("(function (w) { w.x = 1; })(window);", &["parameter 0 w of fn#1, 1 assignments, is window"]);
    }

    #[test]
    fn names_of_literals() {
        check(
            "const a = () => {}; o.b = function () {}; p = { c() {}, d: function () {} }; const e = class {};",
            &[
                "class e",
                "fn#1 arrow a() in fn#0",
                "fn#2 plain b() in fn#0",
                "fn#3 method c() in fn#0",
                "fn#4 plain d() in fn#0",
            ],
        );
    }
}

mod flow {
    use super::*;

    #[test]
    fn short_circuits_branch() {
        check(
            "a && b(); c || d(); const e = f && g(); if (h && i() && j) k();",
            &[
                "if a",
                "b() [discarded]",
                "if c",
                "else",
                "d() [discarded]",
                "if f",
                "g()",
                "if h",
                "i()",
                "if (h and i() and j)",
            ],
        );
    }

    #[test]
    fn loops_run_their_tests() {
        check(
            "while ((m = next())) use(m); for (let i = 0; i < n; i++) { if (x) continue; y(i); }",
            &[
                "loop while true",
                "next() [in-loop]",
                "m = next()",
                "if next()",
                "else",
                "break",
                "use(m) [discarded in-loop]",
                "declare i = 0",
                "loop while i < n",
                "if x",
                "continue",
                "y(i) [discarded in-loop]",
                "i = ?(i, \"++\")",
            ],
        );
        check(
            "for (const [k, v] of map) v.close(); for (const k in o) delete o[k]; async () => { for await (const c of s) use(c); };",
            &[
                "loop foreach ?(map)",
                "declare k$0 = map[?(map)][0]",
                "declare v = map[?(map)][1]",
                "delete o[k$2]",
                "await s",
            ],
        );
        check("do { a(); } while (b());", &["loop dowhile b()", "a() [discarded in-loop]", "b() [in-loop]"]);
    }

    #[test]
    fn switch_try_labels_exits() {
        check(
            "function f() { switch (a()) { case 1: b(); break; default: return c; }
               l: for (;;) { try { throw d; } catch (e) { continue l; } finally { g(); } } }",
            &[
                "a()",
                "switch a() with default",
                "arm",
                "b() [discarded]",
                "break",
                "arm",
                "return c",
                "l:",
                "loop while true",
                "try",
                "throw d",
                "catch e",
                "continue l",
                "finally",
                "g() [discarded in-loop]",
            ],
        );
        check("if (bad) process.exit(1);", &["process.exit(1) [discarded]", "never"]);
    }

    #[test]
    fn using_drops_on_every_way() {
        check_as(
            "a.ts",
            "async function f() { using a = open(); if (x) return 1; await using b = make(); use(a, b); }",
            &[
                "declare a = open()",
                "try",
                "return 1",
                "declare b = make()",
                "try",
                "use(a, b) [discarded]",
                "finally",
                "drop b",
                "await b",
                "finally",
                "drop a",
            ],
        );
    }

    #[test]
    fn generators_yield() {
        check(
            "function* g() { const r = yield open(); }",
            &["fn#1 plain g() in fn#0 generator", "open()", "yield open()"],
        );
    }
}

mod classes {
    use super::*;

    #[test]
    fn fields_run_in_the_constructor() {
        check(
            "class A extends B { #t = null; list = []; static all = new Set(); static { reg(this); }
               constructor(x) { super(x); this.x = x; } get size() { return 1; } async [Symbol.asyncDispose]() {} #p() {} }",
            &[
                "class A extends B",
                "constructor fn#1",
                "static method  fn#2",
                "method size fn#3",
                "method @@asyncDispose fn#4",
                "method #p fn#5",
                "field #t = null",
                "static field all = new Set()",
                "new Set()",
                "declare class A.all = new Set()",
                "declare this#1.#t = null",
                "declare this#1.list = []",
                "super(x) [discarded]",
                "this#1.x = x",
                "reg(class A) [discarded]",
            ],
        );
        check(
            "class A extends B { m = new Map(); }",
            &[
                "fn#1 constructor constructor() of A in fn#0",
                "super(...arguments) [discarded]",
                "declare this#1.m = new Map()",
            ],
        );
    }

    #[test]
    fn typescript_classes() {
        check_as(
            "a.ts",
            "@Inject({ a: 1 }) export class S<T> extends Base<Row> { timer?: NodeJS.Timeout | null; m: Map<string, Foo[]> = new Map();
               abstract q(): void; over(a: string): void; over(a: any) {}
               constructor(private readonly db: Db, n = 1) { super(); } }",
            &[
                "class S extends Base<Row> @Inject",
                "method over fn#2",
                "field timer: NodeJS.Timeout",
                "field m: Map<string, Foo> = new Map()",
                "field db: Db = db",
                "Inject({a: 1})",
                "declare this#1.m = new Map()",
                "declare this#1.db = db",
            ],
        );
    }

    #[test]
    fn prototypes() {
        check(
            "function A() { this.x = 1; } util.inherits(A, EventEmitter); A.prototype.m = function () {};
             A.make = function () {}; var p = A.prototype; p.n = function () {};",
            &[
                "class A extends EventEmitter",
                "constructor fn#1",
                "method m fn#2",
                "method n fn#4",
                "static method make fn#3",
            ],
        );
        check(
            "function A() {} A.prototype = { a: function () {}, get b() { return 1; } }; A.prototype.__proto__ = B.prototype;",
            &["class A extends B", "method a fn#2", "method b fn#3"],
        );
        check(
            "function A() {} A.prototype = Object.create(B.prototype); Object.assign(A.prototype, { m() {} }, C.prototype);",
            &["class A extends B, C", "method m fn#2"],
        );
        check(
            "function Pool() { this.close = function () {}; } module.exports = Pool;",
            &["class Pool", "method close fn#2"],
        );
        check(
            "var M = Base.extend({ init() {}, stop: function () {} });",
            &["class M extends Base", "method init fn#1", "method stop fn#2"],
        );
        check_absent("function plain() { this.x = 1; }", "class plain");
    }
}

mod exports {
    use super::*;

    #[test]
    fn es_modules() {
        check(
            "export const a = 1, { b } = c; export function d() {} export default class E {} export { d as f };
             export * from './g'; export * as h from './h'; export { i as j } from './i';",
            &[
                "include ./g",
                "export a = a",
                "export b = b",
                "export d = d",
                "export default = E",
                "export f = d",
                "export h = import(./h)",
                "export j = import(./i).i",
            ],
        );
    }

    #[test]
    fn commonjs() {
        check(
            "exports = module.exports = make; module.exports.a = 1; exports.b = exports.c = f; Object.assign(exports, { d });",
            &["export = = make", "export a = 1", "export c = f", "export b = f", "export d = d"],
        );
        check("module.exports = { a, b: 1, ...require('./c') };", &["include ./c", "export a = a", "export b = 1"]);
        check("var app = module.exports = {}; app.use = f;", &["export = = {}", "export use = f"]);
        check(
            "Object.defineProperty(exports, 'a', { enumerable: true, get: function () { return x_1.b; } }); __exportStar(require('./y'), exports);",
            &["include ./y", "export a = x_1.b"],
        );
        check(
            "var lib_exports = {}; __export(lib_exports, { a: () => a }); module.exports = __toCommonJS(lib_exports); function a() {}",
            &["export a = a"],
        );
        check(
            "Object.keys(_o).forEach(function (key) { exports[key] = _o[key]; }); var _o = require('./o');",
            &["include ./o"],
        );
    }

    #[test]
    fn universal_modules() {
        check(
            "(function (root, factory) { if (typeof define === 'function') define([], factory); else module.exports = factory(require('x')); })(this, function (x) {
               function Lib() { this.x = x; } return Lib; });",
            &["export = = class Lib", "class Lib", "parameter 0 x of fn#2, 1 assignments, is import(x), captured by fn#3"],
        );
    }

    #[test]
    fn typescript_exports() {
        check_as(
            "a.ts",
            "export enum E { A = f() } export namespace N { export const q = 1; } declare const g: X; interface I {} export = E;",
            &["export E = E", "export N = N", "export = = E", "f()", "declare E = {A: f()}", "N.q = q"],
        );
    }
}

mod compiled {
    use super::*;

    #[test]
    fn async_functions() {
        check(
            "class A { go(a) { return __awaiter(this, void 0, void 0, function* () { yield this.x(a); }); } }
             const f = () => __awaiter(void 0, void 0, void 0, function* () { return yield g(); });",
            &[
                "fn#1 method go(a) of A in fn#0 async",
                "this#1.x(a) [discarded awaited]",
                "fn#2 arrow f() in fn#0 async",
                "return (await g())",
            ],
        );
        check(
            "function f() { return _f.apply(this, arguments); } function _f() { _f = _asyncToGenerator(function* () { yield x(); }); return _f.apply(this, arguments); }",
            &[
                "function _f of fn#0, 1 assignments, is fn#3, captured by fn#1 fn#2",
                "fn#3 plain _f() in fn#2 async",
                "await x()",
            ],
        );
        check(
            "function f() { return __awaiter(this, void 0, void 0, function () { var a; return __generator(this, function (_b) {
               switch (_b.label) { case 0: return [4, open()]; case 1: a = _b.sent(); if (!a) return [3, 3]; _b.label = 2;
               case 2: a.close(); _b.label = 3; case 3: return [2]; } }); }); }",
            &["fn#1 plain f() in fn#0 async", "await open()", "a = (await open())", "if not a", "goto case 3", "label case 2", "a.close() [discarded]", "label case 3", "return"],
        );
    }

    #[test]
    fn private_members() {
        check(
            "var _A_t, _A_m; class A { constructor() { _A_t.set(this, open()); } go() { __classPrivateFieldGet(this, _A_t, 'f').x(); __classPrivateFieldSet(this, _A_t, null, 'f'); __classPrivateFieldGet(this, _A_i, 'm', _A_m).call(this, 1); } }
             _A_t = new WeakMap(), _A_m = function _A_m() { this.y(); };",
            &["method go fn#2", "method #m fn#3", "this#1.#t = open()", "this#2.#t.x() [discarded]", "this#2.#t = null", "this#2.#m(1) [discarded]"],
        );
        check("class A { m() { return _classPrivateFieldGet(_t, this); } }", &["return this#1.#t"]);
    }

    #[test]
    fn classes_of_old_targets() {
        check(
            "var B = (function (_super) { __extends(B, _super); function B() { var _this = _super.call(this) || this; _this.t = 1; return _this; }
               B.prototype.m = function () {}; return B; })(A); new B();",
            &["class B extends _super", "constructor fn#2", "method m fn#3", "var B$0 of fn#0, 1 assignments, is class B", "this#2.t = 1"],
        );
        check(
            "var B = function () { function B() { _classCallCheck(this, B); } return _createClass(B, [{ key: 'm', value: function () {} }]); }();",
            &["class B", "method m fn#3", "var B$0 of fn#0, 1 assignments, is class B"],
        );
        check("let A = class A {}; A = __decorate([Inject()], A);", &["let A$0 of fn#0, 1 assignments, is class A"]);
    }

    #[test]
    fn emitted_helpers_are_not_code() {
        check_absent(
            "var __awaiter = (this && this.__awaiter) || function () { return new Promise(f); };",
            "new Promise(f)",
        );
    }
}

mod odd_input {
    use super::*;

    #[test]
    fn what_node_accepts() {
        for source in [
            "#!/usr/bin/env node\nreturn 5;",
            "\u{feff}'use strict'; const a = 1; const a = 2;",
            "var yield_ = 1, let_ = 2; with (a) { b(); } var x = 010; delete x; function f(a, a) {}",
            "var await = 1; var let = 2; await + let;",
            "<!-- html\nf();\n--> comment\n",
            "import j from './j.json' with { type: 'json' }; await x; export {};",
            "@dec class A { @dec accessor x = 1; @dec() m() {} }",
            "exports.a = 1; import b from 'b';",
            "label: { break label; } if (a) function g() {} for (var i = 0 in o) {}",
            "class A { static async *#x() { yield* super.y?.(); } } a ||= b ?? c ** 2n; /(?<y>\\d)/v.test(z);",
            "const f = (a: number, b?: string): void => {};",
            "// nothing but a comment",
            "",
        ] {
            let summary = lower("a.js", source);
            assert!(summary.errors.is_empty(), "{source}: {:?}", summary.errors);
        }
    }

    #[test]
    fn errors_leave_the_rest_readable() {
        let source = "a();\nfunction bad() {\n  x.query(...)\n    .then(y);\n}\nfunction good() {\n  b();\n}\nc();\n";
        let summary = lower("a.js", source);
        assert!(summary.partial);
        assert_eq!(summary.errors.len(), 1);
        assert_eq!(summary.errors[0].offset as usize, source.find(")\n    .then").unwrap());
        let facts = dump(&summary);
        for line in
            ["a() [discarded]", "x.query()", "x.query().then(y) [discarded]", "b() [discarded]", "c() [discarded]"]
        {
            assert!(facts.lines().any(|fact| fact.trim() == line), "{facts}");
        }
    }

    #[test]
    fn spans_are_bytes_of_the_text_as_it_was_read() {
        for source in ["\u{feff}/* é */ foo(1);", "'😀'; foo(1)", "#!node\r\n\r\nfoo(1)", "x = ;\nfoo(1)\n"] {
            let summary = lower("a.js", source);
            assert_eq!(summary.calls[0].span.of(source), "foo(1)");
            assert_eq!(summary.calls[0].name_span.of(source), "foo");
        }
    }

    #[test]
    fn broken_pieces_are_left_out_alone() {
        let cases = [
            ("class A { good() { x(); }\n bad() {\n let 5 = 6;\n y();\n }\n}\n", 1),
            ("function f() {\n  x();\n  if (\n  y();\n}\nz();\n", 1),
            ("x();\nconst a = {\n  b: 1 2,\n};\ny();\n<<<<<<< HEAD\nz();\n", 2),
        ];
        for (source, errors) in cases {
            let summary = lower("a.js", source);
            let facts = dump(&summary);
            assert_eq!(summary.errors.len(), errors, "{facts}");
            assert!(facts.contains("x() [discarded]"), "{facts}");
        }
    }

    #[test]
    fn nothing_panics() {
        let sources = [
            "\0\0\0".to_owned(),
            "a\0b".to_owned(),
            "}}}}".to_owned(),
            "((((".to_owned(),
            "`${".to_owned(),
            "/*".to_owned(),
            "'\n".to_owned(),
            "import".to_owned(),
            "class A { constructor() {} constructor() {} get() {} set() {} static static() {} async() {} }".to_owned(),
            "({ a, b, c } = d)".to_owned(),
            "[...a, ...b] = c; ({ ...x.y } = z); [a.b, c[d]] = e".to_owned(),
            "\u{7f}ELF\u{fffd}\u{fffd}".to_owned(),
            "'\u{2028}\u{2029}'; a\u{2028}b".to_owned(),
            "é; \u{1f600}; '\\ud800'; var \\u0061 = 1".to_owned(),
            "a b c\n".repeat(5000),
            "function f() { a b }\n".repeat(5000),
        ];
        for source in &sources {
            for path in ["a.js", "a.ts", "a.tsx", "a.mjs", "a.cjs", "a.jsx", "a.mts", "a.cts"] {
                dump(&lower(path, source));
            }
        }
    }

    #[test]
    fn depth_is_survived() {
        let n = 20_000;
        let deep = [
            format!("{}1{}", "(".repeat(n), ")".repeat(n)),
            format!("{}{}", "[".repeat(n), "]".repeat(n)),
            format!("{}{}", "f(".repeat(n), ")".repeat(n)),
            format!("{}{}", "{".repeat(n), "}".repeat(n)),
            format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)),
            format!("{}{}", "(function(){".repeat(1_500), "})()".repeat(1_500)),
            format!("{}1", "!".repeat(n)),
            format!("{}1", "x=>".repeat(n)),
            format!("a{}", "+a".repeat(n)),
            format!("a(){}", "&&a()".repeat(n)),
            format!("a{}", ".b()".repeat(n)),
            format!("{}c", "a?b:".repeat(n)),
            format!("if(a)b(){}", "\nelse if(a)b()".repeat(n / 4)),
            format!("a{}", ".b(c)".repeat(190)),
            format!("{}1{}", "f(".repeat(39), ")".repeat(39)),
        ];
        for source in &deep {
            let summary = lower("a.js", source);
            drop(summary);
        }
    }

    #[test]
    fn equal_text_has_equal_ids() {
        let summary =
            lower("a.js", "class A { a() { this.x.on('e', this.h); } b() { const s = this; s.x.off('e', s.h); } }");
        let [on, off] = &summary.calls[..] else { panic!("two calls") };
        assert_eq!(on.arguments[0].value, off.arguments[0].value);
        assert_ne!(on.callee, off.callee);
        let facts = dump(&summary);
        assert!(facts.contains("this#2.x.off(\"e\", this#2.h)"), "{facts}");
    }
}
