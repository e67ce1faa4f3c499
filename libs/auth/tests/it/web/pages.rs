//! The pages as a browser sees them, and as a program does.

use opsctl_auth::NewToken;

use super::browser::{Browser, SEE_OTHER};
use crate::support::{Bench, PASSWORD, name, on_one};

async fn admin(bench: &Bench) -> Browser {
    bench.add("root", &["administrator"]).await;
    let mut browser = Browser::new(&bench.auth);
    assert_eq!(browser.login("root", PASSWORD).await, SEE_OTHER, "{}", browser.text);
    browser
}

#[test]
fn logging_in_and_out() {
    on_one("", async |bench| {
        bench.add("alice", &["publisher@index"]).await;
        let mut browser = Browser::new(&bench.auth);
        assert_eq!(browser.login("alice", "wrong horse battery").await, 422);
        browser.shows("Wrong name or password");
        assert!(!browser.text.contains("wrong horse battery"));
        browser.shows("value=\"alice\"");
        assert_eq!(browser.cookie("opsctl"), None);
        assert_eq!(browser.login("Alice", PASSWORD).await, SEE_OTHER);
        assert_eq!(browser.location(), "/");
        assert_eq!(browser.head["cache-control"], "no-store");
        assert_eq!(browser.get("/").await, 200);
        assert_eq!(browser.text, "alice");
        assert_eq!(browser.get("/_/login").await, SEE_OTHER, "there is nothing to do there");
        assert_eq!(browser.get("/_/account").await, 200);
        browser.shows("<summary>alice</summary>");
        browser.shows("this one");
        assert_eq!(browser.submit("/_/account", "/_/logout", &[]).await, SEE_OTHER);
        assert_eq!(browser.cookie("opsctl"), None);
        browser.get("/").await;
        assert_eq!(browser.text, "(anonymous)");
    });
}

#[test]
fn the_login_leads_back() {
    on_one("anonymous=[]", async |bench| {
        bench.add("alice", &["reader@index"]).await;
        let mut browser = Browser::new(&bench.auth);
        assert_eq!(browser.get("/?a=b%20c").await, SEE_OTHER);
        assert_eq!(browser.location(), "/_/login?next=%2F%3Fa%3Db%2Bc");
        let login = browser.location().to_owned();
        assert_eq!(browser.get(&login).await, 200);
        browser.shows("name=\"next\" value=\"/?a=b+c\"");
        let fields = [("name", "alice"), ("password", PASSWORD), ("next", "//evil.example")];
        assert_eq!(browser.submit("/_/login", "/_/login", &fields).await, SEE_OTHER);
        assert_eq!(browser.location(), "/");
        // nobody is led there who has shown who they are, and no program
        assert_eq!(browser.get("/admin").await, 403);
        let mut program = Browser::new(&bench.auth).with("accept", "application/json");
        assert_eq!(program.get("/").await, 401);
        assert_eq!(program.head["www-authenticate"], "Basic realm=\"opsctl\", charset=\"UTF-8\"");
        let mut pip =
            Browser::new(&bench.auth).with("accept", "application/vnd.pypi.simple.v1+json, text/html; q=0.01");
        assert_eq!(pip.get("/").await, 401);
    });
}

#[test]
fn ones_own_tokens() {
    on_one("", async |bench| {
        bench.add("alice", &["publisher@index"]).await;
        let mut browser = Browser::new(&bench.auth);
        browser.login("alice", PASSWORD).await;
        let tokens = "/_/account/tokens";
        let wrong = [("label", ""), ("scopes", "index:write"), ("days", "0")];
        assert_eq!(browser.submit("/_/account", tokens, &wrong).await, 422);
        browser.shows("What it allows cannot be read: `write` is no action");
        let fields = [("label", "<ci>"), ("scopes", "index/main:upload zones:read"), ("days", "7")];
        assert_eq!(browser.submit("/_/account", tokens, &fields).await, 201);
        assert_eq!(browser.head["cache-control"], "no-store");
        browser.shows("&lt;ci&gt;");
        let text = browser.text.split("opx_").nth(1).unwrap().split('<').next().unwrap();
        let text = format!("opx_{text}");
        browser.get("/_/account").await;
        assert!(!browser.text.contains(&text), "never again");
        browser.shows("index&#x2f;main:upload");
        let mut program = Browser::new(&bench.auth).with("authorization", &format!("Bearer {text}"));
        assert_eq!(program.send("POST", "/", "").await, 200, "{}", program.text);
        let id = bench.auth.tokens(None).await.unwrap()[0].id;
        assert_eq!(program.text, format!("alice (token {id})"));
        assert_eq!(program.get("/_/account").await, 403, "a token makes no tokens");
        assert_eq!(program.send("POST", tokens, "label=x&scopes=index:read").await, 403);
        let revoke = format!("{tokens}/{id}");
        assert_eq!(browser.submit_as("delete", "/_/account", &revoke, &[]).await, SEE_OTHER);
        assert_eq!(browser.submit_as("delete", "/_/account", &revoke, &[]).await, 404);
        assert_eq!(program.send("POST", "/", "").await, 403);
    });
}

