//! A home as a holder: its credentials, shown to a verifier that the holder names, and the record of to whom they were shown.

use std::collections::{BTreeMap, BTreeSet};

use knackmesh_protocol::{
    credential::{
        Check, CheckName, Checks, Credential, Format, Securing, Signer,
        answering::{self, AnswerError},
        data_integrity::Binding,
        presentation,
    },
    dcql::Query,
    id::Id,
    jose::sd_jwt::KeyBinding,
    limits::DISCLOSED_ROWS_MAX,
    skill::SkillId,
};

use super::{Node, now, service::Answer};
use crate::{
    control::{DisclosedCredential, DisclosedRow, Exit, Occasion, Refusal, Reply, ShowOrder, ShownRow},
    store::{Disclosed, StoreError},
};

/// Presentations, and which credentials each shows.
type Showing = Vec<(ShownRow, Vec<Id>)>;

impl Node {
    /// Presents credentials of this home to the verifier called `domain`: what a DCQL query asks for, or what states the
    /// skills named. That is recorded before it is given.
    pub(super) async fn show(&mut self, order: &ShowOrder) -> Answer {
        let kept = self.kept()?;
        self.recall(&kept).await?;
        let own = self.identity.root.did();
        // What is about another could not be shown as one's own.
        let own = kept.iter().filter(|credential| credential.subject() == Some(&own));
        let (mut held, mut ended) = (Vec::<&Credential>::new(), Vec::new());
        for credential in own {
            match ended_by(&credential.verify(&self.verifier())) {
                Some(why) => ended.push((credential, why)),
                None => held.push(credential),
            }
        }
        let showing = match &order.dcql {
            Some(query) => self.answer(query, &held, order),
            None => self.show_skills(&held, order),
        };
        let left_out = |(credential, why): &(&Credential, String)| format!("{}: {why}", credential.title());
        let left_out: Vec<String> = ended.iter().map(left_out).collect();
        let showing = showing.map_err(|refusal| match left_out.is_empty() {
            true => refusal,
            false => {
                let message = format!("{}; left out is {}", refusal.message, left_out.join(", "));
                Refusal { message, ..refusal }
            }
        })?;
        let shown: BTreeSet<Id> = showing.iter().flat_map(|(_, ids)| ids.iter().copied()).collect();
        let known = &self.knowledge.own().status_lists;
        let rows = showing.into_iter().map(|(row, ids)| {
            let credentials = held.iter().filter(|credential| ids.contains(&credential.id()));
            let lists: BTreeSet<&str> = credentials.flat_map(|c| c.staples(known)).collect();
            ShownRow { status_lists: lists.into_iter().map(str::to_owned).collect(), ..row }
        });
        let rows = rows.collect();
        self.record_shown(Some(order.domain.clone()), shown.into_iter().collect())?;
        Ok(Reply::Shown { rows, left_out })
    }

    /// Makes durable that the holder has credentials shown to a verifier.
    pub(super) fn record_shown(
        &mut self,
        verifier: Option<String>,
        shown: Vec<Id>,
    ) -> Result<(), StoreError> {
        let (seeker, purpose) = (None, String::new());
        let disclosed = Disclosed { seeker, verifier, purpose, credentials: shown, at: now() };
        self.shelf.store.disclosed(&disclosed)?;
        self.shelf.store.flush()
    }

    /// To whom credentials were shown, newest first.
    pub(super) fn disclosures(&self, newest: usize) -> Answer {
        let names: BTreeMap<Id, String> =
            self.kept()?.iter().map(|credential| (credential.id(), credential.title())).collect();
        let credential = |id: Id| DisclosedCredential { id: id.to_string(), name: names.get(&id).cloned() };
        let row = |disclosed: Disclosed| DisclosedRow {
            at: disclosed.at,
            occasion: if disclosed.seeker.is_some() { Occasion::Inquiry } else { Occasion::Presentation },
            to: disclosed.seeker.map(|seeker| seeker.did().to_string()).or(disclosed.verifier),
            purpose: Some(disclosed.purpose).filter(|purpose| !purpose.is_empty()),
            credentials: disclosed.credentials.into_iter().map(credential).collect(),
        };
        let disclosed = self.shelf.store.disclosures.newest(newest.min(DISCLOSED_ROWS_MAX))?;
        Ok(Reply::Disclosures(disclosed.into_iter().map(row).collect()))
    }

