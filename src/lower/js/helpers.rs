//! What TypeScript, Babel, swc, esbuild and rollup emit for newer syntax, read back as that syntax: module interop,
//! `async` functions, private fields and methods, class fields. Names of compilers' helpers, never of libraries.

use super::call::literal_string;
use super::expr::transparent;
use super::state::{How, Lowering, NewCall};
use crate::model::{FunctionKind, Literal, Name, Property, Value, ValueId};
use swc_common::Spanned;
use swc_ecma_ast as ast;
use swc_ecma_ast::{Callee, Expr, ExprOrSpread, Lit, MemberProp};

/// What a helper stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Helper {
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
    /// Gives back its last argument: the class that it decorates.
    Decorate,
    /// Gives back its first argument: the class that it adds methods to.
    Define,
    /// `{ ...a, b }`, as copies into a fresh object.
    Copy,
}

const HELPERS: &[(&str, Helper)] = &[
    ("__assign", Helper::Copy),
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
    ("__spreadProps", Helper::Copy),
    ("__spreadValues", Helper::Copy),
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
    ("_createClass", Helper::Define),
    ("_create_class", Helper::Define),
    ("_defineProperty", Helper::Field),
    ("_defineProperty2", Helper::Field),
    ("_define_property", Helper::Field),
    ("_extends", Helper::Copy),
    ("_interopDefault", Helper::Interop),
    ("_interopDefaultLegacy", Helper::Interop),
    ("_interopNamespace", Helper::Interop),
    ("_interopNamespaceDefault", Helper::Interop),
    ("_interopRequireDefault", Helper::Interop),
    ("_interopRequireWildcard", Helper::Interop),
    ("_interop_require_default", Helper::Interop),
    ("_interop_require_wildcard", Helper::Interop),
    ("_objectSpread", Helper::Copy),
    ("_objectSpread2", Helper::Copy),
    ("_object_spread", Helper::Copy),
    ("_object_spread_props", Helper::Copy),
    ("_ts_decorate", Helper::Decorate),
    ("require", Helper::Require),
];

/// Functions that compilers put into a file.
const EMITTED: &[&str] = &[
    "__addDisposableResource",
    "__assign",
    "__async",
    "__asyncDelegator",
    "__asyncGenerator",
    "__asyncValues",
    "__await",
    "__awaiter",
    "__classPrivateFieldGet",
    "__classPrivateFieldIn",
    "__classPrivateFieldSet",
    "__copyProps",
    "__createBinding",
    "__decorate",
    "__decorateClass",
    "__defNormalProp",
    "__disposeResources",
    "__esDecorate",
    "__export",
    "__exportStar",
    "__extends",
    "__forAwait",
    "__generator",
    "__importDefault",
    "__importStar",
    "__makeTemplateObject",
    "__metadata",
    "__objRest",
    "__param",
    "__privateAdd",
    "__privateGet",
    "__privateMethod",
    "__privateSet",
    "__propKey",
    "__publicField",
    "__reExport",
    "__read",
    "__rest",
    "__runInitializers",
    "__setFunctionName",
    "__setModuleDefault",
    "__spread",
    "__spreadArray",
    "__spreadArrays",
    "__spreadProps",
    "__spreadValues",
    "__toCommonJS",
    "__toESM",
    "__values",
    "_arrayLikeToArray",
    "_arrayWithHoles",
    "_arrayWithoutHoles",
    "_array_like_to_array",
    "_array_with_holes",
    "_array_without_holes",
    "_assertClassBrand",
    "_assertThisInitialized",
    "_assert_this_initialized",
    "_asyncIterator",
    "_asyncToGenerator",
    "_async_to_generator",
    "_callSuper",
    "_call_super",
    "_checkPrivateRedeclaration",
    "_classCallCheck",
    "_classPrivateFieldGet",
    "_classPrivateFieldInitSpec",
    "_classPrivateFieldSet",
    "_classPrivateMethodGet",
    "_classPrivateMethodInitSpec",
    "_class_call_check",
    "_construct",
    "_createClass",
    "_createForOfIteratorHelper",
    "_createSuper",
    "_create_class",
    "_defineProperties",
    "_defineProperty",
    "_define_property",
    "_export_star",
    "_extends",
    "_getPrototypeOf",
    "_getRequireWildcardCache",
    "_get_prototype_of",
    "_inherits",
    "_inheritsLoose",
    "_inherits_loose",
    "_interopDefault",
    "_interopDefaultLegacy",
    "_interopNamespace",
    "_interopNamespaceDefault",
    "_interopRequireDefault",
    "_interopRequireWildcard",
    "_interop_require_default",
    "_interop_require_wildcard",
    "_isNativeFunction",
    "_isNativeReflectConstruct",
    "_is_native_reflect_construct",
    "_iterableToArray",
    "_iterableToArrayLimit",
    "_iterable_to_array",
    "_iterable_to_array_limit",
    "_nonIterableRest",
    "_nonIterableSpread",
    "_non_iterable_rest",
    "_non_iterable_spread",
    "_objectSpread",
    "_objectSpread2",
    "_objectWithoutProperties",
    "_object_spread",
    "_object_spread_props",
    "_possibleConstructorReturn",
    "_possible_constructor_return",
    "_regenerator",
    "_regeneratorDefine2",
    "_regeneratorRuntime",
    "_regeneratorValues",
    "_setPrototypeOf",
    "_set_prototype_of",
    "_slicedToArray",
    "_sliced_to_array",
    "_superPropBase",
    "_toArray",
    "_toConsumableArray",
    "_toPrimitive",
    "_toPropertyKey",
    "_to_consumable_array",
    "_ts_decorate",
    "_ts_generator",
    "_ts_metadata",
    "_type_of",
    "_typeof",
    "_unsupportedIterableToArray",
    "_unsupported_iterable_to_array",
    "_wrapNativeSuper",
];

