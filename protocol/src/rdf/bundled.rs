//! The contexts that documents may name by URL. None is ever fetched: what a term means may not depend on
//! who answers today.
//!
//! `contexts/README.md` says where they come from.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use serde_json::Value;

use super::{
    RdfError,
    active::{Active, Scope, Source},
    budget::Budget,
    local::Local,
};
use crate::limits::RDF_DERIVED_CONTEXTS_MAX;

/// A context that is part of this program.
#[derive(Clone, Copy, Debug)]
pub struct BundledContext {
    /// The URL that documents name it by.
    pub url: &'static str,
    /// The document that the URL stands for.
    pub text: &'static str,
    /// SHA-256 of the text, in hexadecimal.
    pub sha256: &'static str,
    /// Whether each of its properties has one name, so that it may stand in a [`Form::Plain`](super::Form)
    /// document.
    pub is_plain: bool,
}

/// Declares the contexts: URL, file, SHA-256 of the file, whether it is plain.
macro_rules! bundled {
    ($($url:literal $file:literal $sha256:literal $is_plain:literal)*) => {
        /// Every context that a document may name.
        pub const BUNDLED_CONTEXTS: &[BundledContext] = &[$(BundledContext {
            url: $url,
            text: include_str!(concat!("contexts/", $file)),
            sha256: $sha256,
            is_plain: $is_plain,
        }),*];
    };
}

bundled! {
    "https://www.w3.org/ns/credentials/v2"
        "credentials-v2.json" "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734" true
    "https://www.w3.org/ns/credentials/examples/v2"
        "credentials-examples-v2.json" "57393fbc69d6efb9b9b5dc9cb6b9880b0944360abfe2eaf459c9e58cf2279d7c" true
    "https://www.w3.org/ns/credentials/undefined-terms/v2"
        "credentials-undefined-terms-v2.json" "82dab514ba44eb18f5d1b0f638c5e140c6a556fbfb5089601bdc0fa5eb8b2581" true
    "https://www.w3.org/ns/credentials/status/v1"
        "credentials-status-v1.json" "fd08cbf28ddd829ab2f1978c48f43ab07a112c1c90245a0cfac7ba721c65170c" true
    "https://www.w3.org/2018/credentials/v1"
        "credentials-v1.json" "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc" true
    "https://www.w3.org/2018/credentials/examples/v1"
        "credentials-examples-v1.json" "2070ae4e75bc3b4c2cfe2b8b6e86ec45119672bbb5da283f0399ea96c60a0104" false
    "https://www.w3.org/ns/odrl.jsonld"
        "odrl.json" "f9937a5cf820abc39a1b954a3752132a9334fb23ec4a379e77a74a007c8f567d" false
    "https://www.w3.org/ns/did/v1"
        "did-v1.json" "62c1054bf404d6dd3a4b26b64f830fd72095f6a26edc4469908c94351352ce5f" true
    "https://w3id.org/security/data-integrity/v1"
        "data-integrity-v1.json" "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554" true
    "https://w3id.org/security/data-integrity/v2"
        "data-integrity-v2.json" "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4" true
    "https://w3id.org/security/multikey/v1"
        "multikey-v1.json" "c5f3806f8286920573221938917988a18a4cc5a09e968d29649613c7a1c2b1f6" true
    "https://w3id.org/security/suites/ed25519-2020/v1"
        "ed25519-2020-v1.json" "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588" true
    "https://w3id.org/security/suites/ed25519-2018/v1"
        "ed25519-2018-v1.json" "166c6abb9e08176cee5f6c87c9c1bbfefa5717da391bcac525e5437f93eab809" true
    "https://w3id.org/security/suites/jws-2020/v1"
        "jws-2020-v1.json" "d648e05ddc6577827ca2bfd5e931f53e9ebc6e52a57a8da81df4ec8c46ffcd1e" true
    "https://w3id.org/security/v1"
        "security-v1.json" "abaf97e107d1925503c433dcaf3ffd2831697cacc1ed2a293e1bc8030d5bcb47" false
    "https://w3id.org/security/v2"
        "security-v2.json" "611bd81151d5efe53ec9aed78f5a813e577287bc9451ee26d6879b1b8b46bc3b" false
    "https://w3id.org/vc/status-list/2021/v1"
        "status-list-2021-v1.json" "634d71c159289f068c96012e4511c657fdf82ac4231900081bda3ba24e2e1160" true
    "https://w3id.org/vc-revocation-list-2020/v1"
        "revocation-list-2020-v1.json" "9fe1e5bd6d2f709e4628947c86455f2d97204e07ed7b7ae51d559e35e5238e9d" true
    "https://purl.imsglobal.org/spec/ob/v3p0/context.json"
        "ob-v3p0.json" "b077fa134d909d92c1dcd1c153f2af1b244aeb415967fdc1467d7fc5dd48ac10" true
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json"
        "ob-v3p0-3.0.1.json" "cfc147db5fd5e3575b06bd471fe04784e92de69296f64a351b8dff0ec3372e9c" true
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json"
        "ob-v3p0-3.0.2.json" "bba433989e1e700ca60838a3c22378e7d8381aeb0c9590f9ddf84d1714f10296" true
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
        "ob-v3p0-3.0.3.json" "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84" true
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
        "ob-v3p0-extensions.json" "146f85aa16effd7ca1da8056eb443f53ce1eca8a34186cb062832c0a97d889c3" true
    "https://purl.imsglobal.org/spec/clr/v2p0/context.json"
        "clr-v2p0.json" "e198d7b517d74c5036434ce495086f67b10244709e9a3df9dcb7f8b1579b6167" true
    "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
        "clr-v2p0-2.0.1.json" "880f1902d4158f2f33ce06af41b90719977cd1ea337a9de2e41edb3ff5e543d6" true
    "https://w3id.org/openbadges/v2"
        "ob-v2p0.json" "393a890d7d95eb3a86f5f12309648a64c2d0676e5270e2967b5341a2dcea13d2" false
}

