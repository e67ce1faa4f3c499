//! Looks at the users file each second, and says what came of it: a good change in the log, a bad one in the log with
//! every fault, and in the service's health until it is mended.

use std::sync::Arc;
use std::time::Duration;

use opsctl_host::{Context, Troubles};
use tracing::{error, info};

use crate::site::Site;

const EVERY: Duration = Duration::from_secs(1);
/// Faults of one file that are logged one by one.
const LOGGED_MAX: usize = 20;

/// Watches until the service stops.
pub(crate) async fn run(site: Arc<Site>, troubles: Troubles, cx: Context) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = cx.stopping() => return Ok(()),
        }
        let (site, troubles) = (Arc::clone(&site), troubles.clone());
        tokio::task::spawn_blocking(move || look(&site, &troubles)).await?;
    }
}

fn look(site: &Site, troubles: &Troubles) {
    match site.directory.refresh() {
        None => {}
        Some(Ok(users)) => {
            info!(users, "users file read again");
            troubles.clear("users");
        }
        Some(Err(error)) => {
            let text = format!("{:#}", anyhow::Error::from(error));
            let faults = text.lines().count();
            for fault in text.lines().take(LOGGED_MAX) {
                error!(fault, "bad users file");
            }
            error!(faults, "users file refused, the last good one stays in force");
            let first = text.lines().next().unwrap_or_default();
            let more = if faults > 1 { format!(" and {} more", faults - 1) } else { String::new() };
            troubles.set("users", format!("users file refused: {first}{more}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use opsctl_host::{Health, HealthCell};

    use super::*;
    use crate::directory::Directory;

    #[test]
    fn a_bad_file_is_a_trouble_until_it_is_mended() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let directory = Directory::open(file.path().to_owned()).unwrap();
        let site = Site { directory, ..crate::site::tests::site("") };
        let health = HealthCell::default();
        let troubles = Troubles::new(health.clone());
        let check = |users: &str, said: Health| {
            std::fs::write(&file, users).unwrap();
            look(&site, &troubles);
            assert_eq!(health.get(), said);
            look(&site, &troubles);
            assert_eq!(health.get(), said, "unchanged");
        };
        let refused = format!("users file refused: {}:1:7: no `:` between user and status", file.path().display());
        check("moshez\n", Health::Degraded(refused.clone()));
        check("moshez\n\nx", Health::Degraded(refused + " and 1 more"));
        check("moshez: well\n", Health::Ok);
    }
}
