//! A home as a holder: its credentials, shown to a verifier that the holder names.

use knackmesh_protocol::{
    credential::{
        Credential, Format, Securing, Signer,
        answering::{self, AnswerError},
        data_integrity::Binding,
        presentation,
    },
    dcql::Query,
    jose::sd_jwt::KeyBinding,
    skill::SkillId,
};

use super::{Node, now, service::Answer};
use crate::control::{Exit, Refusal, Reply, ShowOrder, ShownRow};

impl Node {
    /// Presents credentials of this home to the verifier called `domain`: what a DCQL query asks for, or what states the
    /// skills named.
    pub(super) fn show(&self, order: &ShowOrder) -> Answer {
        let kept = self.kept()?;
        let own = self.identity.root.did();
        // What is about another could not be shown as one's own.
        let held: Vec<&Credential> =
            kept.iter().filter(|credential| credential.subject() == Some(&own)).collect();
        match &order.dcql {
            Some(query) => self.answer(query, &held, order),
            None => self.show_skills(&held, order),
        }
    }

    fn answer(&self, query: &str, held: &[&Credential], order: &ShowOrder) -> Answer {
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
            part.presentations.into_iter().map(move |shown| ShownRow {
                query: Some(part.id.clone()),
                presentation: shown.text,
                credentials: vec![held[shown.credential].title()],
                disclosed: shown.disclosed.iter().map(ToString::to_string).collect(),
            })
        });
        Ok(Reply::Shown(rows.collect()))
    }

    fn show_skills(&self, held: &[&Credential], order: &ShowOrder) -> Answer {
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
        let names = |shown: &[&Credential]| shown.iter().map(|c| c.title()).collect();
        if order.format == Format::SdJwt {
            let rows = shown.iter().map(|credential| {
                let Securing::SdJwt(vc) = credential.securing() else {
                    let message = format!("{} is no SD-JWT", credential.title());
                    return Err(Refusal::new(Exit::Usage, message, "leave --format out"));
                };
                let binding = KeyBinding { audience: &order.domain, nonce: &order.challenge, issued: now() };
                let bound = vc.sd_jwt().select(|_| true).bind(&binding, holder.key());
                let bound =
                    bound.map_err(|e| Refusal::new(Exit::Failed, e.to_string(), "leave --format out"))?;
                Ok(ShownRow {
                    query: None,
                    presentation: bound,
                    credentials: names(&[credential]),
                    disclosed: vc.sd_jwt().disclosures().iter().map(|d| d.path().to_string()).collect(),
                })
            });
            return Ok(Reply::Shown(rows.collect::<Result<_, Refusal>>()?));
        }
        let shown: Vec<&Credential> = shown.iter().collect();
        let binding = Binding::presentation(&order.challenge, &order.domain);
        let text = presentation::sign(&holder, &shown, &binding, order.format, now())
            .map_err(|e| Refusal::new(Exit::Refused, e.to_string(), "name fewer skills with --skill"))?;
        let row =
            ShownRow { query: None, presentation: text, credentials: names(&shown), disclosed: Vec::new() };
        Ok(Reply::Shown(vec![row]))
    }
}
