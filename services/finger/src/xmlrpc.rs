//! XML-RPC as the tutorial serves it at `/RPC2`: `getUser(user)`, `getUsers()`, and introspection. Text in, text out.
//!
//! Every answer is a document, a `<fault>` where something is wrong; the codes below -32000 are those of the
//! specification for fault code interoperability. A document type is refused unread: it is where entities are defined,
//! and with them bombs and files. The caller bounds the size of a request.

use std::fmt::Write as _;

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_xml_entity};
use quick_xml::events::{BytesRef, Event};

use crate::answer::NO_SUCH_USER;
use crate::audit::Outcome;
use crate::policy::Policy;
use crate::text::decode;
use crate::users::Users;

/// Deepest nesting of elements; a call of ours has five.
const DEPTH_MAX: usize = 32;

/// The code of a fault that is no error of the caller's.
const DENIED: i32 = -32500;

/// Name, signature (result first) and help of every method.
const METHODS: [(&str, &[&str], &str); 5] = [
    ("getUser", &["string", "string"], "The status of a user."),
    ("getUsers", &["array"], "The names of all users."),
    ("system.listMethods", &["array"], "The names of all methods."),
    ("system.methodHelp", &["string", "string"], "What a method does."),
    ("system.methodSignature", &["array", "string"], "The types of a method's result and parameters."),
];

/// What went wrong.
#[derive(Debug, PartialEq, Eq)]
struct Fault(i32, String);

impl Fault {
    fn parse(text: impl Into<String>) -> Fault {
        Fault(-32700, text.into())
    }

    fn no_method(name: &str) -> Fault {
        Fault(-32601, format!("no such method: `{name}`"))
    }

    fn params(text: &str) -> Fault {
        Fault(-32602, text.to_owned())
    }

    fn denied(text: impl ToString) -> Fault {
        Fault(DENIED, text.to_string())
    }
}

/// A call and its audit: the method that was asked for, as far as that was understood.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) method: String,
    /// The first parameter.
    pub(crate) user: Option<String>,
    pub(crate) outcome: Outcome,
    pub(crate) body: String,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Call {
    method: String,
    params: Vec<Param>,
}

#[derive(Debug, PartialEq, Eq)]
enum Param {
    Text(String),
    /// Of another type.
    Other,
}

enum Value {
    Text(String),
    List(Vec<Value>),
}

/// Answers one request.
pub(crate) fn respond(body: &[u8], policy: &Policy, users: &Users) -> Reply {
    let call = read(&decode(body));
    let result = call.as_ref().map_err(|Fault(code, text)| Fault(*code, text.clone()));
    let result = result.and_then(|call| dispatch(call, policy, users));
    let Call { method, params } = call.unwrap_or_default();
    let user = params.into_iter().find_map(|param| if let Param::Text(text) = param { Some(text) } else { None });
    let outcome = match &result {
        Ok(Value::Text(text)) if text == NO_SUCH_USER => Outcome::Unknown,
        Ok(_) => Outcome::Answered,
        Err(Fault(DENIED, _)) => Outcome::Refused,
        Err(_) => Outcome::Malformed,
    };
    Reply { method, user, outcome, body: write(&result) }
}

fn dispatch(call: &Call, policy: &Policy, users: &Users) -> Result<Value, Fault> {
    let list =
        |texts: &mut dyn Iterator<Item = &str>| Value::List(texts.map(|text| Value::Text(text.into())).collect());
    let about = |name: &str| METHODS.iter().find(|method| method.0 == name).ok_or_else(|| Fault::no_method(name));
    match (&*call.method, &call.params[..]) {
        ("getUser", [Param::Text(user)]) => Ok(Value::Text(users.get(user).unwrap_or(NO_SUCH_USER).to_owned())),
        ("getUsers", []) => Ok(list(&mut policy.list(users).map_err(Fault::denied)?.map(|(name, _)| name))),
        ("system.listMethods", []) => Ok(list(&mut METHODS.iter().map(|method| method.0))),
        ("system.methodHelp", [Param::Text(name)]) => Ok(Value::Text(about(name)?.2.to_owned())),
        ("system.methodSignature", [Param::Text(name)]) => {
            Ok(Value::List(vec![list(&mut about(name)?.1.iter().copied())]))
        }
        (name, _) => Err(match about(name)?.1.len() {
            1 => Fault::params(&format!("{name}() takes no parameters")),
            _ => Fault::params(&format!("{name}() takes one string")),
        }),
    }
}

