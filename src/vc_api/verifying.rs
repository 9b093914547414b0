//! `POST /credentials/verify` and `POST /presentations/verify`.
//!
//! Nothing is kept. All six checks are made whatever the options ask for. What does not verify is answered with 400 and the
//! checks. A presentation is verified when its proof and every credential in it are; whether its holder is whom a credential
//! is about is told (`trusted_holder`) and left to the asker: the data model lets anybody present anything.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use knackmesh_protocol::{
    credential::{
        Check, Checks, Credential, Securing, Shown as How, Verdict, Verifier,
        data_integrity::{Binding, Purpose},
        meaning, presentation,
    },
    json,
    limits::PRESENTATION_BYTES_MAX,
};
use serde_json::{Value, json};

use super::{
    body::{Body, Options},
    issuing::says_what_it_means,
    knowledge::Shown,
    problem::Problem,
    server::{Api, json_answer},
};
use crate::node::now;

/// Verifies `verifiableCredential`.
pub(super) async fn verify_credential(State(api): State<Api>, body: Body) -> Result<Response, Problem> {
    of_credential(&api, body).await.map_err(Problem::unverified)
}

/// Verifies `verifiablePresentation`.
pub(super) async fn verify_presentation(State(api): State<Api>, body: Body) -> Result<Response, Problem> {
    of_presentation(&api, body).await.map_err(Problem::unverified)
}

async fn of_credential(api: &Api, mut body: Body) -> Result<Response, Problem> {
    let options = body.options()?;
    let value = body.take("verifiableCredential")?;
    // A credential is asserted; a proof for anything else says nothing of whether it is true.
    if options.purpose.is_some_and(|purpose| purpose != Purpose::Assertion) {
        let text = "the proof of a credential is for assertionMethod, and that was not expected";
        return Err(Problem::malformed("proof-wrong-purpose", text));
    }
    let shown = api.work.run(move || read_credential(&value)).await??;
    let (shown, trust) = (Arc::new(shown), Arc::new(api.sources.keeper.trust().await?));
    let known = api.sources.known(&shown, &trust).await;
    let work = move || match &*shown {
        Shown::Credential(credential) => {
            let binding = options.binding();
            judge(credential, &binding, &Verifier::new(now(), &trust).knowing(&known))
        }
        Shown::Presentation(_) => Err(Problem::internal("another thing was read")),
    };
    let (checks, Verdict { recognised, .. }) = api.work.run(work).await??;
    let body = json!({
        "verified": true, "recognised": recognised, "checks": checks, "problemDetails": [],
    });
    Ok(json_answer(StatusCode::OK, &body))
}

fn read_credential(value: &Value) -> Result<Shown, Problem> {
    let credential = match value {
        Value::String(token) => Credential::parse(token)?,
        Value::Object(_) => Credential::from_value(value.clone())?,
        _ => return Err(Problem::malformed("not-an-object", "`verifiableCredential` is not an object")),
    };
    Ok(Shown::Credential(Box::new(credential)))
}

/// The checks of a credential that is verified as a bare file.
fn judge(
    credential: &Credential,
    binding: &Binding<'_>,
    verifier: &Verifier<'_>,
) -> Result<(Checks, Verdict), Problem> {
    check_meaning(credential)?;
    let checks = credential.verify_bound(binding, verifier);
    let verdict = checks.verdict(How::File);
    if verdict.verified { Ok((checks, verdict)) } else { Err(Problem::not_verified(&checks)) }
}

/// Refuses a credential with terms that nothing defines. Where a context is not known that cannot be told; a signature that
/// depends on it says so itself.
fn check_meaning(credential: &Credential) -> Result<(), Problem> {
    match credential.securing() {
        Securing::DataIntegrity => match meaning::check(credential.document()) {
            Err(e) if !e.is_unsupported() => Err(e.into()),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

async fn of_presentation(api: &Api, mut body: Body) -> Result<Response, Problem> {
    let options = body.options()?;
    let text = match body.take("verifiablePresentation")? {
        Value::String(token) => token,
        document @ Value::Object(_) => document.to_string(),
        _ => return Err(Problem::malformed("not-an-object", "`verifiablePresentation` is not an object")),
    };
    let (shown, trust) = (Arc::new(Shown::Presentation(text)), Arc::new(api.sources.keeper.trust().await?));
    let known = api.sources.known(&shown, &trust).await;
    let work = move || match &*shown {
        Shown::Presentation(text) => {
            judge_presentation(text, &options, &Verifier::new(now(), &trust).knowing(&known))
        }
        Shown::Credential(_) => Err(Problem::internal("another thing was read")),
    };
    let body = api.work.run(work).await??;
    Ok(json_answer(StatusCode::OK, &body))
}

fn judge_presentation(text: &str, options: &Options, verifier: &Verifier<'_>) -> Result<Value, Problem> {
    let presented = presentation::verify(text, &options.expected(), verifier)?;
    // What a token says of itself means what its claims mean.
    if let Ok(Value::Object(document)) = json::parse(text, PRESENTATION_BYTES_MAX)
        && let Err(e) = says_what_it_means(&document)
        && !e.is_unsupported()
    {
        return Err(e.into());
    }
    let holder = json!(presented.holder());
    let mut recognised = true;
    let mut failed = None;
    let mut results = Vec::new();
    for (index, (credential, checks)) in presented.into_credentials().into_iter().enumerate() {
        check_meaning(&credential).map_err(|problem| problem.with("index", json!(index)))?;
        let bare = Checks { trusted_holder: Check::NotApplicable, ..checks.clone() };
        let verdict = bare.verdict(How::File);
        recognised &= verdict.recognised;
        if !verdict.verified && failed.is_none() {
            failed = Some((index, checks.clone()));
        }
        results.push(json!({
            "verified": verdict.verified, "recognised": verdict.recognised, "checks": checks,
        }));
    }
    match failed {
        Some((index, checks)) => Err(Problem::not_verified(&checks)
            .with("index", json!(index))
            .with("holder", holder)
            .with("credentialResults", json!(results))),
        None => Ok(json!({
            "verified": true,
            "recognised": recognised && !results.is_empty(),
            "holder": holder,
            "presentationResult": {"verified": true},
            "credentialResults": results,
            "problemDetails": [],
        })),
    }
}
