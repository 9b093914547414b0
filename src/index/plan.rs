//! From a query to the summaries that match it as stated: every term of the language is exact here, so that nothing
//! need be left out of a NOT.
//!
//! The recursion is as deep as the query, hence at most `QUERY_DEPTH_MAX`.

use std::ops::{Bound, RangeInclusive};

use knackmesh_protocol::{
    key::Did,
    query::{Expr, Query, SkillTerm, Words},
    skill::{Level, SkillId, Tier},
};
use tantivy::{
    DocSet, SegmentReader, Term,
    query::{
        AllQuery, AllScorer, BooleanQuery, EmptyQuery, EnableScoring, Occur, PhraseQuery, Query as Search,
        RangeQuery, Scorer, TermQuery, TermSetQuery,
        doc_predicate_query::{
            ConstOrVariableSegmentPredicate, DocPredicate, DocPredicateQuery, SegmentDocPredicate,
        },
    },
    schema::IndexRecordOption,
};

use super::schema::{ClaimColumns, Fields};

/// The search that finds what `query` matches.
pub(super) fn search(query: &Query, fields: &Fields) -> Box<dyn Search> {
    translate(query.expr(), &Scope::default(), fields)
}

/// The search for words that stand next to each other in one text.
pub(super) fn text(words: &Words, fields: &Fields) -> Box<dyn Search> {
    let mut terms = fields.words(words);
    match terms.pop() {
        Some(single) if terms.is_empty() => any_of(vec![single]),
        Some(last) => {
            terms.push(last);
            Box::new(PhraseQuery::new(terms))
        }
        None => Box::new(EmptyQuery),
    }
}

/// Which claims count: the meaning of `tier:` and `issuer:`, as `Query::matches` defines it.
#[derive(Clone, Default)]
struct Scope<'q> {
    tier: Option<Tier>,
    /// Those that every list in force names.
    issuers: Option<Vec<&'q Did>>,
}

impl<'q> Scope<'q> {
    fn narrowed_by(&self, parts: &'q [Expr]) -> Self {
        let mut scope = self.clone();
        for part in parts {
            match part {
                Expr::Tier(tier) => scope.tier = scope.tier.max(Some(*tier)),
                Expr::Issuer(list) => {
                    let admitted =
                        |did: &&Did| scope.issuers.as_ref().is_none_or(|known| known.contains(did));
                    scope.issuers = Some(list.iter().filter(admitted).collect());
                }
                _ => {}
            }
        }
        scope
    }

    fn is_empty(&self) -> bool {
        self.tier.is_none() && self.issuers.is_none()
    }
}

fn translate<'q>(expr: &'q Expr, scope: &Scope<'q>, fields: &Fields) -> Box<dyn Search> {
    match expr {
        Expr::And(parts) => all_of(expr, parts, scope, fields),
        Expr::Or(parts) => Box::new(BooleanQuery::new(
            parts.iter().map(|part| (Occur::Should, translate(part, scope, fields))).collect(),
        )),
        Expr::Not(part) => {
            let of = translate(part, &Scope::default(), fields);
            Box::new(DocPredicateQuery::from(Complement { of, fields: fields.clone() }))
        }
        Expr::Skill(term) => skill(term, scope, fields),
        Expr::Tier(_) | Expr::Issuer(_) => any_claim(&scope.narrowed_by(std::slice::from_ref(expr)), fields),
        Expr::Text(words) => text(words, fields),
        Expr::Region(region) => any_of(vec![fields.region(region.as_str())]),
        Expr::Language(language) => any_of(vec![fields.language(language.as_str())]),
        Expr::Mode(mode) => any_of(vec![fields.mode(mode.name())]),
        Expr::Available(day) => {
            Box::new(RangeQuery::new(Bound::Unbounded, Bound::Included(fields.available(day.days()))))
        }
    }
}

fn all_of<'q>(expr: &'q Expr, parts: &'q [Expr], scope: &Scope<'q>, fields: &Fields) -> Box<dyn Search> {
    let scope = scope.narrowed_by(parts);
    let (constraints, parts): (Vec<&Expr>, Vec<&Expr>) =
        parts.iter().partition(|part| matches!(part, Expr::Tier(_) | Expr::Issuer(_)));
    let mut clauses: Vec<(Occur, Box<dyn Search>)> = Vec::new();
    if !constraints.is_empty() && !asks_for_skill(expr) {
        clauses.push((Occur::Must, any_claim(&scope, fields)));
    }
    clauses.extend(parts.into_iter().map(|part| (Occur::Must, translate(part, &scope, fields))));
    Box::new(BooleanQuery::new(clauses))
}

fn asks_for_skill(expr: &Expr) -> bool {
    match expr {
        Expr::Skill(_) => true,
        Expr::And(parts) | Expr::Or(parts) => parts.iter().any(asks_for_skill),
        _ => false,
    }
}

fn skill(term: &SkillTerm, scope: &Scope<'_>, fields: &Fields) -> Box<dyn Search> {
    let claimants = any_of(term.any_of.iter().map(|skill| fields.grade(skill, term.min)).collect());
    if scope.is_empty() && term.max == Level::MAX {
        return claimants;
    }
    bound(Some(&term.any_of), term.min.get()..=term.max.get(), scope, claimants, fields)
}

/// The search for a claim of whatever skill.
fn any_claim(scope: &Scope<'_>, fields: &Fields) -> Box<dyn Search> {
    let of_issuers = scope
        .issuers
        .as_ref()
        .map(|dids| any_of(dids.iter().map(|did| fields.issuer(did.as_str())).collect()));
    match (scope.tier, of_issuers) {
        (None, None) => Box::new(AllQuery),
        (Some(tier), None) => any_of(vec![fields.tier(tier)]),
        (None, Some(search)) => search,
        (Some(_), Some(search)) => bound(None, Level::MIN.get()..=Level::MAX.get(), scope, search, fields),
    }
}

