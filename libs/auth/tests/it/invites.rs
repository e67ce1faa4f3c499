//! Invitations: used once, in time, and by the one they were made for.

use opsctl_auth::{Error, Invited, NewUser};

use crate::support::{Bench, PASSWORD, basic, browser, name, on_both, with};

async fn accept(bench: &Bench, text: &str, user: &str) -> Result<String, Error> {
    let (name, _) = bench.auth.accept_invite(text, &name(user), PASSWORD, &browser()).await?;
    Ok(name.to_string())
}

#[test]
fn the_first_administrator() {
    on_both(async |bench| {
        let old = bench.auth.invite_first(&bench.by).await.unwrap().unwrap();
        let text = bench.auth.invite_first(&bench.by).await.unwrap().unwrap();
        assert!(text.path().starts_with("/_/invite/") && text.path().len() == 53, "{}", text.path());
        assert_eq!(bench.auth.invited(old.expose()).await.unwrap(), None, "only the newest");
        assert_eq!(bench.auth.invited(text.expose()).await.unwrap(), Some(Invited::FirstAdministrator));
        let short = bench.auth.accept_invite(text.expose(), &name("root"), "short", &browser()).await;
        assert!(matches!(short, Err(Error::Password(_))), "and the link is still good");
        let (name, session) =
            bench.auth.accept_invite(text.expose(), &name("Root"), PASSWORD, &browser()).await.unwrap();
        assert_eq!(name.as_str(), "root");
        let session = opsctl_auth::Credentials::Session(session.expose().to_owned());
        assert!(bench.identify(&session).await.unwrap().is_administrator());
        assert!(matches!(accept(bench, text.expose(), "mallory").await, Err(Error::NoInvite)));
        assert!(bench.auth.invite_first(&bench.by).await.unwrap().is_none());
        let acts = bench.acts(9).await;
        assert!(acts[0].starts_with("root login auth/session/"));
        assert_eq!(acts[1], "root user add auth/user/root - [administrator]");
        assert_eq!(acts[2], "(console root) user invite auth/user - -");
    });
}

#[test]
fn of_many_at_once_one_is_the_first() {
    on_both(async |bench| {
        let text = bench.auth.invite_first(&bench.by).await.unwrap().unwrap();
        let text = text.expose();
        let (a, b, c) = tokio::join!(accept(bench, text, "a"), accept(bench, text, "b"), accept(bench, text, "c"));
        let outcomes = [a, b, c];
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        assert_eq!(bench.auth.users(None).await.unwrap().len(), 1);
    });
}

#[test]
fn a_first_link_is_worth_nothing_once_there_is_somebody() {
    on_both(async |bench| {
        let text = bench.auth.invite_first(&bench.by).await.unwrap().unwrap();
        bench.add("alice", &[]).await;
        assert!(matches!(accept(bench, text.expose(), "mallory").await, Err(Error::NoInvite)));
        assert_eq!(bench.auth.users(None).await.unwrap().len(), 1);
    });
}

#[test]
fn a_user_sets_a_password() {
    on_both(async |bench| {
        let bob = name("bob");
        bench.auth.add_user(&bench.by, NewUser::new(bob.clone())).await.unwrap();
        assert_eq!(bench.who(&basic("bob", PASSWORD)).await, "wrong name or password");
        let old = bench.auth.invite(&bench.by, &bob).await.unwrap();
        let text = bench.auth.invite(&bench.by, &bob).await.unwrap();
        assert!(matches!(accept(bench, old.expose(), "bob").await, Err(Error::NoInvite)));
        assert_eq!(bench.auth.invited(text.expose()).await.unwrap(), Some(Invited::User(bob.clone())));
        assert_eq!(accept(bench, text.expose(), "mallory").await.unwrap(), "bob", "the choice is not theirs");
        assert_eq!(bench.who(&basic("bob", PASSWORD)).await, "bob");
        assert!(matches!(accept(bench, text.expose(), "bob").await, Err(Error::NoInvite)));
        assert_eq!(bench.acts(3).await[1], "bob user passwd auth/user/bob - [by invitation]");
        assert!(matches!(bench.auth.invite(&bench.by, &name("carol")).await, Err(Error::NoUser(_))));
    });
}

#[test]
fn too_late() {
    with("invite_expiry=1h", async |bench| {
        let bob = bench.add("bob", &[]).await;
        let text = bench.auth.invite(&bench.by, &bob).await.unwrap();
        bench.advance(3599);
        assert!(bench.auth.invited(text.expose()).await.unwrap().is_some());
        bench.advance(1);
        assert!(bench.auth.invited(text.expose()).await.unwrap().is_none());
        assert!(matches!(accept(bench, text.expose(), "bob").await, Err(Error::NoInvite)));
    });
}

#[test]
fn a_new_password_takes_open_links_with_it() {
    on_both(async |bench| {
        let bob = bench.add("bob", &[]).await;
        let text = bench.auth.invite(&bench.by, &bob).await.unwrap();
        bench.auth.set_password(&bench.by, &bob, Some("another horse battery")).await.unwrap();
        assert!(matches!(accept(bench, text.expose(), "bob").await, Err(Error::NoInvite)));
        let text = bench.auth.invite(&bench.by, &bob).await.unwrap();
        bench.auth.set_disabled(&bench.by, &bob, true).await.unwrap();
        assert!(matches!(accept(bench, text.expose(), "bob").await, Err(Error::NoInvite)));
    });
}
