//! Uploads in pieces, and captions, on both databases.

use super::*;

fn upload(id: &str, length: Option<u64>, concat: Concat) -> Upload {
    Upload {
        id: id.to_owned(),
        node: "n".to_owned(),
        account: "acme".to_owned(),
        name: if concat == Concat::Partial { String::new() } else { "a".to_owned() },
        uploader: "jo".to_owned(),
        metadata: "id YQ==".to_owned(),
        expected: Expected::Version(7),
        length,
        position: 0,
        concat,
        state: UploadState::Open,
        message: None,
        key: None,
        sha256: None,
        expires: now() + SECOND,
    }
}

#[test]
fn an_upload_ends_with_the_item_that_it_becomes() {
    on_both(async |records| {
        let new = upload("u", Some(10), Concat::Whole);
        assert_eq!(records.begin_upload(&new, None).await.unwrap(), Room::Enough);
        assert_eq!(records.upload("u").await.unwrap(), Some(new.clone()));
        records.advance("u", 10, new.expires).await.unwrap();
        records.advance("u", 5, new.expires).await.unwrap();
        assert_eq!(records.due("n").await.unwrap().len(), 1);
        assert!(records.due("other").await.unwrap().is_empty());
        records.name_blob("u", "k", [1; 32]).await.unwrap();
        records.name_blob("u", "later", [2; 32]).await.unwrap();
        assert!(records.is_named("k").await.unwrap());
        let arrival = Arrival { upload: Some("u"), uploader: "jo", ..arrival("acme", "a", "k", 1) };
        assert_eq!(records.arrive(&arrival, &by()).await.unwrap(), Outcome::Created);
        let ended = records.upload("u").await.unwrap().unwrap();
        assert_eq!((ended.state, ended.position, ended.key), (UploadState::Done, 10, None));
        // whoever comes again, with other bytes even, changes nothing
        let again = Arrival { sha256: [9; 32], ..arrival };
        assert_eq!(records.arrive(&again, &by()).await.unwrap(), Outcome::Same);
        let item = records.item("acme", "a").await.unwrap().unwrap();
        assert_eq!((item.sha256, item.uploader.as_str()), ([1; 32], "jo"));
        records.remove_upload(&records.upload("u").await.unwrap().unwrap()).await.unwrap();
        assert!(records.is_named("k").await.unwrap());
    });
}

#[test]
fn what_is_on_its_way_counts() {
    on_both(async |records| {
        let begin = async |id: &str, length, concat| {
            records.begin_upload(&upload(id, length, concat), Some(100)).await.unwrap()
        };
        assert_eq!(begin("a", Some(60), Concat::Partial).await, Room::Enough);
        assert_eq!(begin("b", Some(41), Concat::Whole).await, Room::Left(40));
        assert_eq!(begin("c", None, Concat::Whole).await, Room::Enough);
        records.advance("c", 10, now()).await.unwrap();
        assert_eq!(records.taken("acme").await.unwrap(), 70);
        let open = records.upload("c").await.unwrap().unwrap();
        assert_eq!(records.set_length(&open, 41, Some(100)).await.unwrap(), Room::Left(30));
        assert_eq!(records.set_length(&open, 40, Some(100)).await.unwrap(), Room::Enough);
        assert_eq!(records.taken("acme").await.unwrap(), 100);
        // one that is put together takes its parts' place
        records.advance("a", 60, now()).await.unwrap();
        assert_eq!(begin("f", Some(60), Concat::Final(vec!["a".into()])).await, Room::Enough);
        assert_eq!(records.taken("acme").await.unwrap(), 100);
        records.assembled("f", 60, &["a".to_owned()]).await.unwrap();
        assert_eq!((records.taken("acme").await.unwrap(), records.upload("a").await.unwrap()), (100, None));
        let mut due: Vec<_> = records.due("n").await.unwrap().into_iter().map(|upload| upload.id).collect();
        due.sort();
        assert_eq!(due, ["f"]);
    });
}

#[test]
fn one_that_is_given_up_leaves_its_blob() {
    on_both(async |records| {
        let new = Upload { expires: 1, ..upload("u", Some(10), Concat::Whole) };
        records.begin_upload(&new, None).await.unwrap();
        records.name_blob("u", "k", [1; 32]).await.unwrap();
        let expired = records.expired("n").await.unwrap();
        assert_eq!(expired.len(), 1);
        records.remove_upload(&expired[0]).await.unwrap();
        assert_eq!(records.unowned(now()).await.unwrap(), ["k"]);
        records.begin_upload(&upload("v", Some(10), Concat::Whole), None).await.unwrap();
        records.end_upload(&upload("v", Some(10), Concat::Whole), Some("no more")).await.unwrap();
        let failed = records.upload("v").await.unwrap().unwrap();
        assert_eq!((failed.state, failed.message.as_deref()), (UploadState::Failed, Some("no more")));
    });
}

#[test]
fn captions_are_an_items() {
    on_both(async |records| {
        arrive(records, "acme", "a", 1).await;
        let item = records.item("acme", "a").await.unwrap().unwrap();
        let put = async |key: &str| {
            records.reserve(&[key.to_owned()]).await.unwrap();
            let caption = Caption { language: "en".into(), key: key.into(), bytes: 3, cues: 1, changed: now() };
            records.put_caption(&item, &caption, &by()).await.unwrap()
        };
        assert_eq!(put("c1").await, Some(false));
        assert_eq!(put("c2").await, Some(true));
        assert!(records.is_named("c2").await.unwrap());
        assert_eq!(records.unowned(now()).await.unwrap(), ["c1"]);
        assert_eq!(records.usage("acme").await.unwrap().bytes, 13);
        assert_eq!(records.item("acme", "a").await.unwrap().unwrap().version, 3);
        assert!(!records.delete_caption(&item, "de", &by()).await.unwrap());
        assert!(records.delete(&item, None, &by()).await.unwrap());
        let mut left = records.unowned(now()).await.unwrap();
        left.sort();
        assert_eq!(left, ["acme/a/1", "c1", "c2"]);
        assert_eq!(put("c3").await, None);
    });
}
