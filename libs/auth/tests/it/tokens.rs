//! Tokens: what they allow, when they end, and that one for a single use is used once.

use std::time::Duration;

use opsctl_auth::{Action, Auth, Credentials, Error, Intent, Name, NewToken, Object, TokenText};

use crate::support::{Bench, basic, name, on_both, with};

fn new(scopes: &[&str]) -> NewToken {
    let scopes = scopes.iter().map(|scope| scope.parse().unwrap()).collect();
    NewToken { label: "ci".to_owned(), scopes, expires: None, single_use: false }
}

async fn create(bench: &Bench, owner: &Name, new: NewToken) -> (i64, TokenText) {
    bench.auth.create_token(&bench.by, owner, &new).await.unwrap()
}

fn bearer(token: &TokenText) -> Credentials {
    Credentials::Bearer(token.expose().to_owned())
}

const DEMO: Object<'static> = Object::new("index", "main", "demo");

#[test]
fn allows_what_its_scopes_say() {
    on_both(async |bench| {
        let alice = bench.add("alice", &["publisher@index"]).await;
        let (id, token) = create(bench, &alice, new(&["index/main/d*:upload", "zones:read"])).await;
        let identity = bench.identify(&bearer(&token)).await.unwrap();
        assert!(identity.may(Action::Upload, DEMO));
        assert!(!identity.may(Action::Upload, Object::new("index", "main", "other")));
        assert!(!identity.may(Action::Yank, DEMO));
        assert_eq!(identity.actor(), format!("alice (token {id})"));
        for user in ["__token__", "alice", "", "whoever"] {
            assert_eq!(bench.who(&basic(user, token.expose())).await, identity.actor());
        }
        assert_eq!(
            bench.acts(1).await,
            [format!(
                "(console root) token create auth/token/alice/{id} - [\"ci\": index/main/d*:upload zones:read, for ever]"
            )]
        );
        // what the owner loses the token loses
        bench.auth.revoke(&bench.by, &alice, &"index".parse().unwrap()).await.unwrap();
        assert!(!bench.identify(&bearer(&token)).await.unwrap().may(Action::Upload, DEMO));
    });
}

#[test]
fn wrong_ones_are_refused() {
    on_both(async |bench| {
        let alice = bench.add("alice", &[]).await;
        let (_, token) = create(bench, &alice, new(&["index:read"])).await;
        let wrong = "this token is invalid, revoked or expired";
        assert_eq!(bench.who(&bearer(&TokenText::draw().unwrap())).await, wrong);
        for text in ["", "opx_", "nonsense", &token.expose()[..52], &format!("{}0", token.expose())] {
            assert_eq!(bench.who(&Credentials::Bearer(text.to_owned())).await, wrong, "{text}");
        }
        assert_eq!(bench.who(&basic("alice", &format!("{} ", token.expose()))).await, wrong);
        assert_eq!(bench.who(&Credentials::Session(token.expose().to_owned())).await, "(anonymous)");
        bench.who(&bearer(&token)).await;
        assert_eq!(bench.who(&Credentials::Session(token.expose().to_owned())).await, "(anonymous)", "remembered");
    });
}

#[test]
fn expires_and_is_revoked() {
    on_both(async |bench| {
        let alice = bench.add("alice", &[]).await;
        let expires = bench.now().checked_add(Duration::from_secs(60)).ok();
        let (id, token) = create(bench, &alice, NewToken { expires, ..new(&["index:read"]) }).await;
        assert_eq!(bench.who(&bearer(&token)).await, format!("alice (token {id})"));
        bench.advance(59);
        assert_eq!(bench.who(&bearer(&token)).await, format!("alice (token {id})"));
        bench.advance(1);
        assert!(matches!(bench.identify(&bearer(&token)).await, Err(Error::WrongToken)));

        let (id, token) = create(bench, &alice, new(&["index:read"])).await;
        assert!(bench.identify(&bearer(&token)).await.is_ok());
        assert!(!bench.auth.revoke_token(&bench.by, Some(&name("bob")), id).await.unwrap(), "not bob's");
        assert!(bench.auth.revoke_token(&bench.by, Some(&alice), id).await.unwrap());
        assert!(matches!(bench.identify(&bearer(&token)).await, Err(Error::WrongToken)), "at once, here");
        assert!(!bench.auth.revoke_token(&bench.by, None, id).await.unwrap());

        let (_, token) = create(bench, &alice, new(&["index:read"])).await;
        assert!(bench.identify(&bearer(&token)).await.is_ok());
        bench.auth.set_disabled(&bench.by, &alice, true).await.unwrap();
        assert!(matches!(bench.identify(&bearer(&token)).await, Err(Error::WrongToken)));
    });
}

