//! JSX: an element mentions what its attributes and children mention; what becomes of it is the framework's affair.

use super::state::Lowering;
use crate::model::ValueId;
use swc_ecma_ast::{
    JSXAttrOrSpread, JSXAttrValue, JSXElement, JSXElementChild, JSXElementName, JSXExpr, JSXExprContainer,
};

impl Lowering<'_> {
    /// `<Name attribute={value}>…</Name>`.
    pub fn jsx_element(&mut self, element: &JSXElement) -> ValueId {
        let mut values = Vec::new();
        if let JSXElementName::Ident(name) = &element.opening.name
            && name.sym.starts_with(|first: char| first.is_ascii_uppercase())
        {
            values.push(self.named(&name.sym));
        }
        for attribute in &element.opening.attrs {
            match attribute {
                JSXAttrOrSpread::SpreadElement(spread) => values.push(self.expr(&spread.expr)),
                JSXAttrOrSpread::JSXAttr(attribute) => match &attribute.value {
                    Some(JSXAttrValue::JSXExprContainer(container)) => values.extend(self.jsx_value(container)),
                    Some(JSXAttrValue::JSXElement(element)) => values.push(self.jsx_element(element)),
                    Some(JSXAttrValue::JSXFragment(fragment)) => {
                        values.push(self.jsx_children(&fragment.children, Vec::new()));
                    }
                    Some(JSXAttrValue::Str(_)) | None => {}
                },
            }
        }
        self.jsx_children(&element.children, values)
    }

    /// The children of an element or fragment, with what was mentioned before them.
    pub fn jsx_children(&mut self, children: &[JSXElementChild], mut values: Vec<ValueId>) -> ValueId {
        for child in children {
            match child {
                JSXElementChild::JSXExprContainer(container) => values.extend(self.jsx_value(container)),
                JSXElementChild::JSXSpreadChild(spread) => values.push(self.expr(&spread.expr)),
                JSXElementChild::JSXElement(element) => values.push(self.jsx_element(element)),
                JSXElementChild::JSXFragment(fragment) => {
                    values.push(self.jsx_children(&fragment.children, Vec::new()));
                }
                JSXElementChild::JSXText(_) => {}
            }
        }
        self.opaque(values)
    }

    fn jsx_value(&mut self, container: &JSXExprContainer) -> Option<ValueId> {
        match &container.expr {
            JSXExpr::Expr(expr) => Some(self.expr(expr)),
            JSXExpr::JSXEmptyExpr(_) => None,
        }
    }
}
