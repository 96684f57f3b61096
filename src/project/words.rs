//! What to call things when speaking to people: as the code writes them.

use super::{Place, Project};
use crate::model::{CallId, FunctionId, In, ValueId};
use crate::text::Location;

impl Project<'_> {
    /// A value as the code would write it: `this.timer`, `req.socket`, `fs.open(…)`.
    pub fn text(&self, _value: In<ValueId>) -> String {
        String::new()
    }

    /// A call as it is written, cut to one short line.
    pub fn call_text(&self, _call: In<CallId>) -> String {
        String::new()
    }

    /// What a call calls, without arguments: `server.on`, `setInterval`.
    pub fn callee_text(&self, call: In<CallId>) -> String {
        self.text(call.with(self.call(call).callee))
    }

    /// What people call a function: `` `Foo.bar` ``, ``the callback of `server.on('connection')` ``, `the module`.
    pub fn function_name(&self, _function: In<FunctionId>) -> String {
        String::new()
    }

    /// What people call a place: `this.timer`, `Foo.instances`, `cache`.
    pub fn place_text(&self, _place: Place) -> String {
        String::new()
    }

    /// Where a call is.
    pub fn locate(&self, call: In<CallId>) -> Location {
        self.at(call.file, self.call(call).span)
    }

    /// Where a function's name or head is.
    pub fn locate_function(&self, function: In<FunctionId>) -> Location {
        self.at(function.file, self.function(function).name_span)
    }
}
