//! A site that has every part of the shell, for the browser tests and for those who want to see it:
//! `cargo run -p opsctl-web --example gallery`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::{HeaderMap, Method, StatusCode};
use opsctl_http::{Activated, Endpoint, HttpError, Limits, Site, serve};
use opsctl_web::plot::{self, Unit};
use opsctl_web::{Confirm, Form, Front, Key, Link, Markup, Pages, Slice, Sort, Tone, UserMenu, Visit, assets};
use serde::Serialize;

/// Every page without an error.
pub(crate) const ADDRESSES: &[&str] =
    &["/", "/forms", "/table", "/table?page=3&sort=-size", "/empty", "/jobs", "/plots", "/prose", "/delete", "/login"];

#[derive(Clone)]
struct Gallery {
    pages: Pages,
    asked: Arc<AtomicU64>,
}

/// A row of the table.
#[derive(Serialize)]
struct File {
    name: String,
    size: u64,
    time: u64,
    state: &'static str,
}

#[derive(Serialize)]
struct Table {
    files: Vec<File>,
    sort: Sort,
    paging: opsctl_web::Paging,
}

#[derive(Serialize)]
struct Filled<'a> {
    f: &'a Form,
    method: String,
}

/// Serves until the runtime ends.
pub(crate) fn start(runtime: &tokio::runtime::Handle) -> SocketAddr {
    let endpoint: Endpoint = "127.0.0.1:0".parse().unwrap();
    let socket = endpoint.bind(&Activated::none()).unwrap();
    let address = socket.local().socket_addr().unwrap();
    let spawner = runtime.clone();
    runtime.spawn(async move {
        let listener = socket.listener().unwrap();
        let pages = pages();
        let site = Site::new(router(&pages)).error_page(pages.error_page());
        let spawn = Arc::new(move |task| drop(spawner.spawn(task)));
        serve(listener, site, Limits::default(), spawn, std::future::pending()).await.unwrap();
    });
    address
}

fn pages() -> Pages {
    let nav = ["/", "/forms", "/table", "/plots", "/prose", "/jobs"]
        .map(|href| Link::new(href, href.trim_start_matches('/')));
    let nav = nav.map(|link| if link.label.is_empty() { Link::new("/", "parts") } else { link });
    let pages = Pages::new()
        .service("gallery")
        .nav(nav)
        .add("parts.page.html", include_str!("gallery/parts.html"))
        .add("forms.page.html", include_str!("gallery/forms.html"))
        .add("table.page.html", include_str!("gallery/table.html"))
        .add("plots.page.html", include_str!("gallery/plots.html"))
        .add("prose.page.html", include_str!("gallery/prose.html"))
        .add("jobs.page.html", include_str!("gallery/jobs.html"))
        .add("login.page.html", include_str!("gallery/login.html"));
    assert_eq!(pages.faults(), []);
    pages
}

fn router(pages: &Pages) -> Router {
    let gallery = Gallery { pages: pages.clone(), asked: Arc::default() };
    let router = Router::new()
        .route(
            "/",
            get(async |State(gallery): State<Gallery>, visit: Visit, headers: HeaderMap| {
                gallery.show(&visit, &headers, "parts.page.html", ())
            }),
        )
        .route("/forms", get(forms).post(save).put(save).delete(save))
        .route("/table", get(table))
        .route("/empty", get(table))
        .route("/jobs", get(jobs))
        .route("/plots", get(plots))
        .route("/prose", get(prose))
        .route("/delete", get(ask).delete(delete))
        .route("/upload", axum::routing::post(upload))
        .route("/login", get(login_form).post(login))
        .with_state(gallery)
        .merge(assets());
    Front::new(&Key::new([7; 32])).around(router)
}

impl Gallery {
    fn show(
        &self,
        visit: &Visit,
        headers: &HeaderMap,
        name: &str,
        context: impl Serialize,
    ) -> Result<Response, HttpError> {
        if visit.path() != "/login" {
            let menu = UserMenu::user("moshez").link(Link::new("/", "Account")).link(Link::new("/table", "Tokens"));
            visit.set_user(menu.logout("/login"));
        } else {
            visit.set_user(UserMenu::anonymous(Link::new("/login", "Log in")));
        }
        Ok(self.pages.show(visit, name, context)?.respond(headers))
    }
}

