//! The task that sees to what was cut off: uploads of a client that went away, of a database that was full at the wrong
//! moment, of another machine that is no more; and to files that still have to go.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use opsctl_host::{Context, Troubles};

use super::{Store, recover};
use crate::config::IndexName;

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(10);

/// Looks after the uploads of all indexes.
#[derive(Debug)]
pub(crate) struct Sweeper {
    stores: Arc<BTreeMap<IndexName, Store>>,
}

impl Sweeper {
    pub(crate) fn new(stores: Arc<BTreeMap<IndexName, Store>>) -> Sweeper {
        Sweeper { stores }
    }

    /// Looks until the service stops.
    ///
    /// # Errors
    /// None that is passing: those are troubles, and the next look tries again.
    pub(crate) async fn run(self, cx: Context, troubles: Troubles) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                () = cx.stopping() => return Ok(()),
            }
            for store in self.stores.values() {
                let topic = "uploads";
                match recover(store).await {
                    Ok(_) => troubles.clear(topic),
                    Err(error) => {
                        tracing::warn!(index = %store.index, error = %opsctl_logging::chain(&error), "failed to look for uploads that were cut off");
                        troubles.set(topic, format!("failed to look for uploads that were cut off: {error}"));
                        break;
                    }
                }
            }
        }
    }
}
