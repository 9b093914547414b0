//! The keywords of JSON-LD, and what looks like one.

/// A keyword that has a meaning in a document or as the name of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    Context,
    Direction,
    Graph,
    Id,
    Included,
    Index,
    Json,
    Language,
    List,
    Nest,
    None,
    Reverse,
    Set,
    Type,
    Value,
    Vocab,
    /// One that means something in contexts or frames only.
    Elsewhere,
}

impl Keyword {
    /// The keyword that `text` is.
    pub(super) fn of(text: &str) -> Option<Self> {
        let name = text.strip_prefix('@')?;
        Some(match name {
            "context" => Keyword::Context,
            "direction" => Keyword::Direction,
            "graph" => Keyword::Graph,
            "id" => Keyword::Id,
            "included" => Keyword::Included,
            "index" => Keyword::Index,
            "json" => Keyword::Json,
            "language" => Keyword::Language,
            "list" => Keyword::List,
            "nest" => Keyword::Nest,
            "none" => Keyword::None,
            "reverse" => Keyword::Reverse,
            "set" => Keyword::Set,
            "type" => Keyword::Type,
            "value" => Keyword::Value,
            "vocab" => Keyword::Vocab,
            "base" | "container" | "default" | "embed" | "explicit" | "import" | "omitDefault" | "prefix"
            | "preserve" | "propagate" | "protected" | "requireAll" | "version" => Keyword::Elsewhere,
            _ => return None,
        })
    }

    /// Whether `text` is `@` and letters: a keyword, or reserved for one to come.
    pub(super) fn is_reserved(text: &str) -> bool {
        text.strip_prefix('@')
            .is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic()))
    }
}