async fn forms(
    State(gallery): State<Gallery>,
    visit: Visit,
    headers: HeaderMap,
    method: Method,
) -> Result<Response, HttpError> {
    let form = Form::new().with("kind", "merge").with("notes", "");
    gallery.show(&visit, &headers, "forms.page.html", Filled { f: &form, method: method.to_string() })
}

async fn save(
    State(gallery): State<Gallery>,
    visit: Visit,
    headers: HeaderMap,
    method: Method,
    mut form: Form,
) -> Result<Response, HttpError> {
    let name = form.required::<String>("name");
    let days = form.optional::<u8>("keep_days");
    let kind = form.one_of("kind", &["internal", "merge", "blocked"]);
    let notes = form.text("notes", 200);
    if name.as_deref() == Ok("taken") {
        form.refuse("name", "is taken by another project");
    }
    if let (Ok(name), Ok(_), Ok(_), Ok(_), true) = (name, days, kind, notes, form.is_valid()) {
        visit.flash(Tone::Ok, format!("{name} was saved by {method}"));
        return Ok(Redirect::to("/table").into_response());
    }
    let mut response =
        gallery.show(&visit, &headers, "forms.page.html", Filled { f: &form, method: method.to_string() })?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}

async fn table(State(gallery): State<Gallery>, visit: Visit, headers: HeaderMap) -> Result<Response, HttpError> {
    let sort = Sort::read(visit.query(), &["name", "size", "time"]);
    let slice = Slice::read(visit.query(), 10);
    let states = ["ok", "degraded", "failed", "stopped", "info"];
    let count: u64 = if visit.path() == "/empty" { 0 } else { 47 };
    let mut files: Vec<_> = (0..count)
        .map(|number| File {
            name: format!("zope.interface-{}.{}.0-cp311-cp311-manylinux_2_17_x86_64.whl", number % 7, number),
            size: (number + 1).pow(5) * 371 % 90_000_000,
            time: 1_700_000_000_000_000 + number * 86_400_000_000 * 9,
            state: states[usize::try_from(number % 5).unwrap()],
        })
        .collect();
    match sort.key() {
        "size" => files.sort_by_key(|file| file.size),
        "time" => files.sort_by_key(|file| file.time),
        _ => files.sort_by(|a, b| a.name.cmp(&b.name)),
    }
    if sort.is_descending() {
        files.reverse();
    }
    let skip = usize::try_from(slice.offset()).unwrap();
    let files = files.into_iter().skip(skip).take(usize::try_from(slice.limit()).unwrap()).collect();
    let paging = slice.paging(&visit, count);
    gallery.show(&visit, &headers, "table.page.html", Table { files, sort, paging })
}

async fn jobs(State(gallery): State<Gallery>, visit: Visit, headers: HeaderMap) -> Result<Response, HttpError> {
    #[derive(Serialize)]
    struct Jobs {
        asked: u64,
    }
    let asked = gallery.asked.fetch_add(1, Ordering::Relaxed);
    gallery.show(&visit, &headers, "jobs.page.html", Jobs { asked })
}

