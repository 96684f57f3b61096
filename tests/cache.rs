//! The cache: as fast as promised is measured elsewhere; here, that nothing stale is ever found again, that what is broken
//! counts for nothing, and that it stays small.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use support::program::{code, command, err, project};

/// A timer in one file, released or not by what the others say.
const FILES: [(&str, &str); 6] = [
    ("package.json", "{\"name\": \"p\", \"main\": \"lib/server.js\"}"),
    ("lib/watch.js", "exports.again = (f) => { setInterval(f, 10); };\n"),
    (
        "lib/server.js",
        "const { again } = require('./watch');\nrequire('http').createServer((q, s) => { again(() => s.write('x')); });\n",
    ),
    ("src/free.h", "#define RELEASE(p) free(p)\n"),
    (
        "src/a.cc",
        "#include \"free.h\"\n#include <stdlib.h>\n#include <napi.h>\n\nNapi::Value Sum(const Napi::CallbackInfo& info) {\n  char* text = (char*)malloc(8);\n  text[0] = 1;\n  RELEASE(text);\n  return info.Env().Null();\n}\n",
    ),
    ("broken.js", "const x = ;\n"),
];

/// Rows for a package that nobody knows.
const ROWS: &str = r#"
[[type]]
name = "@acme/pool.Lease"
noun = "lease"
family = "connection"

[[api]]
names = ["@acme/pool.take"]
gives = "@acme/pool.Lease"

[[api]]
names = ["@acme/pool.Lease#end"]
releases = "receiver"
"#;

/// A project, and a folder for what is remembered of it.
struct Bed {
    root: tempfile::TempDir,
    cache: tempfile::TempDir,
}

impl Bed {
    fn new() -> Bed {
        Bed { root: project(&FILES), cache: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.root.path().join(name), text).unwrap();
    }

    fn report(&self, cached: bool, more: &[&str]) -> (i32, String) {
        let mut command = command(self.root.path(), &["--format", "json", "--timings"]);
        command.env_remove("LEAKLINT_NO_CACHE");
        command.args(more).arg(if cached { "--cache" } else { "--no-cache" }).arg("--cache-dir").arg(self.cache.path());
        let output = command.output().unwrap();
        let mut report = support::program::json(&output);
        report["summary"]["milliseconds"] = 0.into();
        if !cached {
            assert!(!err(&output).contains("recall"), "nothing is asked of a cache that is off");
        }
        (code(&output), format!("{report:#}"))
    }

    /// The report, which must be the same with the cache as without it, asked once and asked again.
    fn agree(&self, after: &str, more: &[&str]) -> String {
        let fresh = self.report(false, more);
        for _ in 0..2 {
            assert_eq!(self.report(true, more), fresh, "after {after}");
        }
        fresh.1
    }

    fn packs(&self) -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> =
            fs::read_dir(self.cache.path()).unwrap().flatten().map(|entry| entry.path()).collect();
        all.sort();
        all
    }

    fn recalls(&self) -> bool {
        let mut command = command(self.root.path(), &["--timings"]);
        let output =
            command.env_remove("LEAKLINT_NO_CACHE").env("LEAKLINT_CACHE_DIR", self.cache.path()).output().unwrap();
        err(&output).contains("recall")
    }
}

#[test]
fn whatever_changes_nothing_stale_is_found() {
    let bed = Bed::new();
    let first = bed.agree("nothing", &[]);
    assert!(first.contains("lib/watch.js") && !first.contains("src/a.cc"), "{first}");
    bed.write("lib/server.js", "require('./watch').again(() => {});\n");
    let other = bed.agree("an edit of the caller in another file", &[]);
    assert_ne!(first, other);
    bed.write("lib/server.js", FILES[2].1);
    assert_eq!(bed.agree("taking the edit back", &[]), first);
    bed.write("src/free.h", "#define RELEASE(p) p[0] = 0\n");
    let other = bed.agree("an edit of a macro in a header", &[]);
    assert!(other.contains("src/a.cc"), "{other}");
    fs::rename(bed.root.path().join("lib/watch.js"), bed.root.path().join("lib/watcher.js")).unwrap();
    assert!(!bed.agree("a file renamed away", &[]).contains("lib/watcher.js:"));
    bed.write("lib/server.js", &FILES[2].1.replace("./watch", "./watcher"));
    assert!(bed.agree("its import renamed, too", &[]).contains("lib/watcher.js"));
    fs::rename(bed.root.path().join("lib/watcher.js"), bed.root.path().join("lib/watcher.ts")).unwrap();
    assert!(bed.agree("another language by its ending", &[]).contains("lib/watcher.ts"));
    fs::remove_file(bed.root.path().join("broken.js")).unwrap();
    assert!(!bed.agree("a file taken away", &[]).contains("broken.js"));
    bed.write("package.json", "{\"name\": \"q\", \"main\": \"lib/other.js\"}");
    bed.agree("an edit of the manifest", &[]);
    bed.write("binding.gyp", "{'targets': [{'target_name': 'a', 'cflags_cc': ['-fno-exceptions']}]}");
    bed.agree("a build file", &[]);
}

