//! Whose trust lists a verifier follows, and what they come to beside its own.
//!
//! The verifier's own word stands whatever others say. Among those that it follows, distrust by one outweighs recognition by any;
//! else an issuer is recognised for what any of them recognises it for. A list counts until its keeper's `validUntil`.
//!
//! Specification: `spec/trust.md`, "Following lists".

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    TrustEntry, TrustList, TrustListFull, VerifiedCredential,
    trust_document::{self, TrustDocumentError},
};
use crate::{
    key::Did,
    limits::{TRUST_ENTRIES_MAX, TRUST_LISTS_MAX, TRUST_SCOPE_MAX},
    skill::SkillId,
    time::Timestamp,
};

/// A list that was taken over, as its keeper signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowedList {
    /// Who keeps it, and signed it.
    pub keeper: Did,
    /// What its keeper calls it, fit to be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// From when on its keeper says that it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Timestamp>,
    /// From when on it holds no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// When it was taken over.
    pub taken: Timestamp,
    /// What it says.
    pub list: TrustList,
}

/// A verifier's own list, and at most [`TRUST_LISTS_MAX`] that it follows, each of another keeper.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted {
    own: TrustList,
    followed: Vec<FollowedList>,
}

/// Why a list is not taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// More than [`TRUST_LISTS_MAX`].
    #[error("you follow {TRUST_LISTS_MAX} trust lists already; stop following one first")]
    TooMany,
    /// An earlier one than what is followed: whoever hands it on could hide what its keeper said since.
    #[error("it is older than the list of the same keeper that you follow")]
    Older,
    /// With it there would be more than may be.
    #[error("{0}")]
    Full(#[from] TrustListFull),
}

impl FollowError {
    /// The stable name of this refusal.
    pub const fn code(self) -> &'static str {
        match self {
            FollowError::TooMany => "trust-lists-full",
            FollowError::Older => "trust-list-older",
            FollowError::Full(_) => "trust-list-full",
        }
    }
}

impl FollowedList {
    /// The list that a verified credential states, taken over at `taken`.
    ///
    /// # Errors
    /// [`TrustDocumentError`] when it states none.
    pub fn of(credential: &VerifiedCredential, taken: Timestamp) -> Result<Self, TrustDocumentError> {
        let credential = credential.credential();
        let keeper = credential.issuer_did().ok_or(TrustDocumentError::Type)?;
        Ok(FollowedList {
            keeper: keeper.clone(),
            name: credential.name(),
            signed: credential.valid_from(),
            until: credential.valid_until(),
            taken,
            list: trust_document::read(credential)?,
        })
    }

    /// Whether its keeper still stands by it at `now`.
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Trusted {
    /// What was kept of an own list and of followed ones.
    ///
    /// # Errors
    /// [`FollowError`] when that is more than may be kept.
    pub fn new(own: TrustList, followed: Vec<FollowedList>) -> Result<Self, FollowError> {
        let keepers: BTreeSet<&Did> = followed.iter().map(|list| &list.keeper).collect();
        if followed.len() > TRUST_LISTS_MAX || keepers.len() < followed.len() {
            return Err(FollowError::TooMany);
        }
        let trusted = Trusted { own, followed };
        trusted.check()?;
        Ok(trusted)
    }

    /// What the verifier itself says.
    pub fn own(&self) -> &TrustList {
        &self.own
    }

    /// The lists that it follows, in the order in which it began to.
    pub fn followed(&self) -> &[FollowedList] {
        &self.followed
    }

    /// States an own opinion of `issuer`, in place of any earlier one.
    ///
    /// # Errors
    /// [`TrustListFull`], and nothing is changed.
    pub fn state(&mut self, issuer: Did, entry: TrustEntry) -> Result<(), TrustListFull> {
        let mut changed = Trusted { own: self.own.clone(), followed: self.followed.clone() };
        changed.own.add(issuer, entry)?;
        changed.check()?;
        *self = changed;
        Ok(())
    }

    /// Takes an own opinion back; others' then count again.
    pub fn retract(&mut self, issuer: &Did) -> Option<TrustEntry> {
        self.own.remove(issuer)
    }

    /// Follows `list`, in place of what was taken over from its keeper before.
    ///
    /// # Errors
    /// [`FollowError`], and nothing is changed.
    pub fn follow(&mut self, list: FollowedList) -> Result<(), FollowError> {
        let mut followed = self.followed.clone();
        match followed.iter_mut().find(|former| former.keeper == list.keeper) {
            Some(former) if list.signed < former.signed => return Err(FollowError::Older),
            Some(former) => *former = list,
            None => followed.push(list),
        }
        *self = Trusted::new(self.own.clone(), followed)?;
        Ok(())
    }

    /// Stops following `keeper`, and forgets all that came from it.
    pub fn unfollow(&mut self, keeper: &Did) -> Option<FollowedList> {
        let at = self.followed.iter().position(|list| list.keeper == *keeper)?;
        Some(self.followed.remove(at))
    }

    /// What is thought of everybody at `now`.
    pub fn at(&self, now: Timestamp) -> TrustList {
        let current = self.followed.iter().filter(|list| list.is_current(now));
        let mut entries: BTreeMap<Did, TrustEntry> = BTreeMap::new();
        for (issuer, entry) in current.flat_map(|list| list.list.iter()) {
            match entries.get_mut(issuer) {
                Some(so_far) => join(so_far, entry),
                None => drop(entries.insert(issuer.clone(), entry.clone())),
            }
        }
        entries.extend(self.own.iter().map(|(issuer, entry)| (issuer.clone(), entry.clone())));
        // It fits: `check` counted them.
        TrustList::try_from(entries).unwrap_or_else(|TrustListFull| self.own.clone())
    }

    /// Who says something of `issuer` at `now`: the current lists that name it, with what they say.
    pub fn followed_on<'t>(
        &'t self,
        issuer: &'t Did,
        now: Timestamp,
    ) -> impl Iterator<Item = (&'t FollowedList, &'t TrustEntry)> {
        let current = self.followed.iter().filter(move |list| list.is_current(now));
        current.filter_map(|list| Some((list, list.list.get(issuer)?)))
    }