/// The bundled contexts, parsed, and what was derived from them.
pub(super) struct Contexts {
    by_url: BTreeMap<&'static str, (BundledContext, Arc<Local>)>,
    initial: Arc<Active>,
    /// Remembered so that it need not be derived again; whether it is here changes no outcome.
    derived: Mutex<Derived>,
}

impl Contexts {
    /// The only ones that there are, parsed when they are first needed.
    pub(super) fn bundled() -> &'static Self {
        static BUNDLED: OnceLock<Contexts> = OnceLock::new();
        BUNDLED.get_or_init(|| Contexts {
            by_url: BUNDLED_CONTEXTS.iter().map(|c| (c.url, (*c, Arc::new(c.parse())))).collect(),
            initial: Arc::new(Active { is_bundled: true, ..Active::default() }),
            derived: Mutex::default(),
        })
    }

    /// The context in which nothing is defined.
    pub(super) fn initial(&self) -> &Arc<Active> {
        &self.initial
    }

    /// The context that `url` stands for.
    pub(super) fn get(&self, url: &str) -> Result<&Arc<Local>, RdfError> {
        let found = self.by_url.get(url).map(|(_, local)| local);
        found.ok_or_else(|| RdfError::UnknownContext(RdfError::named(url)))
    }

    /// Whether `url` stands for a context that plain documents may name.
    pub(super) fn is_plain(&self, url: &str) -> bool {
        self.by_url.get(url).is_none_or(|(bundled, _)| bundled.is_plain)
    }

    /// `base` with `local` applied to it, both of which are bundled or derived from what is.
    pub(super) fn derive(
        &self,
        base: &Arc<Active>,
        local: &Arc<Local>,
        scope: Scope,
    ) -> Result<Arc<Active>, RdfError> {
        let derived = || self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(result) = derived().get(base, local, scope) {
            return Ok(result);
        }
        let mut source = BundledSource { contexts: self, budget: Budget::default() };
        let result = base.with(local, scope, &mut source)?;
        let mut derived = derived();
        if derived.steps.len() >= RDF_DERIVED_CONTEXTS_MAX {
            derived.steps.clear();
        }
        derived.keep(base, local, scope, &result);
        Ok(result)
    }
}

impl BundledContext {
    fn parse(&self) -> Local {
        let document: Result<Value, _> = serde_json::from_str(self.text);
        let local = document.ok().and_then(|d| Local::parse(d.get("@context")?, true).ok());
        // A test parses all of them.
        local.unwrap_or_else(|| unreachable!("{} is a context", self.url))
    }
}

/// Where bundled contexts find those that they name; what deriving them costs is nobody's to pay.
struct BundledSource<'c> {
    contexts: &'c Contexts,
    budget: Budget,
}

impl Source for BundledSource<'_> {
    fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }

    fn apply(&mut self, base: &Arc<Active>, url: &str, scope: Scope) -> Result<Arc<Active>, RdfError> {
        self.contexts.derive(base, self.contexts.get(url)?, scope)
    }
}

/// The contexts of one document, and what was derived from them.
pub(super) struct Session {
    contexts: &'static Contexts,
    derived: Derived,
    pub(super) budget: Budget,
}

impl Session {
    pub(super) fn new(contexts: &'static Contexts) -> Self {
        Session { contexts, derived: Derived::default(), budget: Budget::default() }
    }

    /// `base` with `local` applied to it. Each is paid for once, wherever it comes from.
    pub(super) fn derive(
        &mut self,
        base: &Arc<Active>,
        local: &Arc<Local>,
        scope: Scope,
    ) -> Result<Arc<Active>, RdfError> {
        if let Some(result) = self.derived.get(base, local, scope) {
            return Ok(result);
        }
        let result = if base.is_bundled && local.is_bundled {
            self.contexts.derive(base, local, scope)?
        } else {
            base.with(local, scope, self)?
        };
        self.budget.terms(result.terms.len() + 1)?;
        self.derived.keep(base, local, scope, &result);
        Ok(result)
    }
}

