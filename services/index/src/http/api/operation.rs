//! One operation of the API: what it is called, what it takes and gives, and who does it.

use std::sync::Arc;

use axum::handler::Handler;
use axum::http::Method;
use axum::routing::{MethodFilter, MethodRouter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::super::Site;

type MakeSchema = fn(&mut SchemaGenerator) -> Schema;

/// The operation.
pub(super) struct Operation {
    pub(super) method: Method,
    path: &'static str,
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) query: &'static [(&'static str, &'static str)],
    pub(super) takes: Option<MakeSchema>,
    /// Without, it answers 204.
    pub(super) answers: Option<MakeSchema>,
    /// Whether its answer has a tag that a change can be guarded with.
    pub(super) has_tag: bool,
    /// Whether it minds `If-Match`.
    pub(super) is_guarded: bool,
    handler: MethodRouter<Arc<Site>>,
}

impl Operation {
    fn new<T: 'static>(
        method: Method,
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: impl Handler<T, Arc<Site>>,
    ) -> Operation {
        let filter = match method {
            Method::PUT => MethodFilter::PUT,
            Method::POST => MethodFilter::POST,
            Method::DELETE => MethodFilter::DELETE,
            _ => MethodFilter::GET,
        };
        let (query, takes, answers, has_tag, is_guarded) = (&[][..], None, None, false, false);
        let handler = on(filter, handler);
        Operation { method, path, name, summary, query, takes, answers, has_tag, is_guarded, handler }
    }

    pub(super) fn get<T: 'static>(
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: impl Handler<T, Arc<Site>>,
    ) -> Operation {
        Operation::new(Method::GET, path, name, summary, handler)
    }

    pub(super) fn put<T: 'static>(
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: impl Handler<T, Arc<Site>>,
    ) -> Operation {
        Operation::new(Method::PUT, path, name, summary, handler)
    }

    pub(super) fn post<T: 'static>(
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: impl Handler<T, Arc<Site>>,
    ) -> Operation {
        Operation::new(Method::POST, path, name, summary, handler)
    }

    pub(super) fn delete<T: 'static>(
        path: &'static str,
        name: &'static str,
        summary: &'static str,
        handler: impl Handler<T, Arc<Site>>,
    ) -> Operation {
        Operation::new(Method::DELETE, path, name, summary, handler)
    }

    /// It reads these of its query.
    pub(super) fn query(self, query: &'static [(&'static str, &'static str)]) -> Operation {
        Operation { query, ..self }
    }

    /// It reads a `T`.
    pub(super) fn takes<T: JsonSchema>(self) -> Operation {
        Operation { takes: Some(SchemaGenerator::subschema_for::<T>), ..self }
    }

    /// It answers with a `T`.
    pub(super) fn answers<T: JsonSchema>(self) -> Operation {
        Operation { answers: Some(SchemaGenerator::subschema_for::<T>), ..self }
    }

    /// Its answer has a tag.
    pub(super) fn tagged(self) -> Operation {
        Operation { has_tag: true, ..self }
    }

    /// It minds `If-Match`.
    pub(super) fn guarded(self) -> Operation {
        Operation { is_guarded: true, ..self }
    }

    /// Below the base, with its parameters in braces.
    pub(super) fn path(&self) -> &'static str {
        self.path
    }

    pub(super) fn into_handler(self) -> MethodRouter<Arc<Site>> {
        self.handler
    }
}
