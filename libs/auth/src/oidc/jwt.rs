//! ID tokens (OpenID Connect Core 3.1.3.7, RFC 7515): nothing in one is believed before its signature is right, and it is
//! for us, for this login, and of now.
//!
//! RS256 and ES256 alone. Which it is follows from the key, never from the token alone: a token cannot choose how it is
//! checked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq;

/// Bytes of a token.
const TOKEN_MAX: usize = 32 * 1024;
/// Keys of a provider.
const KEYS_MAX: usize = 64;
/// Seconds by which clocks may differ.
const LEEWAY: i64 = 60;

/// Why a token is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadToken {
    #[error("it is no signed token")]
    Shape,
    #[error("it is signed in a way that is not taken: only RS256 and ES256 are")]
    Algorithm,
    #[error("it is signed with a key that the provider does not publish")]
    Key,
    #[error("its signature is wrong")]
    Signature,
    #[error("it is another provider's")]
    Issuer,
    #[error("it is for another client")]
    Audience,
    #[error("it is too old, or of the future")]
    Time,
    #[error("it is for another login")]
    Nonce,
    #[error("it says nothing of who it is about")]
    Subject,
}

/// The public keys of a provider (RFC 7517), as far as they are of use here.
#[derive(Debug, Default)]
pub(crate) struct Keys(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: Option<String>,
    public: Public,
}

#[derive(Debug)]
enum Public {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// A point, uncompressed.
    P256(Vec<u8>),
}

impl Keys {
    /// Reads a set of keys; None if it is none.
    pub(crate) fn read(json: &[u8]) -> Option<Self> {
        let set: Value = serde_json::from_slice(json).ok()?;
        let keys = set.get("keys")?.as_array()?;
        Some(Self(keys.iter().take(KEYS_MAX).filter_map(key).collect()))
    }
}

fn key(key: &Value) -> Option<Key> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    if text("use").is_some_and(|what| what != "sig") {
        return None;
    }
    let public = match (text("kty")?, text("crv")) {
        ("RSA", _) if text("alg").is_none_or(|alg| alg == "RS256") => {
            // some write a sign in front
            let n = bytes("n")?.into_iter().skip_while(|byte| *byte == 0).collect();
            Public::Rsa { n, e: bytes("e")? }
        }
        ("EC", Some("P-256")) if text("alg").is_none_or(|alg| alg == "ES256") => {
            let (x, y) = (bytes("x")?, bytes("y")?);
            (x.len() == 32 && y.len() == 32).then(|| Public::P256([&[4], &*x, &*y].concat()))?
        }
        _ => return None,
    };
    Some(Key { id: text("kid").map(str::to_owned), public })
}

/// What a token must be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) client: &'a str,
    pub(crate) nonce: &'a str,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claims(Map<String, Value>);

impl Claims {
    /// Who it is about, for good.
    pub(crate) fn subject(&self) -> &str {
        self.text("sub").unwrap_or_default()
    }

    /// A claim that is a text, if it is there.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// The address for mail, if the provider knows that it is theirs.
    pub(crate) fn verified_email(&self) -> Option<&str> {
        // some write a text
        let verified = self.0.get("email_verified").is_some_and(|is| is == true || is == "true");
        self.text("email").filter(|_| verified)
    }

    /// The texts in a claim: one, or several.
    pub(crate) fn texts(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

/// What `token` says, if it is signed by one of `keys` and is what is expected.
pub(crate) fn verify(token: &str, keys: &Keys, expected: Expected<'_>) -> Result<Claims, BadToken> {
    let mut parts = token.split('.');
    let (Some(head), Some(body), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(BadToken::Shape);
    };
    if token.len() > TOKEN_MAX {
        return Err(BadToken::Shape);
    }
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| BadToken::Shape);
    let object = |part: &str| match serde_json::from_slice(&bytes(part)?) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(BadToken::Shape),
    };
    signed(&object(head)?, keys, &token.as_bytes()[..head.len() + 1 + body.len()], &bytes(signature)?)?;
    let claims = Claims(object(body)?);
    check(&claims, expected)?;
    Ok(claims)
}

fn signed(head: &Map<String, Value>, keys: &Keys, message: &[u8], signature: &[u8]) -> Result<(), BadToken> {
    let text = |name: &str| head.get(name).and_then(Value::as_str);
    // what must be understood and is not
    if head.contains_key("crit") {
        return Err(BadToken::Algorithm);
    }
    let fits = |key: &&Key| match (text("alg"), &key.public) {
        (Some("RS256"), Public::Rsa { .. }) | (Some("ES256"), Public::P256(_)) => {
            text("kid").is_none() || text("kid") == key.id.as_deref()
        }
        _ => false,
    };
    if !matches!(text("alg"), Some("RS256" | "ES256")) {
        return Err(BadToken::Algorithm);
    }
    let mut candidates = keys.0.iter().filter(fits).peekable();
    if candidates.peek().is_none() {
        return Err(BadToken::Key);
    }
    let right = |key: &Key| match &key.public {
        Public::Rsa { n, e } => {
            RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
        }
        Public::P256(point) => {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
        }
    };
    if candidates.any(right) { Ok(()) } else { Err(BadToken::Signature) }
}

fn check(claims: &Claims, expected: Expected<'_>) -> Result<(), BadToken> {
    let Expected { issuer, client, nonce, now } = expected;
    let second = |name: &str| claims.0.get(name).and_then(Value::as_f64);
    if claims.text("iss") != Some(issuer) {
        return Err(BadToken::Issuer);
    }
    let audience = claims.texts("aud");
    let party = claims.text("azp");
    if !audience.contains(&client)
        || party.is_some_and(|party| party != client)
        || (audience.len() > 1 && party.is_none())
    {
        return Err(BadToken::Audience);
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^53")]
    let (earliest, latest) = ((now - LEEWAY) as f64, (now + LEEWAY) as f64);
    let over = second("exp").is_none_or(|time| time <= earliest);
    if over || second("iat").is_none_or(|time| time > latest) || second("nbf").is_some_and(|time| time > latest) {
        return Err(BadToken::Time);
    }
    if !bool::from(claims.text("nonce").unwrap_or_default().as_bytes().ct_eq(nonce.as_bytes())) {
        return Err(BadToken::Nonce);
    }
    // 255 ASCII characters at most (Core, 2)
    let subject = claims.subject();
    if subject.is_empty() || subject.len() > 255 || !subject.is_ascii() || subject.contains('\0') {
        return Err(BadToken::Subject);
    }
    Ok(())
}
