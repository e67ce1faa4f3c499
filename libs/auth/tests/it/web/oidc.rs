//! Logging in at a provider: one of ours, on loopback, that really signs.

mod provider;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::provider::{Provider, claims};
use super::browser::Browser;
use crate::support::{Bench, on_one, settings};

/// A user base that trusts `provider`.
fn with(set: &str, test: impl AsyncFn(&Bench, &Provider, &mut Browser)) {
    let provider = Provider::start();
    let set = format!(
        "url=https://packages.example\noidc.issuer={}\noidc.client_id=opsctl\noidc.client_secret=hush\n{set}",
        provider.issuer()
    );
    on_one(&set, async |bench| {
        let mut browser = Browser::new(&bench.auth);
        test(bench, &provider, &mut browser).await;
    });
}

/// What the query of an address says.
fn query(url: &str) -> BTreeMap<String, String> {
    let pairs = url.split_once('?').unwrap().1;
    form_urlencoded::parse(pairs.as_bytes()).into_owned().collect()
}

/// Goes to the provider, is let in there as one of whom `claims` says this, and comes back. The status, and where it leads.
async fn log_in(provider: &Provider, browser: &mut Browser, said: Value) -> (u16, String) {
    let to = begin(browser).await;
    come_back(provider, browser, &to, said, |state| state.to_owned()).await
}

async fn begin(browser: &mut Browser) -> String {
    let status = browser.get("/_/oidc/login?next=/admin").await;
    assert_eq!(status, 303, "{}", browser.text);
    browser.head["location"].to_str().unwrap().to_owned()
}

async fn come_back(
    provider: &Provider,
    browser: &mut Browser,
    to: &str,
    said: Value,
    state: impl Fn(&str) -> String,
) -> (u16, String) {
    let asked = query(to);
    assert_eq!(asked["response_type"], "code");
    assert_eq!(asked["redirect_uri"], "https://packages.example/_/oidc/callback");
    assert_eq!(asked["code_challenge_method"], "S256");
    assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
    let code = provider.grant(&asked["code_challenge"], &asked["nonce"], said);
    let status = browser.get(&format!("/_/oidc/callback?code={code}&state={}", state(&asked["state"]))).await;
    let location = browser.head.get("location").map_or("", |location| location.to_str().unwrap()).to_owned();
    (status, location)
}

#[test]
fn who_is_let_in_there_is_a_user_here() {
    with("oidc.label=example", async |bench, provider, browser| {
        assert_eq!(browser.get("/_/login?next=/admin").await, 200);
        assert!(browser.text.contains("Log in with example"), "{}", browser.text);
        let (status, location) = log_in(provider, browser, claims(json!({"preferred_username": "Ada"}))).await;
        assert_eq!((status, &*location), (303, "/admin"), "{}", browser.text);
        assert_eq!(browser.get("/_/account").await, 200);
        assert!(browser.text.contains("ada"), "{}", browser.text);
        // the same person under another name is still the same user
        let mut other = Browser::new(&bench.auth);
        let (status, _) = log_in(provider, &mut other, claims(json!({"preferred_username": "countess"}))).await;
        assert_eq!(status, 303);
        assert_eq!(bench.auth.users(None).await.unwrap().len(), 1);
        let acts = bench.acts(10).await.join("\n");
        assert!(acts.contains("ada user link auth/user/ada"), "{acts}");
        assert!(acts.contains("ada login auth/session"), "{acts}");
        // locked out here is locked out
        bench.add("root", &["administrator"]).await;
        bench.auth.set_disabled(&bench.by, &"ada".parse().unwrap(), true).await.unwrap();
        let (status, _) = log_in(provider, browser, claims(json!({"preferred_username": "Ada"}))).await;
        assert_eq!(status, 403);
    });
}

#[test]
fn a_user_of_ours_is_not_taken_over() {
    with("", async |bench, provider, browser| {
        bench.add("root", &["administrator"]).await;
        let (status, _) = log_in(provider, browser, claims(json!({"preferred_username": "root"}))).await;
        assert_eq!(status, 403);
        assert!(browser.text.contains("another user of this name"), "{}", browser.text);
        for bad in [json!({}), json!({"preferred_username": "a b"}), json!({"preferred_username": ["root"]})] {
            assert_eq!(log_in(provider, browser, claims(bad)).await.0, 403);
        }
        assert_eq!(bench.auth.users(None).await.unwrap().len(), 1);
    });
}

