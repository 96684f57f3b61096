//! Hoisting: the `var`s of a function body, wherever they stand in it. Never enters another function or a class.

use super::state::Lowering;
use crate::model::BindingKind;
use swc_ecma_ast as ast;
use swc_ecma_ast::{ModuleItem, Stmt, VarDeclKind};
use swc_ecma_visit::{Visit, VisitWith};

impl Lowering<'_> {
    /// Declares the `var`s of a function body.
    pub fn hoist_vars(&mut self, statements: &[Stmt]) {
        statements.visit_with(&mut Hoist(self));
    }

    /// Declares the `var`s of a module or script, the exported ones among them.
    pub fn hoist_module_vars(&mut self, items: &[ModuleItem]) {
        items.visit_with(&mut Hoist(self));
    }
}

struct Hoist<'l, 'a>(&'l mut Lowering<'a>);

impl Visit for Hoist<'_, '_> {
    fn visit_var_decl(&mut self, var: &ast::VarDecl) {
        if var.kind == VarDeclKind::Var && !var.declare {
            self.0.declare_patterns(&var.decls, BindingKind::Var);
        }
    }

    // Everything below has no `var` of this function in it.
    fn visit_expr(&mut self, _: &ast::Expr) {}
    fn visit_fn_decl(&mut self, _: &ast::FnDecl) {}
    fn visit_class_decl(&mut self, _: &ast::ClassDecl) {}
    fn visit_export_default_decl(&mut self, _: &ast::ExportDefaultDecl) {}
    fn visit_ts_module_decl(&mut self, _: &ast::TsModuleDecl) {}
    fn visit_ts_enum_decl(&mut self, _: &ast::TsEnumDecl) {}
}
