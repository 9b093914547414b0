//! `POST /credentials/issue` and `POST /presentations/issue`.
//!
//! What is signed has been looked at before: its structure, and that each of its terms is defined, whatever the form of the
//! signature. The issuer that a document names must be one, and this home's DID takes its place: there is no other key here.

use axum::{extract::State, http::StatusCode, response::Response};
use knackmesh_protocol::{
    credential::{Credential, Format, IssuanceError, issuing, meaning, presentation},
    rdf::RdfError,
};
use serde_json::{Map, Value, json};

use super::{
    body::{Body, Options},
    keeper::mismatch,
    problem::Problem,
    server::{Api, Profile, json_answer},
};
use crate::control::{PresentOrder, Reply, Request, SignOrder};

/// Signs `credential`.
pub(super) async fn issue(State(api): State<Api>, body: Body) -> Result<Response, Problem> {
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
            if format != Format::VcJwt {
                issuing::define_proofs(&mut document);
            }
            Ok::<_, IssuanceError>(document)
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
    let signed =
        api.work.run(move || Credential::parse(&text).map(|signed| presentation::embed(&signed))).await??;
    Ok(json_answer(StatusCode::CREATED, &json!({"verifiableCredential": signed})))
}

/// Signs `presentation`, as its holder.
pub(super) async fn present(State(api): State<Api>, body: Body) -> Result<Response, Problem> {
    let mut body = body;
    let options = body.options()?;
    let document = body.take_object("presentation")?;
    if document.contains_key("proof") {
        return Err(Problem::malformed("signed-already", "`presentation` has a proof already"));
    }
    let document = api.work.run(move || says_what_it_means(&document).map(|()| document)).await??;
    let Options { challenge, domain, .. } = options;
    let order = PresentOrder { document, format: api.profile.format, challenge, domain };
    let Reply::Presented(text) = api.sources.keeper.ask(Request::Present(order)).await? else {
        return Err(mismatch().into());
    };
    let signed = presentation::embed_text(&text)?;
    Ok(json_answer(StatusCode::CREATED, &json!({"verifiablePresentation": signed})))
}

/// Whether a presentation means all that it says itself; the credentials in it are others' to answer for.
pub(super) fn says_what_it_means(document: &Map<String, Value>) -> Result<(), RdfError> {
    let mut own = document.clone();
    own.shift_remove("verifiableCredential");
    meaning::check(&own)
}