impl Source for Session {
    fn budget(&mut self) -> &mut Budget {
        &mut self.budget
    }

    fn apply(&mut self, base: &Arc<Active>, url: &str, scope: Scope) -> Result<Arc<Active>, RdfError> {
        let local = self.contexts.get(url)?;
        self.derive(base, local, scope)
    }
}

/// Contexts by what they were derived from, and how.
#[derive(Default)]
struct Derived {
    steps: BTreeMap<(usize, usize, Scope), Step>,
}

/// What a context was derived from is kept along with it, so that nothing else can come to its address.
struct Step {
    result: Arc<Active>,
    _from: (Arc<Active>, Arc<Local>),
}

impl Derived {
    fn get(&self, base: &Arc<Active>, local: &Arc<Local>, scope: Scope) -> Option<Arc<Active>> {
        self.steps.get(&Self::key(base, local, scope)).map(|step| step.result.clone())
    }

    fn keep(&mut self, base: &Arc<Active>, local: &Arc<Local>, scope: Scope, result: &Arc<Active>) {
        let step = Step { result: result.clone(), _from: (base.clone(), local.clone()) };
        self.steps.insert(Self::key(base, local, scope), step);
    }

    fn key(base: &Arc<Active>, local: &Arc<Local>, scope: Scope) -> (usize, usize, Scope) {
        (Arc::as_ptr(base).addr(), Arc::as_ptr(local).addr(), scope)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use sha2::{Digest, Sha256};

    use super::{super::active::Name, *};

    /// Names of one IRI in Open Badges contexts that can do no harm: two properties that are called by the type of
    /// their values, and a type with two names.
    const SYNONYMS: [[&str; 2]; 3] =
        [["Profile", "creator"], ["GeoCoordinates", "geo"], ["AchievementCredential", "OpenBadgeCredential"]];

    #[test]
    fn each_context_has_its_hash_and_means_something() {
        let contexts = Contexts::bundled();
        assert_eq!(contexts.by_url.len(), BUNDLED_CONTEXTS.len(), "a URL is stated twice");
        for bundled in BUNDLED_CONTEXTS {
            let hash: String = Sha256::digest(bundled.text).iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(hash, bundled.sha256, "{}", bundled.url);
            let local = contexts.get(bundled.url).unwrap();
            let active = contexts.derive(&contexts.initial, local, Scope::Document).unwrap();
            assert!(active.is_bundled && (!active.terms.is_empty() || active.vocab.is_some()));
            // So does each context within.
            for definition in active.terms.values() {
                if let Some(scoped) = &definition.scoped {
                    contexts.derive(&active, scoped, Scope::Property).unwrap();
                }
            }
        }
    }

    #[test]
    fn plain_contexts_give_each_property_one_name() {
        let contexts = Contexts::bundled();
        let mut names: BTreeMap<Arc<str>, String> = BTreeMap::new();
        let mut check = |active: &Active| {
            for (term, definition) in &active.terms {
                let (Name::Iri(iri), false) = (&definition.name, definition.is_prefix) else {
                    let is_usual = ["id", "type"].contains(&&**term) || definition.is_prefix;
                    assert!(is_usual, "{term} is {:?}", definition.name);
                    continue;
                };
                // Some property and the type of its values are one word.
                let name = names.entry(iri.clone()).or_insert_with(|| term.to_string());
                let is_same = name.eq_ignore_ascii_case(term) || SYNONYMS.contains(&[name, term]);
                assert!(is_same, "{name} and {term} are {iri}");
            }
        };
        for bundled in BUNDLED_CONTEXTS.iter().filter(|bundled| bundled.is_plain) {
            let local = contexts.get(bundled.url).unwrap();
            let active = contexts.derive(&contexts.initial, local, Scope::Document).unwrap();
            check(&active);
            for scoped in active.terms.values().filter_map(|definition| definition.scoped.as_ref()) {
                check(&contexts.derive(&active, scoped, Scope::Property).unwrap());
            }
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_and_changes_nothing() {
        let contexts = Contexts::bundled();
        let url = "https://w3id.org/openbadges/v2";
        let derive =
            |base: &Arc<Active>| contexts.derive(base, contexts.get(url).unwrap(), Scope::Document).unwrap();
        let first = derive(&contexts.initial);
        let mut chained = first.clone();
        for _ in 0..RDF_DERIVED_CONTEXTS_MAX + 1 {
            chained = derive(&chained);
        }
        assert!(contexts.derived.lock().unwrap().steps.len() <= RDF_DERIVED_CONTEXTS_MAX);
        assert_eq!(chained.terms, first.terms);
        assert_eq!(derive(&contexts.initial).terms, first.terms);
    }
}
