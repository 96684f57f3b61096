//! The finalizer that an external buffer lacks, as a lambda. Who frees memory must be who allocated it: the release is the
//! caller's to say.

use crate::model::contract::Effect;
use crate::model::{CallId, In, Language};
use crate::project::Project;
use crate::text::{Edit, Span};

/// The finalizer in its place among the arguments of a call that is given memory as its argument `at`.
pub(in crate::rules) fn finalizer(
    project: &Project<'_>,
    call: In<CallId>,
    at: u16,
    release: impl Fn(&str) -> String,
) -> Option<Edit> {
    let text = &*project.sources.get(call.file).text;
    let written = project.call(call);
    let (Effect::HandTo(to) | Effect::HandToOnSuccess(to)) = *project.api(call)?.arguments.get(at as usize)? else {
        return None;
    };
    if project.summary(call.file).language != Some(Language::Cpp) {
        return None;
    }
    let head = written.span.of(text).split('(').next()?;
    let release = release("data");
    let typed = || head.split_once("Buffer<").and_then(|(_, rest)| rest.rsplit_once(">::")).map(|(ty, _)| ty.trim());
    let parameters = match typed() {
        Some(ty) if head.ends_with("::New") => format!("Napi::Env, {ty}* data"),
        // What `delete` is given must have its type.
        _ if release.starts_with("delete") => return None,
        _ if head.ends_with("ArrayBuffer::New") => "Napi::Env, void* data".to_owned(),
        _ if head.starts_with("napi_") => "napi_env, void* data, void*".to_owned(),
        _ => return None,
    };
    let lambda = format!("[]({parameters}) {{ {release}; }}");
    let file = call.file;
    match written.arguments.get(to as usize) {
        Some(argument) => Some(Edit { file, span: argument.span, text: lambda }),
        None => {
            let last = written.arguments.last().filter(|_| written.arguments.len() == to as usize)?.span.end;
            Some(Edit { file, span: Span::new(last, last), text: format!(", {lambda}") })
        }
    }
}
