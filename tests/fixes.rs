//! Fixes as people apply them: what is safe and what is not, line ends and blanks kept, nothing left for a second run.

mod support;

use std::fs;
use std::path::Path;
use support::program::{code, err, out, project, run};

/// A timer that is overwritten while it is armed.
const LEAK: &str = "class Session {\n  constructor(socket) {\n    this.socket = socket;\n    socket.on('data', () => {\n      this.idle = setTimeout(() => this.socket.destroy(), 30000);\n    });\n    socket.on('close', () => clearTimeout(this.idle));\n  }\n}\n\nmodule.exports = Session;\n";

/// Two ways out, one of which frees.
const NATIVE: &str = "#include <napi.h>\r\n\r\nNapi::Value Sum(const Napi::CallbackInfo& info) {\r\n\tint* numbers = new int[4];\r\n\tif (info.Length() < 1)\r\n\t\treturn info.Env().Null();\r\n\tint sum = numbers[0];\r\n\tdelete[] numbers;\r\n\treturn Napi::Number::New(info.Env(), sum);\r\n}\r\n";

fn read(root: &Path, name: &str) -> String {
    fs::read_to_string(root.join(name)).unwrap()
}

#[test]
fn a_leak_fails_with_one_annotation_and_passes_when_it_is_fixed() {
    let old = "exports.repeat = (work) => { setInterval(() => work(), 1000); };\n";
    let root = project(&[("package.json", "{}"), ("old.js", old)]);
    let root = root.path();
    assert_eq!(code(&run(root, &["init"])), 0);
    assert_eq!(code(&run(root, &[])), 1);
    assert_eq!(code(&run(root, &["--suppress-all"])), 0);
    assert_eq!(code(&run(root, &[])), 0);
    fs::write(root.join("new.js"), LEAK).unwrap();
    let output = run(root, &["--format", "github"]);
    assert_eq!(code(&output), 1);
    assert_eq!(out(&output).matches("::warning ").count(), 1, "{}", out(&output));
    let output = run(root, &["--fix"]);
    assert_eq!(code(&output), 0, "{}", out(&output));
    assert!(err(&output).contains("fixed 1 finding in 1 file"), "{}", err(&output));
    let clear = "      clearTimeout(this.idle);\n      this.idle = ";
    assert!(read(root, "new.js").contains(clear), "{}", read(root, "new.js"));
    assert_eq!(read(root, "old.js"), old);
    assert_eq!(code(&run(root, &["--format", "github"])), 0);
}

#[test]
fn what_may_change_behaviour_is_applied_only_when_asked_for() {
    let root = project(&[("package.json", "{}"), ("a.cc", NATIVE)]);
    let root = root.path();
    assert_eq!(code(&run(root, &["--fix"])), 1);
    assert_eq!(read(root, "a.cc"), NATIVE);
    assert_eq!(code(&run(root, &["--unsafe-fixes"])), 0);
    let fixed = NATIVE.replace(
        "if (info.Length() < 1)\r\n\t\treturn info.Env().Null();\r\n",
        "if (info.Length() < 1) {\r\n\t\tdelete[] numbers;\r\n\t\treturn info.Env().Null();\r\n\t}\r\n",
    );
    assert_eq!(read(root, "a.cc"), fixed, "tabs and line ends are kept");
    assert_eq!(code(&run(root, &["--unsafe-fixes"])), 0);
    assert_eq!(read(root, "a.cc"), fixed, "a second run has nothing to do");
}

#[test]
fn two_fixes_that_need_the_same_line_share_it() {
    let one = |name: &str| {
        format!("void {name}(size_t n) {{\n  char* text = new char[n]; // scratch\n  fill(text, n);\n}}\n")
    };
    let code_of = format!(
        "#include <cstddef>\n\nvoid fill(char* text, size_t n) {{ text[n - 1] = 0; }}\n\n{}\n{}",
        one("first"),
        one("second")
    );
    let root = project(&[("package.json", "{}"), ("a.cc", &code_of)]);
    let root = root.path();
    assert_eq!(code(&run(root, &[])), 1, "both leaks are found");
    run(root, &["--unsafe-fixes"]);
    let text = read(root, "a.cc");
    assert_eq!(text.matches("#include <memory>").count(), 1, "{text}");
    assert_eq!(text.matches("// scratch\n  std::unique_ptr<char[]> textOwner(text);").count(), 2, "{text}");
    assert_eq!(code(&run(root, &[])), 0, "{text}");
}

#[test]
fn a_listener_is_kept_under_a_name_that_both_ends_can_say() {
    let text = "class Screen {\n  open() {\n    process.stdout.on('resize', this.draw.bind(this));\n  }\n\n  draw() {}\n\n  close() {\n    process.stdout.off('resize', this.draw.bind(this));\n  }\n}\n\nmodule.exports = Screen;\n";
    let root = project(&[("package.json", "{}"), ("a.js", text)]);
    let root = root.path();
    assert_eq!(code(&run(root, &[])), 1);
    assert_eq!(code(&run(root, &["--unsafe-fixes"])), 0, "{}", read(root, "a.js"));
    let fixed = read(root, "a.js");
    assert!(
        fixed.contains(
            "    this.resizeListener = this.draw.bind(this);\n    process.stdout.on('resize', this.resizeListener);"
        ),
        "{fixed}"
    );
    assert!(fixed.contains("process.stdout.off('resize', this.resizeListener);"), "{fixed}");
}

#[test]
fn each_listener_gets_a_name_of_its_own() {
    let text = "class Peer {\r\n  constructor(document, awareness) {\r\n    this.document = document;\r\n    this.awareness = awareness;\r\n    this.document.on('update', this.save.bind(this));\r\n    this.awareness.on('update', () => {\r\n      this.save();\r\n    });\r\n  }\r\n\r\n  save() {}\r\n\r\n  destroy() {\r\n    this.document.off('update', this.save);\r\n    this.awareness.off('update', this.save);\r\n  }\r\n}\r\n\r\nmodule.exports = Peer;\r\n";
    let root = project(&[("package.json", "{}"), ("a.js", text)]);
    let root = root.path();
    assert_eq!(code(&run(root, &[])), 1);
    assert_eq!(code(&run(root, &["--unsafe-fixes"])), 0, "{}", read(root, "a.js"));
    let fixed = read(root, "a.js");
    for (emitter, name) in [("document", "documentUpdateListener"), ("awareness", "awarenessUpdateListener")] {
        assert!(fixed.contains(&format!("this.{emitter}.on('update', this.{name});")), "{fixed}");
        assert!(fixed.contains(&format!("this.{emitter}.off('update', this.{name});")), "{fixed}");
    }
    assert_eq!(
        fixed.matches('\n').count(),
        fixed.matches("\r\n").count(),
        "line ends are kept in what is moved: {fixed:?}"
    );
}
