//! How long values and places live, and who owns them: the other side of the first law.

use super::memo::{Ask, guarded};
use super::{Origin, Place, Project, RateAnswer, Root};
use crate::finding::{StepKind, TraceStep};
use crate::model::contract::By;
use crate::model::{BindingId, BindingKind, CallId, ClassId, FunctionId, In, ObjectId, Rate, Value, ValueId};
use crate::text::Location;

/// How long something lives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifetime {
    /// How often such a thing is born; `Some(Once)`: it lives as long as the process. None where nothing tells.
    pub born: Option<Rate>,
    /// Who holds it.
    pub owner: Owner,
    /// Why that is believed.
    pub why: Vec<TraceStep>,
}

/// Who holds a thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The process: module variables, static fields, `process`, standard streams.
    Process,
    /// Instances of a class of the project: it dies with its instance.
    Instance(In<ClassId>),
    /// One run of a function (this one, whose local it is; closures may hold it longer).
    Call(In<FunctionId>),
    /// The caller: a parameter, an option, an injected object. It may live for ever and this code cannot tell. `born` is
    /// set where the one who hands it over is known to make a new one each time (the socket of `on('connection')`).
    Caller(In<FunctionId>),
    /// Nobody known.
    #[default]
    Unknown,
}

impl Lifetime {
    /// Whether it came from outside: a parameter or something reached through one.
    pub fn is_callers(&self) -> bool {
        matches!(self.owner, Owner::Caller(_))
    }

    /// Whether it lives as long as the process.
    pub fn is_process(&self) -> bool {
        self.born == Some(Rate::Once)
    }

    fn hold(born: Option<Rate>, owner: Owner, at: Location, message: String) -> Self {
        Lifetime { born, owner, why: vec![TraceStep { kind: StepKind::Hold, at, message }] }
    }

    fn of(answer: RateAnswer, owner: Owner) -> Self {
        Lifetime { born: answer.rate, owner, why: answer.why }
    }
}

