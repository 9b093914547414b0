//! Trust lists in files: signed ones, and those that `knack trust list --json` prints.

use knackmesh_protocol::{
    credential::{
        Check, CheckName, Checks, Credential, TrustEntry, TrustList, Verifier,
        followed::FollowedList,
        import::{self, Form},
    },
    json,
    key::Did,
    limits::IMPORT_BYTES_MAX,
    text::shown,
    time::Timestamp,
};

use super::{Asker, gather, needs_of};
use crate::{
    control::{Exit, Refusal},
    report::{TrustRow, VoucherRow},
};

/// The list in a text. A signed one counts only when it is verified; whether to follow its keeper, who names it decides.
///
/// # Errors
/// [`Refusal`] when it is no list, or does not verify.
pub async fn trust_list(text: &str, now: Timestamp, asker: &Asker<'_>) -> Result<Vec<TrustRow>, Refusal> {
    if let Ok(Form::Credential(credential)) = import::form(text) {
        return signed(*credential, now, asker).await;
    }
    let rows = json::parse(text, IMPORT_BYTES_MAX).ok();
    let rows: Option<Vec<TrustRow>> = rows.and_then(|value| serde_json::from_value(value).ok());
    let rows = rows.ok_or_else(|| {
        Refusal::new(
            Exit::Failed,
            "--trust: no trust list",
            "name a list that `knack trust export` signed, or a file with what `knack trust list --json` prints",
        )
    })?;
    // Nobody signed what the file says of where it is from.
    let plain = |row: TrustRow| {
        let name = row.name.map(|name| shown(&name));
        TrustRow { name, own: false, from: Vec::new(), ..row }
    };
    Ok(rows.into_iter().map(plain).collect())
}

/// The list that rows state.
///
/// # Errors
/// [`Refusal`] when they are too many.
pub fn listed(rows: Vec<TrustRow>) -> Result<TrustList, Refusal> {
    let mut trust = TrustList::default();
    for TrustRow { issuer, name, distrusted, skills, .. } in rows {
        trust.add(issuer, TrustEntry { name, distrusted, skills }).map_err(|e| {
            Refusal::new(Exit::Refused, e.to_string(), "remove issuers that you no longer need")
        })?;
    }
    Ok(trust)
}

/// What a list that is followed says of an issuer.
pub fn voucher(list: &FollowedList, entry: &TrustEntry) -> VoucherRow {
    VoucherRow {
        keeper: list.keeper.clone(),
        list: list.name.clone(),
        signed: list.signed,
        imported: list.taken,
        distrusted: entry.distrusted,
        skills: entry.skills.clone(),
    }
}

/// Why a list is not verified. Whether its keeper is on a list itself is no matter, nor who holds it.
pub fn why_unverified(checks: &Checks) -> String {
    let matters = |name: CheckName| {
        let is_good = matches!(checks.get(name), Check::Pass | Check::NotApplicable);
        !is_good && !matches!(name, CheckName::TrustedIssuer | CheckName::TrustedHolder)
    };
    let reasons = checks.reasons.iter().filter(|(name, _)| matters(**name));
    reasons.map(|(_, reason)| reason.text.as_str()).collect::<Vec<_>>().join("; ")
}

async fn signed(credential: Credential, now: Timestamp, asker: &Asker<'_>) -> Result<Vec<TrustRow>, Refusal> {
    let nobody = TrustList::default();
    let verifier = Verifier::new(now, &nobody);
    let credentials = [credential];
    let known = gather(&needs_of(&credentials), &verifier, asker).await;
    let [credential] = credentials;
    let verified = credential.verified(&verifier.knowing(&known)).map_err(|checks| {
        Refusal::new(
            Exit::NotVerified,
            format!("--trust: the list is not verified: {}", why_unverified(&checks)),
            "ask its keeper for the list as it was signed; `knack verify FILE` shows every check",
        )
    })?;
    let list = FollowedList::of(&verified, now).map_err(|e| {
        Refusal::new(Exit::Failed, format!("--trust: {e}"), "name a trust list, not another credential")
    })?;
    let row = |(issuer, entry): (&Did, &TrustEntry)| {
        let TrustEntry { name, distrusted, skills } = entry.clone();
        let from = vec![voucher(&list, entry)];
        TrustRow { issuer: issuer.clone(), name, distrusted, skills, own: false, from }
    };
    Ok(list.list.iter().map(row).collect())
}
