//! People: issuers, professionals with real Open Badges, employers with trust lists.

use std::{collections::BTreeMap, rc::Rc};

use knackmesh_protocol::{
    consent::Present,
    credential::{
        Credential, Format, TrustEntry, TrustList, VerifiedCredential, Verifier,
        open_badge::{AlignedSkill, Issuance},
    },
    id::{Id, NodeId},
    key::{Did, SecretKey},
    peer::{Identity, Wallet},
    skill::{Level, SkillId},
    summary::{Backing, Content, Opening, Terms},
    time::Timestamp,
    vocabulary::Vocabulary,
};
use rand_chacha::ChaCha20Rng;

use crate::{
    attacks::{Attack, forge},
    scenario::{Occupation, Role, Scenario},
    streams::{below, bytes, place, stream},
};

const MONTH_MS: u64 = 30 * 24 * 3600 * 1000;
const COUNTRIES: [&str; 4] = ["DE", "AT", "FR", "NL"];

/// What all people of a run have in common.
pub struct Population {
    /// Labels, weights and hierarchy of skills.
    pub vocabulary: Rc<Vocabulary>,
    /// The skills in use, commonest first.
    pub skills: Vec<SkillId>,
    /// Sums of the weights 1/1, 1/2, 1/3, ... of the skills, to the power of the exponent, in millionths.
    zipf: Vec<u32>,
    levels_permille: Option<[u32; 5]>,
    occupations: Vec<Occupation>,
    issuers: Vec<SecretKey>,
    trust: Rc<TrustList>,
    seed: u64,
}

/// One node's person.
pub struct Person {
    /// Its keys.
    pub identity: Identity,
    /// The DID of its root key.
    pub did: Did,
    /// Its credentials.
    pub purse: Purse,
    /// Whom it recognises.
    pub trust: Rc<TrustList>,
    /// What it would publish; employers have nothing to.
    pub content: Option<(Content, Vec<Opening>)>,
    /// Who gets a presentation at once.
    pub present: Present,
    /// What its credentials truly prove, for checks.
    pub awards: BTreeMap<SkillId, (Level, Did)>,
}

/// A person's credentials.
#[derive(Default)]
pub struct Purse(Vec<Credential>);

impl Wallet for Purse {
    fn credential(&self, id: &Id) -> Option<Credential> {
        self.0.iter().find(|credential| credential.id() == *id).cloned()
    }
}

impl Population {
    /// The population of a scenario.
    pub fn new(scenario: &Scenario) -> Self {
        let vocabulary = Rc::new(Vocabulary::embedded());
        let mut skills: Vec<_> = vocabulary.skills().iter().map(|s| (s.idf, s.id.clone())).collect();
        skills.sort();
        let skills: Vec<SkillId> =
            skills.into_iter().take(scenario.skills.max(4)).map(|(_, id)| id).collect();
        let weights = (1..).take(skills.len()).map(|rank| weight(rank, scenario.zipf_thousandths));
        let zipf = weights.scan(0_u32, |sum, weight| {
            *sum = sum.saturating_add(weight);
            Some(*sum)
        });
        let zipf = zipf.collect();
        let issuers: Vec<SecretKey> = (0..scenario.issuers.max(1))
            .map(|n| SecretKey::from_seed(bytes(&mut stream(scenario.seed, n, "issuer"))))
            .collect();
        let trust = Rc::new(trust(&issuers));
        let (levels_permille, occupations) = (scenario.levels_permille, scenario.occupations.clone());
        let seed = scenario.seed;
        Population { vocabulary, skills, zipf, levels_permille, occupations, issuers, trust, seed }
    }

    /// The person of `node`, whose credentials were all signed before `now`.
    pub fn person(&self, scenario: &Scenario, node: u32, now: Timestamp) -> Person {
        let identity = identity(self.seed, node);
        let mut rng = stream(self.seed, node, "person");
        let present = match scenario.ask_every {
            0 => Present::Anyone,
            n if node % n == n - 1 => Present::Ask,
            _ => Present::Anyone,
        };
        let mut person = Person {
            did: identity.root.did(),
            identity,
            purse: Purse::default(),
            trust: self.trust.clone(),
            content: None,
            present,
            awards: BTreeMap::new(),
        };
        let occupation = self.occupation(&mut stream(self.seed, node, "occupation"));
        match scenario.role(node) {
            Role::Employer => {}
            Role::Professional => self.qualify(&mut person, occupation, &mut rng, now),
            Role::Hostile(attack) => {
                person.present = Present::Anyone;
                self.qualify(&mut person, occupation, &mut rng, now);
                if attack == Attack::Tamper {
                    self.tamper(&mut person, &mut rng, now);
                }
            }
        }
        person
    }

