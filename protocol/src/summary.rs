//! The summary: the small signed record by which a holder can be found, and the tombstone that withdraws it.
//!
//! Invariants, kept by the constructors and by decoding: at most [`CLAIMS_MAX`] claims, one a skill; a claim above
//! the tier *claimed*, or with a proof, names an issuer and a commitment; each proof is that of some claim; nothing lives
//! longer than [`LEASE_MAX_MS`]. What a proof proves, [`published`](crate::published) says. There is no field for a name, an address of a person, a birth date, a photo or anything else of that kind.
//!
//! Specification: `spec/summary.md`.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    consent::{Consent, Present},
    credential::VerifiedCredential,
    id::{Id, NodeId},
    key::{Did, PublicKey, SecretKey},
    limits::{
        CLAIMS_MAX, CLOCK_SKEW_MAX_MS, HEADLINE_BYTES_MAX, LANGUAGES_MAX, LEASE_MAX_MS, SUMMARY_BYTES_MAX,
        SUMMARY_PROOF_BYTES_MAX, SUMMARY_PROOFS_MAX, TOMBSTONE_GRACE_MS,
    },
    signed::{Signed, Statement},
    skill::{Level, SkillId, Tier},
    terms::{Availability, Language, Region, WorkMode},
    time::Timestamp,
    vocabulary::Vocabulary,
};

/// A calendar month, `YYYY-MM`: as fine as a public date of award gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Month {
    year: u16,
    month: u8,
}

/// Not a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a month is written YYYY-MM, from 1970-01")]
pub struct NotAMonth;

impl Month {
    /// The month, in UTC, that holds the instant.
    pub fn of(t: Timestamp) -> Self {
        // An instant prints as RFC 3339, hence begins with YYYY-MM, by its own bounds.
        t.to_string().get(..7).and_then(|s| s.parse().ok()).unwrap_or(Month { year: 1970, month: 1 })
    }

    /// Whole months from `self` until `later`; zero when it is not later.
    pub fn until(self, later: Month) -> u32 {
        let index = |m: Month| u32::from(m.year) * 12 + u32::from(m.month);
        index(later).saturating_sub(index(self))
    }
}

impl FromStr for Month {
    type Err = NotAMonth;

    fn from_str(s: &str) -> Result<Self, NotAMonth> {
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let (year, month) = s.split_once('-').ok_or(NotAMonth)?;
        if year.len() != 4 || month.len() != 2 || !digits(year) || !digits(month) {
            return Err(NotAMonth);
        }
        let (year, month) = (year.parse().map_err(|_| NotAMonth)?, month.parse().map_err(|_| NotAMonth)?);
        if year >= 1970 && (1..=12).contains(&month) { Ok(Month { year, month }) } else { Err(NotAMonth) }
    }
}

impl TryFrom<String> for Month {
    type Error = NotAMonth;

    fn try_from(s: String) -> Result<Self, NotAMonth> {
        s.parse()
    }
}

impl From<Month> for String {
    fn from(m: Month) -> String {
        m.to_string()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

/// A commitment's salt: 256 fresh random bits, so that nobody can guess the credential behind it or link two views.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Salt(#[serde(with = "crate::wire::fixed_bytes")] pub [u8; 32]);

impl Salt {
    /// The salt of one credential in one view: a keyed hash under the view's secret key, hence as fresh and as
    /// unguessable as that key, different for each view, and the same each time the view publishes the credential.
    pub fn of(view: &SecretKey, credential: Id) -> Self {
        let key = blake3::derive_key("knackmesh/1 salt", &view.seed());
        Salt(*blake3::keyed_hash(&key, &credential.0).as_bytes())
    }

    /// Commits to a credential: blake3 over a domain, the salt and the credential's id.
    pub fn commit(&self, credential: Id) -> Id {
        Id::of(&[b"knackmesh/1 commitment\0".as_slice(), &self.0, &credential.0].concat())
    }
}

/// What stands behind a claim, without showing it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backing {
    /// Who signed the credential.
    pub issuer: Did,
    /// The month it was awarded.
    pub awarded: Month,
    /// A salted commitment to the credential, which a presentation opens.
    pub commitment: Id,
}

/// One skill that a holder states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ClaimDraft", deny_unknown_fields)]
pub struct Claim {
    skill: SkillId,
    level: Level,
    tier: Tier,
    #[serde(skip_serializing_if = "Option::is_none")]
    backing: Option<Backing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimDraft {
    skill: SkillId,
    level: Level,
    tier: Tier,
    #[serde(default)]
    backing: Option<Backing>,
    #[serde(default)]
    proof: Option<u8>,
}

impl TryFrom<ClaimDraft> for Claim {
    type Error = SummaryError;