#[test]
fn whatever_is_asked_the_answer_is_the_same() {
    let bed = Bed::new();
    bed.agree("a first run", &[]);
    bed.agree("a rule turned off", &["-A", "timer"]);
    bed.agree("one rule only", &["--only", "listener"]);
    bed.agree("another level", &["--level", "all"]);
    bed.agree("one file only", &["lib/server.js"]);
    bed.write(
        "lib/server.js",
        &FILES[2].1.replace("again(()", "// leaklint-disable-next-line listener-removed\nagain(()"),
    );
    assert!(bed.agree("a comment that speaks to leaklint", &[]).contains("unknown rule"));
    bed.write("lib/server.js", FILES[2].1);
    bed.write("leaklint.toml", "[rules]\ntimer-never-cleared = \"off\"\n");
    assert!(!bed.agree("a configuration", &[]).contains("\"timer-never-cleared\""));
    fs::remove_file(bed.root.path().join("leaklint.toml")).unwrap();
    bed.write(
        "lib/lease.js",
        "exports.size = (key) => {\n  const lease = require('@acme/pool').take(key);\n  return lease.size();\n};\n",
    );
    let known = bed.agree("a call that nobody knows", &[]);
    assert!(!known.contains("lib/lease.js"), "{known}");
    bed.write("rows.toml", ROWS);
    let rows = bed.agree("more rows of the catalog", &["--models", "rows.toml"]);
    assert!(rows.contains("lib/lease.js"), "{rows}");
    bed.write("rows.toml", &ROWS.replace("@acme/pool", "@acme/other"));
    assert!(!bed.agree("other rows", &["--models", "rows.toml"]).contains("lib/lease.js"));
    bed.write("leaklint.toml", &ROWS.replace("[[type]]", "[[models]]").replace("[[api]]", "[[models]]"));
    assert!(bed.agree("rows of the configuration", &[]).contains("lib/lease.js"));
}

#[test]
fn the_same_again_is_remembered_and_a_broken_memory_is_not() {
    let bed = Bed::new();
    let fresh = bed.agree("nothing", &[]);
    assert!(bed.recalls());
    for pack in bed.packs() {
        let good = fs::read(&pack).unwrap();
        for bytes in [&b""[..], b"leaklint cache1\n", &good[..good.len() / 2], &vec![0xff; good.len()]] {
            fs::write(&pack, bytes).unwrap();
            assert_eq!(bed.report(true, &[]).1, fresh);
        }
    }
    assert!(bed.recalls(), "a broken one is replaced");
    let nowhere = bed.root.path().join("package.json/inside");
    let mut command = command(bed.root.path(), &["--cache-dir"]);
    let output = command.env_remove("LEAKLINT_NO_CACHE").arg(&nowhere).output().unwrap();
    assert_eq!(code(&output), 1, "a cache that can't be written fails nothing");
    assert!(err(&output).contains("can't write the cache: "), "{}", err(&output));
}

#[test]
fn it_is_on_in_the_folder_of_the_user_and_silent_where_there_is_none() {
    let bed = Bed::new();
    let said = |home: &Path| {
        let mut command = command(bed.root.path(), &["--timings"]);
        let output = command.env_remove("LEAKLINT_NO_CACHE").env("XDG_CACHE_HOME", home).output().unwrap();
        assert_eq!(code(&output), 1);
        err(&output)
    };
    assert!(!said(bed.cache.path()).contains("recall"));
    assert!(said(bed.cache.path()).contains("recall"));
    assert!(bed.packs()[0].ends_with("leaklint"), "{:?}", bed.packs());
    let nowhere = bed.root.path().join("package.json");
    assert!(!said(&nowhere).contains("the cache"), "who did not ask for it need not hear of it");
}

#[test]
fn it_stays_small() {
    let bed = Bed::new();
    bed.report(true, &[]);
    let size = |bed: &Bed| bed.packs().iter().map(|pack| fs::metadata(pack).unwrap().len()).sum::<u64>();
    let first = size(&bed);
    for turn in 0..40 {
        bed.write("lib/watch.js", &format!("exports.again = (f) => {{ setInterval(f, {turn}); }};\n"));
        bed.report(true, &[]);
    }
    let names: Vec<PathBuf> = bed.packs();
    assert_eq!(names.len(), 2, "one project, two files, and nothing half written: {names:?}");
    assert!(size(&bed) < 12 * first, "{first} bytes became {}", size(&bed));
    let owned: Vec<PathBuf> = fs::read_dir(bed.root.path()).unwrap().flatten().map(|entry| entry.path()).collect();
    assert!(owned.iter().all(|path: &PathBuf| Path::new(path).extension().is_none_or(|ending| ending != "answers")));
}
