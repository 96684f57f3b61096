//! The file's top level: imports, exports, and what TypeScript adds at that level (namespaces, enums, `import x =`).

use super::function::{Body, Parts};
use super::state::{How, Lowering, NewCall, blank_function};
use crate::model::{
    BindingId, BindingKind, Export, Function, FunctionKind, Literal, Name, ObjectId, ObjectLiteral, Property, Value,
    ValueId,
};
use crate::text::Span;
use swc_common::Spanned;
use swc_ecma_ast as ast;
use swc_ecma_ast::{
    Decl, DefaultDecl, ExportSpecifier, ImportSpecifier, ModuleDecl, ModuleExportName, ModuleItem, Stmt, TsEntityName,
    TsModuleName, TsModuleRef, TsNamespaceBody,
};

impl Lowering<'_> {
    /// Lowers a whole file.
    pub fn module(&mut self, items: &[ModuleItem]) {
        self.declare_items(items);
        self.items(items, None);
        let code = std::mem::take(&mut self.at.code);
        self.out.functions[0].flow = super::state::sequence(code);
    }

    fn declare_items(&mut self, items: &[ModuleItem]) {
        self.hoist_module_vars(items);
        for item in items {
            match item {
                ModuleItem::Stmt(statement) => self.declare_block(std::slice::from_ref(statement)),
                ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => self.declare_lexical(&export.decl),
                ModuleItem::ModuleDecl(ModuleDecl::ExportDefaultDecl(export)) => match &export.decl {
                    DefaultDecl::Class(class) => self.declare_own(class.ident.as_ref(), BindingKind::Class),
                    DefaultDecl::Fn(function) => self.declare_own(function.ident.as_ref(), BindingKind::Function),
                    DefaultDecl::TsInterfaceDecl(_) => {}
                },
                ModuleItem::ModuleDecl(ModuleDecl::Import(import)) => self.import(import),
                ModuleItem::ModuleDecl(ModuleDecl::TsImportEquals(import)) if !import.is_type_only => {
                    self.declare(&import.id.sym, BindingKind::Import, self.span(import.id.span));
                }
                ModuleItem::ModuleDecl(_) => {}
            }
        }
    }

    fn declare_own(&mut self, name: Option<&ast::Ident>, kind: BindingKind) {
        if let Some(name) = name {
            self.declare(&name.sym, kind, self.span(name.span));
        }
    }

    /// Declares what an import brings in.
    fn import(&mut self, import: &ast::ImportDecl) {
        if import.type_only {
            return;
        }
        let source = self.value(Value::Import(Name::from(&import.src.value.to_string_lossy())));
        for specifier in &import.specifiers {
            let (local, value) = match specifier {
                ImportSpecifier::Named(named) => {
                    if named.is_type_only {
                        continue;
                    }
                    let name = match &named.imported {
                        Some(name) => export_name(name),
                        None => self.name(&named.local.sym),
                    };
                    (&named.local, self.member(source, &name))
                }
                ImportSpecifier::Default(default) => (&default.local, self.member(source, "default")),
                ImportSpecifier::Namespace(namespace) => (&namespace.local, source),
            };
            let binding = self.declare(&local.sym, BindingKind::Import, self.span(local.span));
            self.give(binding, value);
        }
    }

    /// Lowers top-level statements; `namespace` is the object that exports go to instead of the file's.
    fn items(&mut self, items: &[ModuleItem], namespace: Option<ValueId>) {
        for (at, item) in items.iter().enumerate() {
            match item {
                ModuleItem::Stmt(Stmt::Decl(Decl::Using(using))) => {
                    self.using(using, |lowering| lowering.items(&items[at + 1..], namespace));
                    return;
                }
                ModuleItem::Stmt(statement) => self.statement(statement),
                ModuleItem::ModuleDecl(declaration) => {
                    let span = self.span(declaration.span());
                    let outer = std::mem::replace(&mut self.at.statement, span);
                    self.module_declaration(declaration, span, namespace);
                    self.at.statement = outer;
                }
            }
        }
    }

    fn module_declaration(&mut self, declaration: &ModuleDecl, span: Span, namespace: Option<ValueId>) {
        match declaration {
            ModuleDecl::ExportDecl(export) => self.export_declaration(&export.decl, span, namespace),
            ModuleDecl::ExportNamed(export) if !export.type_only => self.export_named(export),
            ModuleDecl::ExportDefaultDecl(export) => self.export_default(&export.decl, span),
            ModuleDecl::ExportDefaultExpr(export) => {
                self.hint = Some(Name::from("default"));
                let value = self.expr(&export.expr);
                self.export("default", value, span);
            }
            ModuleDecl::ExportAll(export) if !export.type_only => {
                self.out.includes.push(Name::from(&export.src.value.to_string_lossy()));
            }
            ModuleDecl::TsImportEquals(import) if !import.is_type_only => self.import_equals(import, span),
            ModuleDecl::TsExportAssignment(export) => {
                let value = self.expr(&export.expr);
                self.export("=", value, span);
            }
            _ => {}
        }
    }

    /// Records an export.
    pub fn export(&mut self, name: &str, value: ValueId, span: Span) {
        self.out.exports.push(Export { name: Name::from(name), value, span });
    }

    fn export_declaration(&mut self, declaration: &Decl, span: Span, namespace: Option<ValueId>) {
        self.statement_of(declaration);
        let mut names: Vec<&ast::Ident> = Vec::new();
        match declaration {
            Decl::Class(class) if !class.declare => names.push(&class.ident),
            Decl::Fn(function) if !function.declare && function.function.body.is_some() => names.push(&function.ident),
            Decl::Var(var) if !var.declare => {
                var.decls.iter().for_each(|declarator| pattern_names(&declarator.name, &mut names));
            }
            Decl::TsEnum(decl) if !decl.declare => names.push(&decl.id),
            Decl::TsModule(decl) if !decl.declare && has_code(decl.body.as_ref()) => {
                if let TsModuleName::Ident(name) = &decl.id {
                    names.push(name);
                }
            }
            _ => {}
        }
        for name in names {
            let value = self.named(&name.sym);
            match namespace {
                Some(namespace) => {
                    let place = self.member(namespace, &name.sym);
                    self.assign(place, value, span, How::Plain);
                }
                None => self.export(&name.sym, value, self.span(name.span)),
            }
        }
    }

    fn statement_of(&mut self, declaration: &Decl) {
        match declaration {
            Decl::Var(var) if !var.declare => var.decls.iter().for_each(|declarator| self.declarator(declarator)),
            Decl::Fn(function) if !function.declare => self.function_declaration(function),
            Decl::Class(class) if !class.declare => self.class_declaration(class),
            Decl::TsEnum(decl) if !decl.declare => self.ts_enum(decl),
            Decl::TsModule(decl) if !decl.declare => self.ts_namespace(decl),
            _ => {}
        }
    }

    fn export_named(&mut self, export: &ast::NamedExport) {
        let source =
            export.src.as_ref().map(|source| self.value(Value::Import(Name::from(&source.value.to_string_lossy()))));
        for specifier in &export.specifiers {
            let span = self.span(specifier.span());
            match (specifier, source) {
                (ExportSpecifier::Named(named), _) if named.is_type_only => {}
                (ExportSpecifier::Named(named), source) => {
                    let original = export_name(&named.orig);
                    let name = named.exported.as_ref().map_or(original, export_name);
                    let value = match source {
                        Some(source) => self.member(source, &original),
                        None => self.named(&original),
                    };
                    self.export(&name, value, span);
                }
                (ExportSpecifier::Namespace(namespace), Some(source)) => {
                    self.export(&export_name(&namespace.name), source, span);
                }
                (ExportSpecifier::Default(default), Some(source)) => {
                    let value = self.member(source, "default");
                    self.export(&default.exported.sym, value, span);
                }
                (ExportSpecifier::Namespace(_) | ExportSpecifier::Default(_), None) => {}
            }
        }
    }

    fn export_default(&mut self, declaration: &DefaultDecl, span: Span) {
        let value = match declaration {
            DefaultDecl::Class(class) => {
                self.hint = Some(Name::from("default"));
                let binding = class.ident.as_ref().and_then(|name| self.find(&name.sym));
                let id = self.class(class.ident.as_ref(), &class.class, true);
                let value = self.value(Value::Class(id));
                self.given_or(binding, value)
            }
            DefaultDecl::Fn(function) => {
                if function.function.body.is_none() {
                    return;
                }
                self.hint = Some(Name::from("default"));
                let binding = function.ident.as_ref().and_then(|name| self.find(&name.sym));
                let anonymous = ast::FnExpr { ident: None, function: function.function.clone() };
                let named = function.ident.is_some();
                if let Some(name) = &function.ident {
                    self.hint = Some(self.name(&name.sym));
                }
                let value = self.function_expr(if named { &anonymous } else { function }, None);
                self.given_or(binding, value)
            }
            DefaultDecl::TsInterfaceDecl(_) => return,
        };
        self.export("default", value, span);
    }

    fn given_or(&mut self, binding: Option<BindingId>, value: ValueId) -> ValueId {
        match binding {
            Some(binding) => {
                self.give(binding, value);
                self.value(Value::Binding(binding))
            }
            None => value,
        }
    }

    fn import_equals(&mut self, import: &ast::TsImportEqualsDecl, span: Span) {
        let value = match &import.module_ref {
            TsModuleRef::TsExternalModuleRef(module) => {
                self.value(Value::Import(Name::from(&module.expr.value.to_string_lossy())))
            }
            TsModuleRef::TsEntityName(name) => self.entity(name),
        };
        if let Some(binding) = self.find(&import.id.sym) {
            self.give(binding, value);
        }
        if import.is_export {
            self.export(&import.id.sym, value, span);
        }
    }

    fn entity(&mut self, name: &TsEntityName) -> ValueId {
        match name {
            TsEntityName::Ident(name) => self.named(&name.sym),
            TsEntityName::TsQualifiedName(qualified) => {
                let object = self.entity(&qualified.left);
                self.member(object, &qualified.right.sym)
            }
        }
    }

    /// `enum Name { … }`: an object of its members.
    pub fn ts_enum(&mut self, decl: &ast::TsEnumDecl) {
        let mut properties = Vec::with_capacity(decl.members.len());
        for member in &decl.members {
            let name = match &member.id {
                ast::TsEnumMemberId::Ident(name) => self.name(&name.sym),
                ast::TsEnumMemberId::Str(name) => Name::from(&name.value.to_string_lossy()),
            };
            let value = match &member.init {
                Some(init) => self.expr(init),
                None => self.literal(Literal::Number),
            };
            properties.push(Property { name: Some(name), value });
        }
        let id = ObjectId(self.out.objects.len() as u32);
        self.out.objects.push(ObjectLiteral { properties });
        let value = self.value(Value::Object(id));
        let place = self.named(&decl.id.sym);
        let span = self.span(decl.span);
        self.assign(place, value, span, How::Declaration);
    }

    /// `namespace Name { … }`: a function that runs at once and fills an object.
    pub fn ts_namespace(&mut self, decl: &ast::TsModuleDecl) {
        let TsModuleName::Ident(name) = &decl.id else { return };
        if !has_code(decl.body.as_ref()) {
            return;
        }
        let Some(body) = &decl.body else { return };
        let span = self.span(decl.span);
        self.namespace(name, body, span, None);
    }

    fn namespace(&mut self, name: &ast::Ident, body: &TsNamespaceBody, span: Span, outer: Option<ValueId>) {
        let name_span = self.span(name.span);
        let object = match outer {
            Some(outer) => self.member(outer, &name.sym),
            None => self.named(&name.sym),
        };
        let function = Function {
            name: self.name(&name.sym),
            name_span,
            has_body: true,
            ..blank_function(FunctionKind::Plain, span)
        };
        let parts = Parts {
            function,
            parameters: Vec::new(),
            body: Body::Block(&[]),
            own_name: None,
            receiver: None,
            yields_await: false,
        };
        let (id, frame) = self.begin(&parts);
        if let Value::Binding(_) = self.out.values[object.index()] {
            // The namespace's code mentions its object.
            self.named(&name.sym);
        }
        match body {
            TsNamespaceBody::TsModuleBlock(block) => {
                self.declare_items(&block.body);
                self.items(&block.body, Some(object));
            }
            TsNamespaceBody::TsNamespaceDecl(inner) => {
                self.namespace(&inner.id, &inner.body, self.span(inner.span), Some(object));
            }
        }
        self.leave(frame);
        let callee = self.value(Value::Function(id));
        self.call(NewCall { is_discarded: true, ..NewCall::new(callee, Vec::new(), span, name_span) });
    }
}