    fn try_from(d: ClaimDraft) -> Result<Self, SummaryError> {
        if (d.tier > Tier::Claimed || d.proof.is_some()) && d.backing.is_none() {
            return Err(SummaryError::Unbacked);
        }
        let ClaimDraft { skill, level, tier, backing, proof } = d;
        Ok(Claim { skill, level, tier, backing, proof })
    }
}

impl Claim {
    /// The holder's word and nothing else.
    pub fn bare(skill: SkillId, level: Level) -> Self {
        Claim { skill, level, tier: Tier::Claimed, backing: None, proof: None }
    }

    /// The skill.
    pub fn skill(&self) -> &SkillId {
        &self.skill
    }

    /// The level stated.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The tier stated. Until a presentation or the published proof proves it, it counts as *claimed*.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// What stands behind it.
    pub fn backing(&self) -> Option<&Backing> {
        self.backing.as_ref()
    }

    /// Which of the summary's proofs proves it, from 0.
    pub fn proof(&self) -> Option<usize> {
        self.proof.map(usize::from)
    }
}

/// How a commitment is opened: kept by the holder, shown in a presentation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The claim's skill.
    pub skill: SkillId,
    /// The credential's id.
    pub credential: Id,
    /// The commitment's salt.
    pub salt: Salt,
}

/// On which terms a person can be engaged, as far as the person says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Languages of work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<Language>,
    /// Country, or a part of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Remote, hybrid or on site.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modes: Vec<WorkMode>,
    /// From when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<Availability>,
}

/// Everything a summary says of a person: the fields that a stranger will see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ContentDraft", deny_unknown_fields)]
pub struct Content {
    claims: Vec<Claim>,
    headline: String,
    terms: Terms,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    proofs: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentDraft {
    claims: Vec<Claim>,
    headline: String,
    terms: Terms,
    #[serde(default)]
    proofs: Vec<String>,
}

/// Why a summary is not legal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SummaryError {
    /// Nothing to be found by.
    #[error("there is nothing to publish: no claim")]
    Empty,
    /// Too many claims.
    #[error("more than {CLAIMS_MAX} claims")]
    TooManyClaims,
    /// The same skill twice.
    #[error("two claims of one skill")]
    RepeatedSkill,
    /// A tier above *claimed*, or a proof, with nothing behind it.
    #[error(
        "a claim above the tier `claimed`, or with a proof, must name its issuer and commit to a credential"
    )]
    Unbacked,
    /// Too many languages, or one twice.
    #[error("more than {LANGUAGES_MAX} languages, or one twice")]
    Languages,
    /// A mode of work twice.
    #[error("a mode of work twice")]
    Modes,
    /// The headline is too long or holds control characters.
    #[error("the headline is over {HEADLINE_BYTES_MAX} bytes or holds control characters")]
    Headline,
    /// Too many proofs, one too long, a claim of one that is not there, or one that is no claim's.
    #[error(
        "a summary has at most {SUMMARY_PROOFS_MAX} proofs of {SUMMARY_PROOF_BYTES_MAX} bytes, each of some claim"
    )]
    Proofs,
    /// The lease ends before it begins or is too long.
    #[error("a lease lasts at most {} days", LEASE_MAX_MS / 86_400_000)]
    Lease,
    /// The consent does not cover this moment.
    #[error("the consent has ended")]
    NoConsent,
    /// The whole is too large.
    #[error("a summary has at most {SUMMARY_BYTES_MAX} bytes; publish fewer claims")]
    TooLarge,
}

