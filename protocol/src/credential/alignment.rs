//! Which skill an alignment means, however it is written.
//!
//! Issuers name one skill in many ways: by the concept's URI, by a page of a portal that shows it, by a
//! code within a framework. Skill ids are compared byte by byte, so what means one skill has to become one
//! id. Whatever is not recognised stays the URI that it is.
//!
//! Sources: Open Badges 2.0 AlignmentObject and 3.0 Alignment; ESCO's URIs and portal; O*NET OnLine; 1EdTech
//! CASE 1.0. Specification: `spec/import.md`, "Alignments".

use serde_json::Value;

use super::url::Url;
use crate::skill::SkillId;
use crate::text::shown;

/// What an achievement is said to be about, as its issuer wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alignment {
    /// Where the target is described.
    pub url: String,
    /// What it is called, fit to be shown; empty when nothing is stated.
    pub name: String,
    /// What kind of thing it is, such as `CFItem` or `ext:Skill`.
    pub kind: Option<String>,
    /// What tells it apart within its framework.
    pub code: Option<String>,
    /// The framework's name.
    pub framework: Option<String>,
}

impl Alignment {
    /// Reads an alignment of Open Badges 1.1 to 3.0; `None` when it names no target.
    pub fn read(value: &Value) -> Option<Self> {
        let text = |names: [&str; 2]| names.iter().find_map(|name| value.get(name)?.as_str());
        Some(Alignment {
            url: text(["targetUrl", "url"])?.trim().to_owned(),
            name: shown(text(["targetName", "name"]).unwrap_or_default()),
            kind: value.get("targetType").and_then(Value::as_str).map(str::to_owned),
            code: value.get("targetCode").and_then(Value::as_str).map(str::to_owned),
            framework: value.get("targetFramework").and_then(Value::as_str).map(str::to_owned),
        })
    }

    /// The skill that is meant; `None` when the target is no skill's URI.
    pub fn skill(&self) -> Option<SkillId> {
        let url = Url::split(&self.url);
        url.as_ref()
            .and_then(|url| self.esco(url).or_else(|| self.onet(url)).or_else(|| self.case(url)))
            .and_then(|id| id.parse().ok())
            .or_else(|| self.url.parse().ok())
    }

    /// A concept of ESCO, by its URI, by a page that shows it, or by its code.
    fn esco(&self, url: &Url<'_>) -> Option<String> {
        let shown_there = || match url.host.as_str() {
            "esco.ec.europa.eu" => url.query("uri"),
            "ec.europa.eu" if url.path.starts_with("/esco/") => url.query("uri"),
            _ => None,
        };
        let by_url = esco_concept(url).or_else(|| esco_concept(&Url::split(&shown_there()?)?));
        by_url.or_else(|| {
            let code = self.code.as_deref().filter(|_| self.is_of("esco"))?.trim();
            match Url::split(code) {
                Some(uri) => esco_concept(&uri),
                None => uuid(code).map(|uuid| format!("http://data.europa.eu/esco/skill/{uuid}")),
            }
        })
    }

    /// A technology of O*NET, by its commodity code and name; or an element of its content model.
    fn onet(&self, url: &Url<'_>) -> Option<String> {
        let is_onet_page = matches!(url.host.as_str(), "www.onetonline.org" | "onetonline.org");
        let code = self.code.as_deref().map(str::trim).filter(|_| is_onet_page || self.is_of("o*net"));
        let example = url.query("e").filter(|_| is_onet_page).unwrap_or_else(|| self.name.clone());
        if let Some(code) = code.filter(|code| code.len() == 8 && code.bytes().all(|b| b.is_ascii_digit())) {
            let slug = slug(&example);
            return (!slug.is_empty()).then(|| format!("urn:knackmesh:onet:{code}:{slug}"));
        }
        let element = url.path.strip_prefix("/find/descriptor/result/").filter(|_| is_onet_page)?;
        let element = element.trim_end_matches('/');
        let is_element =
            !element.is_empty() && element.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
        is_element.then(|| format!("https://www.onetonline.org/find/descriptor/result/{element}"))
    }

