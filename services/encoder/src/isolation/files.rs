//! Landlock: which files can be opened at all, landlock(7). Also for root, and whatever the path.

use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

use super::Grant;

/// What the newest kernel that this was written for knows; older ones give what they have.
const ABI: ABI = ABI::V6;

pub(super) fn apply(source: &Path, folder: &Path) -> Result<Grant, String> {
    let open = |path: &Path| PathFd::new(path).map_err(|error| error.to_string());
    let (source, folder) = (open(source)?, open(folder)?);
    match restrict(source, folder) {
        Ok(RulesetStatus::FullyEnforced) => Ok(Grant::Full),
        Ok(RulesetStatus::PartiallyEnforced) => Ok(Grant::Partial),
        Ok(RulesetStatus::NotEnforced) => Err("this kernel has none".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn restrict(source: PathFd, folder: PathFd) -> Result<RulesetStatus, RulesetError> {
    let inside: BitFlags<AccessFs> = AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI))?
        .handle_access(AccessNet::from_all(ABI))?
        .scope(Scope::from_all(ABI))?
        .create()?
        .add_rule(PathBeneath::new(source, AccessFs::ReadFile))?
        .add_rule(PathBeneath::new(folder, inside))?
        .restrict_self()?;
    Ok(status.ruleset)
}
