//! A home as a holder: it takes in what is about the holder, and says again and again what that is worth.
//!
//! Nobody is asked here. What others publish about a credential is read from what was fetched and kept, with its age.

use std::collections::BTreeMap;

use knackmesh_protocol::{
    credential::{
        Check, CheckName, Checks, Credential, TrustList, Verifier,
        identity::{self, Recipience},
        import::{self, Form},
        open_badge_2::Recipient,
        suggestion, trust_document,
    },
    id::Id,
    skill::Level,
    text::shown,
};

use serde_json::Value;

use super::{
    Node, now,
    service::Answer,
    short,
    verifying::{Asker, Badge, gather, needs_of},
};
use crate::{
    control::{DisclosedCredential, Exit, ImportOrder, ImportedRow, Refusal, Reply, SuggestionRow},
    fetch::{FetchConfig, Fetcher},
    report::{ChecksRow, CredentialRow, SkillRow},
    store::{KeptBadge, KeptCopy, KeptCredential},
};

impl Node {
    /// Keeps what is authentic, not revoked, and about this home's DID, or else about an address that the holder gives. What
    /// has expired, whose status cannot be checked, or that carries its key itself, as badges of some platforms do, is kept and
    /// reported as such, and backs no claim.
    pub(super) async fn import(&mut self, order: &ImportOrder) -> Answer {
        let name = &order.name;
        let form = import::form(&order.text).map_err(|e| {
            let hint = "ask its issuer for a W3C Verifiable Credential or an Open Badge 3.0";
            Refusal::new(Exit::NotVerified, format!("{name}: {e}"), hint)
        })?;
        let imported = match form {
            Form::Credential(credential) => self.import_credential(*credential, order).await?,
            Form::Assertion(_) | Form::SignedAssertion(_) | Form::HostedAt(_) => {
                self.import_badge(&form, order).await?
            }
            Form::Presentation | Form::LearnerRecord(..) | Form::Curriculum(_) => {
                return Err(Refusal::new(
                    Exit::Usage,
                    format!("{name}: no credential by itself"),
                    "use `knack import FILE`, which takes out what it holds",
                ));
            }
        };
        self.shelf.store.flush()?;
        Ok(Reply::Imported(Box::new(imported)))
    }

    async fn import_credential(
        &mut self,
        credential: Credential,
        order: &ImportOrder,
    ) -> Result<ImportedRow, Refusal> {
        check_kind(&credential, &order.name)?;
        let credentials = [credential];
        self.recall(&credentials).await?;
        let [credential] = credentials;
        let checks = credential.verify(&self.verifier());
        let can_be_asked = !credential.needs(&self.verifier()).is_empty();
        check_authentic(&checks, can_be_asked, &order.name)?;
        let mut copy = None;
        match credential.subject() {
            Some(subject) if *subject == self.identity.root.did() => {}
            Some(subject) => match self.single_use_index(subject)? {
                Some(index) => copy = Some(KeptCopy { index, used: None }),
                None => return Err(self.of_another(&order.name, subject.as_str())),
            },
            None => check_recipient(&identity::recipients(&credential), order)?,
        }
        // A copy that was used stays used, however often it is imported.
        let copy = self.shelf.store.credential(&credential.id())?.and_then(|before| before.copy).or(copy);
        let text = credential.text().to_owned();
        let kept = KeptCredential { text, imported: now(), badge: None, copy };
        self.shelf.store.put_credential(&credential.id(), &kept)?;
        let texts = if credential.skills().is_empty() { suggestion::texts(&credential) } else { Vec::new() };
        Ok(ImportedRow {
            suggestions: self.suggestions(&texts),
            credential: CredentialRow::new(&credential, &checks).of_copy(kept.copy.as_ref()),
        })
    }

    async fn import_badge(&mut self, form: &Form, order: &ImportOrder) -> Result<ImportedRow, Refusal> {
        let badge = self.read_badge(form, &order.text).await?;
        let checks = badge.verify(&self.verifier());
        let can_be_asked = badge.dossier.wanted().is_ok_and(|wanted| !wanted.is_empty());
        check_authentic(&checks, can_be_asked, &order.name)?;
        check_recipient(std::slice::from_ref(&badge.dossier.assertion().recipient), order)?;
        let row = badge.row(&order.text, &checks);
        let class = badge.dossier.badge();
        let skills = class.map(|class| class.skills()).unwrap_or_default();
        let texts = class.filter(|_| skills.is_empty()).map(|class| class.texts()).unwrap_or_default();
        let suggestions = self.suggestions(&texts);
        let about = KeptBadge { name: row.credential.clone(), issuer: row.issuer.clone(), skills };
        let badge_kept = Some(about.clone());
        let kept =
            KeptCredential { text: order.text.clone(), imported: now(), badge: badge_kept, copy: None };
        let id = Id::of(order.text.as_bytes());
        self.shelf.store.put_credential(&id, &kept)?;
        self.replace_badge(&id, form)?;
        Ok(ImportedRow { credential: badge_row(&badge, row, &about), suggestions })
    }