impl TryFrom<ContentDraft> for Content {
    type Error = SummaryError;

    fn try_from(d: ContentDraft) -> Result<Self, SummaryError> {
        let skills: BTreeSet<&SkillId> = d.claims.iter().map(Claim::skill).collect();
        let languages: BTreeSet<&Language> = d.terms.languages.iter().collect();
        let modes: BTreeSet<&WorkMode> = d.terms.modes.iter().collect();
        if d.claims.is_empty() {
            Err(SummaryError::Empty)
        } else if d.claims.len() > CLAIMS_MAX {
            Err(SummaryError::TooManyClaims)
        } else if skills.len() != d.claims.len() {
            Err(SummaryError::RepeatedSkill)
        } else if d.terms.languages.len() > LANGUAGES_MAX || languages.len() != d.terms.languages.len() {
            Err(SummaryError::Languages)
        } else if modes.len() != d.terms.modes.len() {
            Err(SummaryError::Modes)
        } else if d.headline.len() > HEADLINE_BYTES_MAX || d.headline.chars().any(char::is_control) {
            Err(SummaryError::Headline)
        } else if !proofs_are_legal(&d) {
            Err(SummaryError::Proofs)
        } else {
            let ContentDraft { claims, headline, terms, proofs } = d;
            Ok(Content { claims, headline, terms, proofs })
        }
    }
}

/// Each proof is within its bound and proves a claim, and no claim names another.
fn proofs_are_legal(d: &ContentDraft) -> bool {
    let named: BTreeSet<usize> = d.claims.iter().filter_map(Claim::proof).collect();
    d.proofs.len() <= SUMMARY_PROOFS_MAX
        && d.proofs.iter().all(|proof| proof.len() <= SUMMARY_PROOF_BYTES_MAX)
        && named.into_iter().eq(0..d.proofs.len())
}

impl Content {
    /// Drafts what a holder can publish: for each skill the best-backed claim of the credentials, else the bare one,
    /// best first, and the headline that their labels give. The salts come from the view's secret key.
    ///
    /// # Errors
    /// When nothing, or too much, would be published.
    pub fn draft(
        credentials: &[VerifiedCredential],
        bare: &[(SkillId, Level)],
        terms: Terms,
        vocabulary: &Vocabulary,
        view: &SecretKey,
    ) -> Result<(Content, Vec<Opening>), SummaryError> {
        let mut claims: Vec<Claim> = Vec::new();
        let mut openings: Vec<Opening> = Vec::new();
        for verified in credentials {
            let credential = verified.credential();
            // A claim names its issuer by a DID, so that seekers can recognise it.
            let Some(issuer) = credential.issuer_did() else { continue };
            for achieved in credential.skills() {
                let rank = (verified.tier(), achieved.level);
                if let Some(at) = claims.iter().position(|c| c.skill == achieved.skill) {
                    if rank <= (claims[at].tier, claims[at].level) {
                        continue;
                    }
                    claims.remove(at);
                    openings.retain(|o| o.skill != achieved.skill);
                }
                let salt = Salt::of(view, credential.id());
                let opening = Opening { skill: achieved.skill.clone(), credential: credential.id(), salt };
                claims.push(Claim {
                    skill: achieved.skill.clone(),
                    level: achieved.level,
                    tier: verified.tier(),
                    backing: Some(Backing {
                        issuer: issuer.clone(),
                        awarded: Month::of(credential.valid_from().unwrap_or(Timestamp::EPOCH)),
                        commitment: opening.salt.commit(opening.credential),
                    }),
                    proof: None,
                });
                openings.push(opening);
            }
        }
        for (skill, level) in bare {
            if !claims.iter().any(|c| c.skill == *skill) {
                claims.push(Claim::bare(skill.clone(), *level));
            }
        }
        claims.sort_by(|a, b| (b.tier, b.level, &a.skill).cmp(&(a.tier, a.level, &b.skill)));
        let headline = headline(&claims, vocabulary);
        Ok((ContentDraft { claims, headline, terms, proofs: Vec::new() }.try_into()?, openings))
    }