#[test]
fn the_password_changes() {
    on_one("", async |bench| {
        bench.add("alice", &[]).await;
        let mut browser = Browser::new(&bench.auth);
        let mut other = Browser::new(&bench.auth);
        browser.login("alice", PASSWORD).await;
        other.login("alice", PASSWORD).await;
        let before = browser.cookie("opsctl").unwrap().to_owned();
        let mut change = async |old: &str, new: &str, again: &str| {
            let fields = [("old", old), ("new", new), ("again", again)];
            browser.submit_as("put", "/_/account", "/_/account/password", &fields).await
        };
        assert_eq!(change("wrong horse battery", "another horse battery", "another horse battery").await, 422);
        assert_eq!(change(PASSWORD, "another horse battery", "another").await, 422);
        assert_eq!(change(PASSWORD, "short", "short").await, 422);
        assert_eq!(change(PASSWORD, "another horse battery", "another horse battery").await, SEE_OTHER);
        assert_ne!(browser.cookie("opsctl").unwrap(), before, "a new session");
        assert_eq!(browser.get("/_/account").await, 200);
        browser.shows("the password is changed");
        assert_eq!(other.get("/_/account").await, SEE_OTHER, "all others are over");
    });
}

#[test]
fn sessions_of_others_end() {
    on_one("", async |bench| {
        bench.add("alice", &[]).await;
        let (mut one, mut other) = (Browser::new(&bench.auth), Browser::new(&bench.auth));
        one.login("alice", PASSWORD).await;
        other.login("alice", PASSWORD).await;
        assert_eq!(one.submit_as("delete", "/_/account", "/_/account/sessions", &[]).await, SEE_OTHER);
        assert_eq!(one.get("/_/account").await, 200);
        one.shows("sessions ended: 1");
        other.get("/").await;
        assert_eq!(other.text, "(anonymous)");
    });
}

#[test]
fn users_are_managed() {
    on_one("url=https://ops.example.org", async |bench| {
        let mut browser = admin(bench).await;
        let add = [("name", "Bob"), ("grants", "publisher@index/main reader@zones")];
        assert_eq!(browser.submit("/_/users", "/_/users", &add).await, 201);
        browser.shows("https:&#x2f;&#x2f;ops.example.org&#x2f;_&#x2f;invite&#x2f;");
        assert_eq!(browser.submit("/_/users", "/_/users", &add).await, 422);
        browser.shows("there is a user `bob` already");
        assert_eq!(browser.submit("/_/users", "/_/users", &[("name", "b b"), ("grants", "owner")]).await, 422);
        assert_eq!(browser.get("/_/users").await, 200);
        browser.shows("no password");
        let bob = "/_/users/bob";
        assert_eq!(browser.get(bob).await, 200);
        browser.shows("index&#x2f;main");
        let grants = "/_/users/bob/grants";
        assert_eq!(browser.submit(bob, grants, &[("grant", "admin@index")]).await, SEE_OTHER);
        assert_eq!(browser.submit(bob, grants, &[("grant", "nonsense")]).await, 422);
        assert_eq!(browser.submit_as("delete", bob, grants, &[("place", "zones")]).await, SEE_OTHER);
        let user = bench.auth.user(&name("bob")).await.unwrap().unwrap();
        let held: Vec<_> = user.grants.iter().map(ToString::to_string).collect();
        assert_eq!(held, ["admin@index", "publisher@index/main"]);
        let fields = [("label", "robot"), ("scopes", "index:upload"), ("days", "")];
        assert_eq!(browser.submit(bob, "/_/users/bob/tokens", &fields).await, 201);
        browser.shows("never");
        assert_eq!(browser.submit(bob, "/_/users/bob/invite", &[]).await, 201);
        assert_eq!(browser.submit_as("put", bob, bob, &[("disabled", "yes")]).await, SEE_OTHER);
        assert_eq!(browser.submit_as("put", bob, bob, &[("disabled", "perhaps")]).await, 400);
        assert_eq!(browser.submit_as("put", bob, bob, &[("administrator", "yes")]).await, SEE_OTHER);
        browser.get(bob).await;
        browser.shows(">disabled</span>");
        assert_eq!(browser.submit_as("put", bob, "/_/users/root", &[("administrator", "no")]).await, 409);
        assert_eq!(browser.submit_as("delete", bob, bob, &[]).await, SEE_OTHER);
        assert_eq!(browser.get(bob).await, 404);
        assert_eq!(browser.get("/_/users/no%20name").await, 404);
    });
}

