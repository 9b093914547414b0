#![allow(clippy::unwrap_used)]

use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;
use roxmltree::{Document, ParsingOptions};
use serde_json::Value;

use super::{Version::*, *};
use crate::limits::SVG_ATTRIBUTES_MAX;

const PNG_2: &[u8] = include_bytes!("../../../vectors/credential/baked/simple-badge.png");
const PNG_JSON: &[u8] = include_bytes!("../../../vectors/credential/baked/simple-json.png");
const PNG_JWT: &[u8] = include_bytes!("../../../vectors/credential/baked/simple-jwt.png");
const SVG_JSON: &str = include_str!("../../../vectors/credential/baked/simple-json.svg");
const SVG_JWT: &str = include_str!("../../../vectors/credential/baked/simple-jwt.svg");

const SVG: &str = r#"<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>"#;

fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [&length, &kind[..], data, &png::checksum(kind, data).to_be_bytes()].concat()
}

/// A PNG with these chunks between its header and its end.
fn png_with(chunks: &[Vec<u8>]) -> Vec<u8> {
    let ends = [chunk(*b"IHDR", &[0; 13]), chunk(*b"IEND", &[])];
    [b"\x89PNG\r\n\x1a\n", &ends[0][..], &chunks.concat(), &ends[1]].concat()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes.len() + 1024);
    Compress::new(Compression::best(), true).compress_vec(bytes, &mut packed, FlushCompress::Finish).unwrap();
    packed
}

fn code(image: impl AsRef<[u8]>) -> &'static str {
    extract(image.as_ref()).unwrap_err().code()
}

fn text(image: impl AsRef<[u8]>) -> String {
    extract(image.as_ref()).unwrap().unwrap().text
}

#[test]
fn published_badges_come_out() {
    for (image, version, is_json) in [
        (PNG_2, OpenBadges2, true),
        (PNG_JSON, OpenBadges3, true),
        (PNG_JWT, OpenBadges3, false),
        (SVG_JSON.as_bytes(), OpenBadges3, true),
        (SVG_JWT.as_bytes(), OpenBadges3, false),
    ] {
        let baked = extract(image).unwrap().unwrap();
        assert_eq!(baked.version, version);
        if is_json {
            let document: Value = serde_json::from_str(&baked.text).unwrap();
            assert!(document["@context"].is_string() || document["@context"].is_array());
        } else {
            assert!(baked.text.starts_with("eyJ") && baked.text.matches('.').count() == 2);
        }
    }
}

#[test]
fn what_is_no_image_holds_no_badge() {
    for bytes in [&b""[..], b"{}", b"\x89PNG", b"<html></html>", b"text about <svg>", b"<svg \xff>"] {
        assert_eq!(extract(bytes), Ok(None));
    }
}

#[test]
fn a_png_text_is_read_in_each_of_its_forms() {
    let plain = |fields: &[u8]| png_with(&[chunk(*b"iTXt", fields)]);
    assert_eq!(text(plain(b"openbadges\0\0\0en\0translated\0 {\"a\":1}\n")), "{\"a\":1}");
    assert_eq!(text(png_with(&[chunk(*b"tEXt", b"openbadges\0https://a.example/1")])), "https://a.example/1");
    let packed = [b"openbadgecredential\0\x01\0\0\0", &zlib(b"{\"b\":2}")[..]].concat();
    assert_eq!(text(plain(&packed)), "{\"b\":2}");
    let other = chunk(*b"iTXt", b"Comment\0\0\0\0\0no badge");
    let first = chunk(*b"iTXt", b"openbadges\0\0\0\0\0first");
    let damaged_after = b"\0\0\0\x0fIDAT".to_vec();
    let image = png_with(&[other, first.clone(), first, damaged_after]);
    assert_eq!(text(image), "first");
}