/// Takes a request apart. Only texts are of interest; values of other types are passed over.
fn read(document: &str) -> Result<Call, Fault> {
    let mut reader = Reader::from_str(document);
    reader.config_mut().expand_empty_elements = true;
    let (mut path, mut text, mut method, mut typed, mut params) = (Vec::new(), String::new(), None, None, Vec::new());
    loop {
        match reader.read_event().map_err(|error| Fault::parse(format!("not well formed: {error}")))? {
            Event::Start(tag) => {
                path.push(decode(tag.name().as_ref()).into_owned());
                text.clear();
                if path.len() > DEPTH_MAX {
                    return Err(Fault::parse(format!("elements nested deeper than {DEPTH_MAX}")));
                }
            }
            Event::End(_) => {
                match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                    ["methodCall", "methodName"] => method = Some(text.trim().to_owned()),
                    ["methodCall", "params", "param", "value"] => {
                        params.push(typed.take().unwrap_or_else(|| Param::Text(std::mem::take(&mut text))));
                    }
                    ["methodCall", "params", "param", "value", "string"] => {
                        typed = Some(Param::Text(std::mem::take(&mut text)));
                    }
                    ["methodCall", "params", "param", "value", _] => typed = Some(Param::Other),
                    _ => {}
                }
                path.pop();
            }
            Event::Text(part) => text.push_str(&part.xml10_content().map_err(|error| Fault::parse(error.to_string()))?),
            Event::CData(part) => {
                text.push_str(&part.xml10_content().map_err(|error| Fault::parse(error.to_string()))?)
            }
            Event::GeneralRef(name) => text.push_str(&reference(&name)?),
            Event::DocType(_) => return Err(Fault::parse("a document type is not accepted")),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    match method {
        Some(method) if path.is_empty() => Ok(Call { method, params }),
        Some(_) => Err(Fault::parse("not well formed: the document ends early")),
        None => Err(Fault(-32600, "no <methodName> in a <methodCall>".to_owned())),
    }
}

/// `&lt;`, `&#60;`, `&#x3c;`: there are no others without a document type.
fn reference(name: &BytesRef<'_>) -> Result<String, Fault> {
    let unknown = || Fault::parse("unknown entity");
    match name.resolve_char_ref().map_err(|_| unknown())? {
        Some(c) => Ok(c.to_string()),
        None => resolve_xml_entity(&decode(name)).map(str::to_owned).ok_or_else(unknown),
    }
}

fn write(result: &Result<Value, Fault>) -> String {
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<methodResponse>".to_owned();
    match result {
        Ok(value) => {
            out.push_str("<params><param>");
            write_value(value, &mut out);
            out.push_str("</param></params>");
        }
        Err(Fault(code, text)) => {
            let _ = write!(out, "<fault><value><struct><member><name>faultCode</name><value><int>{code}</int></value>");
            out.push_str("</member><member><name>faultString</name>");
            write_value(&Value::Text(text.clone()), &mut out);
            out.push_str("</member></struct></value></fault>");
        }
    }
    out.push_str("</methodResponse>\n");
    out
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Text(text) => {
            let text: String = text.chars().map(|c| if is_xml(c) { c } else { '\u{fffd}' }).collect();
            let _ = write!(out, "<value><string>{}</string></value>", escape(&text));
        }
        Value::List(values) => {
            out.push_str("<value><array><data>");
            values.iter().for_each(|value| write_value(value, out));
            out.push_str("</data></array></value>");
        }
    }
}

