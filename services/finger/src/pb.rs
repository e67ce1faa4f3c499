//! The Perspective Broker door: connections of `twisted.spread.pb` clients, which ask `root` for `getUser` and
//! `getUsers`.
//!
//! No log-in is asked for, as in the tutorial: the object knows nothing that the finger port does not tell.

mod banana;
mod broker;
mod root;

use std::io::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use opsctl_host::Context;
use opsctl_http::{Listener, Peer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::debug;

use self::broker::{Broker, Call, Failure};
use crate::answer::NO_SUCH_USER;
use crate::audit::{Door, Outcome};
use crate::site::Site;

/// A client may keep its connection open between two calls this long.
const IDLE: Duration = Duration::from_secs(3600);

/// Accepts connections until the service stops.
pub(crate) async fn serve(
    site: Arc<Site>,
    room: Arc<Semaphore>,
    listener: Listener,
    cx: Context,
) -> anyhow::Result<()> {
    let mut stopping = pin!(cx.stopping());
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut stopping => return Ok(()),
            accepted = listener.accept() => accepted?,
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            site.audit.record(Door::Pb, peer, "", Outcome::Refused);
            continue; // the protocol has no words for it
        };
        let (site, stop) = (Arc::clone(&site), cx.clone());
        cx.spawn_connection(async move {
            if let Err(error) = converse(&site, stream, peer, stop.stopping()).await {
                debug!(%peer, %error, "perspective broker connection ended early");
            }
            drop(place);
        });
    }
}

/// One connection, to its end.
async fn converse(
    site: &Site,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: Peer,
    stopping: impl Future<Output = ()>,
) -> Result<(), Error> {
    let (mut broker, offer) = Broker::new();
    let mut stopping = pin!(stopping);
    let mut received = vec![0; 4096];
    timeout(site.timeout, stream.write_all(&offer)).await??;
    loop {
        while let Some(reply) = broker.step(|call| answer(site, peer, call)).map_err(Error::other)? {
            timeout(site.timeout, stream.write_all(&reply)).await??;
        }
        let patience = if broker.is_amid() { site.timeout } else { IDLE };
        let len = tokio::select! {
            len = timeout(patience, stream.read(&mut received)) => len??,
            () = &mut stopping => 0,
        };
        if len == 0 {
            return timeout(site.timeout, stream.shutdown()).await?;
        }
        broker.push(&received[..len]);
    }
}

fn answer(site: &Site, peer: Peer, call: &Call) -> Result<banana::Value, Failure> {
    let answer = root::call(call, &site.policy, &site.directory.users());
    let outcome = match &answer {
        Ok(value) if broker::as_text(value).as_deref() == Some(NO_SUCH_USER) => Outcome::Unknown,
        Ok(_) => Outcome::Answered,
        Err(failure) if failure.is_expected() => Outcome::Refused,
        Err(_) => Outcome::Malformed,
    };
    let user = call.args.first().and_then(broker::as_text).unwrap_or_default();
    site.audit.record(Door::Pb, peer, [&*call.method, &user].join(" ").trim_end(), outcome);
    answer
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;
    use crate::site::tests::site;

    const PEER: Peer = Peer::Unix { pid: 1, uid: 0, gid: 0 };
    const OPENING: &[u8] = b"\x02\x82pb\x02\x80\x13\x87\x06\x81";
    const GREETING: &[u8] = b"\x02\x80\x02\x82pb\x04\x82none\x02\x80\x07\x82version\x06\x81";

    /// What a client that sends `bytes` gets after the greeting; the bytes are those of Twisted's own client.
    async fn check(bytes: &[u8], said: &[u8]) {
        let (mut client, server) = duplex(1 << 20);
        client.write_all(&[OPENING, bytes].concat()).await.unwrap();
        client.shutdown().await.unwrap();
        let _ = converse(&site("moshez: well\n"), server, PEER, std::future::pending()).await;
        let mut seen = Vec::new();
        client.read_to_end(&mut seen).await.unwrap();
        assert_eq!(seen.escape_ascii().to_string(), [GREETING, said].concat().escape_ascii().to_string());
    }

    #[tokio::test]
    async fn twisteds_bytes() {
        check(b"", b"").await;
        let get_user = b"\x07\x80\x1a\x87\x01\x81\x04\x82root\x07\x82getUser\x01\x81\x02\x80\x0b\x87\x02\x80\x07\x82unicode\x06\x82moshez\x01\x80\x05\x87";
        let well = b"\x03\x80\x06\x82answer\x01\x81\x02\x80\x07\x82unicode\x04\x82well";
        check(get_user, well).await;
        check(&get_user.repeat(3), &well.repeat(3)).await;
        let get_users = b"\x07\x80\x1a\x87\x04\x81\x04\x82root\x08\x82getUsers\x01\x81\x01\x80\x0b\x87\x01\x80\x05\x87";
        check(get_users, b"\x03\x80\x06\x82answer\x04\x81\x02\x80\x04\x82list\x02\x80\x07\x82unicode\x06\x82moshez")
            .await;
    }

    #[tokio::test]
    async fn who_makes_no_sense_is_hung_up_on() {
        check(b"\xff", b"").await;
    }

    #[tokio::test]
    async fn nobody_stays_silent_amid_a_message() {
        let site = Site { timeout: Duration::from_millis(20), ..site("") };
        let (_client, server) = duplex(1024);
        let ended = converse(&site, server, PEER, std::future::pending()).await;
        assert_eq!(ended.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    }
}
