//! What a holder has its node take in, and what it is told.

use knackmesh_protocol::skill::SkillId;
use serde::{Deserialize, Serialize};

use crate::report::CredentialRow;

/// A credential or a badge to take in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportOrder {
    /// The file's name, for messages.
    pub name: String,
    /// Its text.
    pub text: String,
    /// An e-mail address of the holder, to be compared with the recipient of what is bound to no DID. It is not kept.
    #[serde(default)]
    pub email: Option<String>,
}

/// A credential or a badge that was taken in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportedRow {
    /// It, as it is kept.
    pub credential: CredentialRow,
    /// Skills that its texts name, where it states none: for the holder to confirm.
    pub suggestions: Vec<SuggestionRow>,
}

/// A skill that may be meant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SuggestionRow {
    /// The skill's URI.
    pub skill: SkillId,
    /// Its label.
    pub label: String,
    /// The words that name it.
    pub words: String,
    /// Where they stand: `name`, `description`, `criteria`, `tags`.
    pub place: String,
}
