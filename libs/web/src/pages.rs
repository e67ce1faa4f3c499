//! The templates of a service and what they are rendered in.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::VARY;
use http::{HeaderMap, HeaderValue};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior, context};
use opsctl_http::{ErrorPage, Problem, XHTML, negotiate};
use opsctl_logging::chain;
use serde::Serialize;
use tracing::error;

use crate::assets::{ICON_PATH, SCRIPT_PATH, STYLE_PATH};
use crate::folder::{self, Found};
use crate::{Error, Page, TemplateFault, Visit, functions};

const JSON: &str = "application/json";
const HTML: &str = "text/html";

/// The shell, which pages extend and import from.
const SHELL: &[(&str, &str)] = &[
    ("shell.html", include_str!("templates/shell.html")),
    ("parts.html", include_str!("templates/parts.html")),
    ("error.html", include_str!("templates/error.html")),
    ("confirm.html", include_str!("templates/confirm.html")),
];

/// A link in the header of every page; the page whose context has `current` equal to `href` is marked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Where it goes.
    pub href: String,
    /// What it says.
    pub label: String,
}

impl Link {
    /// A link to `href` that reads `label`.
    pub fn new(href: impl Into<String>, label: impl Into<String>) -> Self {
        Self { href: href.into(), label: label.into() }
    }
}

/// What templates see as `site`.
#[derive(Debug, Clone, Serialize)]
struct Site {
    product: &'static str,
    version: &'static str,
    service: &'static str,
    nav: Vec<Link>,
    style: &'static str,
    script: &'static str,
    icon: &'static str,
}

/// The templates of a service. Cheap to clone.
///
/// They are written for minijinja (Jinja2's language); values are escaped, an undefined one is an error. A page says
/// `{% extends "shell.html" %}` and fills the blocks `title` and `main`.
#[derive(Clone)]
pub struct Pages(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    templates: Environment<'static>,
    site: Site,
    faults: Vec<TemplateFault>,
}