#[test]
fn domains_and_groups_decide() {
    let roles = "oidc.roles={\"devs\" = [\"publisher@index/main\"], \"ops\" = [\"administrator\", \"reader@zones\"]}";
    with(&format!("oidc.name=email\noidc.domains=[\"example.org\"]\n{roles}"), async |bench, provider, browser| {
        let said = |email: &str, verified: bool, groups: &[&str]| {
            claims(json!({"sub": email, "email": email, "email_verified": verified, "groups": groups}))
        };
        let mut check = async |said: Value, expected: u16| {
            let (status, _) = log_in(provider, browser, said).await;
            assert_eq!(status, expected, "{}", browser.text);
        };
        check(said("eve@evil.example", true, &["devs"]), 403).await;
        check(said("eve@example.org", false, &["devs"]), 403).await;
        check(said("eve@example.org", true, &["cooks"]), 403).await;
        check(said("root@example.org", true, &["ops"]), 303).await;
        check(said("ada@example.org", true, &["devs", "cooks"]), 303).await;
        let rights = async |name: &str| {
            let user = bench.auth.user(&name.parse().unwrap()).await.unwrap().unwrap();
            (user.administrator, user.grants.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(rights("ada@example.org").await, (false, vec!["publisher@index/main".to_owned()]));
        assert_eq!(rights("root@example.org").await, (true, vec!["reader@zones".to_owned()]));
        // who is in another group now may do other things, and the last administrator stays
        check(said("ada@example.org", true, &["ops"]), 303).await;
        assert!(rights("ada@example.org").await.0);
        check(said("ada@example.org", true, &["devs"]), 303).await;
        assert!(!rights("ada@example.org").await.0);
        check(said("root@example.org", true, &["devs"]), 409).await;
        let acts = bench.acts(20).await.join("\n");
        assert!(acts.contains("user role auth/user/ada@example.org"), "{acts}");
    });
}

#[test]
fn an_answer_that_was_not_asked_for_is_none() {
    with("", async |bench, provider, browser| {
        let ada = || claims(json!({"preferred_username": "ada"}));
        // another's state
        let to = begin(browser).await;
        let (status, _) = come_back(provider, browser, &to, ada(), |_| "x".repeat(43)).await;
        assert_eq!(status, 403);
        // another browser's
        let to = begin(browser).await;
        let mut other = Browser::new(&bench.auth);
        assert_eq!(come_back(provider, &mut other, &to, ada(), str::to_owned).await.0, 403);
        // too late
        let to = begin(browser).await;
        bench.advance(601);
        assert_eq!(come_back(provider, browser, &to, ada(), str::to_owned).await.0, 403);
        // a code of another login: the provider knows by the verifier
        let (one, two) = (query(&begin(browser).await), begin(browser).await);
        let code = provider.grant(&one["code_challenge"], &query(&two)["nonce"], ada());
        let path = format!("/_/oidc/callback?code={code}&state={}", query(&two)["state"]);
        assert_eq!(browser.get(&path).await, 502);
        // it has said no
        assert_eq!(browser.get("/_/oidc/callback?error=access_denied").await, 403);
        assert!(bench.auth.users(None).await.unwrap().is_empty());
    });
}

#[test]
fn tokens_that_are_not_right_are_not_believed() {
    with("", async |bench, provider, browser| {
        let now = bench.now().as_second();
        let lies = [
            json!({"iss": "https://evil.example"}),
            json!({"aud": "another"}),
            json!({"aud": ["opsctl", "another"]}),
            json!({"aud": ["opsctl", "another"], "azp": "another"}),
            json!({"exp": now - 61}),
            json!({"iat": now + 3600}),
            json!({"nbf": now + 3600}),
            json!({"nonce": "another"}),
            json!({"sub": ""}),
            json!({"exp": null}),
        ];
        for lie in lies {
            let mut said = claims(json!({"preferred_username": "ada"}));
            said.as_object_mut().unwrap().extend(lie.as_object().unwrap().clone());
            assert_eq!(log_in(provider, browser, said).await.0, 502, "{lie}");
        }
        for spoiled in ["none", "hs256", "signature", "foreign key", "unknown key", "rsa as ec", "crit", "parts"] {
            provider.spoil(spoiled);
            let (status, _) = log_in(provider, browser, claims(json!({"preferred_username": "ada"}))).await;
            assert_eq!(status, 502, "{spoiled}: {}", browser.text);
        }
        assert!(bench.auth.users(None).await.unwrap().is_empty());
        provider.spoil("");
        let both = claims(json!({"preferred_username": "ada", "aud": ["opsctl", "another"], "azp": "opsctl"}));
        assert_eq!(log_in(provider, browser, both).await.0, 303);
        // a new key, which the provider publishes, and an elliptic one
        for spoiled in ["es256", "new key"] {
            bench.advance(31);
            provider.spoil(spoiled);
            let (status, _) = log_in(provider, browser, claims(json!({"preferred_username": "ada"}))).await;
            assert_eq!(status, 303, "{spoiled}: {}", browser.text);
        }
    });
}

#[test]
fn what_is_configured_is_checked_at_the_start() {
    let check = |set: &str, said: &str| {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let location = opsctl_store::Location::local(folder.path());
        let set = format!("oidc.client_id=opsctl\n{set}");
        let opened = runtime.block_on(opsctl_auth::Auth::open(&location, settings(&set), opsctl_auth::Clock::system()));
        let error = opened.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(said) && error.is_empty() == said.is_empty(), "{set}: {error}");
    };
    check("oidc.issuer=https://login.example", "needs `auth.url`");
    check("url=https://a\noidc.issuer=login.example", "is no http or https URL");
    check("url=https://a\noidc.issuer=https://login.example", "");
    check(
        "url=https://a\noidc.issuer=https://login.example\noidc.roles={\"a\" = [\"king@index\"]}",
        "`auth.oidc.roles`",
    );
}
