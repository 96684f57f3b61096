//! What a piece of C or C++ code comes to own, and from which call: catalog rows, `new`, naming conventions of C libraries,
//! and project functions that return what they acquired. Follows nothing; that is for the walk.

use super::How;
use super::state::{Doubt, root};
use crate::model::contract::{Api, By, Valid};
use crate::model::{
    BindingKind, CallId, ClassId, FunctionId, FunctionKind, Holder, In, Literal, Summary, Type, Value, ValueId,
};
use crate::project::{AccessKind, Project};
use crate::text::FileId;

/// How many functions may stand between an acquisition and its caller.
const WRAPPERS: u8 = 2;

/// Something owned, and where the owning begins.
#[derive(Clone, Debug)]
pub struct Owned<'a> {
    /// The function in which it is followed.
    pub function: In<FunctionId>,
    /// Where it begins.
    pub begin: Begin,
    /// The value that holds it first.
    pub holder: Option<ValueId>,
    /// Its type, where the catalog has one.
    pub ty: Option<&'a Type>,
    /// How the thing itself says that it exists.
    pub valid: Valid,
    /// How the acquiring call's result says that it succeeded, for out-parameters.
    pub succeeds: Valid,
    /// Names of functions that release it, by convention.
    pub releasers: Vec<String>,
    /// What messages call it.
    pub noun: String,
    /// How sure it is that there is an obligation at all.
    pub doubt: Doubt,
    /// The call that acquires it at last, for wrappers.
    pub from: Option<In<CallId>>,
    /// Bytes, characters, a library's handle: nothing that could register itself somewhere.
    pub is_plain_memory: bool,
}

/// Where an obligation begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// The call's result.
    Result(CallId),
    /// Written through an argument.
    Out(CallId),
    /// The place holds it when the function is entered.
    Entry(ValueId),
}

/// What a project function gives its caller.
#[derive(Clone, Debug)]
pub(super) struct Given {
    ty: Option<String>,
    releasers: Vec<String>,
    valid: Valid,
    noun: String,
    doubt: Doubt,
    from: In<CallId>,
    is_plain_memory: bool,
}

impl Given {
    /// What a wrapper gives on of what it acquires.
    pub(super) fn of(owned: &Owned<'_>) -> Option<Given> {
        Some(Given {
            ty: owned.ty.map(|ty| ty.name.clone()),
            releasers: owned.releasers.clone(),
            valid: owned.valid,
            noun: owned.noun.clone(),
            doubt: owned.doubt,
            from: owned.from?,
            is_plain_memory: owned.is_plain_memory,
        })
    }
}

impl<'a> Owned<'a> {
    /// The call that acquires it.
    pub fn call(&self) -> Option<CallId> {
        self.begin.call()
    }

    pub(super) fn result_of(&self, call: CallId) -> bool {
        self.begin == Begin::Result(call)
    }

    /// Whether a function of this name releases it by convention.
    pub fn is_released_by(&self, name: &str) -> bool {
        self.releasers.iter().any(|releaser| releaser == name)
    }

    /// Something that a place holds when a function is entered; of the same kind as another thing.
    pub fn entry(function: In<FunctionId>, value: ValueId, like: &Owned<'a>) -> Owned<'a> {
        Owned { function, begin: Begin::Entry(value), holder: Some(value), from: None, ..like.clone() }
    }

    /// A pointer of unknown kind that a place holds when a function is entered.
    pub fn pointer(function: In<FunctionId>, value: ValueId) -> Owned<'a> {
        Owned {
            function,
            begin: Begin::Entry(value),
            holder: Some(value),
            ty: None,
            valid: Valid::Truthy,
            succeeds: Valid::Unknown,
            releasers: Vec::new(),
            noun: String::from("object"),
            doubt: Doubt::Sure,
            from: None,
            is_plain_memory: false,
        }
    }
}

