//! What a `binding.gyp` says of how an addon is built, as far as leaks care.

/// The facts of one `binding.gyp`, all targets and conditions together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Gyp {
    /// C++ exceptions are compiled in; none where nothing is said (node-gyp's own default is off).
    pub exceptions: Option<bool>,
    /// node-addon-api throws C++ exceptions; none where nothing is said.
    pub napi_exceptions: Option<bool>,
    /// Objective-C objects are counted by the compiler.
    pub arc: bool,
    /// Source files as written.
    pub sources: Vec<String>,
    /// Preprocessor definitions as written: `NAME` or `NAME=value`.
    pub defines: Vec<String>,
}
