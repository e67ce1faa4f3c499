//! Attestations: what comes with an upload to prove where it was built, and the provenance that is made of them (PEP 740).
//!
//! Here it is checked that they are attestations and speak of the very file that they came with. Whose signature stands
//! below them is for those to judge who install: this index has nobody's keys.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::catalog::Digest;

/// Of one file: a build system makes one or two.
const ATTESTATIONS_MAX: usize = 16;
/// What a statement says that it is (in-toto).
const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// What is wrong with attestations, for their sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadAttestations {
    #[error("The attestations are no JSON array of one to {ATTESTATIONS_MAX} objects.")]
    Array,
    #[error("An attestation is not of version 1, or has not the parts that one has.")]
    Parts,
    #[error("The statement of an attestation cannot be read.")]
    Statement,
    #[error("An attestation is about another file.")]
    Subject,
}

/// Whether `text` is a JSON array of attestations of the file of this name and digest.
///
/// # Errors
/// What is wrong.
pub(crate) fn check(text: &str, filename: &str, sha256: &Digest) -> Result<(), BadAttestations> {
    let Ok(Value::Array(attestations)) = serde_json::from_str(text) else { return Err(BadAttestations::Array) };
    if !(1..=ATTESTATIONS_MAX).contains(&attestations.len()) {
        return Err(BadAttestations::Array);
    }
    attestations.iter().try_for_each(|attestation| check_one(attestation, filename, sha256))
}

fn check_one(attestation: &Value, filename: &str, sha256: &Digest) -> Result<(), BadAttestations> {
    let text = |pointer: &str| attestation.pointer(pointer).and_then(Value::as_str);
    let material = attestation.get("verification_material");
    let has_material = material.is_some_and(|material| {
        material.get("certificate").is_some_and(Value::is_string)
            && material.get("transparency_entries").is_some_and(Value::is_array)
    });
    let (Some(statement), Some(_)) = (text("/envelope/statement"), text("/envelope/signature")) else {
        return Err(BadAttestations::Parts);
    };
    if attestation.get("version") != Some(&json!(1)) || !has_material {
        return Err(BadAttestations::Parts);
    }
    let statement = STANDARD.decode(statement).map_err(|_| BadAttestations::Statement)?;
    let statement: Value = serde_json::from_slice(&statement).map_err(|_| BadAttestations::Statement)?;
    if statement["_type"] != STATEMENT || !statement["predicateType"].is_string() {
        return Err(BadAttestations::Statement);
    }
    let subjects = statement["subject"].as_array().map(Vec::as_slice).unwrap_or_default();
    match subjects {
        [one] if one["name"] == filename && one["digest"]["sha256"] == sha256.to_string() => Ok(()),
        _ => Err(BadAttestations::Subject),
    }
}

/// The provenance object of attestations that were checked when they came; none if they are not what was stored.
pub(crate) fn object(text: &str) -> Option<Value> {
    let attestations: Value = serde_json::from_str(text).ok()?;
    // whoever brought the file is known to this index, and to nobody else
    let publisher = json!({"kind": "upload", "claims": null});
    Some(json!({"version": 1, "attestation_bundles": [{"publisher": publisher, "attestations": attestations}]}))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "demo-1.0-py3-none-any.whl";

    fn statement() -> Value {
        let subject = json!([{"name": FILE, "digest": {"sha256": opsctl_dist::Digest([7; 32]).to_string()}}]);
        json!({"_type": STATEMENT, "subject": subject, "predicateType": "https://example.org/attestations/publish/v1", "predicate": null})
    }

    fn attestation(statement: &Value) -> Value {
        json!({
            "version": 1,
            "verification_material": {"certificate": "Y2VydA==", "transparency_entries": [{}]},
            "envelope": {"statement": STANDARD.encode(statement.to_string()), "signature": "c2ln"},
        })
    }

    #[track_caller]
    fn attestations(value: &Value, expected: Result<(), BadAttestations>) {
        assert_eq!(check(&value.to_string(), FILE, &opsctl_dist::Digest([7; 32])), expected, "{value}");
    }

    #[test]
    fn what_is_taken() {
        let good = attestation(&statement());
        attestations(&json!([good]), Ok(()));
        attestations(&json!([good, good]), Ok(()));
        for bad in [json!([]), json!({}), json!(null), json!(vec![good.clone(); 17])] {
            attestations(&bad, Err(BadAttestations::Array));
        }
        assert_eq!(check("[[", FILE, &opsctl_dist::Digest([7; 32])), Err(BadAttestations::Array));
        for (pointer, value) in [
            ("/version", json!(2)),
            ("/verification_material", json!({})),
            ("/verification_material/certificate", json!(1)),
            ("/envelope/signature", json!(null)),
            ("/envelope", json!([])),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(pointer).unwrap() = value;
            attestations(&json!([good, bad]), Err(BadAttestations::Parts));
        }
        let about = |pointer: &str, value: Value| {
            let mut other = statement();
            *other.pointer_mut(pointer).unwrap() = value;
            json!([attestation(&other)])
        };
        attestations(&about("/_type", json!("https://in-toto.io/Statement/v0.1")), Err(BadAttestations::Statement));
        attestations(&about("/predicateType", json!(1)), Err(BadAttestations::Statement));
        attestations(&about("/subject/0/name", json!("other-1.0.zip")), Err(BadAttestations::Subject));
        attestations(&about("/subject/0/digest/sha256", json!("00")), Err(BadAttestations::Subject));
        attestations(&about("/subject", json!([])), Err(BadAttestations::Subject));
        let mut garbled = good;
        garbled["envelope"]["statement"] = json!("%%%");
        attestations(&json!([garbled]), Err(BadAttestations::Statement));
    }

    #[test]
    fn what_is_made_of_it() {
        let text = json!([attestation(&statement())]).to_string();
        let made = object(&text).unwrap();
        assert_eq!(made["version"], 1);
        assert_eq!(made["attestation_bundles"][0]["attestations"][0]["envelope"]["signature"], "c2ln");
        assert!(made["attestation_bundles"][0]["publisher"]["kind"].is_string());
    }
}
