//! The rules: one sorted list, one short query each. A rule asks the project; it sees no parser and names no API.
//!
//! To add one, write its page `rules/<name>.md` (the form is in `rules/README.md`), its query `src/rules/<name>.rs` with
//! `pub fn check(project: &Project<'_>, found: &mut Vec<Finding>)`, and its line below.

mod page;
mod support;

use crate::finding::{Finding, RuleInfo};
use crate::project::Project;
use std::sync::OnceLock;

/// A rule: its page and its query.
pub struct Rule {
    /// Flat kebab-case name of the leak.
    pub name: &'static str,
    /// The page `rules/<name>.md`, embedded.
    pub page: &'static str,
    /// The query.
    pub check: fn(&Project<'_>, &mut Vec<Finding>),
}

/// Declares the module of each query and the list of rules, in one line a rule.
macro_rules! rules {
    ($($module:ident = $name:literal),* $(,)?) => {
        $(mod $module;)*

        /// Every rule, sorted by name.
        pub const RULES: &[Rule] = &[$(Rule {
            name: $name,
            page: include_str!(concat!("../rules/", $name, ".md")),
            check: $module::check,
        }),*];
    };
}

rules! {
    abort_listener_left = "abort-listener-left",
    allocation_lost_on_exit = "allocation-lost-on-exit",
    allocation_never_freed = "allocation-never-freed",
    async_recursion_chain = "async-recursion-chain",
    async_worker_never_queued = "async-worker-never-queued",
    async_worker_raw_pointer = "async-worker-raw-pointer",
    body_not_consumed = "body-not-consumed",
    buffer_view_pins_parent = "buffer-view-pins-parent",
    cached_buffer_pointer = "cached-buffer-pointer",
    callback_payload_leaked = "callback-payload-leaked",
    chunk_decoded_alone = "chunk-decoded-alone",
    closure_keeps_large_buffer = "closure-keeps-large-buffer",
    closure_on_immortal_object = "closure-on-immortal-object",
    collection_used_as_object = "collection-used-as-object",
    connection_left_after_timeout = "connection-left-after-timeout",
    entry_lost_on_path = "entry-lost-on-path",
    external_memory_unbalanced = "external-memory-unbalanced",
    external_without_finalizer = "external-without-finalizer",
    handle_lost_on_exit = "handle-lost-on-exit",
    handle_never_released = "handle-never-released",
    listener_added_again = "listener-added-again",
    listener_outlives_handler = "listener-outlives-handler",
    listener_removed_on_some_paths = "listener-removed-on-some-paths",
    loop_handle_never_closed = "loop-handle-never-closed",
    member_never_freed = "member-never-freed",
    missing_handle_scope = "missing-handle-scope",
    native_handle_lost_on_exit = "native-handle-lost-on-exit",
    native_handle_never_closed = "native-handle-never-closed",
    owner_forgets_handle = "owner-forgets-handle",
    owner_overwritten = "owner-overwritten",
    parameter_consumed_on_some_paths = "parameter-consumed-on-some-paths",
    persistent_never_reset = "persistent-never-reset",
    pipe_leaves_source_open = "pipe-leaves-source-open",
    reaction_on_long_lived_promise = "reaction-on-long-lived-promise",
    registration_per_call = "registration-per-call",
    registry_cannot_fire = "registry-cannot-fire",
    releaser_cannot_work = "releaser-cannot-work",
    removal_never_matches = "removal-never-matches",
    removal_that_removes_nothing = "removal-that-removes-nothing",
    sibling_listener_left = "sibling-listener-left",
    strong_reference_cycle = "strong-reference-cycle",
    threadsafe_function_not_released = "threadsafe-function-not-released",
    timer_lost_on_exit = "timer-lost-on-exit",
    timer_never_cleared = "timer-never-cleared",
    timer_overwritten = "timer-overwritten",
    timer_survives_close = "timer-survives-close",
    unbounded_collection = "unbounded-collection",
    wrong_deallocator = "wrong-deallocator",
}

/// The name under which a suppression comment that suppresses nothing is reported. Not a leak, so not in [`RULES`].
pub const UNUSED_SUPPRESSION: &str = "unused-suppression";

/// What the pages say of every rule, in the order of [`RULES`], and of [`UNUSED_SUPPRESSION`] last.
pub fn infos() -> &'static [RuleInfo] {
    static INFOS: OnceLock<Vec<RuleInfo>> = OnceLock::new();
    INFOS.get_or_init(|| {
        let unused = (UNUSED_SUPPRESSION, include_str!("../rules/meta/unused-suppression.md"));
        RULES
            .iter()
            .map(|rule| (rule.name, rule.page))
            .chain([unused])
            .map(|(name, page)| page::info(name, page))
            .collect()
    })
}

/// What the page says of a rule.
pub fn info(name: &str) -> Option<&'static RuleInfo> {
    infos().iter().find(|info| info.name == name)
}

impl Rule {
    /// What the front matter of the page says.
    pub fn info(&self) -> &'static RuleInfo {
        info(self.name).unwrap_or(&infos()[infos().len() - 1])
    }
}
