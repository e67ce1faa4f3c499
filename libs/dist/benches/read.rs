//! What files and pages cost: processor time of reading a folder of small wheels, of checking them as uploads, and of pages.
//!
//! `cargo bench -p opsctl-dist --bench read`. The floor under reading is opening each file, reading it whole and computing
//! SHA-256, with nothing understood. Processor time and not wall time is taken, and the least of several batches: the
//! machine does other things meanwhile.
//!
//! Arguments: `--files N` wheels (5000), ten for each project; `--batches N` (5).
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a measuring program")]

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use opsctl_dist::simple::{CoreMetadata, File, JSON, Page, TEXT, UploadTime, Yanked};
use opsctl_dist::{Digests, Distribution, Level, Limits, Version, Wanted};
use rustix::time::{ClockId, clock_gettime};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// The least of several batches, in milliseconds.
fn least(batches: u32, mut work: impl FnMut()) -> f64 {
    let batch = || {
        let before = cpu();
        work();
        (cpu() - before).as_secs_f64() * 1e3
    };
    std::iter::repeat_with(batch).take(batches as usize).fold(f64::INFINITY, f64::min)
}

/// Bytes that do not pack.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

fn wheel(project: &str, version: &str) -> Vec<u8> {
    let folder = format!("{project}-{version}.dist-info");
    let metadata = format!(
        "Metadata-Version: 2.4\nName: {project}\nVersion: {version}\nSummary: Measured, not installed\n\
         Author-email: A <a@example.org>\nLicense-Expression: MIT\nClassifier: Programming Language :: Python :: 3\n\
         Requires-Python: >=3.9\nRequires-Dist: requests>=2,<3\nRequires-Dist: rich; extra == 'cli'\n\
         Provides-Extra: cli\nDescription-Content-Type: text/markdown\n\n# {project}\n\n{}",
        "Some words of a README, neither few nor many.\n".repeat(20)
    );
    let noise = noise(3000);
    let record = format!("{project}.py,,\n{folder}/METADATA,,\n{folder}/WHEEL,,\n{folder}/RECORD,,\n");
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in [
        (format!("{project}.py"), noise.as_slice()),
        (format!("{folder}/METADATA"), metadata.as_bytes()),
        (format!("{folder}/WHEEL"), b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        (format!("{folder}/RECORD"), record.as_bytes()),
    ] {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn make(folder: &Path, count: usize) -> Vec<PathBuf> {
    let write = |number: usize| {
        let (project, version) = (format!("project{}", number / 10), format!("1.{}", number % 10));
        let path = folder.join(format!("{project}-{version}-py3-none-any.whl"));
        fs::write(&path, wheel(&project, &version)).unwrap();
        path
    };
    (0..count).map(write).collect()
}

fn page(count: usize) -> Page {
    let file = |number: usize| {
        let version = Version::parse(&format!("1.{number}")).unwrap();
        let filename = format!("benchproj-1.{number}-py3-none-any.whl");
        let sha = Digests::of(filename.as_bytes(), Wanted::Sha256).sha256.to_string();
        let file = File {
            url: format!("/files/{}/{}/{sha}/{filename}", &sha[..2], &sha[2..4]),
            filename,
            core_metadata: CoreMetadata::Hashes(vec![("sha256".into(), sha.clone())]),
            hashes: vec![("sha256".into(), sha)],
            requires_python: Some(">=3.9".into()),
            yanked: Yanked::No,
            size: Some(5 << 20),
            upload_time: UploadTime::from_micros(1_785_585_000_000_000).ok(),
            ..File::default()
        };
        (version, file)
    };
    Page::new("benchproj", None, (0..count).map(file).collect())
}

/// A file of 5 MiB, as uploads go by.
fn large(batches: u32) {
    let bytes = noise(5 << 20);
    for (name, wanted) in [("SHA-256 of 5 MiB", Wanted::Sha256), ("all digests of 5 MiB", Wanted::All)] {
        let ten = least(batches, || {
            for _ in 0..10 {
                std::hint::black_box(Digests::of(&bytes, wanted));
            }
        });
        println!("{name:28} {:9.3}", ten / 10.0);
    }
}

fn argument(name: &str, otherwise: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1).map_or(otherwise, |value| value.parse().expect("a number"))
}

fn main() {
    let (count, batches) = (argument("--files", 5000), u32::try_from(argument("--batches", 5)).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let paths = make(folder.path(), count);
    let bytes: u64 = paths.iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    println!("{count} wheels, {} KiB together; CPU-ms, the least of {batches}", bytes >> 10);
    let floor = least(batches, || {
        for path in &paths {
            std::hint::black_box(Digests::of(&fs::read(path).unwrap(), Wanted::Sha256));
        }
    });
    let read = least(batches, || {
        for path in &paths {
            let read = Distribution::read(path).unwrap();
            assert!(read.warnings.is_empty() && read.core_metadata().is_some());
        }
    });
    let checked = least(batches, || {
        for path in &paths {
            let name = path.file_name().unwrap().to_str().unwrap();
            let bytes = fs::read(path).unwrap();
            Distribution::from_bytes(&bytes, name, Level::Strict, &Limits::default()).unwrap();
        }
    });
    println!("read and SHA-256 only        {floor:9.1}");
    println!("read from a folder           {read:9.1}");
    println!("checked as uploads           {checked:9.1}");
    large(batches);
    let page = page(500);
    let (html, json) = (page.to_html(), page.to_json());
    let url = "https://example.org/simple/benchproj/";
    let works: [(&str, &dyn Fn() -> usize); 4] = [
        ("page of 500 files to HTML", &|| page.to_html().len()),
        ("page of 500 files to JSON", &|| page.to_json().len()),
        ("page of 500 files from HTML", &|| Page::parse(&html, TEXT, url, "benchproj").unwrap().files.len()),
        ("page of 500 files from JSON", &|| Page::parse(&json, JSON, url, "benchproj").unwrap().files.len()),
    ];
    for (name, work) in works {
        let hundred = least(batches, || {
            for _ in 0..100 {
                std::hint::black_box(work());
            }
        });
        println!("{name:28} {:9.3}", hundred / 100.0);
    }
}