impl Project<'_> {
    /// How long the object that a value denotes lives.
    pub fn lifetime(&self, value: In<ValueId>) -> Lifetime {
        guarded(Ask::Lifetime, &value, || self.find_lifetime(value))
    }

    fn find_lifetime(&self, value: In<ValueId>) -> Lifetime {
        let origins = self.origins(value);
        let mut found: Option<Lifetime> = None;
        for origin in origins.iter().filter(|origin| !matches!(origin, Origin::Literal(_))) {
            let next = self.origin_lifetime(*origin, value);
            // The caller's own beats one made here: what is made only where nothing was passed in is no proof of ownership.
            found = Some(match found {
                None => next,
                Some(known) if known.is_callers() => known,
                Some(known) if next.is_callers() || next.born.is_none() => {
                    if next.is_callers() {
                        next
                    } else {
                        Lifetime { born: None, ..known }
                    }
                }
                Some(known) if next.born < known.born => next,
                Some(known) => known,
            });
        }
        let found = found.unwrap_or_default();
        if found.born.is_none()
            && let Some(rate) = self.ty(value).and_then(|ty| ty.lifetime)
        {
            return Lifetime {
                born: Some(rate),
                owner: if rate == Rate::Once { Owner::Process } else { found.owner },
                ..found
            };
        }
        found
    }

    fn origin_lifetime(&self, origin: Origin, value: In<ValueId>) -> Lifetime {
        match origin {
            // What a function was called with belongs to its caller, as parameters do.
            Origin::External(path) if path == "arguments" || path.starts_with("arguments.") => Lifetime::default(),
            Origin::External(path) => {
                let at = self.at(value.file, crate::text::Span::default());
                match self.contracts.value(&path).and_then(|ty| ty.lifetime) {
                    Some(rate) if rate > Rate::Once => Lifetime { born: Some(rate), ..Lifetime::default() },
                    _ => Lifetime::hold(
                        Some(Rate::Once),
                        Owner::Process,
                        at,
                        format!("`{path}` lives as long as the process"),
                    ),
                }
            }
            Origin::Module(_) | Origin::Class(_) => {
                Lifetime { born: Some(Rate::Once), owner: Owner::Process, why: Vec::new() }
            }
            Origin::New(call, _) => self.made(call, value),
            Origin::Result(call) | Origin::Resolved(call) => self.result_lifetime(call, value),
            Origin::Object(object) => self.object_lifetime(object),
            Origin::Array(array) => match self.index(array.file).accesses(array.id).first() {
                Some(access) => self.local(array.with(access.function)),
                None => Lifetime::default(),
            },
            Origin::Function(function) => match self.function(function).parent {
                Some(parent) => self.local(function.with(parent)),
                None => Lifetime::default(),
            },
            Origin::Bound(call, _) => self.made(call, value),
            Origin::Parameter(parameter) => self.parameter_lifetime(parameter),
            Origin::This(class) => Lifetime::of(self.instances(class), Owner::Instance(class)),
            Origin::Receiver(function) => Lifetime { owner: Owner::Caller(function), ..Lifetime::default() },
            Origin::Variable(variable) => self.variable_lifetime(variable),
            Origin::Part(part) => self.part_lifetime(part),
            Origin::Literal(_) | Origin::Opaque(_) | Origin::Unknown => Lifetime::default(),
        }
    }

    /// Something that a call makes: as often as the call happens, held by whatever it is put into.
    fn made(&self, call: In<CallId>, value: In<ValueId>) -> Lifetime {
        let owner = match self.place(value) {
            Some(place) => self.place_lifetime(place).owner,
            None => Owner::Call(self.function_of(call)),
        };
        Lifetime::of(self.call_rate(call), owner)
    }

    fn result_lifetime(&self, call: In<CallId>, value: In<ValueId>) -> Lifetime {
        let api = self.api(call);
        let fresh = self.call(call).is_new
            || api.is_some_and(|api| api.gives.is_some() && matches!(api.by, By::Return | By::Promise));
        if fresh {
            return self.made(call, value);
        }
        Lifetime::default()
    }

    fn object_lifetime(&self, object: In<ObjectId>) -> Lifetime {
        let index = self.index(object.file);
        let value = index.objects.get(object.id.index()).copied().flatten();
        match value.and_then(|value| index.accesses(value).first()) {
            Some(access) => self.local(object.with(access.function)),
            None => Lifetime::default(),
        }
    }

    fn local(&self, function: In<FunctionId>) -> Lifetime {
        let owner = if function.id == FunctionId::MODULE { Owner::Process } else { Owner::Call(function) };
        Lifetime::of(self.rate(function), owner)
    }

    /// A parameter belongs to the caller, unless all callers are known and agree.
    fn parameter_lifetime(&self, parameter: In<BindingId>) -> Lifetime {
        let function = parameter.with(self.binding(parameter).function);
        let name = self.binding(parameter).name;
        let passed = self.passed_to(function);
        for passed in passed.iter() {
            if passed.handed.runs == Some(crate::model::contract::Runs::Event) {
                let head = self.head_text(passed.call);
                let at = self.locate(passed.call);
                return Lifetime::hold(
                    Some(Rate::PerEvent),
                    Owner::Caller(function),
                    at,
                    format!("`{name}` is handed over by `{head}`, a new one each time"),
                );
            }
        }
        let callers = self.callers(function);
        if passed.is_empty() && !callers.is_empty() && callers.len() <= 8 && !self.is_public(function) {
            let arguments = self.arguments_of(parameter);
            let mut lifetimes = arguments.iter().map(|argument| self.lifetime(*argument));
            if let Some(first) = lifetimes.next()
                && arguments.len() == callers.len()
                && !matches!(first.owner, Owner::Unknown)
                && lifetimes.all(|other| {
                    std::mem::discriminant(&other.owner) == std::mem::discriminant(&first.owner)
                        && other.born == first.born
                })
            {
                return first;
            }
        }
        let at = self.at(parameter.file, self.binding(parameter).span);
        let shown = if name.is_empty() { "it".to_owned() } else { format!("`{name}`") };
        Lifetime::hold(None, Owner::Caller(function), at, format!("{shown} is passed in and belongs to the caller"))
    }

    fn variable_lifetime(&self, variable: In<BindingId>) -> Lifetime {
        let binding = self.binding(variable);
        let at = self.at(variable.file, binding.span);
        if binding.function == FunctionId::MODULE || binding.kind == BindingKind::Static {
            let message = format!("`{}` lives as long as the process", binding.name);
            return Lifetime::hold(Some(Rate::Once), Owner::Process, at, message);
        }
        self.local(variable.with(binding.function))
    }

    fn part_lifetime(&self, part: In<ValueId>) -> Lifetime {
        match self.value(part) {
            Value::Member(object, name) => {
                if let Some(place) = self.place(part)
                    && let Root::Field(..) | Root::Static(..) | Root::Property(..) = place.root
                {
                    return self.place_lifetime(place);
                }
                // What is in a slot that is emptied from time to time does not live as long as what has the slot.
                if self.place(part).is_some_and(|place| self.is_emptied_elsewhere(place, part.with(FunctionId::MODULE)))
                {
                    return Lifetime::default();
                }
                let copied = self.copied_into(part.with(*object), *name);
                let given = copied.into_iter().map(|from| self.lifetime(from)).find(Lifetime::is_callers);
                given.unwrap_or_else(|| self.lifetime(part.with(*object)))
            }
            Value::Index(object, _) | Value::Deref(object) => self.lifetime(part.with(*object)),
            _ => Lifetime::default(),
        }
    }

    /// How long a place (the variable or field itself, not what it holds) lives.
    pub fn place_lifetime(&self, place: Place) -> Lifetime {
        let name = self.place_text(place);
        match place.root {
            Root::Variable(variable) => match self.binding(variable).kind {
                BindingKind::Parameter(_) if !place.path.is_empty() => self.parameter_lifetime(variable),
                _ => self.variable_lifetime(variable),
            },
            Root::Field(class, _) => {
                let mut found = Lifetime::of(self.instances(class), Owner::Instance(class));
                let at = self.at(class.file, self.class(class).span);
                let message = match found.born {
                    Some(Rate::Once) => format!("`{name}` belongs to the one instance of `{}`", self.class(class).name),
                    _ => format!("`{name}` lives with its instance of `{}`", self.class(class).name),
                };
                found.why.insert(0, TraceStep { kind: StepKind::Hold, at, message });
                found
            }
            Root::Static(class, _) if let Some(maker) = self.maker(class) => self.local(maker),
            Root::Static(class, _) => {
                let at = self.at(class.file, self.class(class).span);
                Lifetime::hold(
                    Some(Rate::Once),
                    Owner::Process,
                    at,
                    format!("`{name}` is static and lives as long as the process"),
                )
            }
            Root::Property(function, _) => match self.function(function).parent {
                Some(FunctionId::MODULE) | None => {
                    let at = self.locate_function(function);
                    let message =
                        format!("`{name}` is a property of a module's function and lives as long as the process");
                    Lifetime::hold(Some(Rate::Once), Owner::Process, at, message)
                }
                Some(parent) => self.local(function.with(parent)),
            },
            Root::Object(object, _) => self.object_lifetime(object),
            Root::Export(..) | Root::External(_) => {
                Lifetime { born: Some(Rate::Once), owner: Owner::Process, why: Vec::new() }
            }
        }
    }

    /// The function that makes a class anew each time it runs; none for a class of a module.
    fn maker(&self, class: In<ClassId>) -> Option<In<FunctionId>> {
        let facts = self.class(class);
        let own = facts.constructors.iter().copied().chain(facts.methods.iter().map(|method| method.function));
        let parent = own.map(|function| self.function(class.with(function)).parent).next()??;
        (parent != FunctionId::MODULE && !self.is_native(class.file)).then(|| class.with(parent))
    }
}
