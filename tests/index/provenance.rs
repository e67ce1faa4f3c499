//! What proves where a file was built: sent with an upload, served beside the file (PEP 740).

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::access::{bob, token};
use super::packages::Package;
use super::uploads::{Form, sha256};
use super::{JSON, get, start, url};
use crate::harness::{Ran, program};

/// An attestation as build systems write it, about the file of this name and digest.
fn attestation(folder: &Path, filename: &str, digest: &str) -> String {
    let path = folder.join("attestations.json");
    let code = "import base64, json, sys\n\
        statement = {'_type': 'https://in-toto.io/Statement/v1', 'predicate': None,\n\
            'predicateType': 'https://example.org/attestations/publish/v1',\n\
            'subject': [{'name': sys.argv[1], 'digest': {'sha256': sys.argv[2]}}]}\n\
        envelope = {'statement': base64.b64encode(json.dumps(statement).encode()).decode(), 'signature': 'c2ln'}\n\
        material = {'certificate': 'Y2VydA==', 'transparency_entries': [{'logIndex': '1'}]}\n\
        json.dump([{'version': 1, 'verification_material': material, 'envelope': envelope}], open(sys.argv[3], 'w'))";
    Ran::of(Command::new(program("python3", "python3")).args(["-c", code, filename, digest]).arg(&path)).ok();
    format!("attestations=<{}", path.display())
}

#[test]
fn attestations_become_the_provenance_of_their_file() {
    let running = start(&[], "url = 'https://packages.example.org/x/'");
    bob(&running.path("data"));
    let user = format!("__token__:{}", token(&running.path("data"), "index/main:upload"));
    let home = tempfile::tempdir().unwrap();
    let wheel = Package::wheel("curled", "1.0").make(home.path());
    let (name, digest) = (wheel.file_name().unwrap().to_str().unwrap(), sha256(&wheel));
    let form = || Form::new(&running, &user, &wheel, &digest);
    let good = attestation(home.path(), name, &digest);
    form().with("attestations=[]").check("400", "The attestations are no JSON array");
    form().with("attestations=nonsense").check("400", "The attestations are no JSON array");
    form().with(&attestation(home.path(), name, &"0".repeat(64))).check("400", "about another file");
    assert_eq!(get(&running, "/simple/curled/", JSON).0, 404, "nothing is taken without its proofs");
    attestation(home.path(), name, &digest);
    form().with(&good).check("200", "");

    let at = format!("/integrity/curled/1.0/{name}/provenance");
    let (_, page) = get(&running, "/simple/curled/", JSON);
    assert!(page.contains(&format!("\"provenance\":\"https://packages.example.org/x{at}\"")), "{page}");
    let (_, page) = get(&running, "/main/simple/curled/", "text/html");
    assert!(page.contains("data-provenance=\"https://packages.example.org/x"), "{page}");
    let kind = "application/vnd.pypi.integrity.v1+json";
    for (path, accept) in [(&*at, kind), (&*at, "application/json"), (&format!("/main{at}"), "*/*")] {
        let (status, body) = get(&running, path, accept);
        let object: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{status} {body}"));
        assert_eq!((status, &object["version"]), (200, &Value::from(1)));
        let bundle = &object["attestation_bundles"][0];
        assert!(bundle["publisher"]["kind"].is_string());
        assert_eq!(bundle["attestations"][0]["envelope"]["signature"], "c2ln");
    }
    assert_eq!(get(&running, &at, "text/html").0, 406);
    assert_eq!(get(&running, "/integrity/curled/1.0/other.whl/provenance", "").0, 404);
    assert_eq!(get(&running, "/integrity/none/1.0/other.whl/provenance", "").0, 404);
    let browser = "application/xhtml+xml,text/html";
    let page = get(&running, &format!("/project/curled/1.0/{name}"), browser).1.replace("&#x2f;", "/");
    assert!(page.contains(&format!("href=\"../../..{at}\"")), "{page}");

    // the file is what it was, and another one has none
    let other = Package::wheel("curled", "1.1").make(home.path());
    let digest = sha256(&other);
    Form::new(&running, &user, &other, &digest).with("version=1.1").check("200", "");
    let (_, page) = get(&running, "/simple/curled/", JSON);
    assert_eq!(page.matches("\"provenance\"").count(), 1, "{page}");
    let other = other.file_name().unwrap().to_str().unwrap();
    assert_eq!(get(&running, &format!("/integrity/curled/1.1/{other}/provenance"), "").0, 404);
    // uv and pip read such a page
    let install = super::clients::Install::new();
    install.uv(&["--default-index", &url(&running, "/simple/"), "curled==1.0"]).ok();
    running.stop();
}
