//! The root object of the finger service: `getUser(user)` and `getUsers()`, as in the tutorial.

use super::banana::Value;
use super::broker::{Call, Failure, as_text, list, text};
use crate::answer::NO_SUCH_USER;
use crate::policy::Policy;
use crate::users::Users;

/// Makes one call.
pub(crate) fn call(call: &Call, policy: &Policy, users: &Users) -> Result<Value, Failure> {
    let Call { method, args, named } = call;
    match (&**method, &args[..], &named[..]) {
        ("getUser", [user], []) => get_user(user, users),
        ("getUser", [], [(key, user)]) if as_text(key).as_deref() == Some("user") => get_user(user, users),
        ("getUser", ..) => Err(Failure::type_error("getUser() takes one argument, `user`".to_owned())),
        ("getUsers", [], []) => {
            let names = policy.list(users).map_err(|refusal| Failure::expected(refusal.to_string()))?;
            Ok(list(names.map(|(name, _)| text(name))))
        }
        ("getUsers", ..) => Err(Failure::type_error("getUsers() takes no arguments".to_owned())),
        _ => Err(Failure::no_such_method(method)),
    }
}

fn get_user(user: &Value, users: &Users) -> Result<Value, Failure> {
    let name = as_text(user).ok_or_else(|| Failure::type_error("getUser() takes a string".to_owned()))?;
    Ok(text(users.get(&name).unwrap_or(NO_SUCH_USER)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: bool, method: &str, args: &[Value], said: Result<Value, (&str, &str)>) {
        let users = Users::parse("users", b"moshez: happy and well\nshawn: alive\n").unwrap();
        let policy = Policy { list, ..Policy::default() };
        let asked = Call { method: method.to_owned(), args: args.to_vec(), named: Vec::new() };
        let seen = call(&asked, &policy, &users);
        let seen = seen.as_ref().map(Clone::clone).map_err(|failure| (failure.class, &*failure.text));
        assert_eq!(seen, said, "{method}");
    }

    #[test]
    fn the_tutorials_methods() {
        check(false, "getUser", &[text("moshez")], Ok(text("happy and well")));
        check(false, "getUser", &["shawn".into()], Ok(text("alive")));
        check(false, "getUser", &[text("nobody")], Ok(text("No such user")));
        check(true, "getUsers", &[], Ok(list([text("moshez"), text("shawn")].into_iter())));
        let denied = "Finger online user list denied";
        check(false, "getUsers", &[], Err(("twisted.spread.pb.Error", denied)));
    }

    #[test]
    fn calls_that_cannot_be_made() {
        let type_error = |text| Err(("builtins.TypeError", text));
        check(true, "getUser", &[], type_error("getUser() takes one argument, `user`"));
        check(true, "getUser", &[Value::Long], type_error("getUser() takes a string"));
        check(true, "getUsers", &[Value::Int(1)], type_error("getUsers() takes no arguments"));
        let missing = ("twisted.spread.flavors.NoSuchMethod", "No such method: remote_setUser");
        check(true, "setUser", &[], Err(missing));
    }
}