impl Pages {
    /// The shell alone.
    #[must_use]
    pub fn new() -> Self {
        let mut templates = Environment::new();
        // a typing error in a template must not pass for an empty value
        templates.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        // lines that hold only a tag leave no blank lines; it is the default delimiters that are built, which cannot fail
        if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
            templates.set_syntax(syntax);
        }
        functions::add_to(&mut templates);
        let site = Site {
            product: "opsctl",
            version: env!("CARGO_PKG_VERSION"),
            service: "",
            nav: Vec::new(),
            style: &STYLE_PATH,
            script: &SCRIPT_PATH,
            icon: &ICON_PATH,
        };
        let mut inner = Inner { templates, site, faults: Vec::new() };
        for (name, source) in SHELL {
            inner.add(name, source, name.into());
        }
        inner.publish();
        Self(Arc::new(inner))
    }

    /// The service's name, shown in the header and in titles.
    #[must_use]
    pub fn service(self, name: &'static str) -> Self {
        self.change(|inner| inner.site.service = name)
    }

    /// The links in the header.
    #[must_use]
    pub fn nav(self, links: impl IntoIterator<Item = Link>) -> Self {
        self.change(|inner| inner.site.nav = links.into_iter().collect())
    }

    /// Adds a template, replacing one of the same name. A fault in it is kept for [`Self::faults`].
    #[must_use]
    pub fn add(self, name: &str, source: &str) -> Self {
        self.change(|inner| inner.add(name, source, name.into()))
    }

    /// The `.html` files in `folder` win over templates of the same name that were added before: `finger/list.html` is
    /// replaced by a file of that path in the folder, or by `list.html`. They are read now, and not again; faults are
    /// kept for [`Self::faults`], and a faulty file replaces nothing.
    #[must_use]
    pub fn override_dir(self, folder: Option<PathBuf>) -> Self {
        let Some(folder) = folder else { return self };
        self.change(|inner| {
            let (found, faults) = folder::read(&folder);
            inner.faults.extend(faults);
            for template in &found {
                inner.replace(template);
            }
        })
    }

    /// What is wrong with the templates added so far.
    #[must_use]
    pub fn faults(&self) -> &[TemplateFault] {
        &self.0.faults
    }

    /// The page that the template `name` makes of `context`.
    ///
    /// # Errors
    /// There is no such template, or it has a fault, or uses what `context` does not have.
    pub fn render(&self, name: &str, context: impl Serialize) -> Result<Page, Error> {
        self.make(name, context! { visit => (), ..Value::from(Serde(context)) })
    }

    /// As [`Self::render`], for one request: the page knows where it is, who reads it and what just happened, and can
    /// have forms. Templates see it as `visit`.
    ///
    /// # Errors
    /// As with [`Self::render`].
    pub fn show(&self, visit: &Visit, name: &str, context: impl Serialize) -> Result<Page, Error> {
        self.make(name, context! { visit => visit.value(), ..Value::from(Serde(context)) })
    }

    /// One representation for all: JSON of `context` for programs, the page that the template makes of it for browsers.
    /// A client that does not say what it wants is no browser.
    ///
    /// # Errors
    /// As with [`Self::render`].
    pub fn represent(
        &self,
        visit: &Visit,
        headers: &HeaderMap,
        name: &str,
        context: impl Serialize,
    ) -> Result<Response, Error> {
        if wants_page(headers) {
            return Ok(self.show(visit, name, context)?.respond(headers));
        }
        let mut response = Json(context).into_response();
        response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
        Ok(response)
    }

    fn make(&self, name: &str, context: Value) -> Result<Page, Error> {
        let template = self.0.templates.get_template(name);
        let text = template.and_then(|template| template.render(context));
        text.map(Page::new).map_err(|source| Error::Render { name: name.to_owned(), source })
    }

    /// Error pages that look like the others, for [`opsctl_http::Site::error_page`].
    #[must_use]
    pub fn error_page(&self) -> ErrorPage {
        let pages = self.clone();
        Arc::new(move |problem: &Problem<'_>| {
            let Problem { status, message, request_id } = *problem;
            let status = status.as_u16();
            let context = context! { status, title => problem.title(), message, request_id };
            match pages.render("error.html", context) {
                Ok(page) => Some(page.into()),
                // a user's own template can have this fault; the client gets the built-in page
                Err(fault) => {
                    error!(error = %chain(&fault), "failed to render an error page");
                    None
                }
            }
        })
    }

    fn change(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        change(inner);
        inner.publish();
        self
    }
}

/// Whether [`Pages::represent`] answers a request with these headers with a page.
#[must_use]
pub fn wants_page(headers: &HeaderMap) -> bool {
    matches!(negotiate(headers, &[JSON, XHTML, HTML]), Some(XHTML | HTML))
}

impl Inner {
    fn add(&mut self, name: &str, source: &str, file: PathBuf) {
        if let Err(error) = self.templates.add_template_owned(name.to_owned(), source.to_owned()) {
            self.faults.push(TemplateFault::syntax(file, source, &error));
        }
    }

    /// Puts a user's template in place of those it is named after.
    fn replace(&mut self, Found { name, path, source }: &Found) {
        let known: Vec<String> = self.templates.templates().map(|(name, _)| name.to_owned()).collect();
        let namesake = |known: &&String| known.rsplit_once('/').is_some_and(|(_, last)| last == name);
        let before = self.faults.len();
        self.add(name, source, path.clone());
        if self.faults.len() == before {
            for known in known.iter().filter(namesake) {
                self.add(known, source, path.clone());
            }
        }
    }

    fn publish(&mut self) {
        self.templates.add_global("site", Value::from(Serde(&self.site)));
    }
}

impl Default for Pages {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.templates.templates().map(|(name, _)| name).collect();
        f.debug_struct("Pages").field("templates", &names).field("faults", &self.0.faults).finish_non_exhaustive()
    }
}