#[test]
fn only_for_administrators() {
    on_one("", async |bench| {
        bench.add("root", &["administrator"]).await;
        bench.add("alice", &["admin"]).await;
        let mut alice = Browser::new(&bench.auth);
        alice.login("alice", PASSWORD).await;
        let mut nobody = Browser::new(&bench.auth);
        let new = NewToken {
            label: "all".to_owned(),
            scopes: vec!["*:read,upload,yank,admin".parse().unwrap()],
            expires: None,
            single_use: false,
        };
        let (_, text) = bench.auth.create_token(&bench.by, &name("root"), &new).await.unwrap();
        let mut token = Browser::new(&bench.auth).with("authorization", &format!("Bearer {}", text.expose()));
        for path in ["/_/users", "/_/users/root", "/_/audit"] {
            assert_eq!(alice.get(path).await, 403, "{path}");
            assert_eq!(nobody.get(path).await, SEE_OTHER, "{path}");
            assert_eq!(nobody.location(), "/_/login");
            assert_eq!(token.get(path).await, 403, "{path}");
        }
        assert_eq!(token.send("PUT", "/_/users/alice", "administrator=yes").await, 403);
        assert_eq!(alice.submit_as("put", "/_/account", "/_/users/alice", &[("administrator", "yes")]).await, 403);
        assert!(!alice.text.contains("href=\"/_/users\""));
    });
}

#[test]
fn invitations_are_taken_up() {
    on_one("", async |bench| {
        let first = bench.auth.invite_first(&bench.by).await.unwrap().unwrap();
        let mut browser = Browser::new(&bench.auth);
        let path = first.path();
        let fields = [("name", "-x"), ("password", "short"), ("again", "other")];
        assert_eq!(browser.submit(&path, &path, &fields).await, 422);
        let fields = [("name", "root"), ("password", PASSWORD), ("again", PASSWORD)];
        assert_eq!(browser.submit(&path, &path, &fields).await, SEE_OTHER, "{}", browser.text);
        assert_eq!(browser.get("/_/users").await, 200);
        assert_eq!(browser.get(&path).await, 410);
        assert_eq!(browser.get("/_/invite/nonsense").await, 410);
    });
}

#[test]
fn the_trail() {
    on_one("", async |bench| {
        let mut browser = admin(bench).await;
        for number in 0..60 {
            bench.auth.add_user(&bench.by, opsctl_auth::NewUser::new(name(&format!("u{number}")))).await.unwrap();
        }
        assert_eq!(browser.get("/_/audit").await, 200);
        browser.shows("auth&#x2f;user&#x2f;u59");
        let next = browser.head["link"].to_str().unwrap().split(['<', '>']).nth(1).unwrap().to_owned();
        assert_eq!(browser.get(&next).await, 200);
        browser.shows("auth&#x2f;user&#x2f;u9<");
        assert_eq!(browser.get("/_/audit?actor=root&action=login&service=auth").await, 200);
        assert_eq!(browser.text.matches("<tr>").count(), 2, "{}", browser.text);
        assert_eq!(browser.get("/_/audit?object=%3Cscript%3E&after=nonsense&rows=x").await, 200);
        browser.shows("Nothing.");
        browser.shows("&lt;script&gt;");
    });
}

#[test]
fn programs_get_json() {
    on_one("", async |bench| {
        bench.add("root", &["administrator"]).await;
        let credentials = "Basic cm9vdDpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=";
        let mut program =
            Browser::new(&bench.auth).with("accept", "application/json").with("authorization", credentials);
        assert_eq!(program.get("/_/users").await, 200, "{}", program.text);
        program.shows(r#""name":"root","administrator":true"#);
        assert_eq!(program.send("POST", "/_/users", "name=ci").await, 201);
        program.shows(r#""link":"/_/invite/"#);
        assert_eq!(program.send("POST", "/_/users", "name=ci").await, 422);
        assert_eq!(program.send("POST", "/_/users/ci/grants", "grant=publisher@index").await, 204);
        assert_eq!(program.send("POST", "/_/users/ci/tokens", "label=x&scopes=index:upload&days=1").await, 201);
        program.shows(r#""token":"opx_"#);
        assert_eq!(program.send("POST", "/_/users/ci/tokens", "label=x&scopes=index").await, 422);
        assert_eq!(program.get("/_/audit").await, 200);
        program.shows(r#""action":"token create""#);
        assert_eq!(program.send("DELETE", "/_/users/ci", "").await, 204);
        assert_eq!(program.get("/_/account").await, 200);
        program.shows(r#""tokens_list":[]"#);
    });
}
