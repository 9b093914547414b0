//! What is kept of a summary, and in which form.
//!
//! Terms answer *which* summaries may match, columns *how well*. The columns `skill`, `facts` and `issuer` hold one
//! value a claim, in the order of the claims, so that value `i` of each belongs to claim `i`: this is how a tier or an
//! issuer is bound to the skill that it is about.

use std::ops::Range;

use knackmesh_protocol::{
    key::PublicKey,
    query::{NotWords, Words},
    ranking,
    skill::{Level, SkillId, Tier},
    summary::{Claim, Month, Summary},
    time::Timestamp,
    vocabulary::Vocabulary,
};
use tantivy::{
    SegmentReader, TantivyDocument, Term,
    columnar::{Column, StrColumn},
    schema::{
        BytesOptions, FAST, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
    },
    tokenizer::{Token, TokenStream, Tokenizer, TokenizerManager},
};

/// Grows with every change of what is kept, so that an index of an earlier form is made anew.
pub(super) const VERSION: u32 = 1;

/// The name under which [`WordsTokenizer`] is registered.
const WORDS: &str = "words";
/// The name of the tokenizer that leaves a text whole.
const WHOLE: &str = "raw";
/// What the column `issuer` holds for a claim without one; no DID.
const NO_ISSUER: &str = "-";

const VIEW: &str = "view";
const SKILL: &str = "skill";
const FACTS: &str = "facts";
const ISSUER: &str = "issuer";

/// The fields of the index.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    /// All of them.
    pub schema: Schema,
    /// The view's key, as a term: names the summary.
    key: Field,
    /// The view's key as a column of four numbers.
    view: Field,
    /// Column: each claim's skill.
    skill: Field,
    /// Column: each claim's [`Facts`].
    facts: Field,
    /// Each claim's issuer, as a term and as a column.
    issuer: Field,
    /// Terms: each claim's skill with each level up to the one stated.
    grade: Field,
    /// Terms: each tier up to the best of the claims.
    tier: Field,
    /// Words of the headline and of each skill's label, with positions that do not run on from text to text.
    text: Field,
    /// Terms: the region, and the country that it lies in.
    region: Field,
    /// Terms: languages.
    language: Field,
    /// Terms: modes of work.
    mode: Field,
    /// Column: the first day of availability.
    available: Field,
}

impl Fields {
    pub fn new() -> Self {
        let indexed = |tokenizer, record| {
            let indexing = TextFieldIndexing::default().set_tokenizer(tokenizer).set_index_option(record);
            TextOptions::default().set_indexing_options(indexing.set_fieldnorms(false))
        };
        let terms = indexed(WHOLE, IndexRecordOption::Basic);
        let mut schema = Schema::builder();
        Fields {
            key: schema.add_bytes_field("key", BytesOptions::default().set_indexed()),
            view: schema.add_u64_field(VIEW, FAST),
            skill: schema.add_text_field(SKILL, TextOptions::default().set_fast(WHOLE)),
            facts: schema.add_u64_field(FACTS, FAST),
            issuer: schema.add_text_field(ISSUER, terms.clone().set_fast(WHOLE)),
            grade: schema.add_text_field("grade", terms.clone()),
            tier: schema.add_text_field("tier", terms.clone()),
            text: schema.add_text_field("text", indexed(WORDS, IndexRecordOption::WithFreqsAndPositions)),
            region: schema.add_text_field("region", terms.clone()),
            language: schema.add_text_field("language", terms.clone()),
            mode: schema.add_text_field("mode", terms),
            available: schema.add_u64_field("available", NumericOptions::default().set_fast()),
            schema: schema.build(),
        }
    }

    /// The tokenizers that the schema names.
    pub fn tokenizers() -> TokenizerManager {
        let tokenizers = TokenizerManager::default();
        tokenizers.register(WORDS, WordsTokenizer);
        tokenizers
    }

