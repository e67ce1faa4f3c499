//! Rights: what they cover, and their text.

use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(scope: &str, action: Action, object: (&str, &str, &str), expected: bool) {
    let (service, resource, name) = object;
    let object = Object::new(service, resource, name);
    assert_eq!(scope.parse::<Scope>().unwrap().allows(action, object), expected, "{scope}: {action} {object}");
}

#[test]
fn scopes() {
    check("index/main/acme-*:upload", Action::Upload, ("index", "main", "acme-tools"), true);
    check("index/main/acme-*:upload", Action::Read, ("index", "main", "acme-tools"), false);
    check("index/main/acme-*:upload", Action::Upload, ("index", "main", "acme"), false);
    check("index/main/acme-*:upload", Action::Upload, ("index", "stage", "acme-tools"), false);
    check("index/main/acme-*:upload", Action::Upload, ("encoder", "main", "acme-tools"), false);
    check("index/main/acme-*:upload", Action::Upload, ("index", "main", ""), false);
    check("index/main:upload,yank", Action::Yank, ("index", "main", "demo"), true);
    check("index/main:upload,yank", Action::Yank, ("index", "main", ""), true);
    check("index/main:upload,yank", Action::Yank, ("index", "", ""), false);
    check("*:read", Action::Read, ("zones", "", ""), true);
    check("*:read", Action::Admin, ("zones", "", ""), false);
    check("encoder/*/2024/*:read", Action::Read, ("encoder", "x", "2024/a/b"), true);
}

#[test]
fn some_of_a_resource() {
    let check = |place: &str, service: &str, resource: &str, expected: bool| {
        assert_eq!(place.parse::<Place>().unwrap().touches(service, resource), expected, "{place}");
    };
    check("index/main/acme-*", "index", "main", true);
    check("index/main/acme-*", "index", "", true);
    check("index/main/acme-*", "index", "stage", false);
    check("index/main/acme-*", "encoder", "", false);
}

#[test]
fn roles() {
    let actions = |role: &str| role.parse::<Role>().unwrap().actions().to_string();
    assert_eq!(actions("reader"), "read");
    assert_eq!(actions("publisher"), "read,upload,yank");
    assert_eq!(actions("admin"), "read,upload,yank,admin");
    let grant: Grant = "publisher@index/main".parse().unwrap();
    assert!(grant.allows(Action::Upload, Object::new("index", "main", "demo")));
    assert!(!grant.allows(Action::Admin, Object::new("index", "main", "demo")));
    assert_eq!("reader".parse::<Grant>().unwrap().place, Place::anywhere());
}

#[test]
fn texts_in_short() {
    let same = |text: &str, printed: &str| assert_eq!(text.parse::<Scope>().unwrap().to_string(), printed);
    same("index:read", "index:read");
    same("index/*/*:upload,read,read", "index:read,upload");
    same("index/main/*:read", "index/main:read");
    same("index/*/acme-*:admin", "index/*/acme-*:admin");
    same("*:yank", "*:yank");
}

#[test]
fn what_is_no_right() {
    let wrong = |text: &str| text.parse::<Scope>().unwrap_err().to_string();
    assert_eq!(wrong("index"), "expected a scope such as `index/main/acme-*:read,upload`");
    assert_eq!(wrong("index:"), "`` is no action, expected some of read,upload,yank,admin");
    assert_eq!(wrong("index:write"), "`write` is no action, expected some of read,upload,yank,admin");
    assert_eq!(wrong("index:read,"), "`` is no action, expected some of read,upload,yank,admin");
    assert_eq!(wrong(":read"), "a pattern has 1 to 200 characters");
    assert_eq!(wrong("index//demo:read"), "a pattern has 1 to 200 characters");
    assert!(wrong("in dex:read").contains("not ` `"));
    let wrong = |text: &str| text.parse::<Grant>().unwrap_err().to_string();
    assert_eq!(wrong("owner@index"), "`owner` is no role, expected reader, publisher or admin");
    assert_eq!(wrong("reader@"), "a pattern has 1 to 200 characters");
}

#[test]
fn objects() {
    let check = |object: Object<'_>, text: &str| assert_eq!(object.to_string(), text);
    check(Object::new("index", "", ""), "index");
    check(Object::new("index", "main", ""), "index/main");
    check(Object::new("index", "main", "demo"), "index/main/demo");
    check(Object::new("index", "", "demo"), "index//demo");
}

proptest! {
    #[test]
    fn print_and_parse(
        places in prop::collection::vec("[a-z*-]{1,5}", 1..=3), bits in 1u8..16, role in 0usize..3
    ) {
        let scope = Scope { place: places.join("/").parse().unwrap(), actions: Actions(bits) };
        prop_assert_eq!(scope.to_string().parse::<Scope>(), Ok(scope.clone()));
        let grant = Grant { role: Role::ALL[role], place: scope.place };
        prop_assert_eq!(grant.to_string().parse::<Grant>(), Ok(grant));
    }

    #[test]
    fn any_text(text in ".{0,60}") {
        let _ = text.parse::<Scope>();
        let _ = text.parse::<Grant>();
    }
}
