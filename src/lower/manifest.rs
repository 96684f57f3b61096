//! `binding.gyp` to facts: a Python literal with comments, either kind of quotes and trailing commas, read with tolerance.
//! Evaluates no condition and no `<(variable)`: what any of them says counts.

use crate::model::Gyp;

/// Deepest nesting that is read.
const DEEPEST: u32 = 64;

#[derive(Debug)]
enum Node {
    Map(Vec<(String, Node)>),
    List(Vec<Node>),
    Text(String),
}

/// Reads a `binding.gyp`. Never fails: what cannot be read is skipped.
pub fn gyp(text: &str) -> Gyp {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let mut facts = Gyp::default();
    if let Some(root) = reader.node() {
        collect(&root, "", &mut facts);
    }
    facts
}

fn collect(node: &Node, key: &str, facts: &mut Gyp) {
    match node {
        Node::Map(entries) => entries.iter().for_each(|(key, value)| collect(value, key, facts)),
        Node::List(items) => items.iter().for_each(|item| collect(item, key, facts)),
        Node::Text(text) => fact(key, text, facts),
    }
}

fn fact(key: &str, text: &str, facts: &mut Gyp) {
    let list = key.trim_end_matches(['!', '+', '=', '?', '%', '/']);
    let is_removal = key.ends_with('!');
    match (list, text) {
        ("sources", _) if !is_removal => facts.sources.push(text.to_owned()),
        ("defines", _) if !is_removal => {
            match text.split('=').next().unwrap_or(text) {
                "NAPI_DISABLE_CPP_EXCEPTIONS" | "NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS" => {
                    facts.napi_exceptions = Some(false);
                }
                "NAPI_CPP_EXCEPTIONS" | "NODE_ADDON_API_CPP_EXCEPTIONS" | "NODE_ADDON_API_CPP_EXCEPTIONS_ALL" => {
                    facts.napi_exceptions.get_or_insert(true);
                }
                _ => {}
            }
            facts.defines.push(text.to_owned());
        }
        ("defines", "NAPI_DISABLE_CPP_EXCEPTIONS") => facts.napi_exceptions = Some(true),
        (_, "-fno-exceptions") if is_removal => facts.exceptions = Some(true),
        (_, "-fexceptions" | "/EHsc" | "-EHsc" | "/EHa") if !is_removal => facts.exceptions = Some(true),
        (_, "-fno-exceptions") => {
            facts.exceptions.get_or_insert(false);
        }
        ("GCC_ENABLE_CPP_EXCEPTIONS", _) if text.eq_ignore_ascii_case("yes") => facts.exceptions = Some(true),
        ("ExceptionHandling", "1" | "2") => facts.exceptions = Some(true),
        ("CLANG_ENABLE_OBJC_ARC", _) => facts.arc |= text.eq_ignore_ascii_case("yes"),
        (_, "-fobjc-arc") => facts.arc = true,
        ("dependencies", _) if text.contains("node_addon_api_except") => {
            facts.napi_exceptions.get_or_insert(true);
            facts.exceptions = Some(true);
        }
        ("dependencies", _) if text.contains("node_addon_api_maybe") => {
            facts.napi_exceptions.get_or_insert(false);
        }
        _ => {}
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<char> {
        loop {
            let next = self.text[self.at..].chars().next()?;
            match next {
                '#' => self.at += self.text[self.at..].find('\n').unwrap_or(self.text.len() - self.at),
                next if next.is_whitespace() || next == '\u{feff}' => self.at += next.len_utf8(),
                next => return Some(next),
            }
        }
    }

    fn node(&mut self) -> Option<Node> {
        if self.depth > DEEPEST {
            return None;
        }
        self.depth += 1;
        let node = match self.peek()? {
            '{' => self.map(),
            '[' | '(' => self.list(),
            '\'' | '"' => Node::Text(self.string()),
            _ => Node::Text(self.bare()),
        };
        self.depth -= 1;
        Some(node)
    }

    fn map(&mut self) -> Node {
        self.at += 1;
        let mut entries = Vec::new();
        loop {
            match self.peek() {
                None => break,
                Some('}') => {
                    self.at += 1;
                    break;
                }
                Some('\'' | '"') => {
                    let key = self.string();
                    if self.peek() == Some(':') {
                        self.at += 1;
                        match self.node() {
                            Some(value) => entries.push((key, value)),
                            None => break,
                        }
                    }
                }
                Some(other) => self.at += other.len_utf8(),
            }
        }
        Node::Map(entries)
    }

    fn list(&mut self) -> Node {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            match self.peek() {
                None => break,
                Some(']' | ')') => {
                    self.at += 1;
                    break;
                }
                // A closing brace here belongs to a map around a list that was never closed.
                Some('}') => break,
                Some(',' | ':') => self.at += 1,
                Some(_) => match self.node() {
                    Some(item) => items.push(item),
                    None => break,
                },
            }
        }
        Node::List(items)
    }

    /// A string, and those right behind it, which Python joins.
    fn string(&mut self) -> String {
        let mut text = String::new();
        while let Some(quote @ ('\'' | '"')) = self.peek() {
            self.at += 1;
            let mut escaped = false;
            for next in self.text[self.at..].chars() {
                self.at += next.len_utf8();
                match next {
                    _ if escaped => {
                        text.push(next);
                        escaped = false;
                    }
                    '\\' => escaped = true,
                    next if next == quote => break,
                    next => text.push(next),
                }
            }
        }
        text
    }

    /// A number or word; at least one character is taken.
    fn bare(&mut self) -> String {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| c.is_whitespace() || ",:]})#'\"".contains(c)).unwrap_or(rest.len());
        let end = end.max(rest.chars().next().map_or(0, char::len_utf8));
        self.at += end;
        rest[..end].to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::gyp;

    #[test]
    fn reads_python_literals() {
        let facts = gyp(
            "# comment\n{ 'targets': [{\n  'sources': ['a.cc', \"b\" 'c.mm',],  # more\n  'cflags!': [ '-fno-exceptions' ],\n  'conditions': [['OS==\"mac\"', {'xcode_settings': {'OTHER_CFLAGS': ['-fobjc-arc']}}]],\n  'defines': ['NAPI_DISABLE_CPP_EXCEPTIONS=1', 'X'],\n }, ] }",
        );
        assert_eq!(facts.sources, ["a.cc", "bc.mm"]);
        assert_eq!(facts.exceptions, Some(true));
        assert_eq!(facts.napi_exceptions, Some(false));
        assert!(facts.arc);
        assert_eq!(facts.defines.len(), 2);
    }

    #[test]
    fn survives_anything() {
        for text in
            ["", "{", "[[[", "{'a'", "{'a':", "'", "{]}", "}{", "\u{feff}{'sources':['é\\", "{'a':['b'}}", "::::"]
        {
            gyp(text);
        }
        gyp(&"[".repeat(100_000));
        gyp(&"{'a':".repeat(50_000));
    }
}