    /// An item of a framework published by CASE, by the address of its description.
    fn case(&self, url: &Url<'_>) -> Option<String> {
        let item = || {
            let (_, rest) = url.path.split_once("/ims/case/v1p")?;
            let (_version, item) = rest.split_once("/CFItems/")?;
            uuid(item.trim_end_matches('/'))
        };
        let persistent = || {
            self.kind.as_deref().filter(|kind| *kind == "CFItem")?;
            uuid(url.path.strip_prefix("/uri/")?.trim_end_matches('/'))
        };
        let root = url.path.split_once("/ims/case/v1p").map_or("", |(root, _)| root);
        let item = item().or_else(persistent)?;
        Some(format!("https://{}{root}/ims/case/v1p0/CFItems/{item}", url.host))
    }

    /// Whether the framework's name begins with this word, in lower case.
    fn is_of(&self, framework: &str) -> bool {
        let named = self.framework.as_deref().unwrap_or_default().trim().to_lowercase();
        named.strip_prefix(framework).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    }
}

/// What a label becomes in a skill id that this project makes (`spec/skills.md`).
fn slug(label: &str) -> String {
    let spelled = label.to_lowercase().replace('+', "p").replace('#', "sharp");
    let words = spelled.split(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// The id of the concept at a URI of ESCO, however scheme, host and UUID are written.
fn esco_concept(url: &Url<'_>) -> Option<String> {
    let concept = url.path.strip_prefix("/esco/").filter(|_| url.host == "data.europa.eu")?;
    let (scheme, code) = concept.trim_end_matches('/').split_once('/')?;
    if !matches!(scheme, "skill" | "isced-f") || code.is_empty() || code.contains('/') {
        return None;
    }
    let code = uuid(code).unwrap_or_else(|| code.to_owned());
    Some(format!("http://data.europa.eu/esco/{scheme}/{code}"))
}

/// A UUID in lower case, as RFC 9562 has them written.
fn uuid(text: &str) -> Option<String> {
    let shape = text.len() == 36
        && text
            .bytes()
            .enumerate()
            .all(|(at, b)| if matches!(at, 8 | 13 | 18 | 23) { b == b'-' } else { b.is_ascii_hexdigit() });
    shape.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::vocabulary::Vocabulary;

    const UUID: &str = "21d2f96d-35f7-4e3f-9745-c533d2dd6e97";

    #[track_caller]
    fn means(alignment: Value, expected: Option<&str>) {
        let skill = Alignment::read(&alignment).and_then(|alignment| alignment.skill());
        assert_eq!(skill.as_ref().map(SkillId::as_str), expected, "{alignment}");
    }

    #[test]
    fn one_concept_of_esco_has_one_id() {
        let id = format!("http://data.europa.eu/esco/skill/{UUID}");
        assert!(Vocabulary::embedded().get(&id.parse().unwrap()).is_some());
        let upper = UUID.to_uppercase();
        for url in [
            id.clone(),
            format!("https://data.europa.eu/esco/skill/{UUID}"),
            format!("HTTPS://Data.Europa.eu/esco/skill/{upper}/"),
            format!(
                "https://esco.ec.europa.eu/en/classification/skills?uri=http%3A//data.europa.eu/esco/skill/{UUID}"
            ),
            format!(
                "https://esco.ec.europa.eu/fr/classification/skill?lang=fr&uri=http%3A%2F%2Fdata.europa.eu%2Fesco%2Fskill%2F{upper}#top"
            ),
            format!("http://ec.europa.eu/esco/portal/skill?uri=http://data.europa.eu/esco/skill/{UUID}"),
            format!(
                "https://ec.europa.eu/esco/api/resource/skill?uri=http://data.europa.eu/esco/skill/{UUID}&language=en"
            ),
        ] {
            means(json!({"targetUrl": url}), Some(&id));
        }
        let by_code = |code: &str, framework: &str| json!({"targetUrl": "https://a.example/x", "targetCode": code, "targetFramework": framework});
        means(by_code(UUID, "ESCO v1.1.1"), Some(&id));
        means(by_code(&id, "esco"), Some(&id));
        means(by_code(UUID, "Escort training"), Some("https://a.example/x"));
        means(by_code("S1.2", "ESCO"), Some("https://a.example/x"));
        means(
            json!({"targetUrl": "https://data.europa.eu/esco/isced-f/0613"}),
            Some("http://data.europa.eu/esco/isced-f/0613"),
        );
    }

    #[test]
    fn a_technology_of_onet_has_the_id_of_the_vocabulary() {
        let vocabulary = Vocabulary::embedded();
        let technology = |code: &str, name: &str| {
            json!({
                "targetUrl": "https://www.onetonline.org/search/tech/example", "targetCode": code, "targetName": name,
            })
        };
        for skill in vocabulary.skills().iter().filter(|s| s.id.as_str().starts_with("urn:knackmesh:onet:")) {
            let code = skill.id.as_str().split(':').nth(3).unwrap();
            means(technology(code, &skill.label), Some(skill.id.as_str()));
        }
        let example = json!({
            "targetUrl": "https://www.onetonline.org/search/tech/example?e=Node.js", "targetCode": "43232408",
        });
        means(example, Some("urn:knackmesh:onet:43232408:node-js"));
        let named = json!({
            "targetUrl": "https://a.example", "targetName": "Go", "targetFramework": "O*NET 29",
            "targetCode": "43232402",
        });
        means(named, Some("urn:knackmesh:onet:43232402:go"));
        let element = "https://www.onetonline.org/find/descriptor/result/2.A.1.a";
        means(json!({"targetUrl": format!("{element}?a=1")}), Some(element));
        means(json!({"targetUrl": "https://onetonline.org/find/descriptor/result/2.A.1.a/"}), Some(element));
    }

    #[test]
    fn one_item_of_case_has_one_id() {
        let id = format!("https://case.example.edu/ims/case/v1p0/CFItems/{UUID}");
        for url in [
            id.clone(),
            format!("http://CASE.example.edu/ims/case/v1p1/CFItems/{}", UUID.to_uppercase()),
            format!("https://case.example.edu/uri/{UUID}"),
        ] {
            means(json!({"targetUrl": url, "targetType": "CFItem"}), Some(&id));
        }
        let elsewhere = format!("https://case.example.edu/uri/{UUID}");
        means(json!({"targetUrl": elsewhere}), Some(&elsewhere));
        let below = format!("https://a.example/opensalt/ims/case/v1p0/CFItems/{UUID}");
        means(json!({"targetUrl": below}), Some(&below));
    }

    #[test]
    fn whatever_else_is_a_uri_stays_as_it_is() {
        for url in [
            "urn:skill:rust",
            "https://a.example/skills/1",
            "http://data.europa.eu/esco/occupation/1",
            "https://esco.ec.europa.eu/en/classification/skill_main",
            "https://esco.ec.europa.eu/en/classification/skill?uri=%ff",
            "https://evil.example/?uri=http://data.europa.eu/esco/skill/1",
            "https://data.europa.eu@evil.example/esco/skill/1",
        ] {
            means(json!({"targetUrl": url}), Some(url));
        }
        means(json!({"targetUrl": "not a uri"}), None);
        means(json!({"targetName": "Rust"}), None);
        means(json!({"url": "urn:old:1", "name": "Old"}), Some("urn:old:1"));
        means(json!("text"), None);
    }

    proptest! {
        #[test]
        fn any_alignment_is_read(
            url in "(https?://|data.europa.eu|esco.ec.europa.eu|www.onetonline.org|/esco/skill/|/uri/|/ims/case/v1p|/CFItems/|[?&]uri=|%[0-9a-f]|[0-9a-f-]{0,36}|.){0,12}",
            code in ".{0,40}", kind in "CFItem|.{0,5}", framework in "ESCO|O\\*NET|.{0,5}",
        ) {
            let alignment = Alignment { url, name: code.clone(), kind: Some(kind), code: Some(code), framework: Some(framework) };
            if let Some(skill) = alignment.skill() {
                // What was normalised once is its own normal form.
                let again = Alignment { url: skill.to_string(), name: String::new(), kind: None, code: None, framework: None };
                prop_assert_eq!(again.skill(), Some(skill));
            }
        }
    }
}