fn bound(
    skills: Option<&[SkillId]>,
    levels: RangeInclusive<u8>,
    scope: &Scope<'_>,
    among: Box<dyn Search>,
    fields: &Fields,
) -> Box<dyn Search> {
    let issuers = scope.issuers.as_ref().map(|dids| dids.iter().map(|did| (*did).clone()).collect());
    let claim = BoundClaim {
        skills: skills.map(<[SkillId]>::to_vec),
        levels,
        tier: scope.tier.unwrap_or(Tier::Claimed) as u8,
        issuers,
        among,
        fields: fields.clone(),
    };
    Box::new(DocPredicateQuery::from(claim))
}

fn any_of(mut terms: Vec<Term>) -> Box<dyn Search> {
    match terms.pop() {
        Some(single) if terms.is_empty() => Box::new(TermQuery::new(single, IndexRecordOption::Basic)),
        Some(last) => {
            terms.push(last);
            Box::new(TermSetQuery::new(terms))
        }
        None => Box::new(EmptyQuery),
    }
}

/// Whether `set`, which only goes forward, holds `document`. Documents are asked for in ascending order.
pub(super) fn holds(set: &mut dyn DocSet, document: u32) -> bool {
    let at = if set.doc() < document { set.seek(document) } else { set.doc() };
    at == document
}

/// Everyone whom a search does not find. (tantivy's own `MustNot` seeks backwards in phrases, against their contract.)
#[derive(Debug)]
struct Complement {
    of: Box<dyn Search>,
    fields: Fields,
}

impl DocPredicate for Complement {
    type SegmentDocPredicate = ComplementOf;

    fn doc_predicate(
        &self,
        segment: &SegmentReader,
    ) -> tantivy::Result<ConstOrVariableSegmentPredicate<ComplementOf>> {
        let weight = self.of.weight(EnableScoring::disabled_from_schema(&self.fields.schema))?;
        Ok(ConstOrVariableSegmentPredicate::Variable {
            predicate: ComplementOf(weight.scorer(segment, 1.0)?),
            necessary_condition: Box::new(AllScorer::new(segment.max_doc())),
        })
    }
}

/// A [`Complement`] within one segment.
struct ComplementOf(Box<dyn Scorer>);

impl SegmentDocPredicate for ComplementOf {
    fn eval(&mut self, document: u32) -> bool {
        !holds(&mut self.0, document)
    }
}

/// One claim that satisfies everything at once: skill, levels, tier and issuer.
#[derive(Debug)]
struct BoundClaim {
    /// `None` for any.
    skills: Option<Vec<SkillId>>,
    levels: RangeInclusive<u8>,
    /// The least, as in `Facts`.
    tier: u8,
    /// `None` for any, or none at all.
    issuers: Option<Vec<Did>>,
    /// Where alone such claims can be.
    among: Box<dyn Search>,
    fields: Fields,
}

impl DocPredicate for BoundClaim {
    type SegmentDocPredicate = BoundClaimOf;

    fn doc_predicate(
        &self,
        segment: &SegmentReader,
    ) -> tantivy::Result<ConstOrVariableSegmentPredicate<BoundClaimOf>> {
        let Some(columns) = ClaimColumns::open(segment)? else {
            return Ok(ConstOrVariableSegmentPredicate::Const(false));
        };
        let skills = numbers(self.skills.as_deref(), |skill| columns.number_of_skill(skill))?;
        let issuers = numbers(self.issuers.as_deref(), |did| columns.number_of_issuer(did.as_str()))?;
        let weight = self.among.weight(EnableScoring::disabled_from_schema(&self.fields.schema))?;
        let among: Box<dyn DocSet> = Box::new(weight.scorer(segment, 1.0)?);
        let predicate = BoundClaimOf {
            columns,
            skills,
            levels: self.levels.clone(),
            tier: self.tier,
            issuers,
            buffer: Vec::new(),
        };
        Ok(ConstOrVariableSegmentPredicate::Variable { predicate, necessary_condition: among })
    }
}

/// The numbers that stand for `values` in a segment, ascending; `None` for any.
fn numbers<T>(
    values: Option<&[T]>,
    number: impl Fn(&T) -> tantivy::Result<Option<u64>>,
) -> tantivy::Result<Option<Vec<u64>>> {
    let Some(values) = values else { return Ok(None) };
    let found: tantivy::Result<Vec<Option<u64>>> = values.iter().map(number).collect();
    let mut found: Vec<u64> = found?.into_iter().flatten().collect();
    found.sort_unstable();
    Ok(Some(found))
}

/// A [`BoundClaim`] within one segment.
struct BoundClaimOf {
    columns: ClaimColumns,
    skills: Option<Vec<u64>>,
    levels: RangeInclusive<u8>,
    tier: u8,
    issuers: Option<Vec<u64>>,
    buffer: Vec<u64>,
}

impl SegmentDocPredicate for BoundClaimOf {
    fn eval(&mut self, document: u32) -> bool {
        let among =
            |set: &Option<Vec<u64>>, n: u64| set.as_ref().is_none_or(|set| set.binary_search(&n).is_ok());
        let rows = self.columns.rows(document);
        self.columns.skills(rows.clone(), &mut self.buffer);
        rows.zip(&self.buffer).any(|(row, skill)| {
            among(&self.skills, *skill) && {
                let facts = self.columns.facts(row);
                self.levels.contains(&facts.level)
                    && facts.tier >= self.tier
                    && (self.issuers.is_none() || among(&self.issuers, self.columns.issuer(row)))
            }
        })
    }
}
