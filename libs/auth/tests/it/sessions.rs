//! Sessions, and passwords with every request: begun, gone on, ended; guessing is slow.

use opsctl_auth::{Credentials, Error, Identity};

use crate::support::{PASSWORD, basic, name, on_both, with};

#[test]
fn begins_with_a_login() {
    on_both(async |bench| {
        bench.add("alice", &["administrator"]).await;
        let (one, other) =
            (bench.login("alice", PASSWORD).await.unwrap(), bench.login("Alice", PASSWORD).await.unwrap());
        assert_ne!(one, other, "a new one each time");
        assert_eq!(bench.who(&one).await, "alice");
        assert!(bench.identify(&one).await.unwrap().is_administrator());
        for (user, password) in [("alice", "wrong horse battery"), ("bob", PASSWORD), ("", ""), ("a\0b", PASSWORD)] {
            let outcome = bench.login(user, password).await;
            assert!(matches!(outcome, Err(Error::WrongPassword)), "{user}: {outcome:?}");
        }
        let seen = bench.auth.user(&name("alice")).await.unwrap().unwrap().seen;
        assert_eq!(seen, Some(bench.now()));
        assert!(bench.acts(1).await[0].starts_with("alice login auth/session/"));
        for text in ["", "nonsense", &"0".repeat(100_000)] {
            assert_eq!(bench.who(&Credentials::Session(text.to_owned())).await, "(anonymous)");
        }
    });
}

#[test]
fn ends_when_it_is_not_used() {
    with("session_idle=1h\nsession_max=1d", async |bench| {
        bench.add("alice", &[]).await;
        let session = bench.login("alice", PASSWORD).await.unwrap();
        for _ in 0..6 {
            bench.advance(3000);
            assert_eq!(bench.who(&session).await, "alice", "used, it goes on");
        }
        bench.advance(3600);
        assert_eq!(bench.who(&session).await, "(anonymous)");
    });
}

#[test]
fn ends_at_an_age() {
    with("session_idle=1h\nsession_max=2h", async |bench| {
        bench.add("alice", &[]).await;
        let session = bench.login("alice", PASSWORD).await.unwrap();
        for _ in 0..3 {
            bench.advance(1800);
            assert_eq!(bench.who(&session).await, "alice");
        }
        bench.advance(1799);
        assert_eq!(bench.who(&session).await, "alice");
        bench.advance(1);
        assert_eq!(bench.who(&session).await, "(anonymous)");
    });
}

#[test]
fn ends_by_its_user() {
    on_both(async |bench| {
        let alice = bench.add("alice", &[]).await;
        bench.add("bob", &[]).await;
        let bobs = bench.login("bob", PASSWORD).await.unwrap();
        let sessions = [
            bench.login("alice", PASSWORD).await.unwrap(),
            bench.login("alice", PASSWORD).await.unwrap(),
            bench.login("alice", PASSWORD).await.unwrap(),
        ];
        let listed = bench.auth.sessions(&alice).await.unwrap();
        assert_eq!(listed.len(), 3);
        assert_eq!((listed[0].address.as_str(), listed[0].browser.as_str()), ("192.0.2.1", "a browser"));
        let text = |credentials: &Credentials| match credentials {
            Credentials::Session(text) => text.clone(),
            other => panic!("{other:?}"),
        };
        bench.auth.logout(&text(&sessions[0])).await.unwrap();
        assert_eq!(bench.who(&sessions[0]).await, "(anonymous)");
        assert_eq!(bench.who(&sessions[1]).await, "alice");
        let ended = bench.auth.end_sessions(&bench.by, &alice, Some(&text(&sessions[2]))).await.unwrap();
        assert_eq!(ended, 1);
        assert_eq!(bench.who(&sessions[1]).await, "(anonymous)");
        assert_eq!(bench.who(&sessions[2]).await, "alice");
        assert_eq!(bench.who(&bobs).await, "bob");
        bench.auth.logout("nonsense").await.unwrap();
    });
}

#[test]
fn guessing_has_to_wait() {
    with("throttle_after=2\nthrottle_delay=10s", async |bench| {
        bench.add("alice", &[]).await;
        let wrong = async || bench.login("alice", "wrong horse battery").await;
        for _ in 0..3 {
            assert!(matches!(wrong().await, Err(Error::WrongPassword)));
        }
        assert!(matches!(wrong().await, Err(Error::Throttled(wait)) if wait.as_secs() == 10));
        assert!(
            matches!(bench.login("alice", PASSWORD).await, Err(Error::Throttled(_))),
            "nor is the right one looked at"
        );
        assert!(matches!(bench.identify(&basic("alice", PASSWORD)).await, Err(Error::Throttled(_))), "at any door");
        bench.advance(10);
        assert!(bench.login("alice", PASSWORD).await.is_ok());
        assert!(matches!(wrong().await, Err(Error::WrongPassword)), "it starts anew");
    });
}

#[test]
fn a_client_known_to_be_right_is_not_locked_out() {
    with("throttle_after=2\nthrottle_delay=60s", async |bench| {
        bench.add("alice", &[]).await;
        assert_eq!(bench.who(&basic("alice", PASSWORD)).await, "alice");
        let elsewhere = |last: u8| Some([198, 51, 100, last].into());
        let wrong = basic("alice", "wrong horse battery");
        for last in 0..10 {
            bench.auth.identify(&wrong, elsewhere(last), opsctl_auth::Intent::Look).await.unwrap_err();
        }
        assert!(matches!(bench.login("alice", PASSWORD).await, Err(Error::Throttled(_))));
        assert_eq!(bench.who(&basic("alice", PASSWORD)).await, "alice");
    });
}

#[test]
fn a_password_with_every_request() {
    on_both(async |bench| {
        bench.add("alice", &[]).await;
        for _ in 0..50 {
            assert_eq!(bench.who(&basic("alice", PASSWORD)).await, "alice");
        }
        assert_eq!(bench.who(&basic("ALICE", PASSWORD)).await, "alice");
        assert_eq!(bench.who(&basic("alice", "")).await, "wrong name or password");
        assert_eq!(bench.who(&basic("alice", &"a".repeat(1_000_000))).await, "wrong name or password");
        assert_eq!(bench.who(&Credentials::Unreadable).await, "these credentials cannot be read");
        assert_eq!(bench.who(&Credentials::None).await, "(anonymous)");
    });
}

#[test]
fn everybody_may_what_is_set() {
    use opsctl_auth::{Action, Object, Refusal};
    let check = |set: &str, expected: Result<(), Refusal>| {
        with(set, async |bench| {
            let nobody: Identity = bench.identify(&Credentials::None).await.unwrap();
            assert_eq!(nobody.check(Action::Read, Object::new("index", "main", "demo")), expected);
            assert_eq!(nobody.check(Action::Upload, Object::new("index", "main", "demo")), Err(Refusal::Unknown));
        });
    };
    check("", Ok(()));
    check("anonymous=[]", Err(Refusal::Unknown));
    check("anonymous=index/main:read", Ok(()));
}
