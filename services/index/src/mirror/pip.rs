//! Which index pip on this machine uses: pip itself is asked, since it alone knows all its files, variables and defaults.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use opsctl_fetch::Url;

/// What pip makes of its files, its variables and its own default. The name of the module begins with `_`, but has been
/// there since pip 19.3.
const ASK: &str = "from pip._internal.commands import create_command as c; \
                   print(c('download').parser.parse_args([])[0].index_url)";

/// The address of pip's index.
///
/// # Errors
/// There is no pip that `python3` finds, or it has no address.
pub(super) fn index_url() -> anyhow::Result<Url> {
    let output = Command::new("python3").args(["-c", ASK]).stdin(Stdio::null()).output();
    let output = output.context("failed to start `python3`")?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let last = words.lines().last().unwrap_or("it did not say why");
        bail!("`python3` has no pip that can be asked: {last}");
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let text = text.trim();
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    url.with_context(|| format!("pip uses `{text}`, which is no http or https URL"))
}