    /// What is kept of `summary`.
    pub fn document(&self, summary: &Summary, vocabulary: &Vocabulary) -> TantivyDocument {
        let mut document = TantivyDocument::default();
        let view = summary.view();
        document.add_bytes(self.key, view.as_bytes());
        for number in numbers_of(&view) {
            document.add_u64(self.view, number);
        }
        let content = summary.content();
        let mut best = Tier::Claimed;
        for claim in content.claims() {
            document.add_text(self.skill, claim.skill().as_str());
            document.add_u64(self.facts, Facts::of(claim).pack());
            document.add_text(self.issuer, claim.backing().map_or(NO_ISSUER, |b| b.issuer.as_str()));
            for level in Level::MIN.get()..=claim.level().get() {
                document.add_text(self.grade, grade(claim.skill(), level));
            }
            best = best.max(claim.tier());
        }
        for tier in Tier::ALL.into_iter().filter(|tier| *tier <= best) {
            document.add_text(self.tier, tier.name());
        }
        for text in ranking::texts(summary, vocabulary) {
            document.add_text(self.text, text);
        }
        let terms = content.terms();
        if let Some(region) = &terms.region {
            document.add_text(self.region, region.as_str());
            if region.country() != region.as_str() {
                document.add_text(self.region, region.country());
            }
        }
        for language in &terms.languages {
            document.add_text(self.language, language.as_str());
        }
        for mode in &terms.modes {
            document.add_text(self.mode, mode.name());
        }
        if let Some(day) = terms.available {
            document.add_u64(self.available, u64::from(day.days()));
        }
        document
    }

    /// The term that names a view's summary.
    pub fn key(&self, view: &PublicKey) -> Term {
        Term::from_field_bytes(self.key, view.as_bytes())
    }

    /// The term of everyone who claims `skill` at `least` or above.
    pub fn grade(&self, skill: &SkillId, least: Level) -> Term {
        Term::from_field_text(self.grade, &grade(skill, least.get()))
    }

    /// The term of everyone with a claim of the tier `least` or above.
    pub fn tier(&self, least: Tier) -> Term {
        Term::from_field_text(self.tier, least.name())
    }

    /// The term of everyone with a claim from `issuer`.
    pub fn issuer(&self, issuer: &str) -> Term {
        Term::from_field_text(self.issuer, issuer)
    }

    /// The terms of the words, in order.
    pub fn words(&self, words: &Words) -> Vec<Term> {
        words.as_str().split(' ').map(|word| Term::from_field_text(self.text, word)).collect()
    }

    /// The term of everyone who lives in the region.
    pub fn region(&self, code: &str) -> Term {
        Term::from_field_text(self.region, code)
    }

    /// The term of everyone who speaks the language.
    pub fn language(&self, code: &str) -> Term {
        Term::from_field_text(self.language, code)
    }

    /// The term of everyone who works in the mode.
    pub fn mode(&self, name: &str) -> Term {
        Term::from_field_text(self.mode, name)
    }

    /// The value of a day of availability.
    pub fn available(&self, days: u32) -> Term {
        Term::from_field_u64(self.available, u64::from(days))
    }
}

/// No URI holds a space.
fn grade(skill: &SkillId, level: u8) -> String {
    format!("{skill} {level}")
}

/// What a claim states besides skill and issuer, as numbers that compare as what they stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// 1 to 5.
    pub level: u8,
    /// The place in [`Tier::ALL`].
    pub tier: u8,
    /// The month of award, in months since 1970-01.
    pub awarded: Option<u32>,
}

impl Facts {
    fn of(claim: &Claim) -> Self {
        Facts {
            level: claim.level().get(),
            tier: claim.tier() as u8,
            awarded: claim.backing().map(|b| months_since_epoch(b.awarded)),
        }
    }

    /// Three bits of level, three of tier, and above them the month plus one or zero.
    fn pack(self) -> u64 {
        let awarded = self.awarded.map_or(0, |month| u64::from(month) + 1);
        awarded << 6 | u64::from(self.tier) << 3 | u64::from(self.level)
    }

    /// The reverse of [`Facts::pack`].
    pub fn unpack(packed: u64) -> Self {
        let awarded = u32::try_from(packed >> 6).unwrap_or(u32::MAX).checked_sub(1);
        Facts { level: (packed & 7) as u8, tier: (packed >> 3 & 7) as u8, awarded }
    }
}

/// Whole months from 1970-01 until `month`.
pub(super) fn months_since_epoch(month: Month) -> u32 {
    Month::of(Timestamp::EPOCH).until(month)
}

fn numbers_of(view: &PublicKey) -> [u64; 4] {
    let bytes = view.as_bytes();
    std::array::from_fn(|i| (0..8).fold(0, |number, j| number << 8 | u64::from(bytes[8 * i + j])))
}