async fn plots(State(gallery): State<Gallery>, visit: Visit, headers: HeaderMap) -> Result<Response, HttpError> {
    #[derive(Serialize)]
    struct Plots {
        downloads: Markup,
        storage: Markup,
        weekdays: Markup,
        load: Markup,
        small: Vec<Markup>,
    }
    let day = |number: i32| 1_760_000_000.0 + f64::from(number) * 86400.0;
    let wave = |number: i32| (f64::from(number) / 9.0).sin().mul_add(400.0, 500.0) + f64::from(number * 37 % 91);
    let downloads = plot::line("Downloads a day")
        .series("wheels", (0..120).map(|n| (day(n), wave(n))))
        .series("source archives", (0..120).map(|n| (day(n), if n % 40 == 39 { f64::NAN } else { wave(n + 20) / 3.0 })))
        .x(Unit::Time);
    let storage = plot::area("Stored").series("bytes", (0..60).map(|n| (day(n * 6), f64::from(n * n + 90) * 6e6)));
    let weekdays = plot::bar("Uploads")
        .series(
            "people",
            [3.0, 8.0, 5.0, 9.0, 7.0, 1.0, 0.0]
                .into_iter()
                .enumerate()
                .map(|(n, y)| (f64::from(u8::try_from(n).unwrap()), y)),
        )
        .series("robots", (0..7).map(|n| (f64::from(n), f64::from(n % 4 + 2))))
        .labels(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]);
    let load = plot::area("CPU").y(Unit::Percent).x(Unit::Time);
    let load = (0..6_i32).fold(load, |plot, s| {
        plot.series(
            &format!("host-{s}"),
            (0..90).map(|n| {
                (1_764_079_389.0 + f64::from(n) * 60.0, (wave(n * (s + 2)) / 12.0 + f64::from(s)).clamp(0.0, 100.0))
            }),
        )
    });
    let small = ["a.example", "b.example", "c.example"].map(|name| {
        plot::line(name)
            .series("latency", (0..50).map(|n| (f64::from(n), wave(n) / 3000.0)))
            .y(Unit::Seconds)
            .small()
            .render()
    });
    let context = Plots {
        downloads: downloads.render(),
        storage: storage.x(Unit::Time).y(Unit::Bytes).render(),
        weekdays: weekdays.render(),
        load: load.render(),
        small: small.into(),
    };
    gallery.show(&visit, &headers, "plots.page.html", context)
}

async fn prose(State(gallery): State<Gallery>, visit: Visit, headers: HeaderMap) -> Result<Response, HttpError> {
    #[derive(Serialize)]
    struct Prose {
        readme: Markup,
        plain: Markup,
    }
    let readme = opsctl_web::markdown(include_str!("gallery/readme.md"));
    let plain = opsctl_web::readme("text/x-rst", "Heading\n=======\n\nSee https://docs.example/ and ``code``.\n");
    gallery.show(&visit, &headers, "prose.page.html", Prose { readme, plain })
}

fn question() -> Confirm {
    Confirm::new("Delete zope.interface?", &Method::DELETE, "/delete", "/table")
        .consequence("All 47 files of 12 releases go with it.")
        .consequence("The name stays taken: nobody can upload other files under it.")
        .label("Delete")
        .typed("zope.interface")
}

async fn ask(State(gallery): State<Gallery>, visit: Visit, headers: HeaderMap) -> Result<Response, HttpError> {
    Ok(gallery.pages.confirm(&visit, &question(), &Form::new())?.respond(&headers))
}

async fn delete(
    State(gallery): State<Gallery>,
    visit: Visit,
    headers: HeaderMap,
    mut form: Form,
) -> Result<Response, HttpError> {
    if !question().accepts(&mut form) {
        let page = gallery.pages.confirm(&visit, &question(), &form)?;
        return Ok(page.status(StatusCode::UNPROCESSABLE_ENTITY).respond(&headers));
    }
    visit.flash(Tone::Ok, "zope.interface was deleted");
    Ok(Redirect::to("/table").into_response())
}

async fn upload(visit: Visit, body: Bytes) -> Redirect {
    visit.flash(Tone::Ok, format!("{} bytes came", body.len()));
    Redirect::to("/table")
}

async fn login_form(State(gallery): State<Gallery>, visit: Visit, headers: HeaderMap) -> Result<Response, HttpError> {
    gallery.show(&visit, &headers, "login.page.html", Filled { f: &Form::new(), method: String::new() })
}

async fn login(visit: Visit, mut form: Form) -> Result<Redirect, HttpError> {
    visit.require_token()?;
    let password = form.password("password");
    visit.flash(
        Tone::Info,
        format!("welcome, {}, with {} characters", form.value("user"), password.map_or(0, |p| p.len())),
    );
    Ok(Redirect::to("/table"))
}
