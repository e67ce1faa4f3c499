//! What is told, on both databases.

use super::*;
use crate::records::hooks::Happened;

/// Tells everybody of everything so far.
async fn spread(records: &Records, urls: &[&str]) {
    let urls: Vec<String> = urls.iter().map(|url| (*url).to_owned()).collect();
    for (event, _) in records.new_events().await.unwrap() {
        records.spread(event, &urls).await.unwrap();
        records.spread(event, &urls).await.unwrap();
    }
}

/// All that can be sent now: who and what.
async fn claimed(records: &Records) -> Vec<(Delivery, String)> {
    let mut all = Vec::new();
    while let Some(delivery) = records.claim_delivery().await.unwrap() {
        let body: serde_json::Value = serde_json::from_str(&delivery.body).unwrap();
        let word = format!("{} {} {}", delivery.url, body["item"]["id"], body["type"]).replace('"', "");
        all.push((delivery, word));
    }
    all
}

fn words(claimed: &[(Delivery, String)]) -> Vec<&str> {
    claimed.iter().map(|(_, word)| word.as_str()).collect()
}

#[test]
fn each_is_told_in_order_by_one() {
    on_both(async |records| {
        arrive(records, "acme", "a", 1).await;
        let (_, _, held) = claim(records).await.unwrap();
        records.reserve(&["r".to_owned()]).await.unwrap();
        records.finish(held, &made("r"), 3).await.unwrap();
        arrive(records, "acme", "b", 1).await;
        spread(records, &["x", "y"]).await;
        // of an item the first alone, and what is claimed is nobody else's
        let first = claimed(records).await;
        assert_eq!(
            words(&first),
            ["x a media.uploaded", "y a media.uploaded", "x b media.uploaded", "y b media.uploaded"]
        );
        assert!(claimed(records).await.is_empty());
        records.delivered(&first[0].0).await.unwrap();
        records.undelivered(&first[1].0, "down", Some(now())).await.unwrap();
        let next = claimed(records).await;
        assert_eq!(words(&next), ["x a media.done", "y a media.uploaded"]);
        // what an earlier attempt still has to say counts nothing
        records.delivered(&first[1].0).await.unwrap();
        let told = records.told(false, 10).await.unwrap();
        assert_eq!(told.iter().filter(|told| told.error.is_some()).map(|told| told.attempts).collect::<Vec<_>>(), [2]);
        records.undelivered(&next[1].0, "gone", None).await.unwrap();
        assert_eq!(words(&claimed(records).await), ["y a media.done"]);
        assert_eq!(records.tell_again().await.unwrap(), 5);
        assert!(records.told(true, 10).await.unwrap().iter().all(|told| told.state != "given-up"));
    });
}

#[test]
fn a_lease_runs_out_and_nobody_is_told_of_nothing() {
    on_both(async |records| {
        arrive(records, "acme", "a", 1).await;
        spread(records, &["x"]).await;
        let first = claimed(records).await;
        records.database().execute("UPDATE hook_delivery SET lease_until = 1", vec![]).await.unwrap();
        let second = claimed(records).await;
        assert_eq!((first[0].0.id, first[0].0.attempt + 1), (second[0].0.id, second[0].0.attempt));
        records.delivered(&second[0].0).await.unwrap();
        records.database().execute("UPDATE hook_event SET created = 1", vec![]).await.unwrap();
        records.forget_events().await.unwrap();
        assert!(records.told(true, 10).await.unwrap().is_empty());
        // an account without hooks leaves nothing behind
        arrive(records, "acme", "b", 1).await;
        spread(records, &[]).await;
        let left = records.database().fetch_value::<i64>("SELECT count(*) FROM hook_event", vec![]).await.unwrap();
        assert_eq!(left, Some(0));
    });
}

#[test]
fn what_did_not_happen_is_not_told() {
    on_both(async |records| {
        arrive(records, "acme", "a", 1).await;
        arrive(records, "acme", "a", 1).await;
        let item = records.item("acme", "a").await.unwrap().unwrap();
        let edit = Edit { title: None, published: Some(true) };
        records.edit(&item, None, &edit, &by()).await.unwrap();
        let mut tx = records.database().begin().await.unwrap();
        super::super::hooks::note(&mut tx, item.id, Happened::Deleted).await.unwrap();
        drop(tx);
        assert_eq!(records.new_events().await.unwrap().len(), 1);
    });
}
