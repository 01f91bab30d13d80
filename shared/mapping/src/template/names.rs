use crate::dsl::{Ast, AstKind, AstSegment};

/// The names in an expression, parameters of its lambdas among them, each once.
pub(super) fn of(ast: &Ast) -> Vec<String> {
    let mut names = Vec::new();
    gather(ast, &mut names);
    names
}

fn gather(ast: &Ast, names: &mut Vec<String>) {
    match &ast.kind {
        AstKind::Constant(_) | AstKind::Root => {}
        AstKind::Name(name) => {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        AstKind::Path { base, segments } => {
            gather(base, names);
            for segment in segments {
                match segment {
                    AstSegment::Key(..) => {}
                    AstSegment::Index(index) => gather(index, names),
                    AstSegment::Slice { from, to } => {
                        from.iter().chain(to).for_each(|bound| gather(bound, names));
                    }
                }
            }
        }
        AstKind::Call { arguments: parts, .. }
        | AstKind::List(parts)
        | AstKind::And(parts)
        | AstKind::Or(parts) => {
            parts.iter().for_each(|part| gather(part, names));
        }
        AstKind::Lambda { body, .. } => gather(body, names),
        AstKind::Object(entries) => {
            for (key, value) in entries {
                gather(key, names);
                gather(value, names);
            }
        }
        AstKind::Negate(operand) | AstKind::Not(operand) => gather(operand, names),
        AstKind::Binary { left, right, .. } => {
            gather(left, names);
            gather(right, names);
        }
        AstKind::If {
            condition,
            then,
            otherwise,
        } => {
            gather(condition, names);
            gather(then, names);
            otherwise.iter().for_each(|otherwise| gather(otherwise, names));
        }
    }
}
