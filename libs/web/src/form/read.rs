//! A form's body.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use opsctl_http::HttpError;

use super::{Form, MAX_FIELDS};
use crate::front::fields::Kind;

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = HttpError;

    async fn from_request(request: Request, state: &S) -> Result<Self, HttpError> {
        if Kind::of(request.headers()) != Some(Kind::UrlEncoded) {
            let message = "the body must be `application/x-www-form-urlencoded`";
            return Err(HttpError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        let refused = |rejection: axum::extract::rejection::BytesRejection| {
            HttpError::new(rejection.status(), "the form is too large, or did not come to its end").caused_by(rejection)
        };
        let body = Bytes::from_request(request, state).await.map_err(refused)?;
        if form_urlencoded::parse(&body).nth(MAX_FIELDS).is_some() {
            let message = format!("the form has more than {MAX_FIELDS} fields");
            return Err(HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        Ok(Self::from_pairs(form_urlencoded::parse(&body)))
    }
}
