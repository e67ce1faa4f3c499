//! Items as answers have them: one representation for programs and for pages.

use schemars::JsonSchema;
use serde::Serialize;

use super::here::Here;
use crate::clock::{SECOND, Stamp};
use crate::delivery::CAPTIONS;
use crate::facts::Facts;
use crate::hex::hex;
use crate::records::{Asset, Caption, Item, Job};

/// An item.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Item")]
pub(super) struct ItemView {
    pub(super) id: String,
    account: String,
    href: String,
    title: String,
    /// The title, or else what there is to call it.
    label: String,
    filename: String,
    /// The state of its newest job.
    status: &'static str,
    published: bool,
    created: Stamp,
    changed: Stamp,
    uploader: String,
    source: SourceView,
    facts: Option<Facts>,
    pub(super) job: Option<JobView>,
    pub(super) assets: Vec<AssetView>,
    captions: Vec<CaptionView>,
    /// Bytes of upload and results.
    bytes: u64,
    poster: Option<String>,
    thumb: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Source")]
struct SourceView {
    href: String,
    bytes: u64,
    sha256: String,
}

/// A result.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Asset")]
pub(super) struct AssetView {
    pub(super) name: String,
    kind: String,
    href: String,
    /// Of the file to begin with.
    url: String,
    media_type: &'static str,
    width: Option<u32>,
    height: Option<u32>,
    /// Seconds.
    duration: Option<f64>,
    bytes: u64,
    copied: bool,
    files: Vec<FileView>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "File")]
struct FileView {
    url: String,
    bytes: u64,
}

/// Captions in a language.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Captions")]
pub(super) struct CaptionView {
    language: String,
    href: String,
    /// Where players get them.
    url: String,
    bytes: u64,
    cues: u64,
    changed: Stamp,
}

/// A job.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Job")]
pub(super) struct JobView {
    id: i64,
    item: String,
    account: String,
    href: String,
    profile: String,
    status: &'static str,
    /// Whether something will still become of it.
    open: bool,
    priority: i64,
    attempt: u32,
    worker: Option<String>,
    created: Stamp,
    started: Option<Stamp>,
    ended: Option<Stamp>,
    /// Seconds between begin and end.
    took: Option<f64>,
    percent: Option<f64>,
    /// Seconds that are left.
    eta: Option<f64>,
    reason: Option<String>,
    message: Option<String>,
    log: Option<String>,
    warnings: Vec<String>,
}

impl ItemView {
    pub(super) fn new(here: &Here, item: Item, job: Option<Job>, assets: Vec<Asset>) -> ItemView {
        let href = format!("{}/media/{}", here.top, item.name);
        let bytes = item.bytes + assets.iter().map(|asset| asset.bytes).sum::<u64>();
        let assets: Vec<_> = assets.into_iter().map(|asset| AssetView::new(&href, &item, asset)).collect();
        let first = |kind: &str| assets.iter().find(|asset| asset.kind == kind).map(|asset| asset.url.clone());
        ItemView {
            label: item.label().to_owned(),
            poster: first("poster"),
            thumb: first("thumbs").or_else(|| first("poster")),
            source: SourceView { href: format!("{href}/source"), bytes: item.bytes, sha256: hex(&item.sha256) },
            status: job.as_ref().map_or("done", |job| job.state.word()),
            job: job.map(|job| JobView::new(here, job)),
            id: item.name,
            account: item.account,
            title: item.title,
            filename: item.filename,
            published: item.published,
            created: Stamp(item.created),
            changed: Stamp(item.changed),
            uploader: item.uploader,
            facts: item.facts,
            assets,
            captions: Vec::new(),
            bytes,
            href,
        }
    }
}

impl ItemView {
    /// With its captions.
    pub(super) fn captioned(mut self, captions: Vec<Caption>) -> ItemView {
        let view = |caption| CaptionView::new(&self.href, &self.account, &self.id, caption);
        self.captions = captions.into_iter().map(view).collect();
        self.bytes += self.captions.iter().map(|caption| caption.bytes).sum::<u64>();
        self
    }
}

impl CaptionView {
    pub(super) fn new(item_href: &str, account: &str, item: &str, caption: Caption) -> CaptionView {
        let Caption { language, bytes, cues, changed, .. } = caption;
        CaptionView {
            href: format!("{item_href}/captions/{language}"),
            url: format!("/media/{account}/{CAPTIONS}/{item}/{language}.vtt"),
            language,
            bytes,
            cues,
            changed: Stamp(changed),
        }
    }
}

impl AssetView {
    fn new(item_href: &str, item: &Item, asset: Asset) -> AssetView {
        let address = |path: &str| format!("/media/{}/{}/{}{path}", item.account, asset.name, item.name);
        let files: Vec<_> =
            asset.files.iter().map(|file| FileView { url: address(&file.path), bytes: file.bytes }).collect();
        let first = asset.files.first().map_or("", |file| &file.path);
        AssetView {
            href: format!("{item_href}/assets/{}", asset.name),
            url: address(first),
            media_type: crate::delivery::media_type(first),
            name: asset.name,
            kind: asset.kind,
            width: asset.width,
            height: asset.height,
            duration: asset.duration,
            bytes: asset.bytes,
            copied: asset.copied,
            files,
        }
    }
}

impl JobView {
    pub(super) fn new(here: &Here, job: Job) -> JobView {
        JobView {
            id: job.id,
            href: format!("{}/media/{}/job", here.top, job.name),
            item: job.name,
            account: job.account,
            profile: job.profile,
            status: job.state.word(),
            open: job.state.is_open(),
            priority: job.priority,
            attempt: job.attempt,
            worker: job.worker,
            created: Stamp(job.created),
            started: job.started.map(Stamp),
            ended: job.ended.map(Stamp),
            took: job.started.zip(job.ended).map(|(from, to)| (to - from) as f64 / SECOND as f64),
            percent: job.percent,
            eta: job.eta,
            reason: job.reason,
            message: job.message,
            log: job.log.filter(|log| !log.trim().is_empty()),
            warnings: job.warnings,
        }
    }
}
