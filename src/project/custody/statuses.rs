//! How C code asks an outcome: the names of success, of the macros and functions that ask for it, of the variables that hold it.
//! Knows words, not what follows from them on a path; that is for `conditions`.

use crate::model::{Argument, Call, Cond, Name, Summary, Value, ValueId};

/// The variable of which a condition asks whether it says success: `status == napi_ok`, `EnsureOk(env, status)`.
pub(super) fn tested_status(summary: &Summary, atom: &Cond) -> Option<ValueId> {
    let is_variable = |value: &ValueId| matches!(summary.value(*value), Value::Binding(_));
    let names_success = |value: &ValueId| matches!(summary.value(*value), Value::Global(name) | Value::Member(_, name) if is_success_name(name));
    let asked = |value: &ValueId| Some(*value).filter(is_variable).or_else(|| asked_status(summary, *value));
    match atom {
        Cond::Equal(a, b) if names_success(b) => asked(a),
        Cond::Equal(a, b) if names_success(a) => asked(b),
        Cond::Truthy(value) => {
            let Value::Result(call) = summary.value(*value) else { return None };
            let call = summary.call(*call);
            let word = callee_name(summary, call)?.to_ascii_lowercase();
            if !(word.ends_with("ok") || word.ends_with("success") || word.ends_with("succeeded")) {
                return None;
            }
            let says = |value: &ValueId| match summary.value(*value) {
                Value::Binding(binding) => is_status_name(&summary.binding(*binding).name),
                _ => false,
            };
            call.arguments.iter().map(|argument| argument.value).find(says)
        }
        _ => None,
    }
}

/// The name of what is called.
fn callee_name(summary: &Summary, call: &Call) -> Option<Name> {
    match summary.value(call.callee) {
        Value::Global(name) | Value::Member(_, name) => Some(*name),
        Value::Function(function) => Some(summary.function(*function).name),
        _ => None,
    }
}

/// The variable whose code a call gets: `status` of `TF_GetCode(status.inner)`.
fn asked_status(summary: &Summary, value: ValueId) -> Option<ValueId> {
    let Value::Result(call) = summary.value(value) else { return None };
    let call = summary.call(*call);
    let name = callee_name(summary, call)?;
    let base = |argument: &Argument| match summary.value(argument.value) {
        Value::Member(object, _) => *object,
        _ => argument.value,
    };
    let is_status = |value: &ValueId| matches!(summary.value(*value), Value::Binding(binding) if is_status_name(&summary.binding(*binding).name));
    call.arguments.iter().map(base).find(is_status).filter(|_| asks_outcome(&name))
}

/// Whether a variable's name says that it holds an outcome.
fn is_status_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["status", "result", "ret", "rc", "err", "error", "rv", "res"].iter().any(|word| name.ends_with(word))
}

/// Functions and macros that ask whether a status is a success: `SQL_SUCCEEDED(rc)`, `SUCCEEDED(hr)`.
pub(super) fn is_success_test(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    ["SUCCEEDED", "SUCCESS", "OK"].iter().any(|word| upper.ends_with(word))
}

/// Likewise, or whether it is a failure: `FAILED(hr)`, `GSS_ERROR(status)`.
pub(super) fn asks_outcome(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    is_success_test(name) || ["FAILED", "FAILURE", "ERROR", "CODE"].iter().any(|word| upper.ends_with(word))
}

/// How C names success among status codes.
pub(super) fn is_success_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["ok", "success", "none", "success_with_info", "noerror", "no_error"].iter().any(|word| {
        lower == *word || lower.strip_suffix(word).is_some_and(|head| head.ends_with('_') || !head.is_ascii())
    }) || lower.ends_with("success")
        || (name.starts_with('k') && (name.ends_with("NoErr") || name.ends_with("NoError")))
}
