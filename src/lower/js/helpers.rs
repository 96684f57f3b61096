//! What TypeScript, Babel, swc, esbuild and rollup emit for newer syntax, read back as that syntax: module interop,
//! `async` functions, private fields and methods, class fields. Names of compilers' helpers, never of libraries.

use super::call::literal_string;
use super::expr::transparent;
use super::state::{How, Lowering, NewCall};
use crate::model::*;
use swc_common::Spanned;
use swc_ecma_ast as ast;
use swc_ecma_ast::{Callee, Expr, ExprOrSpread, Lit, MemberProp};

/// What a helper stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Helper {
    /// `require('x')`.
    Require,
    /// Wraps a module for default or namespace access: its argument.
    Interop,
    /// Runs a generator as the body of an async function.
    Awaiter,
    /// Makes an async function of a generator.
    AsyncFunction,
    /// `this.#x`.
    PrivateGet,
    /// `this.#x = value`.
    PrivateSet,
    /// `#x = value` in a class body.
    PrivateInit,
    /// `x = value` in a class body.
    Field,
    /// Gives back the class that it decorates.
    Decorate,
}

const HELPERS: &[(&str, Helper)] = &[
    ("__async", Helper::Awaiter),
    ("__awaiter", Helper::Awaiter),
    ("__classPrivateFieldGet", Helper::PrivateGet),
    ("__classPrivateFieldSet", Helper::PrivateSet),
    ("__decorate", Helper::Decorate),
    ("__decorateClass", Helper::Decorate),
    ("__importDefault", Helper::Interop),
    ("__importStar", Helper::Interop),
    ("__privateAdd", Helper::PrivateInit),
    ("__privateGet", Helper::PrivateGet),
    ("__privateSet", Helper::PrivateSet),
    ("__publicField", Helper::Field),
    ("__toESM", Helper::Interop),
    ("_asyncToGenerator", Helper::AsyncFunction),
    ("_async_to_generator", Helper::AsyncFunction),
    ("_classPrivateFieldGet", Helper::PrivateGet),
    ("_classPrivateFieldGet2", Helper::PrivateGet),
    ("_classPrivateFieldInitSpec", Helper::PrivateInit),
    ("_classPrivateFieldSet", Helper::PrivateSet),
    ("_classPrivateFieldSet2", Helper::PrivateSet),
    ("_class_private_field_get", Helper::PrivateGet),
    ("_class_private_field_init", Helper::PrivateInit),
    ("_class_private_field_set", Helper::PrivateSet),
    ("_defineProperty", Helper::Field),
    ("_defineProperty2", Helper::Field),
    ("_define_property", Helper::Field),
    ("_interopDefault", Helper::Interop),
    ("_interopDefaultLegacy", Helper::Interop),
    ("_interopNamespace", Helper::Interop),
    ("_interopNamespaceDefault", Helper::Interop),
    ("_interopRequireDefault", Helper::Interop),
    ("_interopRequireWildcard", Helper::Interop),
    ("_interop_require_default", Helper::Interop),
    ("_interop_require_wildcard", Helper::Interop),
    ("_ts_decorate", Helper::Decorate),
    ("require", Helper::Require),
];