    /// The same with proofs, each with the skills whose claims it proves. They replace those that it had.
    ///
    /// # Errors
    /// When a claim has nothing behind it, a proof proves none, or they are too many or too large.
    pub fn with_proofs(self, proofs: Vec<(String, Vec<SkillId>)>) -> Result<Content, SummaryError> {
        let of = |claim: &Claim| {
            let at = proofs.iter().position(|(_, skills)| skills.contains(&claim.skill));
            at.map(|at| u8::try_from(at).map_err(|_| SummaryError::Proofs)).transpose()
        };
        let mut claims = Vec::new();
        for claim in self.claims {
            let proof = of(&claim)?;
            let Claim { skill, level, tier, backing, .. } = claim;
            claims.push(ClaimDraft { skill, level, tier, backing, proof }.try_into()?);
        }
        let proofs = proofs.into_iter().map(|(text, _)| text).collect();
        ContentDraft { claims, headline: self.headline, terms: self.terms, proofs }.try_into()
    }

    /// The claims, best first as the holder's node drafted them.
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// A line of skill labels.
    pub fn headline(&self) -> &str {
        &self.headline
    }

    /// Terms of engagement.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The texts of the proofs that its claims name: SD-JWT VCs with a key binding.
    pub fn proofs(&self) -> &[String] {
        &self.proofs
    }

    /// The claim of a skill.
    pub fn claim(&self, skill: &SkillId) -> Option<&Claim> {
        self.claims.iter().find(|c| c.skill == *skill)
    }
}

/// Labels joined by commas, as many whole ones as fit.
fn headline(claims: &[Claim], vocabulary: &Vocabulary) -> String {
    let mut line = String::new();
    for claim in claims {
        let label: String = vocabulary.label(&claim.skill).chars().filter(|c| !c.is_control()).collect();
        let separator = if line.is_empty() { "" } else { ", " };
        if line.len() + separator.len() + label.len() > HEADLINE_BYTES_MAX {
            break;
        }
        line.push_str(separator);
        line.push_str(&label);
    }
    line
}

/// How a holder is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// The holder's own node. Its addresses are found through the network, so that a summary outlives a change of them.
    Direct(NodeId),
}

impl Reach {
    /// The node to ask.
    pub fn node(&self) -> &NodeId {
        match self {
            Reach::Direct(node) => node,
        }
    }
}

/// A summary: content, whose it is, how long it lives, and how its holder is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "SummaryDraft", deny_unknown_fields)]
pub struct Summary {
    view: PublicKey,
    sequence: u64,
    issued: Timestamp,
    expires: Timestamp,
    content: Content,
    reach: Reach,
    present: Present,
    consent: Id,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SummaryDraft {
    view: PublicKey,
    sequence: u64,
    issued: Timestamp,
    expires: Timestamp,
    content: Content,
    reach: Reach,
    present: Present,
    consent: Id,
}

impl TryFrom<SummaryDraft> for Summary {
    type Error = SummaryError;

