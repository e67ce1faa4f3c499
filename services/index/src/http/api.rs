//! `/api/v1/…`: the same for programs that the pages are for people, and `/openapi.json`, which says what there is.
//!
//! One table has all operations; the router and the document are made of it, so neither knows what the other does not.
//! Answers are JSON, or a page of the same for a browser; errors are problems as of RFC 9457. What is changed can be
//! guarded: the tag of a project, or of a decision, names the last change that was made to it, and with `If-Match` nothing
//! is done if there was another since (412).

mod answer;
mod changes;
mod document;
mod files;
mod operation;
mod origins;
mod projects;
mod views;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::routing::get;

pub(super) use self::answer::PAGE;
use self::operation::Operation;
use self::views::{
    ChangePage, Decisions, File, Files, Index, Project, ProjectPage, Promote, Promoted, Removed, Status, Yank, Yanked,
};
use super::Site;
use crate::records::{Decision, Reserved};

/// Where the operations' paths begin.
const BASE: &str = "/api/v1";
const PROJECTS: &str = "/indexes/{index}/projects";
const PROJECT: &str = "/indexes/{index}/projects/{project}";
const STATUS: &str = "/indexes/{index}/projects/{project}/status";
const RELEASE: &str = "/indexes/{index}/projects/{project}/releases/{version}";
const RELEASE_YANKED: &str = "/indexes/{index}/projects/{project}/releases/{version}/yanked";
const PROMOTE: &str = "/indexes/{index}/projects/{project}/releases/{version}/promote";
const FILES: &str = "/indexes/{index}/projects/{project}/files";
const FILE: &str = "/indexes/{index}/projects/{project}/files/{file}";
const FILE_YANKED: &str = "/indexes/{index}/projects/{project}/files/{file}/yanked";
const CHANGES: &str = "/indexes/{index}/changes";
const ORIGINS: &str = "/origins";
const ORIGIN: &str = "/origins/{project}";
const RESERVATIONS: &str = "/reservations";
const RESERVATION: &str = "/reservations/{pattern}";

/// All that can be done.
fn operations() -> Vec<Operation> {
    of_projects().into_iter().chain(of_files()).chain(of_all()).collect()
}

/// Indexes, projects and releases.
fn of_projects() -> Vec<Operation> {
    vec![
        Operation::get("/indexes", "listIndexes", "The indexes that have files of their own", projects::indexes)
            .answers::<Vec<Index>>(),
        Operation::get(PROJECTS, "listProjects", "Projects by name; goes on behind the name `after`", projects::list)
            .query(&[("after", "A normalised name"), ("rows", "How many at most, up to 1000")])
            .answers::<ProjectPage>(),
        Operation::get(PROJECT, "getProject", "A project and its files", projects::one).answers::<Project>().tagged(),
        Operation::delete(PROJECT, "removeProject", "Removes all files of a project for good", files::remove)
            .answers::<Removed>()
            .guarded(),
        Operation::get(STATUS, "getStatus", "How a project is (PEP 792)", projects::status)
            .answers::<Status>()
            .tagged(),
        Operation::put(STATUS, "setStatus", "Says how a project is", projects::set_status)
            .takes::<Status>()
            .answers::<Status>()
            .guarded(),
        Operation::delete(STATUS, "clearStatus", "Says nothing of a project any more: it is active", projects::clear)
            .guarded(),
        Operation::get(RELEASE, "getRelease", "The files of a release", files::of_release).answers::<Files>().tagged(),
        Operation::delete(RELEASE, "removeRelease", "Removes the files of a release for good", files::remove)
            .answers::<Removed>()
            .guarded(),
        Operation::put(RELEASE_YANKED, "yankRelease", "Withdraws a release (PEP 592)", files::yank)
            .takes::<Yank>()
            .answers::<Yanked>()
            .guarded(),
        Operation::delete(RELEASE_YANKED, "unyankRelease", "Takes that back", files::unyank)
            .answers::<Yanked>()
            .guarded(),
        Operation::post(
            PROMOTE,
            "promoteRelease",
            "Copies a release to another index, all of it or nothing",
            files::promote,
        )
        .takes::<Promote>()
        .answers::<Promoted>(),
    ]
}

