//! A provider on loopback: discovery, keys, and tokens that it signs, or spoils as it is told.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// When all tests take place, in seconds since 1970.
const NOW: i64 = 1_785_585_600;

/// What a token says, with `more`.
pub(super) fn claims(more: Value) -> Value {
    let mut claims = json!({"sub": "248289761001", "aud": "opsctl", "iat": NOW, "exp": NOW + 7200});
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    claims
}

/// The provider; ends with the test.
pub(super) struct Provider {
    shared: Arc<Shared>,
    _runtime: tokio::runtime::Runtime,
}

struct Shared {
    issuer: String,
    rsa: RsaKeyPair,
    /// Published from when it is used on.
    new: RsaKeyPair,
    foreign: RsaKeyPair,
    ec: EcdsaKeyPair,
    /// By code: the challenge, and what the token will say.
    codes: Mutex<BTreeMap<String, (String, Value)>>,
    spoiled: Mutex<String>,
}

/// A key of openssl's.
fn rsa() -> RsaKeyPair {
    let mut openssl = Command::new("openssl");
    openssl.args(["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-outform", "DER"]);
    let made = openssl.output().unwrap_or_else(|error| panic!("openssl: {error}: run `cargo xtask setup`"));
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    RsaKeyPair::from_pkcs8(&made.stdout).or_else(|_| RsaKeyPair::from_der(&made.stdout)).unwrap()
}

impl Provider {
    pub(super) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let random = SystemRandom::new();
        let ec = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let shared = Arc::new(Shared {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            rsa: rsa(),
            new: rsa(),
            foreign: rsa(),
            ec: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, ec.as_ref(), &random).unwrap(),
            codes: Mutex::default(),
            spoiled: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(Arc::clone(&shared));
        runtime.spawn(async { axum::serve(listener, router).await });
        Self { shared, _runtime: runtime }
    }

    pub(super) fn issuer(&self) -> &str {
        &self.shared.issuer
    }

    /// Lets somebody in of whom the token will say this; the code that the browser brings back.
    pub(super) fn grant(&self, challenge: &str, nonce: &str, mut said: Value) -> String {
        let object = said.as_object_mut().unwrap();
        object.entry("nonce").or_insert_with(|| nonce.into());
        object.entry("iss").or_insert_with(|| self.issuer().into());
        let mut codes = self.shared.codes.lock().unwrap();
        let code = format!("code-{}", codes.len());
        codes.insert(code.clone(), (challenge.to_owned(), said));
        code
    }

    /// What is wrong with the tokens from now on.
    pub(super) fn spoil(&self, how: &str) {
        *self.shared.spoiled.lock().unwrap() = how.to_owned();
    }
}

async fn discovery(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", shared.issuer);
    Json(json!({
        "issuer": shared.issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "jwks_uri": at("/keys"),
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
    }))
}

fn rsa_key(id: &str, key: &RsaKeyPair) -> Value {
    let public = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(key.public());
    let (n, e) = (URL_SAFE_NO_PAD.encode(public.n), URL_SAFE_NO_PAD.encode(public.e));
    json!({"kty": "RSA", "use": "sig", "kid": id, "n": n, "e": e})
}

async fn keys(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let point = shared.ec.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let ec = json!({"kty": "EC", "crv": "P-256", "use": "sig", "kid": "ec", "x": x, "y": y});
    let mut keys = vec![rsa_key("rsa", &shared.rsa), ec, json!({"kty": "oct", "kid": "secret", "k": "aHVzaA"})];
    if *shared.spoiled.lock().unwrap() == "new key" {
        keys.push(rsa_key("new", &shared.new));
    }
    Json(json!({"keys": keys}))
}

async fn token(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> Result<Json<Value>, StatusCode> {
    let wanted = format!("Basic {}", STANDARD.encode("opsctl:hush"));
    if headers.get("authorization").is_none_or(|shown| shown.to_str().unwrap() != wanted) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let known = shared.codes.lock().unwrap().remove(field("code"));
    let (challenge, said) = known.ok_or(StatusCode::BAD_REQUEST)?;
    let shown = URL_SAFE_NO_PAD.encode(Sha256::digest(field("code_verifier")));
    let back = "https://packages.example/_/oidc/callback";
    if shown != challenge || field("grant_type") != "authorization_code" || field("redirect_uri") != back {
        return Err(StatusCode::BAD_REQUEST);
    }
    Ok(Json(json!({"access_token": "x", "token_type": "Bearer", "id_token": shared.sign(&said)})))
}

impl Shared {
    fn sign(&self, said: &Value) -> String {
        let spoiled = self.spoiled.lock().unwrap().clone();
        let head = match &*spoiled {
            "none" => json!({"alg": "none"}),
            "hs256" => json!({"alg": "HS256", "kid": "secret"}),
            "es256" => json!({"alg": "ES256", "kid": "ec"}),
            "new key" => json!({"alg": "RS256", "kid": "new"}),
            "unknown key" => json!({"alg": "RS256", "kid": "unknown"}),
            "rsa as ec" => json!({"alg": "ES256", "kid": "rsa"}),
            "crit" => json!({"alg": "RS256", "kid": "rsa", "crit": ["x"], "x": 1}),
            _ => json!({"alg": "RS256", "kid": "rsa"}),
        };
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&head), part(said));
        let rsa = |key: &RsaKeyPair| {
            let mut signature = vec![0; key.public().modulus_len()];
            key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).unwrap();
            signature
        };
        let mut signature = match &*spoiled {
            "none" => Vec::new(),
            "es256" => self.ec.sign(&SystemRandom::new(), message.as_bytes()).unwrap().as_ref().to_vec(),
            "foreign key" => rsa(&self.foreign),
            "new key" | "unknown key" => rsa(&self.new),
            _ => rsa(&self.rsa),
        };
        if spoiled == "signature" {
            signature[0] ^= 1;
        }
        let more = if spoiled == "parts" { ".x" } else { "" };
        format!("{message}.{}{more}", URL_SAFE_NO_PAD.encode(signature))
    }
}
