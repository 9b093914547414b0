//! Badges baked into the images that show them, PNG and SVG: taken out, and put in.
//!
//! What is baked is a text, a credential in JSON or as a compact JWS, or in old badges the address of one;
//! reading it is for others. Of the image only the structure around the text is looked at, no pixel is
//! decoded, and what follows the text is not read at all.
//!
//! Sources: Open Badges 3.0, section "Baked Badge"; Open Badges Baking Specification 1.0; PNG (W3C, third
//! edition), sections 5 and 11.3; RFC 1950. Specification: `spec/import.md`, "Baked badges".

mod png;
mod svg;

#[cfg(test)]
mod tests;

use crate::limits::{BAKED_BYTES_MAX, CREDENTIAL_BYTES_MAX, SVG_MARKUP_MAX};

/// What was baked into an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baked {
    /// Which specification the image says the text is of.
    pub version: Version,
    /// A credential in JSON, a compact JWS, or the address of an assertion; at most
    /// [`CREDENTIAL_BYTES_MAX`] bytes, without white space around it.
    pub text: String,
}

/// The specification that a baked text is said to be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Open Badges 2.0 and before: an assertion.
    OpenBadges2,
    /// Open Badges 3.0: a verifiable credential.
    OpenBadges3,
}

/// Why no badge could be taken out of an image, or put into one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BakedError {
    /// An image of more than [`BAKED_BYTES_MAX`] bytes.
    #[error("an image of {0} bytes, more than the {BAKED_BYTES_MAX} allowed")]
    TooLong(usize),
    /// An image, but nothing in it is a badge.
    #[error("no badge is baked into this image")]
    NothingBaked,
    /// The baked text is longer than a credential may be.
    #[error("the baked text is longer than {CREDENTIAL_BYTES_MAX} bytes")]
    TextTooLong,
    /// The baked text is not UTF-8.
    #[error("the baked text is not UTF-8")]
    NotUtf8,
    /// A PNG that ends within a chunk, or does not begin with its header.
    #[error("the PNG is cut off or not put together as one")]
    PngStructure,
    /// The checksum of the chunk that holds the badge does not agree.
    #[error("the PNG is damaged where the badge is")]
    PngChecksum,
    /// A text chunk without its fields, or compressed in a way that is not known or not intact.
    #[error("the PNG's text is not put together as one")]
    PngText,
    /// Not well-formed XML: what the parser said.
    #[error("the SVG cannot be read: {0}")]
    SvgSyntax(String),
    /// A document type with declarations of its own, such as entities.
    #[error("the SVG declares entities, which are not read; save it without them")]
    SvgEntities,
    /// More markup than is read.
    #[error("the SVG has more than {SVG_MARKUP_MAX} pieces of markup, or too many in one tag")]
    SvgTooComplex,
    /// There is a badge in the image already.
    #[error("a badge is baked into this image already")]
    AlreadyBaked,
    /// A text that this kind of image cannot hold, because it would not come out as it went in.
    #[error("this text cannot be baked into this image")]
    NotBakeable,
}

impl BakedError {
    /// The stable name of this refusal.
    pub const fn code(&self) -> &'static str {
        match self {
            BakedError::TooLong(_) => "too-long",
            BakedError::NothingBaked => "nothing-baked",
            BakedError::TextTooLong => "baked-text-too-long",
            BakedError::NotUtf8 => "baked-text-not-utf-8",
            BakedError::PngStructure => "png-structure",
            BakedError::PngChecksum => "png-checksum",
            BakedError::PngText => "png-text",
            BakedError::SvgSyntax(_) => "svg-syntax",
            BakedError::SvgEntities => "svg-entities",
            BakedError::SvgTooComplex => "svg-too-complex",
            BakedError::AlreadyBaked => "already-baked",
            BakedError::NotBakeable => "not-bakeable",
        }
    }
}

/// The badge in an image; `None` when `bytes` are neither PNG nor SVG.
///
/// # Errors
/// [`BakedError`] when they are, and no badge can be taken out.
pub fn extract(bytes: &[u8]) -> Result<Option<Baked>, BakedError> {
    let baked = if png::is_png(bytes) {
        check_length(bytes)?;
        png::extract(bytes)?
    } else if let Some(svg) = svg::text_of(bytes) {
        check_length(bytes)?;
        svg::extract(svg)?
    } else {
        return Ok(None);
    };
    baked.map(Some).ok_or(BakedError::NothingBaked)
}

/// The PNG with the badge in a text chunk behind its header.
///
/// # Errors
/// [`BakedError`] when `image` is no PNG, holds a badge already, or would not yield this badge again.
pub fn bake_png(image: &[u8], badge: &Baked) -> Result<Vec<u8>, BakedError> {
    if !png::is_png(image) {
        return Err(BakedError::PngStructure);
    }
    check_unbaked(image)?;
    checked(png::bake(image, badge)?, badge)
}

/// The SVG with the badge as the first element of its root.
///
/// # Errors
/// [`BakedError`] when `image` is no SVG, holds a badge already, or would not yield this badge again.
pub fn bake_svg(image: &str, badge: &Baked) -> Result<String, BakedError> {
    if svg::text_of(image.as_bytes()).is_none() {
        return Err(BakedError::SvgSyntax("no svg element".into()));
    }
    check_unbaked(image.as_bytes())?;
    let baked = svg::bake(image, badge)?;
    checked(baked.as_bytes(), badge)?;
    Ok(baked)
}

impl Version {
    const ALL: [Version; 2] = [Version::OpenBadges2, Version::OpenBadges3];

    /// The keyword of the PNG text chunk.
    const fn keyword(self) -> &'static str {
        match self {
            Version::OpenBadges2 => "openbadges",
            Version::OpenBadges3 => "openbadgecredential",
        }
    }

    /// Namespace and local name of the SVG element.
    const fn element(self) -> (&'static str, &'static str) {
        match self {
            Version::OpenBadges2 => ("http://openbadges.org", "assertion"),
            Version::OpenBadges3 => ("https://purl.imsglobal.org/ob/v3p0", "credential"),
        }
    }
}

impl Baked {
    fn new(version: Version, text: &str) -> Result<Self, BakedError> {
        let text = text.trim();
        if text.len() > CREDENTIAL_BYTES_MAX {
            return Err(BakedError::TextTooLong);
        }
        Ok(Baked { version, text: text.to_owned() })
    }
}

fn check_length(image: &[u8]) -> Result<(), BakedError> {
    if image.len() > BAKED_BYTES_MAX { Err(BakedError::TooLong(image.len())) } else { Ok(()) }
}

fn check_unbaked(image: &[u8]) -> Result<(), BakedError> {
    match extract(image) {
        Err(BakedError::NothingBaked) => Ok(()),
        Ok(_) => Err(BakedError::AlreadyBaked),
        Err(e) => Err(e),
    }
}

/// Only what comes out again as it went in was baked.
fn checked<B: AsRef<[u8]>>(image: B, badge: &Baked) -> Result<B, BakedError> {
    if extract(image.as_ref())?.as_ref() == Some(badge) { Ok(image) } else { Err(BakedError::NotBakeable) }
}
