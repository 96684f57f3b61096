//! Lowering of C, C++ and Objective-C++: what small pieces of code come out as, and that nothing breaks it.

use leaklint::lower::{self, ProjectMacros};
use leaklint::model::{self, BindingKind, Cond, Exit, Flow, FunctionKind, Holder, Literal, Name, Step, Summary, Value};
use rayon::prelude::*;

fn lower(text: &str) -> Summary {
    let summary = lower::lower("a.cc", text);
    assert!(!summary.partial, "parses cleanly:\n{text}");
    summary
}

/// The flow of a function, one step a line, values as code.
fn flow(summary: &Summary, name: &str) -> String {
    let found = summary.functions.iter().find(|function| function.name == *name && function.has_body);
    let function = found.unwrap_or_else(|| panic!("no function {name}:\n{}", model::dump::dump(summary)));
    let mut lines = String::new();
    write_flow(summary, &function.flow, 0, &mut lines);
    lines
}

fn write_flow(summary: &Summary, flow: &Flow, depth: usize, out: &mut String) {
    let value = |id| model::dump::value(summary, id);
    let names = |bindings: &[model::BindingId]| {
        bindings.iter().map(|id| summary.binding(*id).name.to_string()).collect::<Vec<_>>().join(" ")
    };
    let mut line = |text: String| *out += &format!("{}{text}\n", "  ".repeat(depth));
    match flow {
        Flow::Sequence(parts) => parts.iter().for_each(|part| write_flow(summary, part, depth, out)),
        Flow::Step(Step::Call(id)) => line(value(
            summary.values.iter().position(|v| *v == Value::Result(*id)).map(|at| model::ValueId(at as u32)).unwrap(),
        )),
        Flow::Step(Step::Assign(assign)) => line(format!("{} = {}", value(assign.place), value(assign.value))),
        Flow::Step(Step::Drop(id)) => line(format!("drop {}", summary.binding(*id).name)),
        Flow::Step(Step::ScopeEnd { bindings, .. }) => line(format!("end {}", names(bindings))),
        Flow::Step(other) => line(format!("{other:?}")),
        Flow::Branch { cond, then, otherwise, .. } => {
            line(format!("if {}", cond_text(summary, cond)));
            write_flow(summary, then, depth + 1, out);
            if !otherwise.is_empty() {
                *out += &format!("{}else\n", "  ".repeat(depth));
                write_flow(summary, otherwise, depth + 1, out);
            }
        }
        Flow::Switch { arms, has_default, .. } => {
            line(format!("switch default={has_default}"));
            for arm in arms {
                *out += &format!("{}arm\n", "  ".repeat(depth));
                write_flow(summary, arm, depth + 1, out);
            }
        }
        Flow::Loop { kind, cond, body, .. } => {
            line(format!("{kind:?} {}", cond_text(summary, cond)));
            write_flow(summary, body, depth + 1, out);
        }
        Flow::Try { body, handler, finally } => {
            line("try".to_owned());
            write_flow(summary, body, depth + 1, out);
            if let Some((_, handler)) = handler {
                *out += &format!("{}catch\n", "  ".repeat(depth));
                write_flow(summary, handler, depth + 1, out);
            }
            if let Some(finally) = finally {
                *out += &format!("{}finally\n", "  ".repeat(depth));
                write_flow(summary, finally, depth + 1, out);
            }
        }
        Flow::Labelled(name, body) => {
            line(format!("{name}:"));
            write_flow(summary, body, depth + 1, out);
        }
        Flow::Label(name) => line(format!("{name}:")),
        Flow::Exit(exit, _) => line(match exit {
            Exit::Return(Some(id)) => format!("return {}", value(*id)),
            Exit::Return(None) => "return".to_owned(),
            Exit::Throw(_) => "throw".to_owned(),
            Exit::Break(_) => "break".to_owned(),
            Exit::Continue(_) => "continue".to_owned(),
            Exit::Goto(name) => format!("goto {name}"),
            Exit::Macro(name) => format!("macro {name}"),
            Exit::Never => "never".to_owned(),
        }),
    }
}