    /// Lets go of what is the badge `id` as well: a hosted badge is the one at its address, in whatever file it came.
    fn replace_badge(&self, id: &Id, form: &Form) -> Result<(), Refusal> {
        let Some(address) = address_of(form) else { return Ok(()) };
        for (other, kept) in self.shelf.store.credentials()? {
            let same = || import::form(&kept.text).is_ok_and(|form| address_of(&form) == Some(address));
            if kept.badge.is_some() && other != *id && same() {
                self.shelf.store.remove_credential(&other)?;
            }
        }
        Ok(())
    }

    /// Every credential and badge kept, with its checks as of now.
    pub(super) async fn credentials(&mut self) -> Answer {
        let entries = self.kept_entries()?;
        let credentials: Vec<Credential> = entries.iter().map(|(_, credential)| credential.clone()).collect();
        self.recall(&credentials).await?;
        let row = |(kept, c): &(KeptCredential, Credential)| {
            CredentialRow::new(c, &c.verify(&self.verifier())).of_copy(kept.copy.as_ref())
        };
        let mut rows: Vec<CredentialRow> = entries.iter().map(row).collect();
        for (id, KeptCredential { text, badge, .. }) in self.shelf.store.credentials()? {
            let Some(about) = badge else { continue };
            let damaged = |e: &dyn std::fmt::Display| {
                let hint = "import the original file again";
                Refusal::new(Exit::Failed, format!("the badge {} is damaged: {e}", short(id)), hint)
            };
            let form = import::form(&text).map_err(|e| damaged(&e))?;
            rows.push(match self.read_badge(&form, &text).await {
                Ok(badge) => {
                    let row = badge.row(&text, &badge.verify(&self.verifier()));
                    badge_row(&badge, row, &about)
                }
                // Only its address was baked in, and no copy of what is served there is kept any more.
                Err(e) => unread_row(id, &about, &e),
            });
        }
        Ok(Reply::Credentials(rows))
    }

    /// Keeps credentials no longer, each named by its id or the beginning of it. All of them, or none where one is not there.
    pub(super) fn forget(&mut self, names: &[String]) -> Answer {
        let kept = self.shelf.store.credentials()?;
        let mut chosen: BTreeMap<Id, String> = BTreeMap::new();
        for name in names {
            let mut meant =
                kept.iter().filter(|(id, _)| !name.is_empty() && id.to_string().starts_with(name));
            let refuse = |message: &str| {
                let hint = "`knack credentials` lists what is kept, with its ids";
                Refusal::new(Exit::Failed, format!("{}: {message}", shown(name)), hint)
            };
            let (id, kept) = meant.next().ok_or_else(|| refuse("no credential here has that id"))?;
            if meant.next().is_some() {
                return Err(refuse("several ids begin so; name more of it"));
            }
            let title = || Credential::parse(&kept.text).map_or_else(|_| short(*id), |c| c.title());
            chosen.insert(*id, kept.badge.as_ref().map_or_else(title, |badge| badge.name.clone()));
        }
        for id in chosen.keys() {
            self.shelf.store.remove_credential(id)?;
        }
        self.shelf.store.flush()?;
        let row = |(id, name): (Id, String)| DisclosedCredential { id: id.to_string(), name: Some(name) };
        Ok(Reply::Forgotten(chosen.into_iter().map(row).collect()))
    }

    /// The texts of all that is kept.
    pub(super) fn texts(&self) -> Answer {
        let kept = self.shelf.store.credentials()?.into_iter();
        Ok(Reply::Texts(kept.map(|(_, kept)| kept.text).collect()))
    }

    /// The verifiable credentials kept, copies that are published once aside.
    pub(super) fn kept(&self) -> Result<Vec<Credential>, Refusal> {
        let entries = self.kept_entries()?.into_iter();
        Ok(entries.filter(|(kept, _)| kept.copy.is_none()).map(|(_, credential)| credential).collect())
    }