    fn answer(&self, query: &str, held: &[&Credential], order: &ShowOrder) -> Result<Showing, Refusal> {
        let query = Query::parse(query).map_err(|e| {
            Refusal::new(Exit::Usage, e.to_string(), "give a DCQL query in JSON, as OpenID4VP 1.0 has it")
        })?;
        let holder = Signer::from(&self.identity.root);
        let answers = answering::answer(&query, held, &holder, &order.domain, &order.challenge, now());
        let answers = answers.map_err(|e| match e {
            AnswerError::Missing(_) => {
                Refusal::new(Exit::Refused, e.to_string(), "see what you have: `knack credentials`")
            }
            e => Refusal::new(Exit::Failed, e.to_string(), "see `knack credentials`"),
        })?;
        let rows = answers.into_iter().flat_map(|part| {
            part.presentations.into_iter().map(move |shown| {
                let credential = held[shown.credential];
                let row = ShownRow {
                    query: Some(part.id.clone()),
                    presentation: shown.text,
                    credentials: vec![credential.title()],
                    disclosed: shown.disclosed.iter().map(ToString::to_string).collect(),
                    status_lists: Vec::new(),
                };
                (row, vec![credential.id()])
            })
        });
        Ok(rows.collect())
    }

    fn show_skills(&self, held: &[&Credential], order: &ShowOrder) -> Result<Showing, Refusal> {
        let skills = order.skills.iter().map(|name| self.skill(name)).collect::<Result<Vec<SkillId>, _>>()?;
        let states = |c: &Credential| {
            skills.is_empty() || c.skills().iter().any(|achieved| skills.contains(&achieved.skill))
        };
        let chosen = held.iter().filter(|credential| states(credential));
        let shown: Vec<Credential> = match skills.is_empty() {
            true => chosen.map(|credential| (*credential).clone()).collect(),
            // Of what can be shown in part, no more than is asked for.
            false => chosen.map(|credential| credential.disclosing(&skills)).collect(),
        };
        if shown.is_empty() {
            let hint = "see what you have: `knack credentials`";
            return Err(Refusal::new(Exit::Refused, "no credential about you states that", hint));
        }
        let holder = Signer::from(&self.identity.root);
        if order.format == Format::SdJwt {
            return bound(&shown, &holder, order);
        }
        let shown: Vec<&Credential> = shown.iter().collect();
        let binding = Binding::presentation(&order.challenge, &order.domain);
        let text = presentation::sign(&holder, &shown, &binding, order.format, now())
            .map_err(|e| Refusal::new(Exit::Refused, e.to_string(), "name fewer skills with --skill"))?;
        let credentials = shown.iter().map(|c| c.title()).collect();
        let (disclosed, status_lists) = (Vec::new(), Vec::new());
        let row = ShownRow { query: None, presentation: text, credentials, disclosed, status_lists };
        Ok(vec![(row, shown.iter().map(|c| c.id()).collect())])
    }
}

/// Why nobody who verifies would accept a credential, as far as is known: it ended, or its issuer took it back.
fn ended_by(checks: &Checks) -> Option<String> {
    let failed =
        [CheckName::Unrevoked, CheckName::Unexpired].into_iter().find(|c| checks.get(*c) == Check::Fail)?;
    Some(checks.reason(failed).map_or_else(|| failed.to_string(), |reason| reason.text.clone()))
}

/// Each SD-JWT with a key binding. What has another form, or is bound to no key of the holder's, is passed over, as long as
/// something is left.
fn bound(chosen: &[Credential], holder: &Signer, order: &ShowOrder) -> Result<Showing, Refusal> {
    let (mut showing, mut why) = (Showing::new(), None);
    let binding = KeyBinding { audience: &order.domain, nonce: &order.challenge, issued: now() };
    for credential in chosen {
        let Securing::SdJwt(vc) = credential.securing() else { continue };
        match vc.sd_jwt().select(|_| true).bind(&binding, holder.key()) {
            Ok(presentation) => {
                let row = ShownRow {
                    query: None,
                    presentation,
                    credentials: vec![credential.title()],
                    disclosed: vc.sd_jwt().disclosures().iter().map(|d| d.path().to_string()).collect(),
                    status_lists: Vec::new(),
                };
                showing.push((row, vec![credential.id()]));
            }
            Err(e) => why = Some(format!("{}: {e}", credential.title())),
        }
    }
    if showing.is_empty() {
        let why = why.unwrap_or_else(|| "no credential about you that states that is an SD-JWT".to_owned());
        let hint = "leave --format out, or ask its issuer for an SD-JWT VC that is bound to your DID";
        return Err(Refusal::new(Exit::Refused, why, hint));
    }
    Ok(showing)
}