fn cond_text(summary: &Summary, cond: &Cond) -> String {
    let value = |id| model::dump::value(summary, id);
    let all =
        |parts: &[Cond], glue: &str| parts.iter().map(|part| cond_text(summary, part)).collect::<Vec<_>>().join(glue);
    match cond {
        Cond::Truthy(id) => value(*id),
        Cond::Equal(a, b) => format!("{} == {}", value(*a), value(*b)),
        Cond::Less(a, b) => format!("{} < {}", value(*a), value(*b)),
        Cond::AtMost(a, b) => format!("{} <= {}", value(*a), value(*b)),
        Cond::Not(inner) => format!("!({})", cond_text(summary, inner)),
        Cond::All(parts) => all(parts, " && "),
        Cond::Any(parts) => all(parts, " || "),
        Cond::Config(name) => format!("#{name}"),
        Cond::Opaque(_) => "?".to_owned(),
    }
}

/// Compares line by line, indentation of the expectation's first line taken off.
fn check(text: &str, name: &str, expected: &str) {
    let summary = lower(text);
    let indent = expected.lines().nth(1).map_or(0, |line| line.len() - line.trim_start().len());
    let expected: String =
        expected.lines().skip(1).map(|line| line.get(indent..).unwrap_or("").to_owned() + "\n").collect();
    assert_eq!(flow(&summary, name).trim_end(), expected.trim_end(), "{text}");
}