    /// The verifiable credentials kept, as they are kept.
    pub(super) fn kept_entries(&self) -> Result<Vec<(KeptCredential, Credential)>, Refusal> {
        let kept = self.shelf.store.credentials()?.into_iter();
        let parse = |(id, kept): (_, KeptCredential)| {
            let credential = Credential::parse(&kept.text).map_err(|e| {
                let hint = "import the original file again";
                Refusal::new(Exit::Failed, format!("the credential {} is damaged: {e}", short(id)), hint)
            })?;
            Ok((kept, credential))
        };
        kept.filter(|(_, kept)| kept.badge.is_none()).map(parse).collect()
    }

    /// What is kept and backs no claim, whatever its checks: why, by its name.
    pub(super) fn unproven(&self) -> Result<Vec<String>, Refusal> {
        let own = self.identity.root.did();
        let name = Credential::title;
        let unbound = self.kept()?.into_iter().filter(|c| c.subject() != Some(&own)).map(|c| name(&c));
        let badges = self.shelf.store.credentials()?.into_iter();
        let badges = badges.filter_map(|(_, kept)| kept.badge).map(|badge| badge.name);
        let why = |name| format!("{name}: it is bound to no DID, so holding it cannot be proven");
        Ok(unbound.chain(badges).map(why).collect())
    }

    /// Makes known what was fetched about `credentials`, now or by an earlier command. What is known already is read again: a
    /// command may have fetched it anew.
    pub(super) async fn recall(&mut self, credentials: &[Credential]) -> Result<(), Refusal> {
        let needs = needs_of(credentials);
        let nobody = TrustList::default();
        let verifier = Verifier::new(now(), &nobody);
        if needs(&verifier).is_empty() {
            return Ok(());
        }
        let fetcher = self.offline()?;
        let asker = Asker::new(&fetcher, &|_| {});
        let known = gather(&needs, &verifier, &asker).await;
        self.knowledge.learn(known);
        Ok(())
    }

