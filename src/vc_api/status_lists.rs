//! `GET /status-lists/{name}`: this home's status lists, signed when they are asked for.

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use knackmesh_protocol::credential::Format;

use super::{keeper::mismatch, problem::Problem, server::Api};
use crate::control::{Exit, Reply, Request};

/// A status list, in the form that Open Badges certification and JSON-LD processors read.
pub(super) async fn status_list(
    State(api): State<Api>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let request = Request::StatusList { name, format: Format::Rdfc };
    match api.sources.keeper.ask(request).await {
        Ok(Reply::StatusList(text)) => Ok((
            StatusCode::OK,
            [(header::CONTENT_TYPE, "application/ld+json"), (header::CACHE_CONTROL, "no-cache")],
            text,
        )
            .into_response()),
        Ok(_) => Err(mismatch().into()),
        Err(e) if e.exit == Exit::Failed => Err(Problem::http(StatusCode::NOT_FOUND, "Not found", e.message)),
        Err(e) => Err(e.into()),
    }
}
