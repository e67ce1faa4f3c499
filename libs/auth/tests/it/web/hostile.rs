//! What somebody does who means no good.

use super::browser::{Browser, SEE_OTHER};
use crate::support::{PASSWORD, on_one, with};

#[test]
fn forged_requests_are_refused() {
    on_one("", async |bench| {
        bench.add("root", &["administrator"]).await;
        let mut browser = Browser::new(&bench.auth);
        browser.login("root", PASSWORD).await;
        browser.get("/_/account").await;
        let good = format!("_csrf={}&_method=put&administrator=no", browser.token());
        let send = async |browser: &mut Browser, headers: &[(&'static str, &str)], body: &str| {
            browser.headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            browser.send("POST", "/_/users/root", body).await
        };
        let elsewhere = [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")];
        assert_eq!(send(&mut browser, &[], "_method=put&administrator=no").await, 403, "no token");
        assert_eq!(send(&mut browser, &[], "_csrf=x&_method=put&administrator=no").await, 403, "another token");
        assert_eq!(send(&mut browser, &elsewhere[..1], &good).await, 403, "another site");
        assert_eq!(send(&mut browser, &elsewhere[1..], &good).await, 403, "another origin");
        assert_eq!(send(&mut browser, &[], &good).await, 409, "this one gets through, to the last administrator");
        assert_eq!(send(&mut browser, &[("authorization", "Basic eDp5"), elsewhere[0]], &good).await, 403);
        // nor can anybody be logged in by somebody else
        let mut victim = Browser::new(&bench.auth);
        assert_eq!(victim.send("POST", "/_/login", "name=root&password=correct+horse+battery").await, 403);
        assert_eq!(victim.cookie("opsctl"), None);
    });
}

#[test]
fn a_planted_session_stays_worthless() {
    on_one("", async |bench| {
        bench.add("alice", &[]).await;
        let mut attacker = Browser::new(&bench.auth);
        attacker.login("alice", PASSWORD).await;
        let planted = attacker.cookie("opsctl").unwrap().to_owned();
        let mut victim = Browser::new(&bench.auth);
        victim.plant("opsctl", "fixed");
        assert_eq!(victim.login("alice", PASSWORD).await, SEE_OTHER);
        assert_ne!(victim.cookie("opsctl").unwrap(), "fixed");
        // what the browser held before is over, whoever put it there
        let mut victim = Browser::new(&bench.auth);
        victim.plant("opsctl", &planted);
        assert_eq!(victim.get("/_/account").await, 200);
        let token = victim.token();
        victim.send("POST", "/_/login", &format!("_csrf={token}&name=alice&password=correct+horse+battery")).await;
        assert_ne!(victim.cookie("opsctl").unwrap(), planted);
        assert_eq!(attacker.get("/_/account").await, SEE_OTHER, "the planted one no longer works");
    });
}

#[test]
fn cookies_are_kept_to_tls() {
    on_one("", async |bench| {
        bench.add("alice", &[]).await;
        let mut browser = Browser::new(&bench.auth).secure();
        assert_eq!(browser.login("alice", PASSWORD).await, SEE_OTHER);
        let line = browser.head["set-cookie"].to_str().unwrap();
        for part in ["__Host-opsctl=", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/", "; Max-Age=2592000"] {
            assert!(line.contains(part), "{part} in {line}");
        }
        assert!(!line.contains("Domain"));
        assert_eq!(browser.get("/_/account").await, 200);
        // a cookie that could have been set without TLS is none there
        let value = browser.cookie("__Host-opsctl").unwrap().to_owned();
        let mut other = Browser::new(&bench.auth).secure();
        other.plant("opsctl", &value);
        assert_eq!(other.get("/_/account").await, SEE_OTHER);
        let mut plain = Browser::new(&bench.auth);
        plain.login("alice", PASSWORD).await;
        let line = plain.head["set-cookie"].to_str().unwrap();
        assert!(line.starts_with("opsctl=") && !line.contains("Secure") && line.contains("HttpOnly"), "{line}");
    });
}

#[test]
fn guessing_is_told_to_wait() {
    with("throttle_after=1\nthrottle_delay=30s", async |bench| {
        bench.add("alice", &[]).await;
        let mut browser = Browser::new(&bench.auth);
        for _ in 0..2 {
            assert_eq!(browser.login("alice", "wrong horse battery").await, 422);
        }
        assert_eq!(browser.login("alice", PASSWORD).await, 429);
        assert_eq!(browser.head["retry-after"], "30");
        browser.shows("Too many attempts, try again in 30s");
        assert_eq!(browser.login("nobody", PASSWORD).await, 422, "it is the account that waits");
        assert_eq!(browser.login("nobody", PASSWORD).await, 422);
        assert_eq!(browser.login("nobody", PASSWORD).await, 429, "one that is not there just the same");
        bench.advance(30);
        assert_eq!(browser.login("alice", PASSWORD).await, SEE_OTHER);
        let basic = Browser::new(&bench.auth).with("accept", "*/*");
        let mut basic = basic.with("authorization", "Basic YWxpY2U6d3JvbmcgaG9yc2UgYmF0dGVyeQ==");
        basic.address = "192.0.2.2".parse().unwrap();
        assert_eq!(basic.get("/").await, 403);
        assert_eq!(basic.get("/").await, 403);
        assert_eq!(basic.get("/").await, 429);
        assert_eq!(basic.head["retry-after"], "30");
    });
}

#[test]
fn nonsense_of_any_size() {
    on_one("", async |bench| {
        bench.add("alice", &[]).await;
        let mut browser = Browser::new(&bench.auth);
        let long = "x".repeat(100_000);
        assert_eq!(browser.login(&long, PASSWORD).await, 422);
        assert_eq!(browser.login("alice", &long).await, 422);
        assert_eq!(browser.login("a\u{0}b\r\nSet-Cookie: x=y", "\u{0}\u{1}").await, 422);
        assert_eq!(browser.login("<script>alert(1)</script>", PASSWORD).await, 422);
        browser.shows("&lt;script&gt;");
        for name in ["а", "alice ", "\u{202e}ecila", "alice\u{0}", "admin@*"] {
            assert_eq!(browser.login(name, PASSWORD).await, if name == "alice " { SEE_OTHER } else { 422 }, "{name:?}");
            browser = Browser::new(&bench.auth);
        }
        let paths = ["/_/invite/..%2f..%2fetc", "/_/login?next=%0d%0aSet-Cookie:x=y", "/_/users/%00", "/_/invite/%ff"];
        for path in paths {
            let status = browser.get(path).await;
            assert!(status < 500, "{path}: {status}");
            assert!(!browser.head.contains_key("x"));
        }
        let many = (0..500).map(|n| format!("c{n}=v")).collect::<Vec<_>>().join("; ");
        let mut flooded = Browser::new(&bench.auth).with("cookie", &many);
        assert_eq!(flooded.get("/").await, 200);
        for line in ["Basic ====", "Digest username=x", "Bearer "] {
            let mut broken = Browser::new(&bench.auth).with("authorization", line);
            let status = broken.get("/").await;
            assert!(status == 400 || status == 403, "{line}: {status}");
        }
    });
}
