//! The element of SVG that holds a badge.
//!
//! The XML parser makes room for every `<` and `=` before it looks at them, and compares each attribute of
//! a tag with all before it. So the markup is counted first, by a walk that knows where tags end and
//! nothing else.

use roxmltree::{Document, Error, ParsingOptions};

use super::{Baked, BakedError, Version};
use crate::{
    limits::{SVG_ATTRIBUTES_MAX, SVG_MARKUP_MAX, SVG_NAMESPACES_MAX},
    text::shown,
};

const NAMESPACE: &str = "http://www.w3.org/2000/svg";

/// The document in `bytes`; `None` when it does not look like SVG in UTF-8.
pub(super) fn text_of(bytes: &[u8]) -> Option<&str> {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if !start.starts_with(b"<") {
        return None;
    }
    str::from_utf8(bytes).ok().filter(|text| text.contains("<svg"))
}

/// The badge in the first element that is one.
pub(super) fn extract(svg: &str) -> Result<Option<Baked>, BakedError> {
    root_tag(svg)?;
    let nodes_limit = u32::try_from(SVG_MARKUP_MAX).unwrap_or(u32::MAX);
    // A document type may be named; that it declares nothing was checked.
    let options = ParsingOptions { allow_dtd: true, nodes_limit, entity_resolver: None };
    let document = Document::parse_with_options(svg, options).map_err(|e| match e {
        Error::NodesLimitReached => BakedError::SvgTooComplex,
        e => BakedError::SvgSyntax(shown(&e.to_string())),
    })?;
    if !document.root_element().has_tag_name((NAMESPACE, "svg")) {
        return Err(BakedError::SvgSyntax("the root is no svg element".into()));
    }
    let badge = document.descendants().find_map(|node| {
        let version = Version::ALL.into_iter().find(|version| node.has_tag_name(version.element()))?;
        Some((version, node))
    });
    let Some((version, element)) = badge else { return Ok(None) };
    let body: String = element.children().filter_map(|child| child.text()).collect();
    let text = if body.trim().is_empty() { element.attribute("verify").unwrap_or_default() } else { &body };
    if text.trim().is_empty() {
        return Ok(None);
    }
    Baked::new(version, text).map(Some)
}

/// `svg` with an element for the badge inside its root, before all else.
pub(super) fn bake(svg: &str, badge: &Baked) -> Result<String, BakedError> {
    let root = root_tag(svg)?.ok_or_else(|| BakedError::SvgSyntax("no svg element".into()))?;
    let (namespace, name) = badge.version.element();
    let open = format!("<openbadges:{name} xmlns:openbadges=\"{namespace}\"");
    let element = if badge.text.contains(char::is_whitespace) || badge.text.starts_with('{') {
        let body = badge.text.replace("]]>", "]]]]><![CDATA[>");
        format!("{open}><![CDATA[{body}]]></openbadges:{name}>")
    } else {
        let value = badge.text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        format!("{open} verify=\"{value}\"/>")
    };
    let (start, rest) = svg.split_at(root.end);
    match start.strip_suffix("/>") {
        None => Ok(format!("{start}{element}{rest}")),
        Some(start) => {
            let name: String =
                svg[root.start + 1..].chars().take_while(|c| !c.is_whitespace() && *c != '/').collect();
            Ok(format!("{start}>{element}</{name}>{rest}"))
        }
    }
}

/// Where the first start tag is, from its `<` to behind its `>`.
struct RootTag {
    start: usize,
    end: usize,
}

/// Counts the markup of `svg` and finds the root's start tag.
///
/// It sees the same tags as the XML parser up to the first mistake, at which the parser stops.
fn root_tag(svg: &str) -> Result<Option<RootTag>, BakedError> {
    let marks = |mark| svg.bytes().filter(|b| *b == mark).count();
    if marks(b'<') > SVG_MARKUP_MAX
        || marks(b'=') > SVG_MARKUP_MAX
        || svg.matches("xmlns").count() > SVG_NAMESPACES_MAX
    {
        return Err(BakedError::SvgTooComplex);
    }
    let (mut at, mut root) = (0, None);
    while let Some(found) = svg[at..].find('<') {
        let start = at + found;
        let rest = &svg[start..];
        let length = if rest.starts_with("<!--") {
            through(rest, 4, "-->")?
        } else if rest.starts_with("<![CDATA[") {
            through(rest, 9, "]]>")?
        } else if rest.starts_with("<?") && !(at == 0 && rest.starts_with("<?xml ")) {
            through(rest, 2, "?>")?
        } else {
            let tag = Tag::first_of(rest)?;
            if rest.starts_with("<!") && rest[..tag.length].contains('[') {
                return Err(BakedError::SvgEntities);
            }
            if tag.attributes > SVG_ATTRIBUTES_MAX {
                return Err(BakedError::SvgTooComplex);
            }
            if root.is_none() && !["<!", "<?", "</"].iter().any(|other| rest.starts_with(other)) {
                root = Some(RootTag { start, end: start + tag.length });
            }
            tag.length
        };
        at = start + length;
    }
    Ok(root)
}

/// Bytes up to and with the first `end` that comes after `skipped` bytes.
fn through(markup: &str, skipped: usize, end: &str) -> Result<usize, BakedError> {
    let found = markup[skipped..].find(end).ok_or_else(unfinished)?;
    Ok(skipped + found + end.len())
}

fn unfinished() -> BakedError {
    BakedError::SvgSyntax("it ends within markup".into())
}

/// A tag, with `<` and `>`.
struct Tag {
    length: usize,
    /// Texts in quotes, which in a tag are the values of attributes.
    attributes: usize,
}

impl Tag {
    fn first_of(markup: &str) -> Result<Self, BakedError> {
        let (mut quote, mut attributes) = (None, 0);
        for (at, byte) in markup.bytes().enumerate() {
            match (byte, quote) {
                (b'"' | b'\'', None) => {
                    quote = Some(byte);
                    attributes += 1;
                }
                (b, Some(q)) if b == q => quote = None,
                (b'>', None) => return Ok(Tag { length: at + 1, attributes }),
                _ => {}
            }
        }
        Err(unfinished())
    }
}
