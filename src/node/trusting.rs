//! A home as a verifier: whom it recognises, by its own word and by the lists that it follows.

use std::collections::BTreeSet;

use knackmesh_protocol::{
    credential::{
        Checks, TrustEntry, TrustList, Verifier,
        followed::{FollowError, FollowedList, Trusted},
        import::{self, Form},
        issuing, open_badge,
        trust_document::{self, TrustDocumentError},
    },
    key::{Algorithm, Did},
    limits::{CREDENTIAL_BYTES_MAX, TRUST_NAME_BYTES_MAX},
    skill::SkillId,
    text::shown,
    time::Timestamp,
};
use serde_json::json;

use super::{
    Node,
    issuing::refusal,
    now, random_id,
    service::Answer,
    verifying::{voucher, why_unverified},
};
use crate::{
    control::{Change, ChangeRow, Exit, FollowOrder, FollowReport, Refusal, Reply, TrustOrder},
    report::{FollowedRow, TrustReport, TrustRow, format_of},
    store::StoreError,
};

/// Whom a node recognises: what that was made from, and what it comes to until one of the lists ends.
pub(super) struct Recognised {
    from: Trusted,
    /// What the sources come to.
    pub(super) list: TrustList,
    until: Option<Timestamp>,
}

impl Recognised {
    pub(super) fn new(from: Trusted) -> Self {
        let at = now();
        Recognised { list: from.at(at), until: from.next_end(at), from }
    }

    /// Leaves out what has ended.
    pub(super) fn refresh(&mut self) {
        if self.until.is_some_and(|until| until <= now()) {
            *self = Recognised::new(std::mem::take(&mut self.from));
        }
    }
}

impl Node {
    pub(super) async fn trust(&mut self, order: TrustOrder) -> Answer {
        self.trust.refresh();
        let mut trusted = self.trust.from.clone();
        match order {
            TrustOrder::List => return Ok(Reply::Trust(self.trust_report())),
            TrustOrder::Export { name, format, valid_for_ms } => {
                let settings = self.home.config()?.issuer;
                let signer = self.signer(&settings, None, Algorithm::EdDsa)?;
                if trusted.own().iter().next().is_none() {
                    let message = "there is no entry of your own to export";
                    let hint = "make one: `knack trust add DID`; lists that you follow are for their keepers to hand on";
                    return Err(Refusal::new(Exit::Failed, message, hint));
                }
                let (at, id) = (now(), open_badge::uuid(4, random_id()?));
                let until = Some(at.plus_ms(valid_for_ms));
                let mut document =
                    trust_document::document(trusted.own(), signer.controller(), &id, at, until);
                if let Some(name) = name {
                    document.insert("name".into(), json!(checked_name(name)?));
                }
                let signed = issuing::sign(document, format, &signer, at).map_err(refusal)?;
                if signed.text().len() > CREDENTIAL_BYTES_MAX {
                    let message =
                        format!("the list is over {CREDENTIAL_BYTES_MAX} bytes, more than others read");
                    return Err(Refusal::new(
                        Exit::Refused,
                        message,
                        "remove entries that others do not need",
                    ));
                }
                return Ok(Reply::Issued(signed.text().to_owned()));
            }
            TrustOrder::Follow(order) => return self.follow(order).await,
            TrustOrder::Add { issuer, name, distrusted, skills } => {
                let name = name.map(checked_name).transpose()?;
                let skills =
                    skills.iter().map(|name| self.skill(name)).collect::<Result<BTreeSet<SkillId>, _>>()?;
                let before = trusted.own().get(&issuer).cloned().unwrap_or_default();
                // What is not named stays. Distrust has no scope.
                let skills = match skills.is_empty() && !distrusted {
                    true => before.skills,
                    false => skills.into_iter().collect(),
                };
                let entry = TrustEntry { name: name.or(before.name), distrusted, skills };
                trusted.state(issuer, entry).map_err(|e| {
                    Refusal::new(Exit::Refused, e.to_string(), "remove issuers that you no longer need")
                })?;
            }
            TrustOrder::Remove { issuer } => {
                trusted.retract(&issuer).ok_or_else(|| not_own(&trusted, &issuer))?;
            }
            TrustOrder::Unfollow { keeper } => {
                trusted.unfollow(&keeper).ok_or_else(|| {
                    let message = format!("you follow no list of {keeper}");
                    Refusal::new(Exit::Failed, message, "see `knack trust list`")
                })?;
            }
        }
        self.keep_trust(trusted)?;
        Ok(Reply::Trust(self.trust_report()))
    }

