//! A service that misbehaves on command, in debug builds only: the end-to-end suite sees with it what the host makes of
//! errors, panics, hangs and slow ends.
//!
//! Each connection sends one word and gets one line back; see [`Lab::answer`] for the words.
#![expect(clippy::panic, reason = "to be seen panicking is what it is for")]

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use opsctl_auth::Auth;
use opsctl_host::{Context, Health, Listen, Refused, Reload, Service, VerbContext};
use opsctl_http::{Endpoint, Limits, Stream};
use opsctl_store::{Blobs, Database, Migration, Migrations, params};
use opsctl_web::Pages;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;

/// The service.
pub(crate) struct Lab {
    greeting: String,
    stop_after: Duration,
    shelf: Option<Shelf>,
    auth: Option<Auth>,
}

const KEEP: &str = "CREATE TABLE word (number BIGINT PRIMARY KEY, word TEXT NOT NULL UNIQUE)";
const MIGRATIONS: Migrations = Migrations(&[Migration { name: "0001_words", sqlite: KEEP, postgres: KEEP }]);

/// What it keeps: words in a table, and a blob for each.
struct Shelf(Database, Blobs);

impl Shelf {
    async fn of(cx: &VerbContext) -> anyhow::Result<Self> {
        Ok(Self(cx.database(&MIGRATIONS).await?, cx.blobs().await?))
    }

    async fn keep(&self, word: &str) -> anyhow::Result<()> {
        self.1.put_bytes(&format!("words/{word}"), word.as_bytes().to_vec()).await?;
        let sql = "INSERT INTO word (number, word) SELECT COALESCE(max(number), 0) + 1, $1 FROM word";
        self.0.execute(sql, params![word]).await?;
        Ok(())
    }

    /// In the order of coming, as their blobs have them.
    async fn kept(&self) -> anyhow::Result<String> {
        let mut kept = Vec::new();
        for row in self.0.fetch_all("SELECT word FROM word ORDER BY number LIMIT 100", params![]).await? {
            let blob = self.1.get(&format!("words/{}", row.get::<&str>("word")?)).await?;
            let Some(blob) = blob else { bail!("a word without its blob") };
            kept.push(String::from_utf8(blob.bytes().await?.into())?);
        }
        Ok(kept.join(" "))
    }
}

/// What is done without a server.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Verbs {
    /// Keep a word
    Keep {
        /// The word
        word: String,
    },
    /// Print what is kept
    Kept,
    /// Touch nothing
    Idle,
}

/// Its table; it has defaults of its own, since `config/opsctl.toml` must not know of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    listen: Option<Endpoint>,
    /// What `hello` answers.
    greeting: String,
    /// How long the end takes.
    stop_after: opsctl_config::Duration,
    /// Where the pages of the user base are served, and nothing else.
    web: Option<Endpoint>,
    /// Open a database and blobs.
    keeps: bool,
    /// Fail when opened, with this text.
    refuse: Option<String>,
    /// Take new configurations on in place, by refusing them with this text.
    refuse_reload: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: None,
            greeting: "hello".to_owned(),
            stop_after: Duration::ZERO.into(),
            web: None,
            keeps: false,
            refuse: None,
            refuse_reload: None,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Options {}

impl Service for Lab {
    const NAME: &'static str = "lab";
    const ABOUT: &'static str = "Misbehaves on command (debug builds only)";
    type Config = Config;
    type Options = Options;
    type Verbs = Verbs;

    fn listeners(config: &Config) -> Vec<Listen> {
        let lab = config.listen.iter().map(|endpoint| Listen::new("lab", endpoint.clone()));
        lab.chain(config.web.iter().map(|endpoint| Listen::new("web", endpoint.clone()))).collect()
    }

    async fn open(config: Config, cx: Context) -> anyhow::Result<Self> {
        if let Some(text) = config.refuse {
            bail!("{text}");
        }
        let shelf = match config.keeps {
            true => Some(Shelf(cx.database(&MIGRATIONS).await?, cx.blobs().await?)),
            false => None,
        };
        let auth = match config.web {
            Some(_) => Some(cx.auth().await?),
            None => None,
        };
        Ok(Self { greeting: config.greeting, stop_after: config.stop_after.into(), shelf, auth })
    }