impl<'a> Project<'a> {
    /// Everything that the code of a C or C++ function comes to own.
    pub fn acquisitions(&self, function: In<FunctionId>) -> Vec<Owned<'a>> {
        self.acquisitions_at(function, WRAPPERS)
    }

    pub(super) fn acquisitions_at(&self, function: In<FunctionId>, depth: u8) -> Vec<Owned<'a>> {
        let calls = &self.index(function.file).calls[function.id.index()];
        let summary = self.summary(function.file);
        // A macro may write its argument twice: that is one call to the eye.
        let repeats = |at: usize| {
            let call = summary.call(calls[at]);
            calls[..at]
                .iter()
                .rev()
                .take(4)
                .map(|earlier| summary.call(*earlier))
                .any(|earlier| earlier.span == call.span && earlier.callee == call.callee)
        };
        (0..calls.len())
            .filter(|at| !repeats(*at))
            .flat_map(|at| self.acquired(function.with(calls[at]), depth))
            .collect()
    }

    /// What one call gives.
    fn acquired(&self, call: In<CallId>, depth: u8) -> Vec<Owned<'a>> {
        let written = self.call(call);
        if written.is_placement {
            return Vec::new();
        }
        if written.is_new {
            return self.new_object(call).into_iter().collect();
        }
        if let Some(api) = self.api(call) {
            // A reference counted once more for an object that has its holder.
            if api.returns.is_some() && written.is_discarded || !self.asks_for_fresh(call, api) {
                return Vec::new();
            }
            let first = api.gives.as_ref().map(|gives| (gives, &api.by));
            let also = api.also.iter().map(|given| (&given.gives, &given.by));
            return first
                .into_iter()
                .chain(also)
                .filter_map(|(gives, by)| self.by_row(call, self.contracts.ty(gives)?, by, api.succeeds))
                .collect();
        }
        let targets = self.targets(call);
        match targets.functions.as_slice() {
            [target] if !targets.weak && !self.is_overloaded(*target) => {
                let returned = self.giving(*target, depth).map(|given| self.from_wrapper(call, &given));
                returned.into_iter().chain(self.written_by(call, *target, depth)).collect()
            }
            [] => self.by_convention(call).or_else(|| self.by_treatment(call, self.blank(call))).into_iter().collect(),
            // Found by its name alone, it may as well be somebody else's.
            _ if targets.weak => self.by_treatment(call, self.blank(call)).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether a class has several methods of a function's name: which one a call means is a question of types.
    pub(crate) fn is_overloaded(&self, function: In<FunctionId>) -> bool {
        let name = self.function(function).name;
        let Some(class) = self.class_of(function) else { return false };
        let same = self
            .methods(class)
            .into_iter()
            .filter(|method| self.function(*method).name == name && self.function(*method).has_body);
        same.count() > 1
    }

    /// Whether a call of an API that fills what it is given is given nothing to fill.
    fn asks_for_fresh(&self, call: In<CallId>, api: &Api) -> bool {
        let Some(at) = api.only_with_null else { return true };
        self.argument(call, at).is_some_and(|argument| match self.value(argument) {
            Value::Literal(Literal::Null | Literal::Int(0)) => true,
            Value::Global(name) => matches!(name.as_str(), "NULL" | "nullptr" | "nil"),
            _ => false,
        })
    }

    pub(super) fn blank(&self, call: In<CallId>) -> Owned<'a> {
        let holder = self.result(call).map(|value| value.id);
        Owned {
            function: self.function_of(call),
            begin: Begin::Result(call.id),
            holder,
            ty: None,
            valid: Valid::Truthy,
            succeeds: Valid::Unknown,
            releasers: Vec::new(),
            noun: String::new(),
            doubt: Doubt::Sure,
            from: Some(call),
            is_plain_memory: true,
        }
    }

    fn new_object(&self, call: In<CallId>) -> Option<Owned<'a>> {
        let written = self.call(call);
        let name = if written.is_array_new { "operator new[]" } else { "operator new" };
        let ty = self.contracts.api(name).and_then(|api| self.contracts.ty(api.gives.as_ref()?));
        let path = self.callee_text(call);
        let class = self.native_class(call.file, &path);
        let mut doubt = Doubt::Sure;
        if let Some(class) = class.filter(|_| !written.is_array_new) {
            doubt = self.gives_itself_away(class, 0);
            if doubt == Doubt::Unsure {
                return None;
            }
        } else if !written.is_array_new && self.contracts.ty(&path).is_none() && !is_known_namespace(&path) {
            // An unknown class may register itself, or have a parent among its arguments that owns it.
            let parent = written.arguments.iter().any(|argument| self.may_own(call.with(argument.value), 3));
            doubt = if parent { Doubt::Unsure } else { Doubt::Likely };
            let is_plain =
                path.ends_with("_t") || path.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit());
            if is_plain || self.contracts.words.is_scalar(&path) {
                doubt = Doubt::Sure;
            }
        }
        if self.contracts.ty(&path).is_some_and(|ty| ty.family == "async-work" || ty.family == "tsfn") {
            doubt = Doubt::Unsure;
        }
        let noun = if written.is_array_new { format!("`new {path}[]` array") } else { format!("`{path}` object") };
        let is_plain_memory = written.is_array_new || self.contracts.words.is_scalar(&path);
        Some(Owned { ty, noun, doubt, is_plain_memory, ..self.blank(call) })
    }

    /// Whether an argument may be an object that takes charge of what is made with it: no number, text or plain value.
    fn may_own(&self, argument: In<ValueId>, depth: u32) -> bool {
        match self.value(argument) {
            Value::Literal(_) | Value::Opaque(_) => false,
            Value::Choice(sides) => {
                depth == 0 || sides.iter().any(|side| self.may_own(argument.with(*side), depth - 1))
            }
            Value::Binding(binding) => self.binding(argument.with(*binding)).ty.as_ref().is_none_or(|ty| {
                let plain = self.contracts.words.is_scalar(&ty.name);
                let value =
                    ty.holder == Holder::Value && self.declared_type(argument.file, ty).is_some_and(|ty| ty.raii);
                !plain && !value
            }),
            // What a string or a JavaScript value gives away of itself is known.
            Value::Result(call) => self.api(argument.with(*call)).is_none_or(|api| api.gives.is_some()),
            _ => true,
        }
    }

    /// Whether the constructors of a class store, queue or hand over the object itself.
    fn gives_itself_away(&self, class: In<ClassId>, depth: u8) -> Doubt {
        let mut doubt = Doubt::Sure;
        for method in self.methods(class) {
            let function = self.function(method);
            if function.kind != FunctionKind::Constructor || !function.has_body {
                continue;
            }
            let summary = self.summary(method.file);
            for call in &self.index(method.file).calls[method.id.index()] {
                let gives = summary
                    .call(*call)
                    .arguments
                    .iter()
                    .any(|argument| matches!(summary.value(argument.value), Value::This(of) if *of == method.id));
                let name =
                    self.method_name(method.with(*call)).map(|name| name.to_ascii_lowercase()).unwrap_or_default();
                let own = matches!(
                    self.receiver(method.with(*call)).map(|value| summary.value(value.id)),
                    Some(Value::This(_))
                );
                let helped = || self.gives_this_away(method.with(*call));
                if gives || (own && matches!(name.as_str(), "wrap" | "ref" | "queue" | "start")) || helped() {
                    doubt = Doubt::Unsure;
                }
            }
            function.flow.walk(&mut |flow| {
                if let crate::model::Flow::Step(crate::model::Step::Assign(assign)) = flow
                    && matches!(summary.value(assign.value), Value::This(of) if *of == method.id)
                {
                    // Its own request pointing back at it is what batons do; whoever queues it takes it over.
                    let own =
                        matches!(summary.value(assign.place), Value::Member(..)) && !is_global(summary, assign.place);
                    if !own {
                        doubt = Doubt::Unsure;
                    }
                }
            });
        }
        if depth < 4 {
            for base in self.bases(class) {
                doubt = doubt.max(self.gives_itself_away(base, depth + 1));
            }
        }
        let summary = self.summary(class.file);
        let has_unknown_base = self.class(class).bases.iter().any(|base| match summary.value(*base) {
            Value::Class(_) => false,
            _ => {
                let text = self.text(class.with(*base));
                self.native_class(class.file, &text).is_none() && self.contracts.ty(&text).is_none()
            }
        });
        if has_unknown_base { doubt.max(Doubt::Likely) } else { doubt }
    }

    /// Whether a call runs a method of the same object that hands that object over.
    fn gives_this_away(&self, call: In<CallId>) -> bool {
        self.targets(call).functions.iter().any(|target| {
            let summary = self.summary(target.file);
            let is_this = |value: ValueId| matches!(summary.value(value), Value::This(of) if *of == target.id);
            self.class_of(*target).is_some()
                && self.index(target.file).calls[target.id.index()]
                    .iter()
                    .any(|call| summary.call(*call).arguments.iter().any(|argument| is_this(argument.value)))
        })
    }

    /// Whether a call gives memory: `new`, `malloc`, ...
    pub fn is_heap(&self, call: In<CallId>) -> bool {
        let written = self.call(call);
        if written.is_new {
            return !written.is_placement;
        }
        let ty = self.api(call).and_then(|api| self.contracts.ty(api.gives.as_ref()?));
        ty.is_some_and(|ty| matches!(ty.family.as_str(), "heap" | "array-heap"))
    }

    /// What a smart pointer gives up may be known elsewhere, by what its constructor did.
    fn is_known_elsewhere(&self, call: In<CallId>) -> bool {
        let Some(Value::Binding(pointer)) = self.receiver(call).map(|receiver| self.value(receiver)) else {
            return false;
        };
        let Some(ty) = &self.binding(call.with(*pointer)).ty else { return false };
        let pointee = ty.text.split_once('<').and_then(|(_, rest)| rest.rsplit_once('>'));
        let class = pointee.and_then(|(pointee, _)| self.native_class(call.file, pointee.trim()));
        class.is_some_and(|class| self.gives_itself_away(class, 0) == Doubt::Unsure) || self.is_wrapped(call)
    }

    /// Whether what a smart pointer gives up was handed to somebody before: `p->Wrap(object); p.release();`.
    fn is_wrapped(&self, release: In<CallId>) -> bool {
        let Some(pointer) = self.receiver(release).filter(|_| self.call(release).is_discarded) else { return false };
        self.uses(pointer).iter().any(|access| match access.kind {
            AccessKind::Method { call, .. } => {
                let name = self.method_name(access.of(call)).unwrap_or_default();
                // `raw = p.get(); queue(raw); p.release();`
                access.of(call) != release && (name == "get" || self.contracts.words.takes(&name))
            }
            _ => false,
        })
    }

    fn by_row(&self, call: In<CallId>, ty: &'a Type, by: &By, succeeds: Valid) -> Option<Owned<'a>> {
        if ty.collectable || ty.raii || self.is_known_elsewhere(call) {
            return None;
        }
        let valid = if ty.valid == Valid::Unknown { Valid::Truthy } else { ty.valid };
        let owned = Owned { ty: Some(ty), valid, noun: ty.noun.clone(), ..self.blank(call) };
        match by {
            By::Return => Some(owned),
            By::Out(at) => self.out(call, *at, None, Owned { succeeds, ..owned }),
            By::OutField(at, field) => self.out(call, *at, Some(field), Owned { succeeds, ..owned }),
            By::OutElement(at, element) => {
                let field = format!("[{element}]");
                self.out(call, *at, Some(&field), Owned { succeeds, ..owned })
            }
            By::Promise | By::Callback(_) | By::Argument(_) | By::Receiver => None,
        }
    }

    /// A thing that is written through an argument, where that is a local variable or a struct on the stack.
    pub(super) fn out(&self, call: In<CallId>, at: u16, field: Option<&str>, owned: Owned<'a>) -> Option<Owned<'a>> {
        let summary = self.summary(call.file);
        let argument = self.argument(call, at)?.id;
        let place = match summary.value(argument) {
            Value::Address(inner) => *inner,
            Value::Binding(binding) => {
                let binding = summary.binding(*binding);
                // `auto out = new napi_ref`: it is written to the heap.
                if binding.value.is_some_and(|value| matches!(summary.value(value), Value::Result(_))) {
                    return None;
                }
                let is_array = binding.ty.as_ref().is_some_and(|ty| ty.is_array);
                if !is_array && !matches!(binding.ty.as_ref().map(|ty| ty.holder), Some(Holder::Value | Holder::Raw)) {
                    return None;
                }
                if !is_array
                    && binding.ty.as_ref().is_some_and(|ty| ty.text.contains('*') || ty.holder == Holder::Value)
                {
                    return None;
                }
                argument
            }
            _ => return None,
        };
        if super::destination::has_computed_index(summary, place) {
            return None;
        }
        let binding = summary.binding(root(summary, place)?);
        let is_local = binding.function == self.function_of(call).id
            && matches!(binding.kind, BindingKind::Var | BindingKind::Const)
            && binding.ty.as_ref().is_none_or(|ty| ty.holder != Holder::Smart && ty.holder != Holder::Reference);
        if !is_local {
            return None;
        }
        let through_pointer = !matches!(summary.value(place), Value::Binding(_))
            && binding.ty.as_ref().is_some_and(|ty| (ty.text.contains('*') && !ty.is_array) || ty.name == "auto");
        if through_pointer {
            return None;
        }
        let holder = match field {
            None => Some(place),
            Some(field) => self.field_value(call.file, place, field),
        };
        Some(Owned { begin: Begin::Out(call.id), holder, ..owned })
    }

    /// `place.field` (or `place[2]`), where code mentions it.
    fn field_value(&self, file: FileId, place: ValueId, field: &str) -> Option<ValueId> {
        let summary = self.summary(file);
        let element = field.strip_prefix('[').and_then(|rest| rest.trim_end_matches(']').parse::<i64>().ok());
        let at = summary.values.iter().position(|value| match (value, element) {
            (Value::Member(object, name), None) => *object == place && *name == *field,
            (Value::Index(object, key), Some(element)) => {
                *object == place && *summary.value(*key) == Value::Literal(Literal::Int(element))
            }
            _ => false,
        })?;
        Some(ValueId(at as u32))
    }

    pub(super) fn from_wrapper(&self, call: In<CallId>, given: &Given) -> Owned<'a> {
        Owned {
            ty: given.ty.as_ref().and_then(|ty| self.contracts.ty(ty)),
            releasers: given.releasers.clone(),
            valid: given.valid,
            noun: given.noun.clone(),
            doubt: given.doubt,
            from: Some(given.from),
            is_plain_memory: given.is_plain_memory,
            ..self.blank(call)
        }
    }

    /// What a project function returns to its caller as its own, if all that it returns is such (or null).
    fn giving(&self, function: In<FunctionId>, depth: u8) -> Option<Given> {
        let depth = depth.checked_sub(1)?;
        self.custody.giving.keep((function, depth), || self.look_at_returns(function, depth))
    }

    fn look_at_returns(&self, function: In<FunctionId>, depth: u8) -> Option<Given> {
        let written = self.function(function);
        let returns = written.returns.as_ref()?;
        if !written.has_body || matches!(returns.holder, Holder::Smart | Holder::Reference) || &*returns.name == "bool"
        {
            return None;
        }
        let summary = self.summary(function.file);
        let is_nothing = |value: ValueId| match summary.value(value) {
            Value::Literal(Literal::Null) => true,
            Value::Literal(Literal::Int(n)) => *n <= 0,
            _ => false,
        };
        let mut left: Vec<_> = self
            .returned(function)
            .into_iter()
            .filter(|(value, _)| !is_nothing(*value))
            .map(|(_, span)| span)
            .collect();
        if left.is_empty() {
            return None;
        }
        let mut given = None;
        for owned in self.acquisitions_at(function, depth) {
            let custody = self.custody_at(&owned, 1);
            let mut is_returned = false;
            for settlement in &custody.settlements {
                match settlement.how {
                    How::Returned => {
                        is_returned = true;
                        left.retain(|span| *span != settlement.span);
                    }
                    // Kept elsewhere too: then it is not the caller's.
                    How::Stored(_) | How::Handed(..) if left.len() < 2 => return None,
                    _ => {}
                }
            }
            if is_returned {
                given = given.or(Some(Given::of(&owned)?));
            }
        }
        if left.is_empty() { given } else { None }
    }
}

/// Whether a place is reached from a name that no code here declares: `per_thread::current`, `registry.first`.
fn is_global(summary: &Summary, place: ValueId) -> bool {
    match summary.value(place) {
        Value::Member(object, _) => is_global(summary, *object),
        value => matches!(value, Value::Global(_)),
    }
}

fn is_known_namespace(path: &str) -> bool {
    ["std::", "v8::", "Nan::", "Napi::", "node::"].iter().any(|prefix| path.starts_with(prefix))
}