    /// Follows a list that its keeper signed, if its keeper was named or is followed already.
    async fn follow(&mut self, order: FollowOrder) -> Answer {
        const HINT: &str = "name a list as `knack trust export` signs it";
        let credential = match import::form(&order.text) {
            Ok(Form::Credential(credential)) => *credential,
            Ok(_) => return Err(Refusal::new(Exit::NotVerified, "it is no signed trust list", HINT)),
            Err(e) => {
                return Err(Refusal::new(
                    Exit::NotVerified,
                    format!("it is no signed trust list: {e}"),
                    HINT,
                ));
            }
        };
        if !trust_document::is_one(&credential) {
            let message = TrustDocumentError::Type.to_string();
            return Err(Refusal::new(
                Exit::NotVerified,
                message,
                "name a trust list, not another credential",
            ));
        }
        self.recall(std::slice::from_ref(&credential)).await?;
        let format = format_of(&credential);
        let at = now();
        let verified =
            credential.verified(&Verifier::new(at, &self.trust.list).knowing(self.knowledge.own()));
        let verified = verified.map_err(|checks| unverified(&checks))?;
        let list = FollowedList::of(&verified, at).map_err(|e| {
            Refusal::new(Exit::NotVerified, e.to_string(), "name a trust list, not another credential")
        })?;
        let keeper = &list.keeper;
        if let Some(expected) = order.from.as_ref().filter(|from| *from != keeper) {
            return Err(Refusal::new(
                Exit::NotVerified,
                format!("the list is signed by {keeper}, not by {expected}"),
                "ask whom you follow for the list as it was signed, or name the one who signed this",
            ));
        }
        if self.trust.list.get(keeper).is_some_and(|entry| entry.distrusted) {
            let message = format!("you distrust {keeper}, who signed the list");
            return Err(Refusal::new(Exit::Refused, message, "see `knack trust list`"));
        }
        let mut trusted = self.trust.from.clone();
        trusted.follow(list.clone()).map_err(not_followed)?;
        let is_followed = self.trust.from.followed().iter().any(|former| former.keeper == *keeper);
        let accepted = order.from.is_some() || is_followed;
        let followed = accepted && !order.dry;
        let report = FollowReport {
            keeper: keeper.clone(),
            name: list.name.clone(),
            signed: list.signed,
            until: list.until,
            format,
            entries: list.list.iter().count(),
            accepted,
            followed,
            changes: changes(&self.trust.from, &trusted, keeper, at),
        };
        if followed {
            self.keep_trust(trusted)?;
        }
        Ok(Reply::TrustFollowed(Box::new(report)))
    }

    /// Keeps `trusted`, for what it comes to to count from now on.
    fn keep_trust(&mut self, trusted: Trusted) -> Result<(), StoreError> {
        self.shelf.store.set_trusted(&trusted)?;
        self.shelf.store.flush()?;
        self.trust = Recognised::new(trusted);
        Ok(())
    }

    fn trust_report(&self) -> TrustReport {
        let (trusted, at) = (&self.trust.from, now());
        let row = |(issuer, entry): (&Did, &TrustEntry)| TrustRow {
            issuer: issuer.clone(),
            name: entry.name.clone(),
            distrusted: entry.distrusted,
            skills: entry.skills.clone(),
            own: trusted.own().get(issuer).is_some(),
            from: trusted.followed_on(issuer, at).map(|(list, entry)| voucher(list, entry)).collect(),
        };
        let followed = |list: &FollowedList| FollowedRow {
            keeper: list.keeper.clone(),
            name: list.name.clone(),
            until: list.until,
            current: list.is_current(at),
        };
        TrustReport {
            entries: self.trust.list.iter().map(row).collect(),
            followed: trusted.followed().iter().map(followed).collect(),
        }
    }
}

/// What becomes of those whom the list of `keeper` names, or named before.
fn changes(before: &Trusted, after: &Trusted, keeper: &Did, at: Timestamp) -> Vec<ChangeRow> {
    let lists = [before, after].map(|trusted| trusted.followed().iter().find(|list| list.keeper == *keeper));
    let issuers: BTreeSet<&Did> =
        lists.into_iter().flatten().flat_map(|list| list.list.iter()).map(|(did, _)| did).collect();
    let (own, earlier, later) = (after.own(), before.at(at), after.at(at));
    let row = |issuer: &Did| {
        let (before, after) = (earlier.get(issuer).cloned(), later.get(issuer).cloned());
        let change = match (&before, &after) {
            _ if own.get(issuer).is_some() => Change::OwnStands,
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
            (before, after) if before == after => Change::Unchanged,
            _ => Change::Changed,
        };
        ChangeRow { issuer: issuer.clone(), change, before, after }
    };
    issuers.into_iter().map(row).collect()
}

/// A name that others will read as it is.
fn checked_name(name: String) -> Result<String, Refusal> {
    let is_fit = (1..=TRUST_NAME_BYTES_MAX).contains(&name.len()) && shown(&name) == name;
    is_fit.then_some(name).ok_or_else(|| {
        let message = format!("a name has 1 to {TRUST_NAME_BYTES_MAX} bytes in one line");
        Refusal::new(Exit::Usage, message, "choose a shorter name")
    })
}

/// Why there is no own entry to remove.
fn not_own(trusted: &Trusted, issuer: &Did) -> Refusal {
    match trusted.followed_on(issuer, now()).next() {
        None => Refusal::new(
            Exit::Failed,
            format!("{issuer} is not on your trust list"),
            "see `knack trust list`",
        ),
        Some((list, _)) => Refusal::new(
            Exit::Failed,
            format!("you have no entry of your own on {issuer}; the list of {} names it", list.keeper),
            format!(
                "distrust it yourself (`knack trust add {issuer} --distrust`), or forget that list (`knack trust remove --from {}`)",
                list.keeper
            ),
        ),
    }
}

fn unverified(checks: &Checks) -> Refusal {
    Refusal::new(
        Exit::NotVerified,
        format!("the list is not verified: {}", why_unverified(checks)),
        "ask its keeper for the list as it was signed; `knack verify FILE` shows every check",
    )
}

fn not_followed(e: FollowError) -> Refusal {
    let hint = match e {
        FollowError::TooMany => "forget one: `knack trust remove --from DID`",
        FollowError::Older => {
            "ask its keeper for the newest; to go back to this one, forget the other first (`knack trust remove --from DID`)"
        }
        FollowError::Full(_) => {
            "remove issuers that you no longer need, or forget a list (`knack trust remove --from DID`)"
        }
    };
    Refusal::new(Exit::Refused, e.to_string(), hint)
}