/// Files.
fn of_files() -> Vec<Operation> {
    vec![
        Operation::get(FILES, "listFiles", "The files of a project", files::list).answers::<Files>().tagged(),
        Operation::get(FILE, "getFile", "A file", files::one).answers::<File>().tagged(),
        Operation::delete(
            FILE,
            "removeFile",
            "Removes a file for good; its name stays bound to its bytes",
            files::remove,
        )
        .answers::<Removed>()
        .guarded(),
        Operation::put(FILE_YANKED, "yankFile", "Withdraws a file", files::yank)
            .takes::<Yank>()
            .answers::<Yanked>()
            .guarded(),
        Operation::delete(FILE_YANKED, "unyankFile", "Takes that back", files::unyank).answers::<Yanked>().guarded(),
    ]
}

/// What happened, and what holds in all indexes.
fn of_all() -> Vec<Operation> {
    vec![
        Operation::get(
            CHANGES,
            "listChanges",
            "What happened, the newest first; goes on behind the number `after`",
            changes::list,
        )
        .query(&[
            ("project", "A project, or the pattern of a reservation"),
            ("actor", "A user, whichever token was used"),
            ("action", "What was done"),
            ("after", "The number of a change"),
            ("rows", "How many at most, up to 500"),
        ])
        .answers::<ChangePage>(),
        Operation::get(ORIGINS, "listOrigins", "Decisions about where names come from", origins::list)
            .query(&[("q", "A part of the name"), ("page", "From 1"), ("rows", "How many at most, up to 1000")])
            .answers::<Decisions>(),
        Operation::get(ORIGIN, "getOrigin", "What was decided about a name", origins::one)
            .answers::<Decision>()
            .tagged(),
        Operation::put(ORIGIN, "setOrigin", "Decides where a name comes from, in all indexes", origins::decide)
            .takes::<views::Origin>()
            .answers::<Decision>()
            .guarded(),
        Operation::delete(ORIGIN, "clearOrigin", "Takes a decision back", origins::clear).guarded(),
        Operation::get(
            RESERVATIONS,
            "listReservations",
            "Names that are never taken from an upstream",
            origins::reservations,
        )
        .answers::<Vec<Reserved>>(),
        Operation::put(RESERVATION, "reserve", "Reserves `acme`, or `acme-*` and all below it", origins::reserve),
        Operation::delete(RESERVATION, "unreserve", "Gives a reservation up", origins::unreserve),
    ]
}

/// The paths of all operations, and of the document.
pub(super) fn router() -> Router<Arc<Site>> {
    let begin = Router::new().route("/openapi.json", get(document::page));
    operations().into_iter().fold(begin, |router, operation| {
        let path = format!("{BASE}{}", operation.path());
        router.route(&path, operation.into_handler())
    })
}

/// The document's text, made once.
fn openapi() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| document::write(operations()).to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_stands_in_the_document_once() {
        let document: serde_json::Value = serde_json::from_str(openapi()).unwrap();
        let mut names = BTreeSet::new();
        for operation in operations() {
            let described = &document["paths"][operation.path()][operation.method.as_str().to_ascii_lowercase()];
            assert_eq!(described["operationId"], operation.name);
            assert!(names.insert(operation.name), "{} is there twice", operation.name);
            let parts = operation.path().matches('{').count();
            let known = document["paths"][operation.path()]["parameters"].as_array().map_or(0, Vec::len);
            assert_eq!(parts, known, "{}: a part that is not described", operation.path());
        }
        assert!(names.len() > 20);
        let text = openapi();
        for schema in text.split("\"#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(document["components"]["schemas"][schema].is_object(), "{schema}");
        }
    }
}