    /// When the first of the current lists ends, and what is thought changes.
    pub fn next_end(&self, now: Timestamp) -> Option<Timestamp> {
        self.followed.iter().filter_map(|list| list.until.filter(|until| now < *until)).min()
    }

    /// Whether all fits into one list, whichever of the lists have ended and whatever is retracted.
    fn check(&self) -> Result<(), TrustListFull> {
        let mut scopes: BTreeMap<&Did, BTreeSet<&SkillId>> = BTreeMap::new();
        for (issuer, entry) in self.followed.iter().flat_map(|list| list.list.iter()) {
            scopes.entry(issuer).or_default().extend(&entry.skills);
        }
        for (issuer, _) in self.own.iter() {
            scopes.entry(issuer).or_default();
        }
        let fits = scopes.len() <= TRUST_ENTRIES_MAX
            && scopes.values().all(|skills| skills.len() <= TRUST_SCOPE_MAX);
        fits.then_some(()).ok_or(TrustListFull)
    }
}

/// Adds what another list says of the same issuer.
fn join(so_far: &mut TrustEntry, other: &TrustEntry) {
    if so_far.distrusted || other.distrusted {
        so_far.distrusted = true;
        so_far.skills.clear();
    } else if so_far.skills.is_empty() || other.skills.is_empty() {
        so_far.skills.clear();
    } else {
        let all: BTreeSet<SkillId> = so_far.skills.drain(..).chain(other.skills.iter().cloned()).collect();
        so_far.skills.extend(all);
    }
    if so_far.name.is_none() {
        so_far.name.clone_from(&other.name);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::{super::Recognition, *};

    const NOW: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

    fn did(name: &str) -> Did {
        format!("did:web:{name}.example").parse().unwrap()
    }

    fn skill(n: usize) -> SkillId {
        format!("urn:s:{n}").parse().unwrap()
    }

    fn entry(skills: impl IntoIterator<Item = usize>) -> TrustEntry {
        TrustEntry { skills: skills.into_iter().map(skill).collect(), ..TrustEntry::default() }
    }

    fn distrusted() -> TrustEntry {
        TrustEntry { distrusted: true, ..TrustEntry::default() }
    }

    fn list(keeper: &str, entries: impl IntoIterator<Item = (Did, TrustEntry)>) -> FollowedList {
        let list = TrustList::try_from(entries.into_iter().collect::<BTreeMap<_, _>>()).unwrap();
        let (name, signed, until) = (None, Some(NOW), None);
        FollowedList { keeper: did(keeper), name, signed, until, taken: NOW, list }
    }

    #[test]
    fn own_word_stands_and_of_others_distrust() {
        let mut trusted = Trusted::default();
        trusted
            .follow(list("k", [(did("a"), entry([])), (did("b"), entry([1])), (did("c"), entry([1]))]))
            .unwrap();
        trusted.follow(list("l", [(did("a"), distrusted()), (did("b"), entry([2]))])).unwrap();
        let is = |trusted: &Trusted, issuer: &str, n| trusted.at(NOW).recognition(&did(issuer), &skill(n));
        assert_eq!(is(&trusted, "a", 1), Recognition::Distrusted);
        assert_eq!(
            [1, 2, 3].map(|n| is(&trusted, "b", n)),
            [Recognition::Listed, Recognition::Listed, Recognition::Unlisted]
        );
        trusted.state(did("a"), entry([1])).unwrap();
        trusted.state(did("c"), distrusted()).unwrap();
        assert_eq!([1, 2].map(|n| is(&trusted, "a", n)), [Recognition::Listed, Recognition::Unlisted]);
        assert_eq!(is(&trusted, "c", 1), Recognition::Distrusted);
        assert_eq!(trusted.retract(&did("c")), Some(distrusted()));
        assert_eq!(is(&trusted, "c", 1), Recognition::Listed, "what others say counts again");
        assert!(trusted.unfollow(&did("k")).is_some());
        assert_eq!(trusted.at(NOW).get(&did("c")), None);
        assert_eq!(trusted.unfollow(&did("k")), None);
    }

    #[test]
    fn the_newer_list_of_a_keeper_replaces_the_older() {
        let mut trusted = Trusted::default();
        trusted.follow(list("k", [(did("a"), entry([])), (did("b"), entry([]))])).unwrap();
        let later = FollowedList { signed: Some(NOW.plus_ms(1)), ..list("k", [(did("b"), distrusted())]) };
        trusted.follow(later.clone()).unwrap();
        assert_eq!(trusted.at(NOW).get(&did("a")), None, "it names it no longer");
        for signed in [Some(NOW), None] {
            let older = FollowedList { signed, ..list("k", [(did("b"), entry([]))]) };
            assert_eq!(trusted.follow(older), Err(FollowError::Older));
        }
        assert_eq!(trusted.followed(), [later]);
    }

    #[test]
    fn a_list_counts_until_its_end() {
        let mut trusted = Trusted::default();
        let until = NOW.plus_ms(10);
        trusted.follow(FollowedList { until: Some(until), ..list("k", [(did("a"), entry([]))]) }).unwrap();
        assert_eq!(trusted.next_end(NOW), Some(until));
        assert!(trusted.at(NOW.plus_ms(9)).get(&did("a")).is_some());
        assert_eq!(trusted.at(until), TrustList::default());
        assert_eq!(trusted.next_end(until), None);
        let a = did("a");
        assert_eq!((trusted.followed_on(&a, NOW).count(), trusted.followed_on(&a, until).count()), (1, 0));
    }

    #[test]
    fn what_would_not_fit_is_not_followed() {
        let mut trusted = Trusted::default();
        let wide =
            |keeper, from: usize| list(keeper, [(did("a"), entry(from..from + TRUST_SCOPE_MAX / 2 + 1))]);
        trusted.follow(wide("k", 0)).unwrap();
        trusted.follow(wide("l", 0)).unwrap();
        let before = trusted.clone();
        assert_eq!(trusted.follow(wide("m", TRUST_SCOPE_MAX)), Err(FollowError::Full(TrustListFull)));
        // Whoever recognises it for everything now may end before the others do.
        trusted.follow(list("n", [(did("a"), entry([]))])).unwrap();
        assert_eq!(trusted.follow(wide("m", TRUST_SCOPE_MAX)), Err(FollowError::Full(TrustListFull)));
        trusted.unfollow(&did("n"));
        assert_eq!(trusted, before);
        let full = (0..TRUST_ENTRIES_MAX).map(|n| (did(&n.to_string()), entry([])));
        assert_eq!(trusted.follow(list("o", full.clone())), Err(FollowError::Full(TrustListFull)));
        trusted.unfollow(&did("k"));
        trusted.unfollow(&did("l"));
        trusted.follow(list("o", full)).unwrap();
        assert_eq!(trusted.state(did("a"), entry([])), Err(TrustListFull));
        assert_eq!(trusted.own(), &TrustList::default());
        let mut many = Trusted::default();
        for n in 0..TRUST_LISTS_MAX {
            many.follow(list(&n.to_string(), [])).unwrap();
        }
        assert_eq!(many.follow(list("more", [])), Err(FollowError::TooMany));
        assert_eq!(many.follow(list("0", [])), Ok(()));
        let twice = vec![list("k", []), list("k", [])];
        assert_eq!(Trusted::new(TrustList::default(), twice), Err(FollowError::TooMany));
    }

    proptest! {
        #[test]
        fn no_list_weakens_the_own_word_or_anothers_distrust(
            own in prop::collection::btree_map(0..4usize, (any::<bool>(), prop::collection::vec(0..3usize, 0..3)), 0..4),
            others in prop::collection::vec(
                prop::collection::btree_map(0..4usize, (any::<bool>(), prop::collection::vec(0..3usize, 0..3)), 0..4),
                0..4,
            ),
        ) {
            let read = |(n, (distrusted, skills)): (usize, (bool, Vec<usize>))| {
                (did(&n.to_string()), TrustEntry { distrusted, ..entry(skills) })
            };
            let mut trusted = Trusted::default();
            for (keeper, entries) in others.into_iter().enumerate() {
                trusted.follow(list(&format!("k{keeper}"), entries.into_iter().map(read))).unwrap();
            }
            for (issuer, entry) in own.into_iter().map(read) {
                trusted.state(issuer, entry).unwrap();
            }
            let sum = trusted.at(NOW);
            for (issuer, n) in (0..4).flat_map(|n| (0..3).map(move |skill| (did(&n.to_string()), skill))) {
                let theirs: Vec<Recognition> =
                    trusted.followed().iter().map(|list| list.list.recognition(&issuer, &skill(n))).collect();
                let expected = match trusted.own().get(&issuer) {
                    Some(_) => trusted.own().recognition(&issuer, &skill(n)),
                    None if theirs.contains(&Recognition::Distrusted) => Recognition::Distrusted,
                    None if theirs.contains(&Recognition::Listed) => Recognition::Listed,
                    None => Recognition::Unlisted,
                };
                prop_assert_eq!(sum.recognition(&issuer, &skill(n)), expected);
            }
        }
    }
}