    fn try_from(d: SummaryDraft) -> Result<Self, SummaryError> {
        if d.expires <= d.issued || d.expires.since_ms(d.issued) > LEASE_MAX_MS {
            return Err(SummaryError::Lease);
        }
        let SummaryDraft { view, sequence, issued, expires, content, reach, present, consent } = d;
        Ok(Summary { view, sequence, issued, expires, content, reach, present, consent })
    }
}

impl Summary {
    /// The summary that a consent allows, issued `now`, ending with the consent. `sequence` must exceed every earlier
    /// one of the view.
    ///
    /// # Errors
    /// When the consent does not cover `now`, or the whole is too large.
    pub fn new(
        consent: &Signed<Consent>,
        sequence: u64,
        reach: Reach,
        now: Timestamp,
    ) -> Result<Self, SummaryError> {
        let (id, consent) = (consent.id(), consent.body());
        if !consent.covers(now) {
            return Err(SummaryError::NoConsent);
        }
        let summary = Summary::try_from(SummaryDraft {
            view: consent.view(),
            sequence,
            issued: now,
            expires: consent.expires(),
            content: consent.content().clone(),
            reach,
            present: consent.present(),
            consent: id,
        })?;
        if crate::wire::encode(&summary).len() > SUMMARY_BYTES_MAX {
            return Err(SummaryError::TooLarge);
        }
        Ok(summary)
    }

    /// The pseudonym: the key of this view.
    pub fn view(&self) -> PublicKey {
        self.view
    }

    /// Grows with each publication of a view: max(last + 1, Unix milliseconds).
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// When it was signed.
    pub fn issued(&self) -> Timestamp {
        self.issued
    }

    /// When the lease ends.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// What it says.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// How the holder is reached.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Who gets a presentation at once.
    pub fn present(&self) -> Present {
        self.present
    }

    /// The consent record that covers it.
    pub fn consent(&self) -> Id {
        self.consent
    }

    /// Whether it is alive at `now` and was not issued too far ahead of it.
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.issued <= now.plus_ms(CLOCK_SKEW_MAX_MS) && now < self.expires
    }
}

impl Statement for Summary {
    const DOMAIN: &'static str = "summary";
    const BYTES_MAX: usize = SUMMARY_BYTES_MAX;

    fn signer(&self) -> PublicKey {
        self.view
    }
}

/// Withdraws every summary of a view up to a sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "TombstoneDraft", deny_unknown_fields)]
pub struct Tombstone {
    view: PublicKey,
    ceiling: u64,
    issued: Timestamp,
    until: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TombstoneDraft {
    view: PublicKey,
    ceiling: u64,
    issued: Timestamp,
    until: Timestamp,
}

impl TryFrom<TombstoneDraft> for Tombstone {
    type Error = SummaryError;

    fn try_from(d: TombstoneDraft) -> Result<Self, SummaryError> {
        if d.until.since_ms(d.issued) > LEASE_MAX_MS {
            return Err(SummaryError::Lease);
        }
        Ok(Tombstone { view: d.view, ceiling: d.ceiling, issued: d.issued, until: d.until })
    }
}

impl Tombstone {
    /// Withdraws `summary` and everything before it. `until` is the greatest expiry that the view ever signed.
    pub fn new(summary: &Summary, until: Timestamp, now: Timestamp) -> Self {
        let until = until.max(summary.expires).min(now.plus_ms(LEASE_MAX_MS));
        Tombstone { view: summary.view, ceiling: summary.sequence, issued: now, until }
    }

    /// The view withdrawn.
    pub fn view(&self) -> PublicKey {
        self.view
    }

    /// Summaries of the view up to this sequence are withdrawn.
    pub fn ceiling(&self) -> u64 {
        self.ceiling
    }

    /// When it was signed.
    pub fn issued(&self) -> Timestamp {
        self.issued
    }

    /// Until when it must be kept: the greatest signed expiry and a grace for slow clocks.
    pub fn kept_until(&self) -> Timestamp {
        self.until.plus_ms(TOMBSTONE_GRACE_MS)
    }

    /// Whether it still matters at `now` and was not issued too far ahead of it.
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.issued <= now.plus_ms(CLOCK_SKEW_MAX_MS) && now < self.kept_until()
    }
}

impl Statement for Tombstone {
    const DOMAIN: &'static str = "tombstone";
    const BYTES_MAX: usize = 256;

    fn signer(&self) -> PublicKey {
        self.view
    }
}
