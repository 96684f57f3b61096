//! Objects that store themselves in a request or handle of their own when they are made: `request->data = this`. Whoever
//! gets the request gets the object. Reads constructors only.

use crate::model::{CallId, Flow, FunctionKind, In, Name, Step, Value};
use crate::project::Project;

impl Project<'_> {
    /// The member of something of its own in which a new object stores itself when it is made: `data` for
    /// `request->data = this` in the constructor of its class or of a base.
    pub fn points_back(&self, call: In<CallId>) -> Option<Name> {
        if !self.call(call).is_new {
            return None;
        }
        let class = self.native_class(call.file, &self.callee_text(call))?;
        std::iter::once(class).chain(self.bases(class)).flat_map(|class| self.methods(class)).find_map(|method| {
            let summary = self.summary(method.file);
            let function = summary.function(method.id);
            let mut found = None;
            function.flow.walk(&mut |flow| {
                if let Flow::Step(Step::Assign(assign)) = flow
                    && matches!(summary.value(assign.value), Value::This(of) if *of == method.id)
                    && let Value::Member(_, name) = summary.value(assign.place)
                {
                    found = Some(*name);
                }
            });
            found.filter(|_| function.kind == FunctionKind::Constructor)
        })
    }
}