    /// A skill by Zipf's law.
    pub(crate) fn skill(&self, rng: &mut ChaCha20Rng) -> SkillId {
        let drawn = below(rng, self.zipf.last().copied().unwrap_or(1));
        self.skills[self.zipf.partition_point(|sum| *sum <= drawn)].clone()
    }

    /// An occupation by the shares; none is what is left of them.
    fn occupation(&self, rng: &mut ChaCha20Rng) -> Option<&Occupation> {
        let mut drawn = below(rng, 1000);
        self.occupations.iter().find(|occupation| match drawn.checked_sub(occupation.share_permille) {
            Some(left) => {
                drawn = left;
                false
            }
            None => true,
        })
    }

    /// So many skills of one occupation, which the shares draw: different ones, as long as it has more. None where nobody
    /// has an occupation.
    pub(crate) fn skills_together(&self, count: usize, rng: &mut ChaCha20Rng) -> Vec<SkillId> {
        let shares: u32 = self.occupations.iter().map(|occupation| occupation.share_permille).sum();
        let mut drawn = below(rng, shares.max(1));
        let occupation = self.occupations.iter().find(|occupation| {
            let within = drawn < occupation.share_permille;
            drawn = drawn.saturating_sub(occupation.share_permille);
            within
        });
        let all = occupation.map_or(&[] as &[SkillId], |occupation| &occupation.skills);
        let mut left = Vec::new();
        let mut together = Vec::new();
        while together.len() < count && !all.is_empty() {
            if left.is_empty() {
                left = all.to_vec();
            }
            together.push(left.swap_remove(place(rng, left.len())));
        }
        together
    }

    /// A skill of somebody with such an occupation, or with none.
    fn skill_of(&self, occupation: Option<&Occupation>, rng: &mut ChaCha20Rng) -> SkillId {
        match occupation {
            Some(occupation) => occupation.skills[place(rng, occupation.skills.len())].clone(),
            None => self.skill(rng),
        }
    }

    fn level(&self, rng: &mut ChaCha20Rng) -> Level {
        let Some(shares) = self.levels_permille else { return level(1 + below(rng, 5)) };
        let drawn = below(rng, shares.iter().sum::<u32>().max(1));
        let sums = shares.iter().scan(0, |sum, share| {
            *sum += share;
            Some(*sum)
        });
        level((1..).zip(sums).find(|(_, sum)| drawn < *sum).map_or(1, |(level, _)| level))
    }

    /// One or two credentials for up to three skills each, and one skill that is only claimed.
    fn qualify(
        &self,
        person: &mut Person,
        occupation: Option<&Occupation>,
        rng: &mut ChaCha20Rng,
        now: Timestamp,
    ) {
        let mut verified = Vec::new();
        for _ in 0..=below(rng, 2) {
            let skills = (0..=below(rng, 3)).map(|_| self.skill_of(occupation, rng)).collect();
            let credential = self.issue(&person.identity, skills, rng, now);
            let Some(issuer) = credential.issuer_did() else { continue };
            for achieved in credential.skills() {
                let award = (achieved.level, issuer.clone());
                let best = person.awards.entry(achieved.skill).or_insert_with(|| award.clone());
                *best = award.max(best.clone());
            }
            person.purse.0.push(credential.clone());
            verified.extend(credential.verified(&Verifier::new(now, &TrustList::default())).ok());
        }
        let bare = [(self.skill_of(occupation, rng), self.level(rng))];
        person.content = self.draft(person, &verified, &bare, rng);
    }

    fn draft(
        &self,
        person: &Person,
        verified: &[VerifiedCredential],
        bare: &[(SkillId, Level)],
        rng: &mut ChaCha20Rng,
    ) -> Option<(Content, Vec<Opening>)> {
        let region = COUNTRIES[place(rng, COUNTRIES.len())].parse().ok();
        let terms = Terms { languages: "en".parse().into_iter().collect(), region, ..Terms::default() };
        Content::draft(verified, bare, terms, &self.vocabulary, &person.identity.view).ok()
    }