    async fn run(self: Arc<Self>, cx: Context) -> anyhow::Result<()> {
        let (ends, mut ended) = mpsc::channel(1);
        if let Some(auth) = &self.auth {
            let router = auth.router(&Pages::new().service("lab"), auth.trail());
            cx.serve_http("web", auth.around(router.merge(opsctl_web::assets())), Limits::default())?;
        }
        for listener in cx.listeners("lab")? {
            let (lab, cx_of_task, ends) = (Arc::clone(&self), cx.clone(), ends.clone());
            cx.spawn("accept", async move {
                loop {
                    let (stream, _) = tokio::select! {
                        accepted = listener.accept() => accepted?,
                        () = cx_of_task.stopping() => return Ok(()),
                    };
                    let (lab, cx, ends) = (Arc::clone(&lab), cx_of_task.clone(), ends.clone());
                    cx_of_task.spawn_connection(async move {
                        // a peer that goes away is its own affair
                        let _ = lab.answer(stream, cx, ends).await;
                    });
                }
            });
        }
        tokio::select! {
            Some(outcome) = ended.recv() => outcome,
            () = cx.stopping() => {
                tokio::time::sleep(self.stop_after).await;
                Ok(())
            }
        }
    }

    async fn reload(&self, config: Config) -> Result<Reload, Refused> {
        match config.refuse_reload {
            Some(text) => Err(Refused(text)),
            None => Ok(Reload::Replace),
        }
    }

    fn verb(verb: Verbs, _config: Config, cx: VerbContext) -> anyhow::Result<ExitCode> {
        let said = match verb {
            Verbs::Keep { word } => {
                cx.block_on(async { Shelf::of(&cx).await?.keep(&word).await.map(|()| "kept".to_owned()) })?
            }
            Verbs::Kept => cx.block_on(async { Shelf::of(&cx).await?.kept().await })?,
            Verbs::Idle => "idle".to_owned(),
        };
        writeln!(std::io::stdout(), "{said}")?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Lab {
    async fn answer(&self, stream: Stream, cx: Context, ends: mpsc::Sender<anyhow::Result<()>>) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let reply = match line.trim() {
            "hello" => self.greeting.clone(),
            "slow" => {
                tokio::time::sleep(Duration::from_millis(300)).await;
                "slow".to_owned()
            }
            // never answers, not even when it shall stop
            "hang" => std::future::pending().await,
            "panic" => {
                cx.spawn("doomed", async { std::panic::panic_any("as told") });
                "panics".to_owned()
            }
            "panic here" => std::panic::panic_any("in the connection, as told"),
            "fail" => {
                let _ = ends.try_send(Err(anyhow::anyhow!("failed as told")));
                "fails".to_owned()
            }
            "end" => {
                let _ = ends.try_send(Ok(()));
                "ends".to_owned()
            }
            "ill" => {
                cx.health().set(Health::Failed("ill as told".to_owned()));
                "ill".to_owned()
            }
            "weak" => {
                cx.health().set(Health::Degraded("weak as told".to_owned()));
                "weak".to_owned()
            }
            "log" => {
                tracing::info!("told to log");
                "logged".to_owned()
            }
            "well" => {
                cx.health().set(Health::Ok);
                "well".to_owned()
            }
            "kept" => match &self.shelf {
                Some(shelf) => shelf.kept().await.unwrap_or_else(|error| format!("{error:#}")),
                None => "keeps nothing".to_owned(),
            },
            word if word.starts_with("keep ") => match &self.shelf {
                Some(shelf) => {
                    let kept = shelf.keep(word.trim_start_matches("keep ")).await;
                    kept.map_or_else(|error| format!("{error:#}"), |()| "kept".to_owned())
                }
                None => "keeps nothing".to_owned(),
            },
            other => format!("unknown word `{other}`"),
        };
        stream.write_all(reply.as_bytes()).await?;
        stream.write_all(b"\n").await?;
        stream.shutdown().await
    }
}
