//! `POST /credentials/issue` and `POST /presentations/issue`.
//!
//! What is signed has been looked at before: its structure, and that each of its terms is defined, whatever the form of the
//! signature. The issuer that a document names must be one, and this home's DID takes its place: there is no other key here.

use axum::{extract::State, http::StatusCode, response::Response};
use knackmesh_protocol::{
    credential::{Format, data_integrity::Purpose, enveloped, issuing, meaning},
    json,
    limits::{CREDENTIAL_BYTES_MAX, PRESENTATION_BYTES_MAX},
};
use serde_json::{Map, Value, json};

use super::{
    body::Body,
    keeper::mismatch,
    problem::Problem,
    server::{Api, Profile, json_answer},
};
use crate::control::{PresentOrder, Reply, Request, SignOrder};

/// Signs `credential`.
pub(super) async fn credential(State(api): State<Api>, body: Body) -> Result<Response, Problem> {
    let mut body = body;
    let Profile { format, status, .. } = *api.profile;
    body.options()?;
    let mut document = body.take_object("credential")?;
    if document.contains_key("proof") {
        return Err(Problem::malformed("signed-already", "`credential` has a proof already"));
    }
    let did = api.did.clone();
    let document = api
        .work
        .run(move || {
            issuing::check(&document)?;
            issuing::name_issuer(&mut document, &did);
            Ok::<_, issuing::IssuanceError>(document)
        })
        .await??;
    let order = SignOrder {
        document,
        format,
        algorithm: None,
        status,
        status_url: status.then(|| api.status_url.as_ref().clone()),
    };
    let Reply::Issued(text) = api.sources.keeper.ask(Request::Sign(order)).await? else {
        return Err(mismatch().into());
    };
    let signed = match format {
        Format::Jcs | Format::Rdfc => json::parse(&text, CREDENTIAL_BYTES_MAX)?,
        Format::VcJwt => enveloped::credential("application/vc+jwt", &text),
        Format::SdJwt => enveloped::credential("application/dc+sd-jwt", &text),
    };
    Ok(json_answer(StatusCode::CREATED, &json!({"verifiableCredential": signed})))
}

/// Signs `presentation`, as its holder.
pub(super) async fn presentation(State(api): State<Api>, body: Body) -> Result<Response, Problem> {
    let mut body = body;
    let options = body.options()?;
    let document = body.take_object("presentation")?;
    let document = api.work.run(move || says_what_it_means(&document).map(|()| document)).await??;
    let binding = options.binding(Purpose::Authentication);
    let order = PresentOrder {
        document,
        // A presentation in a token is not made here; its proof is one over JSON then.
        format: if api.profile.format == Format::Rdfc { Format::Rdfc } else { Format::Jcs },
        purpose: binding.purpose.name().to_owned(),
        challenge: options.challenge,
        domain: options.domain,
    };
    let Reply::Presented(text) = api.sources.keeper.ask(Request::Present(order)).await? else {
        return Err(mismatch().into());
    };
    let signed = json::parse(&text, PRESENTATION_BYTES_MAX)?;
    Ok(json_answer(StatusCode::CREATED, &json!({"verifiablePresentation": signed})))
}

/// Whether a presentation means all that it says itself; the credentials in it are others' to answer for.
pub(super) fn says_what_it_means(document: &Map<String, Value>) -> Result<(), knackmesh_protocol::rdf::RdfError> {
    let mut own = document.clone();
    own.shift_remove("verifiableCredential");
    meaning::check(&own)
}