#[test]
fn what_another_process_revokes_works_a_moment_longer() {
    with("cache=2s", async |bench| {
        let alice = bench.add("alice", &[]).await;
        let (id, token) = create(bench, &alice, new(&["index:read"])).await;
        let elsewhere = bench.another().await;
        assert!(bench.identify(&bearer(&token)).await.is_ok());
        assert!(elsewhere.revoke_token(&bench.by, None, id).await.unwrap());
        bench.advance(2);
        assert!(matches!(bench.identify(&bearer(&token)).await, Err(Error::WrongToken)));
    });
}

#[test]
fn of_many_at_once_one_uses_a_token_up() {
    on_both(async |bench| {
        let alice = bench.add("alice", &["publisher@index"]).await;
        let (_, token) = create(bench, &alice, NewToken { single_use: true, ..new(&["index:upload"]) }).await;
        let token = bearer(&token);
        let elsewhere = bench.another().await;
        assert!(bench.identify(&token).await.is_ok(), "to look costs nothing");
        let change = async |auth: &Auth| auth.identify(&token, None, Intent::Change).await;
        let (a, b, c, d) =
            tokio::join!(change(&bench.auth), change(&elsewhere), change(&bench.auth), change(&elsewhere));
        let outcomes = [a, b, c, d];
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        assert!(matches!(bench.identify(&token).await, Err(Error::WrongToken)), "nor is there anything to see");
        let listed = bench.auth.tokens(Some(&alice)).await.unwrap();
        assert_eq!(listed[0].spent, Some(bench.now()));
    });
}

#[test]
fn what_nobody_can_make() {
    on_both(async |bench| {
        let alice = bench.add("alice", &[]).await;
        let wrong = async |new: NewToken| {
            let outcome = bench.auth.create_token(&bench.by, &alice, &new).await;
            assert!(matches!(outcome, Err(Error::Token(_))), "{outcome:?}");
        };
        wrong(new(&[])).await;
        wrong(NewToken { label: " ".to_owned(), ..new(&["index:read"]) }).await;
        wrong(NewToken { label: "a\nb".to_owned(), ..new(&["index:read"]) }).await;
        wrong(NewToken { label: "a".repeat(81), ..new(&["index:read"]) }).await;
        wrong(NewToken { expires: Some(bench.now()), ..new(&["index:read"]) }).await;
        wrong(new(&["index:read"; 21])).await;
        let nobody = bench.auth.create_token(&bench.by, &name("bob"), &new(&["index:read"])).await;
        assert!(matches!(nobody, Err(Error::NoUser(_))));
    });
}

#[test]
fn listed_with_their_use() {
    on_both(async |bench| {
        let (alice, bob) = (bench.add("alice", &[]).await, bench.add("bob", &[]).await);
        let (first, token) = create(bench, &alice, new(&["index:read"])).await;
        let (second, _) = create(bench, &bob, new(&["zones:read,upload"])).await;
        let used = async || bench.auth.tokens(Some(&alice)).await.unwrap()[0].used;
        assert_eq!(used().await, None);
        bench.identify(&bearer(&token)).await.unwrap();
        let noted = bench.now();
        assert_eq!(used().await, Some(noted));
        bench.advance(299);
        bench.identify(&bearer(&token)).await.unwrap();
        assert_eq!(used().await, Some(noted), "no write for every request");
        bench.advance(2);
        bench.identify(&bearer(&token)).await.unwrap();
        assert_eq!(used().await, Some(bench.now()));
        let all: Vec<_> = bench.auth.tokens(None).await.unwrap().iter().map(|token| token.id).collect();
        assert_eq!(all, [second, first]);
        let listed = &bench.auth.tokens(Some(&bob)).await.unwrap()[0];
        assert_eq!((listed.label.as_str(), listed.scopes[0].to_string().as_str()), ("ci", "zones:read,upload"));
        assert!(listed.is_live(bench.now()));
    });
}
