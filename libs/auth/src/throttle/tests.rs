//! Throttling on a clock that the test moves.

use super::*;
use crate::clock::tests::FakeClock;

const RULE: Rule = Rule { free: 3, delay: Duration::from_secs(1), most: Duration::from_secs(60) };

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

struct Bench {
    throttle: Throttle,
    time: FakeClock,
}

impl Bench {
    fn new() -> Self {
        Self { throttle: Throttle::new(RULE), time: FakeClock::new() }
    }

    fn begin(&self, name: &str, address: &str) -> Result<Attempt<'_>, Wait> {
        self.throttle.begin(name, ip(address), self.time.clock().now())
    }

    /// A wrong password; the wait in seconds if it was not even looked at.
    fn fail(&self, name: &str, address: &str) -> Option<u64> {
        self.begin(name, address).err().map(|Wait(wait)| wait.as_secs())
    }

    /// The right one.
    #[track_caller]
    fn succeed(&self, name: &str, address: &str) {
        self.begin(name, address).ok().unwrap().succeeded();
    }
}

#[test]
fn waits_double_up_to_a_limit() {
    let bench = Bench::new();
    let mut waits = Vec::new();
    for attempt in 0..12 {
        // addresses change, so that the account alone is at work
        let address = format!("10.0.0.{attempt}");
        match bench.fail("alice", &address) {
            None => {}
            Some(wait) => {
                waits.push(wait);
                bench.time.advance(seconds(wait));
                assert_eq!(bench.fail("alice", &address), None, "the wait is over");
            }
        }
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
}

#[test]
fn to_ask_while_one_has_to_wait_makes_it_no_longer() {
    let bench = Bench::new();
    (0..4).for_each(|_| assert_eq!(bench.fail("alice", "10.0.0.1"), None));
    assert_eq!(bench.fail("alice", "10.0.0.2"), Some(1));
    assert_eq!(bench.fail("alice", "10.0.0.3"), Some(1));
    bench.time.advance(seconds(1));
    bench.succeed("alice", "10.0.0.4");
    assert_eq!(bench.fail("alice", "10.0.0.4"), None, "it starts anew");
}

#[test]
fn an_address_is_counted_over_all_accounts() {
    let bench = Bench::new();
    for attempt in 0..13 {
        assert_eq!(bench.fail(&format!("user{attempt}"), "10.0.0.1"), None, "{attempt}");
    }
    assert_eq!(bench.fail("another", "10.0.0.1"), Some(1));
    assert!(bench.throttle.admit(ip("10.0.0.1"), bench.time.clock().now()).is_err());
    assert_eq!(bench.fail("another", "::ffff:10.0.0.1"), Some(1), "the same address in other clothes");
    assert_eq!(bench.fail("another", "10.0.0.2"), None);
    assert_eq!(bench.throttle.admit(ip("10.0.0.2"), bench.time.clock().now()), Ok(()));
}

#[test]
fn an_account_of_ones_own_buys_no_guesses() {
    let bench = Bench::new();
    let mut guesses = 0;
    for attempt in 0..100 {
        bench.begin("mallory", "10.0.0.1").map(Attempt::succeeded).ok();
        guesses += usize::from(bench.fail(&format!("user{attempt}"), "10.0.0.1").is_none());
    }
    assert_eq!(guesses, 13);
}

#[test]
fn a_thousand_at_once_are_a_thousand() {
    let bench = Bench::new();
    let begun: Vec<_> = (0..1000).filter_map(|_| bench.begin("alice", "10.0.0.1").ok()).collect();
    assert_eq!(begun.len(), 4);
}

#[test]
fn ipv6_sites_are_one_address() {
    let bench = Bench::new();
    for attempt in 0..13 {
        assert_eq!(bench.fail(&format!("user{attempt}"), &format!("2001:db8:1:2::{attempt:x}")), None);
    }
    assert_eq!(bench.fail("another", "2001:db8:1:2:ffff::1"), Some(1));
    assert_eq!(bench.fail("another", "2001:db8:1:3::1"), None);
}

#[test]
fn forgotten_after_a_while() {
    let bench = Bench::new();
    (0..4).for_each(|_| assert_eq!(bench.fail("alice", "10.0.0.1"), None));
    bench.time.advance(seconds(241));
    (0..4).for_each(|_| assert_eq!(bench.fail("alice", "10.0.0.1"), None));
}

#[test]
fn what_was_not_verified_does_not_count() {
    let bench = Bench::new();
    (0..100).for_each(|_| bench.begin("alice", "10.0.0.1").ok().unwrap().abandoned());
    assert!(bench.throttle.counts().is_empty());
}

#[test]
fn a_unix_socket_has_no_address() {
    let bench = Bench::new();
    let now = bench.time.clock().now();
    (0..50).for_each(|attempt| assert!(bench.throttle.begin(&format!("user{attempt}"), None, now).is_ok()));
    assert_eq!(bench.throttle.admit(None, now), Ok(()));
}

#[test]
fn a_flood_of_names_washes_nothing_away() {
    let bench = Bench::new();
    (0..4).for_each(|_| assert_eq!(bench.fail("alice", "10.0.0.1"), None));
    for attempt in 0..30_000_u32 {
        let [.., a, b, c] = attempt.to_be_bytes();
        bench.fail(&format!("user{attempt}"), &format!("10.{a}.{b}.{c}"));
        assert!(bench.throttle.counts().len() <= MOST);
    }
    assert_eq!(bench.fail("alice", "10.9.9.9"), Some(1));
}
