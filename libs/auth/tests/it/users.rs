//! Users: made, changed, removed, and never without an administrator.

use opsctl_auth::{Action, Error, NewUser, Object};

use crate::support::{PASSWORD, basic, name, on_both};

#[test]
fn made_and_found() {
    on_both(async |bench| {
        assert!(bench.auth.is_empty().await.unwrap());
        let alice = bench.add("alice", &["publisher@index/main/acme-*", "reader@zones"]).await;
        bench.add("bob", &[]).await;
        assert!(!bench.auth.is_empty().await.unwrap());
        let user = bench.auth.user(&alice).await.unwrap().unwrap();
        let grants: Vec<_> = user.grants.iter().map(ToString::to_string).collect();
        assert_eq!(grants, ["publisher@index/main/acme-*", "reader@zones"]);
        assert_eq!((user.administrator, user.disabled, user.has_password), (false, None, true));
        assert_eq!((user.created, user.seen), (bench.now(), None));
        assert_eq!(bench.auth.user(&name("carol")).await.unwrap(), None);
        let names = async |after: Option<&str>| {
            let after = after.map(name);
            let users = bench.auth.users(after.as_ref()).await.unwrap();
            users.iter().map(|user| user.name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names(None).await, ["alice", "bob"]);
        assert_eq!(names(Some("alice")).await, ["bob"]);
        let taken = bench.auth.add_user(&bench.by, NewUser::new(alice)).await;
        assert!(matches!(taken, Err(Error::Taken(_))), "{taken:?}");
    });
}

#[test]
fn roles_change() {
    on_both(async |bench| {
        let alice = bench.add("alice", &["reader@index"]).await;
        let may = async |action| {
            let identity = bench.identify(&basic("alice", PASSWORD)).await.unwrap();
            identity.may(action, Object::new("index", "main", "demo"))
        };
        assert!(!may(Action::Upload).await);
        bench.auth.grant(&bench.by, &alice, &"publisher@index".parse().unwrap()).await.unwrap();
        assert!(may(Action::Upload).await, "at once, here");
        bench.auth.grant(&bench.by, &alice, &"admin@index/main".parse().unwrap()).await.unwrap();
        assert!(may(Action::Admin).await);
        bench.auth.revoke(&bench.by, &alice, &"index/main".parse().unwrap()).await.unwrap();
        bench.auth.revoke(&bench.by, &alice, &"index/main".parse().unwrap()).await.unwrap();
        assert!(!may(Action::Admin).await);
        bench.auth.set_administrator(&bench.by, &alice, true).await.unwrap();
        assert!(may(Action::Admin).await);
        let acts = [
            "(console root) user role auth/user/alice [publisher@index] [administrator publisher@index]",
            "(console root) user role auth/user/alice [publisher@index admin@index/main] [publisher@index]",
            "(console root) user role auth/user/alice [publisher@index] [publisher@index admin@index/main]",
            "(console root) user role auth/user/alice [reader@index] [publisher@index]",
            "(console root) user add auth/user/alice - [reader@index]",
        ];
        assert_eq!(bench.acts(10).await, acts);
    });
}

#[test]
fn locked_out_and_in() {
    on_both(async |bench| {
        let alice = bench.add("alice", &[]).await;
        let session = bench.login("alice", PASSWORD).await.unwrap();
        assert_eq!(bench.who(&session).await, "alice");
        bench.auth.set_disabled(&bench.by, &alice, true).await.unwrap();
        assert_eq!(bench.who(&session).await, "(anonymous)");
        assert_eq!(bench.who(&basic("alice", PASSWORD)).await, "wrong name or password");
        assert!(matches!(bench.login("alice", PASSWORD).await, Err(Error::WrongPassword)));
        bench.auth.set_disabled(&bench.by, &alice, true).await.unwrap();
        bench.auth.set_disabled(&bench.by, &alice, false).await.unwrap();
        assert_eq!(bench.who(&session).await, "(anonymous)", "sessions do not come back");
        assert_eq!(bench.who(&basic("alice", PASSWORD)).await, "alice");
        let acts = bench.acts(2).await;
        assert_eq!(acts[0], "(console root) user enable auth/user/alice [disabled] [no rights]");
        assert_eq!(acts[1], "(console root) user disable auth/user/alice [no rights] [disabled]");
    });
}

#[test]
fn passwords_change() {
    on_both(async |bench| {
        let alice = bench.add("alice", &[]).await;
        let session = bench.login("alice", PASSWORD).await.unwrap();
        assert_eq!(bench.who(&basic("alice", PASSWORD)).await, "alice");
        let short = bench.auth.set_password(&bench.by, &alice, Some("short")).await;
        assert!(matches!(short, Err(Error::Password(_))));
        bench.auth.set_password(&bench.by, &alice, Some("another horse battery")).await.unwrap();
        assert_eq!(bench.who(&session).await, "(anonymous)");
        assert_eq!(bench.who(&basic("alice", PASSWORD)).await, "wrong name or password");
        assert_eq!(bench.who(&basic("alice", "another horse battery")).await, "alice");
        bench.auth.set_password(&bench.by, &alice, None).await.unwrap();
        assert_eq!(bench.who(&basic("alice", "another horse battery")).await, "wrong name or password");
        assert!(!bench.auth.user(&alice).await.unwrap().unwrap().has_password);
        let nobody = bench.auth.set_password(&bench.by, &name("carol"), None).await;
        assert!(matches!(nobody, Err(Error::NoUser(_))));
    });
}

#[test]
fn the_last_administrator_stays() {
    on_both(async |bench| {
        let (alice, bob) = (bench.add("alice", &["administrator"]).await, bench.add("bob", &[]).await);
        let last = |outcome: Result<(), Error>| assert!(matches!(outcome, Err(Error::LastAdministrator(_))));
        last(bench.auth.set_administrator(&bench.by, &alice, false).await);
        last(bench.auth.set_disabled(&bench.by, &alice, true).await);
        last(bench.auth.remove_user(&bench.by, &alice).await);
        assert!(bench.auth.user(&alice).await.unwrap().unwrap().administrator);
        bench.auth.set_administrator(&bench.by, &bob, true).await.unwrap();
        bench.auth.set_disabled(&bench.by, &bob, true).await.unwrap();
        last(bench.auth.remove_user(&bench.by, &alice).await);
        bench.auth.set_disabled(&bench.by, &bob, false).await.unwrap();
        bench.auth.remove_user(&bench.by, &alice).await.unwrap();
        assert_eq!(bench.auth.user(&alice).await.unwrap(), None);
        assert_eq!(bench.acts(1).await, ["(console root) user remove auth/user/alice [administrator] -"]);
    });
}

#[test]
fn two_administrators_cannot_remove_each_other() {
    on_both(async |bench| {
        let (alice, bob) = (bench.add("alice", &["administrator"]).await, bench.add("bob", &["administrator"]).await);
        let (one, other) =
            tokio::join!(bench.auth.remove_user(&bench.by, &alice), bench.auth.remove_user(&bench.by, &bob));
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    });
}
