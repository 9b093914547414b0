//! From JSON to a legal query.

use serde_json::{Map, Value};

use super::{ClaimQuery, CredentialQuery, CredentialSet, DcqlError, Format, Pointed, Pointer, Query};
use crate::limits::{DCQL_ALTERNATIVES_MAX, DCQL_CLAIMS_MAX, DCQL_CREDENTIALS_MAX, DCQL_PATH_STEPS_MAX};

pub(super) fn query(value: &Value) -> Result<Query, DcqlError> {
    let query = Place { at: String::new(), value };
    let credentials = query.required("credentials")?.list(DCQL_CREDENTIALS_MAX)?;
    let credentials = credentials.iter().map(credential).collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<Option<&str>> = credentials.iter().map(|c| Some(c.id.as_str())).collect();
    unique(&ids, "credentials")?;
    let sets = match query.member("credential_sets")? {
        None => Vec::new(),
        Some(sets) => {
            let sets = sets.list(DCQL_ALTERNATIVES_MAX)?;
            sets.iter().map(|set| credential_set(set, &ids)).collect::<Result<_, _>>()?
        }
    };
    Ok(Query { credentials, sets })
}

fn credential(query: &Place<'_>) -> Result<CredentialQuery, DcqlError> {
    let id = query.id()?.ok_or_else(|| DcqlError::Id(query.inside("id")))?;
    let format = Format::from_name(query.required("format")?.text()?);
    let types = types(&format, &query.required("meta")?)?;
    let claims = match query.member("claims")? {
        None => Vec::new(),
        Some(claims) => claims.list(DCQL_CLAIMS_MAX)?.iter().map(claim).collect::<Result<Vec<_>, _>>()?,
    };
    let ids: Vec<Option<&str>> = claims.iter().map(|claim| claim.id.as_deref()).collect();
    unique(&ids, &query.inside("claims"))?;
    let claim_sets = match query.member("claim_sets")? {
        None => Vec::new(),
        Some(sets) if claims.is_empty() => return Err(sets.must_be("absent where `claims` is")),
        Some(_) if ids.contains(&None) => return Err(DcqlError::Id(query.inside("claims"))),
        Some(sets) => combinations(&sets, &ids, DCQL_CLAIMS_MAX)?,
    };
    if let Some(authorities) = query.member("trusted_authorities")? {
        authorities.list(DCQL_ALTERNATIVES_MAX)?;
    }
    Ok(CredentialQuery {
        id,
        format,
        multiple: query.flag("multiple", false)?,
        types,
        holder_binding: query.flag("require_cryptographic_holder_binding", true)?,
        claim_sets,
        claims,
        trusted_authorities: query.member("trusted_authorities")?.is_some(),
    })
}

/// The types that `meta` asks for. The standard has it both require them and read an empty `meta` as any.
fn types(format: &Format, meta: &Place<'_>) -> Result<Vec<Vec<String>>, DcqlError> {
    let name = match format {
        Format::SdJwtVc => "vct_values",
        Format::LdpVc | Format::JwtVcJson => "type_values",
        Format::Other(_) => return meta.object().map(|_| Vec::new()),
    };
    let Some(values) = meta.member(name)? else { return Ok(Vec::new()) };
    let alternatives = values.list(DCQL_ALTERNATIVES_MAX)?;
    let types = alternatives.iter().map(|alternative| match format {
        Format::SdJwtVc => Ok(vec![alternative.text()?.to_owned()]),
        _ => {
            let types = alternative.list(DCQL_ALTERNATIVES_MAX)?;
            types.iter().map(|one| Ok(one.text()?.to_owned())).collect()
        }
    });
    types.collect()
}

fn claim(query: &Place<'_>) -> Result<ClaimQuery, DcqlError> {
    let id = query.id()?;
    let steps = query.required("path")?.list(DCQL_PATH_STEPS_MAX)?;
    let steps = steps.iter().map(|step| match step.value {
        Value::String(key) => Ok(Pointed::Member(key.clone())),
        Value::Null => Ok(Pointed::Every),
        index => {
            let index = index.as_u64().and_then(|index| usize::try_from(index).ok());
            index.map(Pointed::Element).ok_or_else(|| step.must_be("a text, null or an index from 0"))
        }
    });
    let path = Pointer(steps.collect::<Result<_, _>>()?);
    let values = match query.member("values")? {
        None => Vec::new(),
        Some(values) => {
            let values = values.list(DCQL_ALTERNATIVES_MAX)?;
            let values = values.iter().map(|value| match value.value {
                plain @ (Value::String(_) | Value::Bool(_)) => Ok(plain.clone()),
                Value::Number(n) if n.is_i64() || n.is_u64() => Ok(value.value.clone()),
                _ => Err(value.must_be("a text, an integer or a boolean")),
            });
            values.collect::<Result<_, _>>()?
        }
    };
    Ok(ClaimQuery { id, path, values })
}