impl Lowering<'_> {
    /// The value of a call that is a compiler's helper.
    pub fn helper_call(&mut self, callee: &Expr, call: &ast::CallExpr) -> Option<ValueId> {
        let arguments = &call.args;
        match helper(callee)? {
            Helper::Require => {
                if !matches!(callee, Expr::Ident(_)) {
                    return None;
                }
                let name = literal_string(arguments)?;
                Some(self.value(Value::Import(name)))
            }
            Helper::Interop => Some(self.expr(&arguments.first()?.expr)),
            Helper::Awaiter => {
                let body = generator_argument(arguments)?;
                let function = self.async_generator(body, FunctionKind::Arrow);
                let span = self.span(call.span);
                let name_span = self.span(callee.span());
                Some(self.call(NewCall::new(function, Vec::new(), span, name_span)))
            }
            Helper::AsyncFunction => {
                let body = generator_argument(arguments)?;
                Some(self.async_generator(body, FunctionKind::Plain))
            }
            Helper::Decorate => {
                let [_, _] = &arguments[..] else { return None };
                let function = self.expr(callee);
                let lowered = self.arguments(arguments, None);
                let class = lowered.last().map(|last| last.value);
                let span = self.span(call.span);
                let name_span = self.span(callee.span());
                self.call(NewCall::new(function, lowered, span, name_span));
                class
            }
            Helper::PrivateGet => self.private_field(arguments),
            Helper::PrivateSet | Helper::PrivateInit => {
                let place = self.private_field(arguments)?;
                let value = match arguments.get(2).map(|argument| transparent(&argument.expr)) {
                    // Babel: `{ writable: true, value: x }`.
                    Some(Expr::Object(object)) => match descriptor_value(object) {
                        Some(value) => self.expr(value),
                        None => self.expr(&arguments.get(2)?.expr),
                    },
                    Some(value) => self.expr(value),
                    None => self.literal(Literal::Undefined),
                };
                let span = self.span(call.span);
                self.assign(place, value, span, How::Plain);
                Some(value)
            }
            Helper::Field => {
                let [object, key, value] = &arguments[..] else { return None };
                if !matches!(transparent(&object.expr), Expr::This(_)) {
                    return None;
                }
                let Expr::Lit(Lit::Str(key)) = transparent(&key.expr) else { return None };
                let name = key.value.as_str()?;
                let object = self.expr(&object.expr);
                let place = self.member(object, name);
                self.hint = Some(Name::from(name));
                let value = self.expr(&value.expr);
                let span = self.span(call.span);
                self.assign(place, value, span, How::Declaration);
                Some(value)
            }
        }
    }

    /// `return __awaiter(this, …, function* () { body })`: the body becomes the current function's own.
    pub fn inline_async(&mut self, argument: &Expr) -> bool {
        let Expr::Call(call) = transparent(argument) else { return false };
        let Callee::Expr(callee) = &call.callee else { return false };
        if helper(transparent(callee)) != Some(Helper::Awaiter) || self.at.function == FunctionId::MODULE {
            return false;
        }
        let Some(generator) = generator_argument(&call.args) else { return false };
        let Some(body) = &generator.function.body else { return false };
        let span = self.span(generator.function.span);
        let function = self.at.function.index();
        self.out.functions[function].is_async = true;
        let scope = self.open_scope(span, false);
        if !generator.function.params.is_empty() {
            // `arguments` are passed on: the inner parameters are the real ones.
            self.out.functions[function].parameters.clear();
            let patterns: Vec<&ast::Pat> = generator.function.params.iter().map(|param| &param.pat).collect();
            self.parameters(&patterns);
        }
        let outer = std::mem::replace(&mut self.at.yields_await, true);
        self.hoist_vars(&body.stmts);
        self.declare_block(&body.stmts);
        self.statements(&body.stmts);
        self.scope_end(scope, span);
        self.at.yields_await = outer;
        self.close_scope();
        true
    }

    /// The method of `__classPrivateFieldGet(this, set, "m", method)`, `_assertClassBrand(set, this, method)`.
    pub fn private_method(&mut self, call: &ast::CallExpr) -> Option<ValueId> {
        let Callee::Expr(callee) = &call.callee else { return None };
        let (object, method) = match (last_name(transparent(callee))?, &call.args[..]) {
            ("__classPrivateFieldGet", [object, _, _, method]) => (object, method),
            ("_classPrivateMethodGet" | "__privateMethod", [object, _, method]) => (object, method),
            ("_assertClassBrand" | "_class_private_method_get", [_, object, method]) => (object, method),
            _ => return None,
        };
        let Expr::Ident(method) = transparent(&method.expr) else { return None };
        let name = self.field_name(&method.sym);
        let object = self.expr(&object.expr);
        self.named(&method.sym);
        Some(self.member(object, &name))
    }

    /// The place `object.#field` of `helper(object, _Class_field)` or `helper(_field, object)`.
    fn private_field(&mut self, arguments: &[ExprOrSpread]) -> Option<ValueId> {
        let [first, second, ..] = arguments else { return None };
        // `__classPrivateFieldGet(this, set, "a", accessor)`: the last one names the member.
        let (object, field) = match (transparent(&first.expr), transparent(&second.expr)) {
            (Expr::Ident(field), Expr::This(_)) => (second, field),
            (_, Expr::Ident(field)) => match arguments {
                [_, _, kind, accessor] if is_text(&kind.expr, "a") || is_text(&kind.expr, "m") => {
                    match transparent(&accessor.expr) {
                        Expr::Ident(accessor) => (first, accessor),
                        _ => (first, field),
                    }
                }
                _ => (first, field),
            },
            _ => return None,
        };
        let name = self.field_name(&field.sym);
        let object = self.expr(&object.expr);
        Some(self.member(object, &name))
    }

    /// `_Class_field` and `_field` as `#field`.
    fn field_name(&self, variable: &str) -> String {
        let class = self.classes.last().map(|class| self.out.classes[class.index()].name);
        let bare = variable.trim_start_matches('_');
        let field = class
            .filter(|class| !class.is_empty())
            .and_then(|class| bare.strip_prefix(class.as_str())?.strip_prefix('_'))
            .unwrap_or(bare);
        format!("#{field}")
    }

    /// A generator function literal that stands for an async function.
    fn async_generator(&mut self, generator: &ast::FnExpr, kind: FunctionKind) -> ValueId {
        let function = self.generator_as_async(generator, kind);
        self.value(Value::Function(function))
    }
}

/// Which helper an expression calls.
fn helper(callee: &Expr) -> Option<Helper> {
    let name = last_name(callee)?;
    let at = HELPERS.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    Some(HELPERS[at].1)
}

/// The last name of `a`, `tslib.a`, `a.default`, `a._`.
fn last_name(callee: &Expr) -> Option<&str> {
    match callee {
        Expr::Ident(name) => Some(&name.sym),
        Expr::Member(member) => match &member.prop {
            MemberProp::Ident(name) if name.sym == *"_" || name.sym == *"default" => {
                last_name(transparent(&member.obj))
            }
            MemberProp::Ident(name) if name.sym.starts_with('_') => Some(&name.sym),
            _ => None,
        },
        _ => None,
    }
}

fn generator_argument(arguments: &[ExprOrSpread]) -> Option<&ast::FnExpr> {
    match transparent(&arguments.last()?.expr) {
        Expr::Fn(function) if function.function.is_generator => Some(function),
        _ => None,
    }
}

fn is_text(expr: &Expr, text: &str) -> bool {
    matches!(transparent(expr), Expr::Lit(Lit::Str(string)) if string.value.as_str() == Some(text))
}

fn descriptor_value(object: &ast::ObjectLit) -> Option<&Expr> {
    object.props.iter().find_map(|property| match property {
        ast::PropOrSpread::Prop(property) => match &**property {
            ast::Prop::KeyValue(pair) => match &pair.key {
                ast::PropName::Ident(name) if name.sym == *"value" => Some(&*pair.value),
                _ => None,
            },
            _ => None,
        },
        ast::PropOrSpread::Spread(_) => None,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn helpers_are_sorted() {
        assert!(super::HELPERS.is_sorted_by_key(|(name, _)| *name));
    }
}