/// Whether a namespace holds more than types.
pub fn has_code(body: Option<&TsNamespaceBody>) -> bool {
    match body {
        None => false,
        Some(TsNamespaceBody::TsNamespaceDecl(inner)) => has_code(Some(&inner.body)),
        Some(TsNamespaceBody::TsModuleBlock(block)) => block.body.iter().any(|item| {
            let declaration = match item {
                ModuleItem::Stmt(Stmt::Decl(declaration)) => declaration,
                ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(export)) => &export.decl,
                _ => return true,
            };
            !matches!(declaration, Decl::TsInterface(_) | Decl::TsTypeAlias(_))
        }),
    }
}

fn export_name(name: &ModuleExportName) -> Name {
    match name {
        ModuleExportName::Ident(name) => Name::from(&name.sym),
        ModuleExportName::Str(name) => Name::from(&name.value.to_string_lossy()),
    }
}

fn pattern_names<'e>(pattern: &'e ast::Pat, names: &mut Vec<&'e ast::Ident>) {
    use ast::{ObjectPatProp, Pat};
    match pattern {
        Pat::Ident(name) => names.push(&name.id),
        Pat::Array(array) => array.elems.iter().flatten().for_each(|element| pattern_names(element, names)),
        Pat::Object(object) => {
            for property in &object.props {
                match property {
                    ObjectPatProp::KeyValue(pair) => pattern_names(&pair.value, names),
                    ObjectPatProp::Assign(name) => names.push(&name.key.id),
                    ObjectPatProp::Rest(rest) => pattern_names(&rest.arg, names),
                }
            }
        }
        Pat::Rest(rest) => pattern_names(&rest.arg, names),
        Pat::Assign(assign) => pattern_names(&assign.left, names),
        Pat::Expr(_) | Pat::Invalid(_) => {}
    }
}