/// XML 1.0 section 2.2; what is not even a character reference can stand for.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USERS: &str = "moshez: happy & <well>\nshawn: alive\nzoë: größer\n";

    /// `said` is what stands between `<methodResponse>` and its end, without the tags that all answers have.
    fn check(body: &str, said: &str) {
        let users = Users::parse("users", USERS.as_bytes()).unwrap();
        let policy = Policy { list: true, ..Policy::default() };
        let reply = respond(body.as_bytes(), &policy, &users).body;
        let seen = reply.split_once("<methodResponse>").unwrap().1.strip_suffix("</methodResponse>\n").unwrap();
        let seen = seen.replace("<params><param><value>", "").replace("</value></param></params>", "");
        let seen = seen.replace("<fault><value><struct><member><name>faultCode</name><value><int>", "");
        let seen = seen.replace("</int></value></member><member><name>faultString</name><value><string>", " ");
        assert_eq!(seen.replace("</string></value></member></struct></value></fault>", ""), said, "{body}");
    }

    fn call(method: &str, params: &str) -> String {
        format!("<?xml version='1.0'?>\n<methodCall>\n <methodName>{method}</methodName>\n{params}</methodCall>\n")
    }

    fn param(value: &str) -> String {
        format!("<params>\n<param>\n<value>{value}</value>\n</param>\n</params>\n")
    }

    #[test]
    fn calls() {
        let get_user = |value| call("getUser", &param(value));
        let moshez = "<string>happy &amp; &lt;well&gt;</string>";
        check(&get_user("<string>moshez</string>"), moshez);
        check(&get_user("moshez"), moshez);
        check(&get_user("\n <string>moshez</string>\n "), moshez);
        check(&get_user("<string><![CDATA[moshez]]></string>"), moshez);
        check(&get_user("<string>&#109;osh&#x65;z</string>"), moshez);
        check(&get_user("zoë"), "<string>größer</string>");
        check(&get_user("<string/>"), "<string>No such user</string>");
        check(&get_user("a&lt;b"), "<string>No such user</string>");
        let data = ["moshez", "shawn", "zoë"].map(|name| format!("<value><string>{name}</string></value>")).concat();
        let users = format!("<array><data>{data}</data></array>");
        check(&call("getUsers", ""), &users);
        check(&call("getUsers", "<params/>"), &users);
        check(&call("system.methodHelp", &param("getUser")), "<string>The status of a user.</string>");
    }

    #[test]
    fn introspection_names_everything() {
        let users = Users::default();
        let reply = respond(call("system.listMethods", "").as_bytes(), &Policy::default(), &users);
        for (name, signature, _) in METHODS {
            assert!(reply.body.contains(&format!("<string>{name}</string>")), "{name}");
            let reply = respond(call("system.methodSignature", &param(name)).as_bytes(), &Policy::default(), &users);
            assert_eq!(reply.body.matches("<string>").count(), signature.len(), "{name}");
        }
    }

    #[test]
    fn faults() {
        check(&call("setUser", ""), "-32601 no such method: `setUser`");
        check(&call("getUser", ""), "-32602 getUser() takes one string");
        check(&call("getUser", &param("<int>5</int>")), "-32602 getUser() takes one string");
        let array = param("<array><data><value><string>moshez</string></value></data></array>");
        check(&call("getUser", &array), "-32602 getUser() takes one string");
        check(&call("getUsers", &param("x")), "-32602 getUsers() takes no parameters");
        check("", "-32600 no &lt;methodName&gt; in a &lt;methodCall&gt;");
        check("{}", "-32600 no &lt;methodName&gt; in a &lt;methodCall&gt;");
        check("<methodCall><methodName>x</methodName>", "-32700 not well formed: the document ends early");
        let users = Users::parse("users", USERS.as_bytes()).unwrap();
        let denied = respond(call("getUsers", "").as_bytes(), &Policy::default(), &users);
        assert_eq!(denied.outcome, Outcome::Refused);
        assert!(denied.body.contains("<string>Finger online user list denied</string>"), "{}", denied.body);
    }

    #[test]
    fn bombs() {
        let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>"#;
        check(&(bomb.to_owned() + &call("getUser", &param("&b;"))), "-32700 a document type is not accepted");
        check(&call("getUser", &param("&b;")), "-32700 unknown entity");
        check(&"<a>".repeat(100_000), "-32700 elements nested deeper than 32");
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered_with_a_document(
            body in prop_oneof![any::<Vec<u8>>(), "(<methodCall>|<methodName>|</methodName>|<param>|&#?[a0];|<!|x|]]>){0,12}".prop_map(String::into_bytes)],
            method in "\\PC{0,12}",
        ) {
            for body in [body, call("<![CDATA[", "").into_bytes(), call(&escape(&method), "").into_bytes()] {
                let reply = respond(&body, &Policy::default(), &Users::default());
                prop_assert_eq!(reply.outcome, Outcome::Malformed);
                let mut reader = Reader::from_str(&reply.body);
                while reader.read_event().unwrap() != Event::Eof {}
            }
        }
    }
}
