//! Ownership said in comments: `@owns`, `@borrows` and `@mustCall`, in JavaScript and in C++.

mod support;

use support::program::{files, json, project, run};

const OPEN: &str = "const fs = require('fs');\nconst { keep } = require('@acme/depot');\n\n";

fn found(texts: &[(&str, &str)]) -> Vec<String> {
    let all = [&[("package.json", "{}")], texts].concat();
    let report = json(&run(project(&all).path(), &["--format", "json", "."]));
    files(&report).into_iter().map(str::to_owned).collect()
}

/// A function that opens a file and hands it to another one, above which a comment stands.
fn opens(comment: &str, body: &str) -> String {
    format!(
        "{OPEN}{comment}function hand(fd) {{ {body} }}\n\nexports.load = (path) => {{\n  const fd = fs.openSync(path, 'r');\n  hand(fd);\n}};\n"
    )
}

#[test]
fn who_owns_a_parameter_can_be_said() {
    assert_eq!(found(&[("a.js", &opens("", "fs.fstatSync(fd);"))]), ["a.js"], "it only looks");
    assert_eq!(found(&[("a.js", &opens("/** @owns fd */\n", "fs.fstatSync(fd);"))]), [""; 0], "it says that it owns");
    assert_eq!(found(&[("a.js", &opens("", "keep(fd);"))]), [""; 0], "nobody knows");
    assert_eq!(
        found(&[("a.js", &opens("// Looks only.\n// @borrows fd\n", "keep(fd);"))]),
        ["a.js"],
        "it only borrows"
    );
    assert_eq!(found(&[("a.js", &opens("/** @owns other */\n", "fs.fstatSync(fd);"))]), ["a.js"], "of another one");
}

#[test]
fn what_must_be_called_can_be_said() {
    let uses = |release: &str| {
        format!(
            "const {{ take }} = require('./lease');\nexports.size = (key) => {{\n  const lease = take(key);\n  const size = lease.size;\n{release}  return size;\n}};\n"
        )
    };
    let lease = "/**\n * Takes a lease.\n * @mustCall giveBack\n */\nexports.take = (key) => ({ key, size: 1, giveBack() {} });\n";
    assert_eq!(found(&[("lease.js", lease), ("a.js", &uses(""))]), ["a.js"]);
    assert_eq!(found(&[("lease.js", lease), ("a.js", &uses("  lease.giveBack();\n"))]), [""; 0]);
    assert_eq!(found(&[("lease.js", &lease.replace("@mustCall", "calls")), ("a.js", &uses(""))]), [""; 0]);
    let class = "/** @mustCall giveBack */\nclass Lease {\n  giveBack() { this.key = null; }\n}\n\nexports.size = (key) => {\n  const lease = new Lease(key);\n  return lease.size;\n};\n";
    assert_eq!(found(&[("a.js", class)]), ["a.js"]);
    assert_eq!(found(&[("a.js", &class.replace("return", "lease.giveBack();\n  return"))]), [""; 0]);
}

#[test]
fn the_same_in_cpp() {
    let text = |comment: &str, more: &str| {
        format!(
            "#include <napi.h>\n#include <stdlib.h>\n\n{comment}void hand(char* text);\n\nNapi::Value Sum(const Napi::CallbackInfo& info) {{\n  char* text = (char*)malloc(8);\n  text[0] = 1;\n  hand(text);\n{more}  return info.Env().Null();\n}}\n"
        )
    };
    assert_eq!(found(&[("a.cc", &text("// @borrows text\n", ""))]), ["a.cc"]);
    assert_eq!(found(&[("a.cc", &text("// @borrows text\n", "  free(text);\n"))]), [""; 0]);
    assert_eq!(found(&[("a.cc", &text("// @owns text\n", ""))]), [""; 0]);
    let opens = |release: &str| {
        format!(
            "#include <napi.h>\n#include \"acme.h\"\n\nNapi::Value Size(const Napi::CallbackInfo& info) {{\n  acme_ctx* ctx = acme_open(1);\n  int size = acme_size(ctx);\n{release}  return Napi::Number::New(info.Env(), size);\n}}\n"
        )
    };
    let header = "struct acme_ctx;\n/* @mustCall acme_close */\nacme_ctx* acme_open(int flags);\nvoid acme_close(acme_ctx* ctx);\n// @borrows ctx\nint acme_size(acme_ctx* ctx);\n";
    assert_eq!(found(&[("acme.h", header), ("a.cc", &opens(""))]), ["a.cc"]);
    assert_eq!(found(&[("acme.h", header), ("a.cc", &opens("  acme_close(ctx);\n"))]), [""; 0]);
}