    fn issue(
        &self,
        identity: &Identity,
        skills: Vec<SkillId>,
        rng: &mut ChaCha20Rng,
        now: Timestamp,
    ) -> Credential {
        let issuer = &self.issuers[place(rng, self.issuers.len())];
        let valid_from = now.minus_ms(MONTH_MS * u64::from(1 + below(rng, 36)));
        let label = |skill: &SkillId| self.vocabulary.label(skill).to_owned();
        let align = |skill: SkillId| AlignedSkill { label: label(&skill), skill, framework: None };
        let issuance = Issuance {
            nonce: bytes(rng),
            issuer: issuer.did(),
            issuer_name: Some("An academy".into()),
            subject: identity.root.did(),
            name: "Proof of practice".into(),
            description: "Passed a supervised examination.".into(),
            criteria: None,
            skills: skills.into_iter().map(align).collect(),
            level: self.level(rng),
            valid_from,
            valid_until: Some(now.plus_ms(60 * MONTH_MS)),
            status: Vec::new(),
        };
        match issuance.sign(&issuer.into(), Format::Jcs, valid_from) {
            Ok(credential) => credential,
            Err(error) => unreachable!("a credential of the model cannot be issued: {error}"),
        }
    }

    /// Changes a credential's level to the highest after it was signed, and a content that commits to the result.
    fn tamper(&self, person: &mut Person, rng: &mut ChaCha20Rng, now: Timestamp) {
        let skill = self.skills[0].clone();
        let mut honest = self.issue(&person.identity, vec![skill.clone()], rng, now);
        while honest.skills().iter().any(|achieved| achieved.level == Level::MAX) {
            honest = self.issue(&person.identity, vec![skill.clone()], rng, now);
        }
        let Some((credential, opening, backing)) = raise(&honest, &person.identity, &skill) else { return };
        person.content = forge::content(&skill, backing).map(|content| (content, vec![opening]));
        person.purse = Purse(vec![credential]);
        person.awards.clear();
    }
}

/// The credential with the rubric's lowest level renamed to its highest, and what commits to it.
fn raise(
    honest: &Credential,
    identity: &Identity,
    skill: &SkillId,
) -> Option<(Credential, Opening, Backing)> {
    use knackmesh_protocol::summary::{Month, Salt};
    let achieved = honest.skills().first()?.level;
    let was = format!(r#""level":"{achieved}""#);
    let credential = Credential::parse(&honest.text().replace(&was, r#""level":"5""#)).ok()?;
    let salt = Salt::of(&identity.view, credential.id());
    let backing = Backing {
        issuer: credential.issuer_did()?.clone(),
        awarded: Month::of(credential.valid_from()?),
        commitment: salt.commit(credential.id()),
    };
    let opening = Opening { skill: skill.clone(), credential: credential.id(), salt };
    Some((credential, opening, backing))
}

/// Every issuer but the last, so that both kinds of issuer occur.
fn trust(issuers: &[SecretKey]) -> TrustList {
    let mut trust = TrustList::default();
    let listed = issuers.len().saturating_sub(1).max(1);
    for issuer in issuers.iter().take(listed) {
        // A list of a handful is not full.
        let _ = trust.add(issuer.did(), TrustEntry::default());
    }
    trust
}

/// The keys of `node`.
pub fn identity(seed: u64, node: u32) -> Identity {
    let key = |purpose| SecretKey::from_seed(bytes(&mut stream(seed, node, purpose)));
    let (root, view, node_key) = (key("root key"), key("view key"), key("node key"));
    Identity { node_id: NodeId::of(&node_key.public()), root, view, node: node_key }
}

/// How often the skill of a rank is used, in millionths of how often the commonest is.
fn weight(rank: u32, exponent_thousandths: u32) -> u32 {
    match exponent_thousandths {
        1000 => 1_000_000 / rank,
        _ => (1e6 / libm::pow(f64::from(rank), f64::from(exponent_thousandths) / 1000.0)) as u32,
    }
}

fn level(number: u32) -> Level {
    u8::try_from(number).ok().and_then(|n| Level::try_from(n).ok()).unwrap_or(Level::MIN)
}