#[test]
fn values_and_conditions() {
    check(
        "void f(int n) { char* p = (char*) malloc(n); if (!p || g(p) < 0) return; int fd; if ((fd = open(\"x\", 0)) == -1 && p != NULL) { use(*p, &fd, p[1], a->b.c, (*p).d); } free(p); }",
        "f",
        "
        malloc(n)
        p = malloc(n)
        if p
          g(p)
        if !(p) || g(p) < 0
          return
        open(\"x\", 0)
        fd = open(\"x\", 0)
        if fd == -1 && !(p == null)
          use(*p, &fd, p[1], a.b.c, p.d)
        free(p)
        end n p fd",
    );
}

#[test]
fn allocation_forms() {
    check(
        "void f(void* m) { T* a = new ns::T<int>(1); auto b = new char[10]; new (m) T(); new (std::nothrow) T; delete a; delete[] b; T* c[3]; char** d = new char*[3]; delete[] (char*) d; }",
        "f",
        "
        new ns.T(1)
        a = new ns.T(1)
        new char(10)
        b = new char(10)
        new T(m)
        new T()
        operator delete(a)
        operator delete[](b)
        new char(3)
        d = new char(3)
        operator delete[](d)
        end m a b c d",
    );
}

#[test]
fn loops_switches_and_labels() {
    check(
        "int f(X* x) { for (int i = 0; i < 3; i++) { if (x) continue; g(i); } while ((x = next(x))) { if (last(x)) break; } do { h(); } while (0); for (auto& y : list) k(y); switch (x->kind) { case 1: one(); case 2: two(); break; default: return 3; } goto out; out: return 0; }",
        "f",
        "
        i = 0
        While i < 3
          if x
            continue
          g(i)
          i = ?(i)
        end i
        While true
          next(x)
          x = next(x)
          if !(x)
            break
          last(x)
          if last(x)
            break
        h()
        ForEach ?
          y = ?(list)
          k(y)
        switch default=true
        arm
          one()
        arm
          two()
          break
        arm
          return 3
        goto out
        out:
        return 0",
    );
}

#[test]
fn raii_and_exits() {
    check(
        "void f() { std::string s(\"a\", 1); std::unique_ptr<T> p(new T); Lock lock(mutex); if (s.empty()) return; { Guard g; if (x) throw 1; } q(std::move(p)); try { a(); } catch (const std::exception& e) { abort(); } }",
        "f",
        "
        std.string(\"a\", 1)
        s = std.string(\"a\", 1)
        new T()
        std.unique_ptr(new T())
        p = std.unique_ptr(new T())
        Lock(mutex)
        lock = Lock(mutex)
        s.empty()
        if s.empty()
          drop lock
          drop p
          drop s
          return
        Guard()
        g = Guard()
        if x
          throw
        drop g
        q(move(p))
        try
          a()
        catch
          abort()
          never
        drop lock
        drop p
        drop s",
    );
}

#[test]
fn both_sides_of_if() {
    check(
        "void f() {\n#ifdef WIN32\n CloseHandle(h);\n#elif defined(MAC)\n mac();\n#else\n close(h);\n#endif\n#if !defined(A)\n if (x) {\n#else\n if (y) {\n#endif\n body();\n }\n#if 0\n dead();\n#endif\n}",
        "f",
        "
        if #defined(WIN32)
          CloseHandle(h)
        else
          if #defined(MAC)
            mac()
          else
            close(h)
        if !(#defined(A))
          if x
            body()
        else
          if y
            body()",
    );
}

#[test]
fn macros_are_expanded_in_place() {
    check(
        "#define CHECK(x) do { if (!(x)) return NULL; } while (0)\n#define COPY(from, to) char* to##Ch_ = 0; if (from) { to##Ch_ = new char[3]; }\n#define SIZE 10\nchar* f(T* t) { CHECK(t->ok); COPY(t, key) UNKNOWN_MACRO(t) use(keyCh_, SIZE); return keyCh_; }",
        "f",
        "
        if !(t.ok)
          return null
        keyCh_ = null
        if t
          new char(3)
          keyCh_ = new char(3)
        UNKNOWN_MACRO(t)
        macro UNKNOWN_MACRO
        use(keyCh_, SIZE)
        return keyCh_",
    );
}

#[test]
fn members_and_initialisers() {
    check(
        "class A : public B { public: A(int n) : B(n), p_(new P(n)), s_(\"x\") { q_ = n; go(); helper(n); T::st(); } void go(); static void st(); P* p_; std::string s_; int q_ = 7; P* z_ = nullptr; }; static void helper(int n) { free_it(n); }",
        "A",
        "
        this#1.q_ = 7
        this#1.z_ = null
        B(n$0)
        new P(n$0)
        this#1.p_ = new P(n$0)
        std.string(\"x\")
        this#1.s_ = std.string(\"x\")
        this#1.q_ = n$0
        this#1.go()
        fn#4(n$0)
        T.st()
        end n",
    );
}

#[test]
fn lambdas() {
    check(
        "void f(Env env) { char* d = make(); auto n = N::New(env, [d, this](Env, char* x) { delete[] x; }); run([&] { use(d); }); }",
        "f",
        "
        make()
        d = make()
        N.New(env, fn#2)
        n = N.New(env, fn#2)
        run(fn#3)
        drop env
        end d n",
    );
}

#[test]
fn captures_and_receivers() {
    let summary = lower("class A { void f() { int* d = new int; run([d, this] { delete d; x_ = 1; }); } int x_; };");
    let lambda = summary.functions.iter().find(|function| function.kind == FunctionKind::Arrow).unwrap();
    assert!(lambda.captures_this);
    assert_eq!(lambda.captures.len(), 1);
    assert_eq!(summary.binding(lambda.captures[0]).name, "d");
    assert_eq!(summary.binding(lambda.captures[0]).captured_by.len(), 1);
}

#[test]
fn classes() {
    let summary = lower(
        "namespace n { class A : public Napi::ObjectWrap<A>, B { public: A(); virtual ~A(); static void s(); void m() const; \
         private: char* a_ = nullptr; std::unique_ptr<T[]> b_; std::vector<X*> c_; v8::Persistent<v8::Object> d_; struct In { int x; } in_; void (*fn_)(int); }; } \
         n::A::~A() { delete[] a_; } void n::A::m() const {} \
         typedef struct { char* data; } item_t; union U { int i; char* s; };",
    );
    let class = &summary.classes[summary.classes.iter().position(|class| class.name == "n::A").unwrap()];
    assert_eq!(class.bases.len(), 2);
    assert_eq!(class.base_arguments, ["A"].map(Name::from));
    assert!(class.declares_destructor && class.has_virtual_destructor);
    assert!(summary.function(class.destructor.unwrap()).has_body);
    assert_eq!(class.methods.len(), 2);
    assert!(class.methods.iter().any(|method| method.name == "s" && method.is_static));
    let field = |name: &str| {
        let field = class.fields.iter().find(|field| field.name == *name).unwrap();
        field.ty.clone().unwrap()
    };
    assert_eq!(field("a_").holder, Holder::Raw);
    assert_eq!((field("b_").holder, field("b_").is_array), (Holder::Smart, true));
    assert_eq!((&*field("d_").name, field("d_").arguments), ("v8::Persistent", vec![Name::from("v8::Object")]));
    assert_eq!(field("in_").holder, Holder::Value);
    assert_eq!(field("fn_").holder, Holder::Raw);
    let value = class.fields[0].value.map(|id| summary.value(id).clone());
    assert_eq!(value, Some(Value::Literal(Literal::Null)));
    assert!(summary.classes.iter().any(|class| class.name == "item_t"));
    assert!(summary.classes.iter().any(|class| class.name == "U" && class.is_plain));
}

#[test]
fn bindings() {
    let summary = lower(
        "int f(char* a) { char* once = a; char* twice = a; twice = 0; int out; g(&out); static int s; { int a = 1; h(a); } return 0; }",
    );
    let binding = |name: &str| summary.bindings.iter().find(|binding| binding.name == *name).unwrap();
    assert!(binding("once").value.is_some());
    assert_eq!((binding("twice").value, binding("twice").assignments), (None, 2));
    assert!(binding("out").value.is_none());
    assert_eq!(binding("s").kind, BindingKind::Static);
    assert_eq!(binding("a").kind, BindingKind::Parameter(0));
    assert_eq!(summary.bindings.iter().filter(|binding| binding.name == "a").count(), 2);
}

#[test]
fn functions_by_macro() {
    let summary = lower(
        "class A { static NAN_METHOD(New); Q_OBJECT\n Q_PROPERTY(int x READ x)\n void f(); };\nNAN_METHOD(A::New) { one(); }\n\
         static NAN_MODULE_INIT(Init) { two(); }\nNAPI_METHOD(three) { x(); }\nEXPORT void four() NOEXCEPT { y(); }\nNODE_MODULE(addon, Init)\n",
    );
    for (name, qualifier) in [("New", Some("A")), ("Init", None), ("three", None), ("four", None)] {
        let function = summary.functions.iter().find(|function| function.name == *name).unwrap();
        assert!(function.has_body, "{name}");
        assert_eq!(function.class_name.map(|name| name.to_string()).as_deref(), qualifier, "{name}");
    }
    assert!(summary.calls.iter().any(|call| model::dump::value(&summary, call.callee) == "NODE_MODULE"));
}

#[test]
fn macros_know_their_exits() {
    let summary = lower(
        "#define A(x) if (!(x)) return 0\n#define B(x) do { foo(x); return; } while (0)\n#define C(x) A(x); more()\n\
         #define D [] { return 1; }\n#define E 3\n#define F() throw X(); \n",
    );
    let exits = |name: &str| {
        let found = summary.macros.iter().find(|one| one.name == *name).unwrap();
        (found.may_exit, found.always_exits)
    };
    assert_eq!(exits("A"), (true, false));
    assert_eq!(exits("B"), (true, true));
    assert_eq!(exits("C"), (true, false));
    assert_eq!(exits("D"), (false, false));
    assert_eq!(exits("E"), (false, false));
    assert_eq!(exits("F"), (true, true));
}

#[test]
fn macros_come_from_included_headers() {
    let files = [
        ("src/common.h", "#define GRAB(name) char* name = new char[8];\n"),
        ("src/a.h", "#include \"common.h\"\n"),
        ("src/a.cc", "#include \"a.h\"\nvoid f() { GRAB(x) use(x); }\n"),
        ("src/b.cc", "void f() { GRAB(x) use(x); }\n"),
    ];
    let macros = ProjectMacros::collect(files.par_iter().copied());
    let with = lower::lower_in(&macros, "src/a.cc", files[2].1);
    assert!(with.calls.iter().any(|call| call.is_array_new));
    // Spans of what a macro made are those of its call.
    let call = with.calls.iter().find(|call| call.is_array_new).unwrap();
    assert_eq!(call.span.of(files[2].1), "GRAB(x)");
    let without = lower::lower_in(&macros, "src/b.cc", files[3].1);
    assert!(!without.calls.iter().any(|call| call.is_array_new));
}

#[test]
fn code_that_does_not_parse_is_kept_apart() {
    let summary = lower::lower(
        "a.cc",
        "class A { void f() { garbage @@ $ ( ; delete p_; } void g() { free(x_); } char* x_; };\n\
         int h( { 1 +; }\nvoid ok() { char* q = (char*) malloc(3); if (q) foo(q; free(q); }\nnamespace n { static void fine() { i(); } }",
    );
    assert!(summary.partial);
    assert!(summary.errors.is_empty());
    for name in ["f", "g", "fine"] {
        assert!(summary.functions.iter().any(|function| function.name == *name && function.has_body), "{name}");
    }
    assert!(flow(&summary, "g").contains("free(this"));
}

#[test]
fn spans_are_those_of_the_file() {
    let text = "// comment\n#define P(x) x\nvoid f() { /* é */ int* p = new int(3); delete p; }\n";
    let summary = lower(text);
    let spans: Vec<&str> = summary.calls.iter().map(|call| call.span.of(text)).collect();
    assert_eq!(spans, ["new int(3)", "delete p"]);
    assert_eq!(summary.comments.iter().map(|span| span.of(text)).collect::<Vec<_>>(), ["// comment", "/* é */"]);
    let statement = summary.calls[1].statement.of(text);
    assert_eq!(statement, "delete p;");
}

#[test]
fn c_keywords_of_cpp_are_names_in_c() {
    let summary =
        lower::lower("a.c", "void f(struct x *this) { char *new = malloc(3); int class = this->delete; free(new); }");
    assert!(!summary.partial, "{}", model::dump::dump(&summary));
    assert_eq!(flow(&summary, "f").lines().next(), Some("malloc(3)"));
}

#[test]
fn odd_input_is_survived() {
    let deep = "{".repeat(20_000);
    let nested = format!("void f() {{ {} x(); {} }}", "if (a) {".repeat(5_000), "}".repeat(5_000));
    let parens = format!("int x = {}1{};", "(".repeat(20_000), ")".repeat(20_000));
    let chain = format!("void f() {{ {} z(); }}", "if (a) b(); else ".repeat(3_000));
    let sum = format!("int f() {{ return {} 1; }}", "a + ".repeat(20_000));
    let groups = format!("void f() {{ a(\n{}\n); }}", "#ifdef X\n b,\n#else\n c,\n#endif\n".repeat(300));
    let macros = format!(
        "{}void f() {{ M30(x); }}",
        (1..31).map(|n| format!("#define M{n}(x) M{}(x); M{}(x)\n", n - 1, n - 1)).collect::<String>()
    );
    let texts = [
        "",
        "\0",
        "\u{feff}int x;",
        "}",
        "#",
        "#if",
        "#else",
        "#endif",
        "#define",
        "#define X(",
        "\\",
        "'",
        "\"",
        "R\"(",
        "/*",
        "//",
        "int",
        "@",
        "void f() {",
        "#if 1\nvoid f() {\n#else\n",
        "\u{1F600}",
        "a\r\nb\rc",
        "#define A A\nA",
        "#define A B\n#define B A\nint x = A;",
        &deep,
        &nested,
        &parens,
        &chain,
        &sum,
        &groups,
        &macros,
    ];
    for text in texts {
        for path in ["a.c", "a.cc", "a.mm"] {
            lower::lower(path, text);
        }
    }
}

#[test]
fn objective_c() {
    let text = "#import <Foundation/Foundation.h>\n@interface List : NSObject { int *raw_; }\n@property (strong) NSArray *disks;\n- (void)fill;\n@end\n\
        @implementation List\n- (id)initWith:(NSString *)name count:(int)n {\n  self = [super init];\n  _disks = [[NSMutableArray alloc] init];\n\
          [_disks addObject:@\"x\" atIndex:n];\n  return self;\n}\n- (void)dealloc { [_disks release]; [super dealloc]; }\n@end\n\
        void run(List *list) { @autoreleasepool { for (NSString *s in list.disks) { if (s == nil) continue; use(^(int a) { [s length]; }); } } }\n";
    let summary = lower::lower("a.mm", text);
    assert!(!summary.partial, "{}", model::dump::dump(&summary));
    let class = summary.classes.iter().find(|class| class.name == "List").unwrap();
    assert_eq!(class.fields.iter().map(|field| field.name.to_string()).collect::<Vec<_>>(), ["raw_", "_disks"]);
    let init = flow(&summary, "initWith");
    assert!(init.contains("NSMutableArray.alloc().init()"), "{init}");
    assert!(init.contains("_disks.addObject(\"x\", n)"), "{init}");
    assert!(flow(&summary, "dealloc").contains("_disks.release()"));
    assert!(flow(&summary, "run").contains("if s == null"));
    assert!(summary.functions.iter().any(|function| function.kind == FunctionKind::Arrow));
}