/// The first of the numbers that a view's key is kept as.
pub(super) fn prefix_of(view: &PublicKey) -> u64 {
    numbers_of(view)[0]
}

/// The columns of a segment that hold its claims.
pub(super) struct ClaimColumns {
    skill: StrColumn,
    facts: Column<u64>,
    issuer: StrColumn,
}

impl ClaimColumns {
    /// `None` when the segment holds no claim.
    pub fn open(segment: &SegmentReader) -> tantivy::Result<Option<Self>> {
        let columns = segment.fast_fields();
        let (skill, facts, issuer) = (columns.str(SKILL)?, columns.column_opt(FACTS)?, columns.str(ISSUER)?);
        Ok(skill.zip(facts).zip(issuer).map(|((skill, facts), issuer)| ClaimColumns { skill, facts, issuer }))
    }

    /// The rows of a document's claims, in every column.
    pub fn rows(&self, document: u32) -> Range<u32> {
        self.skill.ords().index.value_row_ids(document)
    }

    /// The number that stands for a skill in this segment; `None` when nobody claims it.
    pub fn number_of_skill(&self, skill: &SkillId) -> tantivy::Result<Option<u64>> {
        Ok(self.skill.dictionary().term_ord(skill.as_str())?)
    }

    /// The number that stands for an issuer in this segment; `None` when nobody names it.
    pub fn number_of_issuer(&self, issuer: &str) -> tantivy::Result<Option<u64>> {
        Ok(self.issuer.dictionary().term_ord(issuer)?)
    }

    /// Reads the skills of consecutive rows.
    pub fn skills(&self, rows: Range<u32>, into: &mut Vec<u64>) {
        into.resize(rows.len(), 0);
        self.skill.ords().values.get_range(u64::from(rows.start), into);
    }

    /// What the claim of a row states.
    pub fn facts(&self, row: u32) -> Facts {
        Facts::unpack(self.facts.values.get_val(row))
    }

    /// The issuer of a row.
    pub fn issuer(&self, row: u32) -> u64 {
        self.issuer.ords().values.get_val(row)
    }
}

/// The column of a segment that holds whose summaries they are.
pub(super) struct Views(Column<u64>);

impl Views {
    /// `None` when the segment is empty.
    pub fn open(segment: &SegmentReader) -> tantivy::Result<Option<Self>> {
        Ok(segment.fast_fields().column_opt(VIEW)?.map(Views))
    }

    /// Documents that the column was written for.
    pub fn documents(&self) -> u32 {
        self.0.num_docs()
    }

    /// The first eight bytes of a document's key: as good as random.
    pub fn prefix(&self, document: u32) -> u64 {
        self.0.first(document).unwrap_or_default()
    }

    /// A document's key.
    pub fn key(&self, document: u32) -> PublicKey {
        let mut bytes = [0; 32];
        for (chunk, number) in bytes.chunks_exact_mut(8).zip(self.0.values_for_doc(document)) {
            chunk.copy_from_slice(&number.to_be_bytes());
        }
        PublicKey::from_bytes(bytes)
    }
}

/// Cuts a text into words exactly as the protocol does, by having it read each one.
#[derive(Clone, Copy, Debug)]
pub(super) struct WordsTokenizer;

/// The words of one text.
pub(super) struct WordsOf<'a> {
    rest: std::str::Split<'a, fn(char) -> bool>,
    token: Token,
}

impl Tokenizer for WordsTokenizer {
    type TokenStream<'a> = WordsOf<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordsOf<'a> {
        let separates: fn(char) -> bool = |c| !c.is_alphanumeric();
        WordsOf { rest: text.split(separates), token: Token::default() }
    }
}

impl TokenStream for WordsOf<'_> {
    fn advance(&mut self) -> bool {
        for word in self.rest.by_ref() {
            match word.parse::<Words>() {
                Ok(words) => {
                    self.token.position = self.token.position.wrapping_add(1);
                    self.token.text.clear();
                    self.token.text.push_str(words.as_str());
                    return true;
                }
                // No query can ask for it, but it stands between its neighbours.
                Err(NotWords::TooLong) => {
                    self.token.position = self.token.position.wrapping_add(1);
                }
                Err(NotWords::Empty) => {}
            }
        }
        false
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
