//! The one form of equal expressions, as far as that is cheap, and the bounds every query keeps.

use super::{Expr, IllegalQuery};
use crate::{
    key::Did,
    limits::{QUERY_BYTES_MAX, QUERY_DEPTH_MAX, QUERY_EXPANSION_MAX, QUERY_NODES_MAX},
    skill::Tier,
};

/// How deep an expression may be before it is simplified: parentheses that mean nothing vanish.
const RAW_DEPTH_MAX: usize = 4 * QUERY_DEPTH_MAX;

/// Checks and simplifies: operators of one kind are merged, repetitions, double negations and operators with
/// one operand vanish, tiers and issuers side by side become one, lists of skills and issuers are sorted.
pub(super) fn simplified(expr: Expr) -> Result<Expr, IllegalQuery> {
    check_size(&expr, RAW_DEPTH_MAX, &mut 0)?;
    let expr = simplify(expr);
    check_size(&expr, QUERY_DEPTH_MAX, &mut 0)?;
    check_lists(&expr)?;
    check_binding(&expr, false)?;
    if !is_positive(&expr) {
        return Err(IllegalQuery::NothingPositive);
    }
    if expr.to_string().len() > QUERY_BYTES_MAX {
        return Err(IllegalQuery::TooLong);
    }
    Ok(expr)
}

/// Whether each alternative asks for something.
pub(super) fn is_positive(expr: &Expr) -> bool {
    match expr {
        Expr::Not(_) => false,
        Expr::And(parts) => parts.iter().any(is_positive),
        Expr::Or(parts) => parts.iter().all(is_positive),
        _ => true,
    }
}

fn check_size(expr: &Expr, depth_left: usize, nodes: &mut usize) -> Result<(), IllegalQuery> {
    *nodes += 1;
    if *nodes > QUERY_NODES_MAX {
        return Err(IllegalQuery::TooManyNodes);
    }
    let depth_left = depth_left.checked_sub(1).ok_or(IllegalQuery::TooDeep)?;
    match expr {
        Expr::And(parts) | Expr::Or(parts) if parts.is_empty() => Err(IllegalQuery::Empty),
        Expr::And(parts) | Expr::Or(parts) => {
            parts.iter().try_for_each(|part| check_size(part, depth_left, nodes))
        }
        Expr::Not(part) => check_size(part, depth_left, nodes),
        _ => Ok(()),
    }
}

fn check_lists(expr: &Expr) -> Result<(), IllegalQuery> {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().try_for_each(check_lists),
        Expr::Not(part) => check_lists(part),
        Expr::Skill(term) if term.any_of.is_empty() => Err(IllegalQuery::Empty),
        Expr::Skill(term) if term.any_of.len() > QUERY_EXPANSION_MAX => Err(IllegalQuery::TooManySkills),
        Expr::Skill(term) if term.min > term.max => Err(IllegalQuery::NoLevel),
        Expr::Issuer(issuers) if issuers.is_empty() => Err(IllegalQuery::Empty),
        _ => Ok(()),
    }
}

/// A tier or an issuer binds the skills of its own parentheses. Where there are none, it would silently ask
/// for just any such claim, which nobody means next to a skill outside.
fn check_binding(expr: &Expr, inside_and: bool) -> Result<(), IllegalQuery> {
    match expr {
        Expr::And(parts) => {
            let constrained = parts.iter().any(Expr::constrains_claims);
            if inside_and && constrained && !expr.asks_for_skill() {
                return Err(IllegalQuery::BindsNothing);
            }
            parts.iter().filter(|p| !p.constrains_claims()).try_for_each(|p| check_binding(p, true))
        }
        Expr::Or(parts) => parts.iter().try_for_each(|part| check_binding(part, inside_and)),
        Expr::Not(part) => check_binding(part, false),
        _ if inside_and && expr.constrains_claims() => Err(IllegalQuery::BindsNothing),
        _ => Ok(()),
    }
}

fn simplify(expr: Expr) -> Expr {
    match expr {
        Expr::And(parts) => {
            let merged = merge(parts, |part| match part {
                // Parentheses are kept around a tier or an issuer: they say what it binds.
                Expr::And(inner) if !inner.iter().any(Expr::constrains_claims) => Ok(inner),
                other => Err(other),
            });
            unwrap_single(join_tiers(merged, Tier::max), Expr::And)
        }
        Expr::Or(parts) => {
            let merged = merge(parts, |part| match part {
                Expr::Or(inner) => Ok(inner),
                other => Err(other),
            });
            unwrap_single(join_issuers(join_tiers(merged, Tier::min)), Expr::Or)
        }
        Expr::Not(part) => match simplify(*part) {
            Expr::Not(inner) => *inner,
            other => Expr::Not(Box::new(other)),
        },
        Expr::Skill(mut term) => {
            if let Some((asked, others)) = term.any_of.split_first_mut() {
                others.sort();
                let asked = asked.clone();
                let mut first = true;
                term.any_of.dedup();
                term.any_of.retain(|skill| std::mem::take(&mut first) || *skill != asked);
            }
            Expr::Skill(term)
        }
        Expr::Issuer(mut issuers) => {
            issuers.sort();
            issuers.dedup();
            Expr::Issuer(issuers)
        }
        leaf => leaf,
    }
}

/// Simplifies the operands, takes in those of nested operators of the same kind, and drops repetitions.
fn merge(parts: Vec<Expr>, nested: impl Fn(Expr) -> Result<Vec<Expr>, Expr>) -> Vec<Expr> {
    let mut merged: Vec<Expr> = Vec::with_capacity(parts.len());
    for part in parts {
        for part in nested(simplify(part)).unwrap_or_else(|other| vec![other]) {
            if !merged.contains(&part) {
                merged.push(part);
            }
        }
    }
    merged
}

/// Replaces the tiers by one, where the first stood.
fn join_tiers(mut parts: Vec<Expr>, choose: fn(Tier, Tier) -> Tier) -> Vec<Expr> {
    let tiers = parts.iter().filter_map(|part| if let Expr::Tier(tier) = part { Some(*tier) } else { None });
    if let Some(chosen) = tiers.reduce(choose) {
        replace_all(&mut parts, |part| matches!(part, Expr::Tier(_)), Expr::Tier(chosen));
    }
    parts
}

/// Replaces the lists of issuers by one, where the first stood.
fn join_issuers(mut parts: Vec<Expr>) -> Vec<Expr> {
    let lists = parts.iter().filter_map(|part| if let Expr::Issuer(list) = part { Some(list) } else { None });
    let mut all: Vec<Did> = lists.flatten().cloned().collect();
    if !all.is_empty() {
        all.sort();
        all.dedup();
        replace_all(&mut parts, |part| matches!(part, Expr::Issuer(_)), Expr::Issuer(all));
    }
    parts
}

fn replace_all(parts: &mut Vec<Expr>, is_replaced: impl Fn(&Expr) -> bool, by: Expr) {
    let mut replacement = Some(by);
    parts.retain_mut(|part| {
        if !is_replaced(part) {
            return true;
        }
        match replacement.take() {
            Some(by) => {
                *part = by;
                true
            }
            None => false,
        }
    });
}

fn unwrap_single(mut parts: Vec<Expr>, operator: fn(Vec<Expr>) -> Expr) -> Expr {
    match parts.pop() {
        Some(single) if parts.is_empty() => single,
        Some(last) => {
            parts.push(last);
            operator(parts)
        }
        None => operator(parts),
    }
}