    /// The same of all that is kept, when the node starts. What cannot be read then, a command will tell.
    pub(super) async fn recall_kept(&mut self) {
        let recalled = match self.kept() {
            Ok(credentials) => self.recall(&credentials).await,
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = recalled {
            tracing::warn!(error = %refusal, "what was fetched about the credentials kept is not read");
        }
    }

    /// A badge, with what was fetched about it.
    async fn read_badge(&self, form: &Form, text: &str) -> Result<Badge, Refusal> {
        let fetcher = self.offline()?;
        let asker = Asker::new(&fetcher, &|_| {});
        let mut badge = Badge::open(form, text, &asker).await.map_err(|refusal| match form {
            Form::HostedAt(_) => Refusal::new(refusal.exit, refusal.message, "add --fetch to ask for it"),
            _ => refusal,
        })?;
        badge.gather(self.verifier().status_age_max_ms, &asker).await;
        Ok(badge)
    }

    /// Reads what is kept of the web, and asks nobody.
    fn offline(&self) -> Result<Fetcher, Refusal> {
        self.fetcher(|settings| FetchConfig { offline: true, ..FetchConfig::from(settings) })
    }

    fn suggestions(&self, texts: &[(&'static str, &str)]) -> Vec<SuggestionRow> {
        let suggested = suggestion::suggest(texts, &self.vocabulary).into_iter();
        let row = |s: suggestion::Suggestion| SuggestionRow {
            skill: s.skill,
            label: s.label,
            words: s.words,
            place: s.place.to_owned(),
        };
        suggested.map(row).collect()
    }

    fn of_another(&self, name: &str, subject: &str) -> Refusal {
        let own = self.identity.root.did();
        Refusal::new(
            Exit::NotVerified,
            format!("{name}: refused: it is about {}, not about you", shown(subject)),
            format!("ask the issuer to issue it to {own}"),
        )
    }
}

/// Where a hosted badge is served; a signed one has no such place.
fn address_of(form: &Form) -> Option<&str> {
    match form {
        Form::Assertion(assertion) => Some(&assertion.id),
        Form::HostedAt(url) => Some(url),
        _ => None,
    }
}

/// `can_be_asked` says whether its issuer publishes something that could help.
fn check_authentic(checks: &Checks, can_be_asked: bool, name: &str) -> Result<(), Refusal> {
    let refuse = |check: CheckName, hint: &str| {
        let reason = checks.reason(check).map_or_else(String::new, |reason| format!(": {}", reason.text));
        let message = format!("{name}: refused: {check} {}{reason}", checks.get(check));
        Err(Refusal::new(Exit::NotVerified, message, hint))
    };
    match checks.untampered {
        // A suspension may end; a revocation does not.
        _ if checks.unrevoked == Check::Fail && !is_suspended(checks) => {
            refuse(CheckName::Unrevoked, "ask its issuer why, and for a new one")
        }
        Check::Pass => Ok(()),
        // As it was signed, by nobody known: kept with that label, it backs no claim.
        Check::NotChecked if UNBOUND.iter().any(|code| is_for(checks, CheckName::Untampered, code)) => Ok(()),
        Check::NotChecked if can_be_asked => {
            let hint = "add --fetch to ask its issuer, who learns that somebody verifies";
            refuse(CheckName::Untampered, hint)
        }
        Check::NotChecked => refuse(
            CheckName::Untampered,
            "ask its issuer for a form that is checked here: an Open Badge 3.0, a W3C Verifiable Credential or an SD-JWT VC",
        ),
        _ => refuse(
            CheckName::Untampered,
            "ask the issuer for the original file; `knack verify FILE` shows every check",
        ),
    }
}

/// Refuses what is a credential by its form, and says nothing of any person.
fn check_kind(credential: &Credential, name: &str) -> Result<(), Refusal> {
    let types = credential.document().get("type");
    let is = |kind: &str| match types {
        Some(Value::Array(types)) => types.iter().any(|t| t == kind),
        types => types.is_some_and(|t| t == kind),
    };
    let (what, hint) = match () {
        () if is("BitstringStatusListCredential") || is("StatusList2021Credential") => {
            ("a status list", "`knack verify --status-list FILE` takes it")
        }
        () if is(trust_document::TYPE) => ("a trust list", "`knack trust import FILE` follows it"),
        () if is("DomainLinkageCredential") => ("the link of a domain and a DID", "import what is about you"),
        () => return Ok(()),
    };
    Err(Refusal::new(Exit::NotVerified, format!("{name}: refused: it is {what}, and about nobody"), hint))
}

/// What says that a credential is as it was signed, and not by whom.
const UNBOUND: [&str; 2] = ["key-unbound", "proof-key-unbound"];

fn is_suspended(checks: &Checks) -> bool {
    is_for(checks, CheckName::Unrevoked, "suspended")
}

fn is_for(checks: &Checks, check: CheckName, code: &str) -> bool {
    checks.reason(check).is_some_and(|reason| reason.code == code)
}

/// Requires that what is bound to no DID was awarded to the holder's address, where it says to whom.
fn check_recipient(recipients: &[Recipient], order: &ImportOrder) -> Result<(), Refusal> {
    let refuse = |message: &str, hint: &str| {
        Err(Refusal::new(Exit::NotVerified, format!("{}: refused: {message}", order.name), hint))
    };
    match &order.email {
        _ if recipients.is_empty() => Ok(()),
        None => refuse(
            "it is bound to an address, and not to a DID",
            "add --email ADDRESS, to which it was awarded: it is compared here, and not kept",
        ),
        Some(email) => match identity::compare(recipients, email) {
            Ok(Recipience::Matches | Recipience::Unstated) => Ok(()),
            Ok(Recipience::Differs) => {
                refuse("it was awarded to another address", "try another --email ADDRESS of yours")
            }
            Err(e) => refuse(&e.to_string(), "ask its issuer to issue it to your DID"),
        },
    }
}

fn badge_row(badge: &Badge, mut checks: ChecksRow, about: &KeptBadge) -> CredentialRow {
    if badge.dossier.badge().is_none() {
        checks.credential.clone_from(&about.name);
        checks.issuer.clone_from(&about.issuer);
    }
    let assertion = badge.dossier.assertion();
    CredentialRow {
        checks,
        skills: skills_of(about),
        valid_from: Some(assertion.issued_on),
        valid_until: assertion.expires,
        copy: None,
    }
}

fn unread_row(id: Id, about: &KeptBadge, why: &Refusal) -> CredentialRow {
    let mut checks = ChecksRow::unread(&id, "incomplete", &why.message);
    checks.credential.clone_from(&about.name);
    checks.issuer.clone_from(&about.issuer);
    CredentialRow { checks, skills: skills_of(about), valid_from: None, valid_until: None, copy: None }
}

/// The skills that a badge is about. It states no levels.
fn skills_of(about: &KeptBadge) -> Vec<SkillRow> {
    let skill = |(skill, label): &(_, String)| SkillRow {
        skill: Clone::clone(skill),
        label: label.clone(),
        level: Level::MIN,
    };
    about.skills.iter().map(skill).collect()
}