#[test]
fn each_broken_png_is_refused_by_name() {
    let plain = |fields: &[u8]| png_with(&[chunk(*b"iTXt", fields)]);
    let mut damaged = plain(b"openbadges\0\0\0\0\0text");
    let at = damaged.len() - 12 - 5;
    damaged[at] ^= 1;
    let bomb = [b"openbadges\0\x01\0\0\0", &zlib(&vec![b' '; CREDENTIAL_BYTES_MAX + 1])[..]].concat();
    let cut = [b"openbadges\0\x01\0\0\0", &zlib(b"{}")[..4]].concat();
    let long = [b"openbadges\0\0\0\0\0", &vec![b'a'; CREDENTIAL_BYTES_MAX + 1][..]].concat();
    for (image, expected) in [
        (png_with(&[]), "nothing-baked"),
        (PNG_2[..8].to_vec(), "nothing-baked"),
        (PNG_2[..100].to_vec(), "png-structure"),
        (b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIHDR".to_vec(), "png-structure"),
        (damaged, "png-checksum"),
        (plain(b"openbadges\0"), "png-text"),
        (plain(b"openbadges\0\0\0en"), "png-text"),
        (plain(b"openbadges\0\x02\0\0\0text"), "png-text"),
        (plain(b"openbadges\0\x01\x01\0\0text"), "png-text"),
        (plain(&cut), "png-text"),
        (plain(&bomb), "baked-text-too-long"),
        (plain(&long), "baked-text-too-long"),
        (plain(b"openbadges\0\0\0\0\0\xff"), "baked-text-not-utf-8"),
        ([&png_with(&[])[..], &vec![0; BAKED_BYTES_MAX]].concat(), "too-long"),
    ] {
        assert_eq!(code(&image), expected, "{} bytes", image.len());
    }
}

#[test]
fn an_svg_element_is_read_in_each_of_its_forms() {
    let with = |element: &str| SVG.replace("<path", &format!("{element}<path"));
    let old = |rest: &str| with(&format!("<b:assertion xmlns:b=\"http://openbadges.org\"{rest}"));
    assert_eq!(text(old(" verify='a&amp;b'/>")), "a&b");
    assert_eq!(
        text(old(" verify='https://a.example'><![CDATA[ {\"a\":\"<&\"} ]]></b:assertion>")),
        r#"{"a":"<&"}"#
    );
    assert_eq!(text(old(">{&quot;a&quot;:<![CDATA[1]]>}</b:assertion>")), r#"{"a":1}"#);
    assert_eq!(
        text(format!("\u{feff}<?xml version='1.0'?><!-- <svg> --><!DOCTYPE svg>{}", old(">x</b:assertion>"))),
        "x"
    );
    assert_eq!(code(SVG), "nothing-baked");
    assert_eq!(code(old(" verify='  '/>")), "nothing-baked");
    assert_eq!(code(with("<assertion verify='x'/>")), "nothing-baked");
}

#[test]
fn each_broken_or_costly_svg_is_refused_by_name() {
    let entities = format!("<!DOCTYPE svg [<!ENTITY a \"b\">]>{SVG}");
    let attributes: String = (0..=SVG_ATTRIBUTES_MAX).map(|n| format!(" a{n}='{n}'")).collect();
    let namespaces: String = (0..300).map(|n| format!("<g xmlns:n{n}='n'/>")).collect();
    // In the declaration, what looks like its end is part of a value, and the comment never begins.
    let disguised = format!("<?xml version=\"?><!-- \"?><svg{attributes}/> -->");
    for (image, expected) in [
        ("<svg>".into(), "svg-syntax"),
        ("<svg".into(), "svg-syntax"),
        ("<svg><!-- ".into(), "svg-syntax"),
        ("<svg/>".into(), "svg-syntax"),
        (format!("<html>{SVG}</html>"), "svg-syntax"),
        (SVG.replace("M0", "&unknown;"), "svg-syntax"),
        (entities, "svg-entities"),
        (format!("<svg{attributes}/>"), "svg-too-complex"),
        (disguised, "svg-too-complex"),
        (SVG.replace("<path", &format!("{namespaces}<path")), "svg-too-complex"),
        (SVG.replace("<path", &format!("{}<path", "<g/>".repeat(SVG_MARKUP_MAX))), "svg-too-complex"),
        (SVG.replace("M0", &"=".repeat(SVG_MARKUP_MAX)), "svg-too-complex"),
        (SVG.replace("M0", &"0".repeat(BAKED_BYTES_MAX)), "too-long"),
    ] {
        assert_eq!(code(&image), expected, "{}", &image[..image.len().min(80)]);
    }
    // Depth alone costs nothing.
    let deep = format!("{}{}", "<g>".repeat(50_000), "</g>".repeat(50_000));
    assert_eq!(code(SVG.replace("<path", &format!("{deep}<path"))), "nothing-baked");
}

#[test]
fn a_badge_is_baked_once() {
    let badge = Baked { version: OpenBadges3, text: "{\"a\":\"]]> é\"}".into() };
    let png = bake_png(&png_with(&[]), &badge).unwrap();
    assert_eq!(extract(&png), Ok(Some(badge.clone())));
    assert_eq!(bake_png(&png, &badge), Err(BakedError::AlreadyBaked));
    let empty = "<svg xmlns='http://www.w3.org/2000/svg'/>";
    for image in [SVG, empty, &format!("<?xml version='1.0'?>\n<!-- <svg> -->\n{SVG}")] {
        let svg = bake_svg(image, &badge).unwrap();
        assert_eq!(extract(svg.as_bytes()), Ok(Some(badge.clone())));
        assert_eq!(bake_svg(&svg, &badge), Err(BakedError::AlreadyBaked));
    }
    let url = Baked { version: OpenBadges2, text: "https://a.example/?a=\"b\"&c<".into() };
    assert_eq!(extract(bake_svg(SVG, &url).unwrap().as_bytes()), Ok(Some(url)));
    let spaced = Baked { version: OpenBadges3, text: " {}".into() };
    assert_eq!(bake_png(&png_with(&[]), &spaced), Err(BakedError::NotBakeable));
    assert_eq!(bake_png(b"\x89PNG\r\n\x1a\n", &badge), Err(BakedError::PngStructure));
    assert_eq!(bake_png(SVG.as_bytes(), &badge), Err(BakedError::PngStructure));
    assert_eq!(bake_svg("{}", &badge).unwrap_err().code(), "svg-syntax");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = extract(&bytes);
        let _ = extract(&[&PNG_2[..33], &bytes].concat());
        let chunk = chunk(*b"iTXt", &[b"openbadges\0", &bytes[..]].concat());
        let _ = extract(&png_with(&[chunk]));
    }

    #[test]
    fn any_markup_is_read_or_refused(
        markup in "(<|>|/|=|\"|'| |svg|xmlns|xmlns:o|o:credential|verify|<!--|-->|<!\\[CDATA\\[|\\]\\]>|<\\?|\\?>|<!DOCTYPE |a|&lt;|&#1;){0,40}"
    ) {
        let _ = extract(format!("<svg{markup}").as_bytes());
        let _ = extract(SVG.replace("<path", &format!("{markup}<path")).as_bytes());
    }

    /// What goes before the root does not hide its attributes from the walk that counts them.
    #[test]
    fn costly_markup_cannot_be_hidden(
        before in "(<!--|-->|<\\?|\\?>|<\\?xml version='1.0'|<\\?xml version=\"|<\\?a |<!DOCTYPE svg|<!DOCTYPE svg SYSTEM |\"|'|>|<!\\[CDATA\\[|\\]\\]>|-| |a){0,7}"
    ) {
        let attributes: String = (0..=SVG_ATTRIBUTES_MAX).map(|n| format!(" a{n}='{n}'")).collect();
        let image = format!("{before}<svg xmlns='http://www.w3.org/2000/svg'{attributes}/>");
        let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
        if Document::parse_with_options(&image, options).is_ok() && svg::text_of(image.as_bytes()).is_some() {
            prop_assert_eq!(extract(image.as_bytes()), Err(BakedError::SvgTooComplex));
        }
    }

    #[test]
    fn any_damage_is_survived(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        for image in [PNG_2, SVG_JSON.as_bytes(), SVG_JWT.as_bytes()] {
            let mut image = image.to_vec();
            let at = at.index(image.len());
            image[at] = byte;
            if let Ok(Some(baked)) = extract(&image) {
                prop_assert!(baked.text.len() <= CREDENTIAL_BYTES_MAX);
            }
        }
    }

    #[test]
    fn what_is_baked_comes_out(text in "\\{[ -~é]{0,60}\\}|[A-Za-z0-9._-]{1,60}|https://[!-~]{1,40}") {
        for version in Version::ALL {
            let badge = Baked { version, text: text.clone() };
            prop_assert_eq!(extract(&bake_png(&png_with(&[]), &badge).unwrap()), Ok(Some(badge.clone())));
            prop_assert_eq!(extract(bake_svg(SVG, &badge).unwrap().as_bytes()), Ok(Some(badge)));
        }
    }
}
