//! TypeScript annotations: the outermost name of a type, nothing more.

use super::state::Lowering;
use crate::model::{Holder, Name, TypeFacts};
use swc_common::Spanned;
use swc_ecma_ast::{TsEntityName, TsKeywordTypeKind, TsType, TsTypeAnn, TsTypeQueryExpr, TsUnionOrIntersectionType};

impl Lowering<'_> {
    /// What an annotation says.
    pub fn type_facts(&self, annotation: &TsTypeAnn) -> Option<TypeFacts> {
        self.facts(&annotation.type_ann)
    }

    fn facts(&self, ty: &TsType) -> Option<TypeFacts> {
        let named = |name: Name, arguments, is_array| TypeFacts {
            name,
            arguments,
            holder: Holder::Value,
            is_array,
            text: self.text_name(ty.span()),
        };
        match ty {
            TsType::TsArrayType(array) => {
                let element = self.facts(&array.elem_type)?;
                Some(named(element.name, element.arguments, true))
            }
            TsType::TsTypeRef(reference) => {
                let arguments = match &reference.type_params {
                    Some(arguments) => arguments.params.iter().filter_map(|ty| self.type_name(ty)).collect(),
                    None => Vec::new(),
                };
                Some(named(entity_name(&reference.type_name), arguments, false))
            }
            TsType::TsUnionOrIntersectionType(TsUnionOrIntersectionType::TsUnionType(union)) => {
                union.types.iter().filter(|ty| !is_empty_type(ty)).find_map(|ty| self.facts(ty))
            }
            TsType::TsUnionOrIntersectionType(TsUnionOrIntersectionType::TsIntersectionType(parts)) => {
                parts.types.iter().find_map(|ty| self.facts(ty))
            }
            TsType::TsParenthesizedType(inner) => self.facts(&inner.type_ann),
            TsType::TsTypeOperator(inner) => self.facts(&inner.type_ann),
            TsType::TsOptionalType(inner) => self.facts(&inner.type_ann),
            TsType::TsTypeQuery(query) => match &query.expr_name {
                TsTypeQueryExpr::TsEntityName(name) => Some(named(entity_name(name), Vec::new(), false)),
                TsTypeQueryExpr::Import(_) => None,
            },
            TsType::TsImportType(import) => {
                let name = import.qualifier.as_ref().map(entity_name)?;
                Some(named(name, Vec::new(), false))
            }
            TsType::TsKeywordType(keyword) => Some(named(Name::from(keyword_name(keyword.kind)?), Vec::new(), false)),
            _ => None,
        }
    }

    /// The name of a type alone.
    pub fn type_name(&self, ty: &TsType) -> Option<Name> {
        self.facts(ty).map(|facts| facts.name)
    }
}

fn is_empty_type(ty: &TsType) -> bool {
    matches!(
        ty,
        TsType::TsKeywordType(keyword)
            if matches!(keyword.kind, TsKeywordTypeKind::TsNullKeyword | TsKeywordTypeKind::TsUndefinedKeyword
                | TsKeywordTypeKind::TsVoidKeyword | TsKeywordTypeKind::TsNeverKeyword)
    )
}

fn keyword_name(kind: TsKeywordTypeKind) -> Option<&'static str> {
    match kind {
        TsKeywordTypeKind::TsNumberKeyword => Some("number"),
        TsKeywordTypeKind::TsStringKeyword => Some("string"),
        TsKeywordTypeKind::TsBooleanKeyword => Some("boolean"),
        TsKeywordTypeKind::TsBigIntKeyword => Some("bigint"),
        TsKeywordTypeKind::TsSymbolKeyword => Some("symbol"),
        TsKeywordTypeKind::TsObjectKeyword => Some("object"),
        _ => None,
    }
}

fn entity_name(name: &TsEntityName) -> Name {
    match name {
        TsEntityName::Ident(name) => Name::from(&name.sym),
        TsEntityName::TsQualifiedName(qualified) => {
            Name::from(&format!("{}.{}", entity_name(&qualified.left), qualified.right.sym))
        }
    }
}
