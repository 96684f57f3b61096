//! `try … finally` around what stands between an acquisition and its release, in JavaScript. Only where both are statements
//! of one block, so that the release covers what the acquisition does, and nothing else.

use super::{Context, context, indent, line_of, line_start, mentions, starts_line, whole};
use crate::model::{BindingKind, Exit, Flow, FunctionId, In, Scope, Summary, Value, ValueId};
use crate::project::Project;
use crate::text::{Edit, FileId, Span};

/// What is wrapped: a function's code, behind one of its statements.
struct Block<'p> {
    file: FileId,
    text: &'p str,
    summary: &'p Summary,
    /// The innermost block around the statement.
    scope: &'p Scope,
    /// One past the last byte of the line that the statement ends.
    start: u32,
    /// The blanks before the statement.
    outer: &'p str,
}

/// Moves a release into `finally`, and what stands before it, behind the acquisition, into `try`.
pub(in crate::rules) fn in_finally(
    project: &Project<'_>,
    function: In<FunctionId>,
    acquired: Span,
    released: Span,
) -> Option<Vec<Edit>> {
    let block = Block::behind(project, function, acquired)?;
    let text = block.text;
    let released = whole(text, released);
    let (line, line_end) = (line_start(text, released.start as usize) as u32, line_of(text, released.end).end as u32);
    let scope = innermost(block.summary, released.start)?;
    let alone = starts_line(text, released.start as usize)
        && text[released.end as usize..line_end as usize].trim().is_empty()
        && context(text, released.start) == Context::Block;
    if scope.span != block.scope.span || !alone || line < block.start {
        return None;
    }
    let said = released.of(text);
    let release = said.strip_prefix("return ").unwrap_or(said);
    let end = if block.leaks(Span::new(block.start, line), line_end) { block.end()? } else { line_end };
    let body = [&text[block.start as usize..line as usize], &text[line_end as usize..end as usize]].concat();
    block.wrap(&body, release, Span::new(block.start, end))
}

/// Moves what follows a statement, to the end of its function, into `try`, and has something done in `finally`.
pub(in crate::rules) fn finally_after(
    project: &Project<'_>,
    function: In<FunctionId>,
    statement: Span,
    clean_up: &str,
) -> Option<Vec<Edit>> {
    let block = Block::behind(project, function, statement)?;
    let body = project.function(function).body;
    // The work of a function ends where its own block ends, not where an inner one does.
    if innermost(block.summary, body.end.checked_sub(2)?)?.span != block.scope.span {
        return None;
    }
    let end = block.end()?;
    block.wrap(&block.text[block.start as usize..end as usize], clean_up, Span::new(block.start, end))
}

/// Whether the work of a function is over when it returns: an asynchronous one returns nothing that may still be awaited.
pub(in crate::rules) fn ends_with_its_work(project: &Project<'_>, function: In<FunctionId>) -> bool {
    let mut settled = true;
    if !project.function(function).is_async {
        return true;
    }
    project.function(function).flow.walk(&mut |flow| {
        if let Flow::Exit(Exit::Return(Some(value)), _) = flow {
            settled &= is_settled(project, function.with(*value), 0);
        }
    });
    settled
}

fn is_settled(project: &Project<'_>, value: In<ValueId>, depth: u8) -> bool {
    match project.value(value) {
        Value::Awaited(_) | Value::Literal(_) | Value::Object(_) | Value::Array(..) => true,
        Value::Member(object, _) | Value::Index(object, _) => {
            depth < 4 && is_settled(project, value.with(*object), depth + 1)
        }
        Value::Binding(binding) => {
            let assigned = project.binding(value.with(*binding)).value;
            depth < 4 && assigned.is_some_and(|assigned| is_settled(project, value.with(assigned), depth + 1))
        }
        _ => false,
    }
}

impl<'p> Block<'p> {
    fn behind(project: &'p Project<'_>, function: In<FunctionId>, statement: Span) -> Option<Self> {
        let text = &*project.sources.get(function.file).text;
        let summary = project.summary(function.file);
        let statement = whole(text, statement);
        let start = line_of(text, statement.end).end as u32;
        let rest = text[statement.end as usize..start as usize].trim();
        let fits = starts_line(text, statement.start as usize)
            && context(text, statement.start) == Context::Block
            && (rest.is_empty() || rest.starts_with("//"));
        let scope = innermost(summary, statement.start).filter(|_| fits)?;
        Some(Block { file: function.file, text, summary, scope, start, outer: indent(text, statement.start) })
    }

    /// Where the lines of the block end: before the line of its closing brace.
    fn end(&self) -> Option<u32> {
        let brace = self.scope.span.end.checked_sub(1)?;
        (self.text.as_bytes().get(brace as usize) == Some(&b'}') && starts_line(self.text, brace as usize))
            .then(|| line_start(self.text, brace as usize) as u32)
    }

    /// Whether the range declares something for the block that is spoken of behind `until`.
    fn leaks(&self, range: Span, until: u32) -> bool {
        let rest = &self.text[until as usize..self.scope.span.end as usize];
        self.scope.bindings.iter().map(|binding| self.summary.binding(*binding)).any(|binding| {
            !matches!(binding.kind, BindingKind::Var | BindingKind::Parameter(_))
                && range.contains(binding.span)
                && mentions(rest, &binding.name)
        })
    }

    fn wrap(&self, body: &str, release: &str, span: Span) -> Option<Vec<Edit>> {
        // Blanks in a template are part of it, and the other cases of a `switch` are no code that follows.
        let plain = body.lines().all(|line| line.matches('`').count() % 2 == 0)
            && !body.lines().any(|line| line.trim_start().starts_with("case ") || line.trim_start() == "default:");
        if body.trim().is_empty() || !plain || release.contains('\n') {
            return None;
        }
        let (outer, unit) = (self.outer, unit(self.text));
        let mut new = format!("{outer}try {{\n");
        for line in body.trim_end().lines() {
            let inner = if line.trim().is_empty() || line.starts_with('#') { "" } else { unit };
            new.push_str(&format!("{inner}{line}\n"));
        }
        new.push_str(&format!("{outer}}} finally {{\n{outer}{unit}{release}\n{outer}}}\n"));
        Some(vec![Edit { file: self.file, span, text: new }])
    }
}

/// The block in which an offset stands.
fn innermost(summary: &Summary, at: u32) -> Option<&Scope> {
    let around = summary.scopes.iter().filter(|scope| scope.span.start <= at && at < scope.span.end);
    around.min_by_key(|scope| scope.span.end - scope.span.start)
}

/// One step of indentation, as the text has it: that of its first indented line.
fn unit(text: &str) -> &'static str {
    let blanks = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with(['*', '/']) && !line.trim().is_empty());
    let Some(line) = lines.find(|line| blanks(line) > 0) else { return "  " };
    match (line.starts_with('\t'), blanks(line)) {
        (true, _) => "\t",
        (_, 4) => "    ",
        (_, 3) => "   ",
        (_, 8) => "        ",
        _ => "  ",
    }
}