impl Lowering<'_> {
    /// The value of a call that is a compiler's helper.
    pub fn helper_call(&mut self, callee: &Expr, call: &ast::CallExpr) -> Option<ValueId> {
        let arguments = &call.args;
        let kind = helper(callee)?;
        match kind {
            Helper::Require => {
                if !matches!(callee, Expr::Ident(_)) {
                    return None;
                }
                if let Some(name) = literal_string(arguments) {
                    return Some(self.value(Value::Import(name)));
                }
                // `require(secure ? 'https' : 'http')`.
                let Expr::Cond(choice) = transparent(&arguments.first()?.expr) else { return None };
                let named = |arm: &Expr| match transparent(arm) {
                    Expr::Lit(Lit::Str(name)) => name.value.as_str().map(Name::from),
                    _ => None,
                };
                let (one, other) = (named(&choice.cons)?, named(&choice.alt)?);
                self.expr(&choice.test);
                let modules = [one, other].map(|name| self.value(Value::Import(name)));
                Some(self.value(Value::Choice(modules.into())))
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
            Helper::Decorate | Helper::Define => {
                let is_class = arguments.len() == 2 || kind == Helper::Define;
                if !is_class {
                    return None;
                }
                let function = self.expr(callee);
                let lowered = self.arguments(arguments, None);
                let class = if kind == Helper::Define { lowered.first() } else { lowered.last() };
                let class = class.map(|argument| argument.value);
                if kind == Helper::Decorate
                    && let (Some(list), Some(class)) = (lowered.first(), class)
                {
                    self.note_decorators(list.value, class);
                }
                let span = self.span(call.span);
                let name_span = self.span(callee.span());
                self.call(NewCall::new(function, lowered, span, name_span));
                class
            }
            Helper::Copy => self.copied(arguments),
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
                let Expr::Lit(Lit::Str(key)) = transparent(&key.expr) else { return None };
                let name = key.value.as_str()?;
                let object = self.expr(&object.expr);
                let place = self.member(object, name);
                self.hint = Some(Name::from(name));
                let value = self.expr(&value.expr);
                let span = self.span(call.span);
                self.assign(place, value, span, How::Declaration);
                Some(object)
            }
        }
    }

    /// `__assign(__assign({}, a), { b })`: the innermost literal gets what the calls around it copy into it.
    fn copied(&mut self, arguments: &[ExprOrSpread]) -> Option<ValueId> {
        let (target, sources) = arguments.split_first()?;
        let is_fresh = match transparent(&target.expr) {
            Expr::Object(_) => true,
            Expr::Call(inner) => {
                matches!(&inner.callee, Callee::Expr(callee) if helper(transparent(callee)) == Some(Helper::Copy))
            }
            _ => false,
        };
        if !is_fresh {
            return None;
        }
        let value = self.expr(&target.expr);
        let Value::Object(object) = self.out.values[value.index()] else { return Some(value) };
        for source in sources {
            let copied = self.expr(&source.expr);
            let properties = match (transparent(&source.expr), &self.out.values[copied.index()]) {
                (Expr::Object(_), Value::Object(literal)) => self.out.objects[literal.index()].properties.clone(),
                _ => vec![Property { name: None, value: self.spread(copied) }],
            };
            self.out.objects[object.index()].properties.extend(properties);
        }
        Some(value)
    }

    /// The method of `__classPrivateFieldGet(this, set, "m", method)`, `_assertClassBrand(set, this, method)`.
    pub fn private_method(&mut self, call: &ast::CallExpr) -> Option<ValueId> {
        let Callee::Expr(callee) = &call.callee else { return None };
        let (object, method) = match (last_name(transparent(callee))?, &call.args[..]) {
            ("__classPrivateFieldGet", [object, _, _, method]) => (object, method),
            ("_classPrivateMethodGet" | "_class_private_method_get" | "__privateMethod", [object, _, method]) => {
                (object, method)
            }
            ("_assertClassBrand", [_, object, method]) => (object, method),
            _ => return None,
        };
        let Expr::Ident(method) = transparent(&method.expr) else { return None };
        let name = self.field_name(&method.sym);
        let object = self.expr(&object.expr);
        self.named(&method.sym);
        if let Some(binding) = self.find(&method.sym) {
            self.private_methods.push((object, Name::from(&name), binding));
        }
        Some(self.member(object, &name))
    }

    /// The place `object.#field` of `helper(object, _Class_field)` or `helper(_field, object)`.
    fn private_field(&mut self, arguments: &[ExprOrSpread]) -> Option<ValueId> {
        let [first, second, ..] = arguments else { return None };
        // `__classPrivateFieldGet(this, set, "a", accessor)`: the last one names the member.
        let (object, field) = match (transparent(&first.expr), transparent(&second.expr)) {
            (Expr::Ident(field), Expr::This(_)) => (second, field),
            (Expr::Ident(field), Expr::Ident(object)) if object.sym.starts_with("_this") => (second, field),
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
        let bare = variable.trim_start_matches('_');
        let class = bare.match_indices('_').find(|(at, _)| *at > 0 && self.find(&bare[..*at]).is_some());
        format!("#{}", class.map_or(bare, |(at, _)| &bare[at + 1..]))
    }

    /// Whether a variable is one of the functions that compilers put into a file, whose code is nobody's.
    pub fn is_emitted(name: &str) -> bool {
        name.starts_with('_') && EMITTED.binary_search(&name).is_ok()
    }

    /// A generator function literal that stands for an async function.
    fn async_generator(&mut self, generator: &ast::FnExpr, kind: FunctionKind) -> ValueId {
        let function = self.generator_as_async(generator, kind);
        self.value(Value::Function(function))
    }
}

/// Which helper an expression calls.
pub fn helper(callee: &Expr) -> Option<Helper> {
    let name = last_name(callee)?;
    let at = HELPERS.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    Some(HELPERS[at].1)
}

/// The last name of `a`, `tslib.a`, `a.default`, `a._`.
pub fn last_name(callee: &Expr) -> Option<&str> {
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

pub fn generator_argument(arguments: &[ExprOrSpread]) -> Option<&ast::FnExpr> {
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
    fn names_are_sorted() {
        assert!(super::HELPERS.is_sorted_by_key(|(name, _)| *name));
        assert!(super::EMITTED.is_sorted());
    }
}