fn credential_set(set: &Place<'_>, ids: &[Option<&str>]) -> Result<CredentialSet, DcqlError> {
    let options = combinations(&set.required("options")?, ids, DCQL_CREDENTIALS_MAX)?;
    Ok(CredentialSet { options, required: set.flag("required", true)? })
}

/// Lists of identifiers, as indices among `ids`.
fn combinations(lists: &Place<'_>, ids: &[Option<&str>], max: usize) -> Result<Vec<Vec<usize>>, DcqlError> {
    let lists = lists.list(DCQL_ALTERNATIVES_MAX)?;
    let resolved = lists.iter().map(|list| {
        let members = list.list(max)?;
        let indices = members.iter().map(|member| {
            let id = Some(member.text()?);
            ids.iter().position(|known| *known == id).ok_or_else(|| DcqlError::IdUnknown(member.at.clone()))
        });
        indices.collect()
    });
    resolved.collect()
}

fn unique(ids: &[Option<&str>], at: &str) -> Result<(), DcqlError> {
    let mut known: Vec<&str> = ids.iter().copied().flatten().collect();
    known.sort_unstable();
    let repeated = known.windows(2).any(|two| two[0] == two[1]);
    if repeated { Err(DcqlError::IdRepeated(at.to_owned())) } else { Ok(()) }
}

/// A value of the query, and where it stands.
struct Place<'v> {
    at: String,
    value: &'v Value,
}

impl<'v> Place<'v> {
    /// The name of the member `name`, for messages.
    fn inside(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    fn must_be(&self, expected: &'static str) -> DcqlError {
        let at = if self.at.is_empty() { "query".to_owned() } else { self.at.clone() };
        DcqlError::Malformed { at, expected }
    }

    fn object(&self) -> Result<&'v Map<String, Value>, DcqlError> {
        self.value.as_object().ok_or_else(|| self.must_be("an object"))
    }

    fn member(&self, name: &str) -> Result<Option<Place<'v>>, DcqlError> {
        let value = self.object()?.get(name);
        Ok(value.map(|value| Place { at: self.inside(name), value }))
    }

    fn required(&self, name: &str) -> Result<Place<'v>, DcqlError> {
        let missing = || DcqlError::Malformed { at: self.inside(name), expected: "present" };
        self.member(name)?.ok_or_else(missing)
    }

    /// The entries of a list, of which there is at least one.
    fn list(&self, max: usize) -> Result<Vec<Place<'v>>, DcqlError> {
        let items = self.value.as_array().filter(|items| !items.is_empty());
        let items = items.ok_or_else(|| self.must_be("a list that is not empty"))?;
        if items.len() > max {
            return Err(DcqlError::TooMany { at: self.at.clone(), max });
        }
        let place = |(n, value)| Place { at: format!("{}[{n}]", self.at), value };
        Ok(items.iter().enumerate().map(place).collect())
    }

    fn text(&self) -> Result<&'v str, DcqlError> {
        self.value.as_str().ok_or_else(|| self.must_be("a text"))
    }

    fn flag(&self, name: &str, default: bool) -> Result<bool, DcqlError> {
        match self.member(name)? {
            None => Ok(default),
            Some(flag) => flag.value.as_bool().ok_or_else(|| flag.must_be("true or false")),
        }
    }

    /// The identifier that this states, if it states one.
    fn id(&self) -> Result<Option<String>, DcqlError> {
        let Some(id) = self.member("id")? else { return Ok(None) };
        let legal = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
        match id.value.as_str().filter(|id| !id.is_empty() && id.bytes().all(legal)) {
            Some(legal) => Ok(Some(legal.to_owned())),
            None => Err(DcqlError::Id(id.at)),
        }
    }
}
