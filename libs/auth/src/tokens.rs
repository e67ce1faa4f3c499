//! Tokens of users: made, listed, revoked. The text is given out once; what is kept cannot be turned back into it.

use std::time::Duration;

use jiff::Timestamp;
use opsctl_store::{Row, params};

use crate::audit::{Act, Author};
use crate::auth::{Auth, micros, moment};
use crate::error::Error;
use crate::lookup::scopes;
use crate::name::Name;
use crate::rights::Scope;
use crate::token::TokenText;
use crate::users;

/// Tokens of one user at most.
const MOST: i64 = 200;
/// Scopes of one token at most.
const SCOPES: usize = 20;
/// Characters of a label at most.
const LABEL: usize = 80;
/// Tokens that expired so long ago are forgotten.
const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What it is for, so that its owner knows which one to revoke.
    pub label: String,
    /// What it allows, of what its owner may.
    pub scopes: Vec<Scope>,
    /// When it ends; `None` never.
    pub expires: Option<Timestamp>,
    /// Whether it is good for one request that changes something, and for nothing from then on.
    pub single_use: bool,
}

/// A token, as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its number, which audit trails name.
    pub id: i64,
    /// Whose it is.
    pub owner: Name,
    /// What it is for.
    pub label: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// Whether it is for a single use.
    pub single_use: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// When it was last used, give or take a few minutes.
    pub used: Option<Timestamp>,
    /// When it was used up.
    pub spent: Option<Timestamp>,
}

impl Token {
    /// Whether it still works at `now`, as far as it itself is concerned.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.spent.is_none() && self.expires.is_none_or(|expires| now < expires)
    }

    fn read(row: &Row) -> Result<Self, Error> {
        let time = |column| Ok::<_, Error>(row.get::<Option<i64>>(column)?.map(moment));
        Ok(Self {
            id: row.get("id")?,
            owner: row.get::<&str>("name")?.parse().map_err(|_| Error::Stored("name"))?,
            label: row.get("label")?,
            scopes: scopes(row.get("scopes")?)?,
            single_use: row.get("single_use")?,
            created: moment(row.get("created")?),
            expires: time("expires")?,
            used: time("used")?,
            spent: time("spent")?,
        })
    }
}

impl NewToken {
    fn check(&self, now: Timestamp) -> Result<(), Error> {
        let Self { label, scopes, expires, single_use: _ } = self;
        if label.trim().is_empty() || label.chars().count() > LABEL || label.contains(char::is_control) {
            return Err(Error::Token("a token needs a label of 1 to 80 characters that says what it is for"));
        }
        if scopes.is_empty() || scopes.len() > SCOPES {
            return Err(Error::Token("a token needs 1 to 20 scopes, such as `index/main:upload`"));
        }
        if expires.is_some_and(|expires| expires <= now) {
            return Err(Error::Token("the token would have expired already"));
        }
        Ok(())
    }

    fn scopes(&self) -> String {
        self.scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }
}

impl Auth {
    /// Makes a token for `owner` and gives out its number and its text, for the only time.
    ///
    /// # Errors
    /// [`Error::NoUser`], [`Error::Token`] for a bad description or for too many tokens.
    pub async fn create_token(&self, by: &Author, owner: &Name, new: &NewToken) -> Result<(i64, TokenText), Error> {
        new.check(by.now())?;
        let text = TokenText::draw()?;
        let mut tx = self.database().begin().await?;
        let user = users::find(&mut tx, owner).await?;
        let now = micros(by.now());
        let forgotten = now.saturating_sub(i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX));
        tx.execute("DELETE FROM token WHERE account = $1 AND expires < $2", params![user.id, forgotten]).await?;
        let count = tx.fetch_value::<i64>("SELECT count(*) FROM token WHERE account = $1", params![user.id]).await?;
        if count.is_none_or(|count| count >= MOST) {
            return Err(Error::Token("this user has 200 tokens already: revoke some"));
        }
        let scopes = new.scopes();
        let expires = new.expires.map(micros);
        let sql = "INSERT INTO token (account, digest, label, scopes, single_use, created, expires) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";
        let digest = *text.digest().as_bytes();
        let label = new.label.trim();
        let params = params![user.id, digest, label, scopes.as_str(), new.single_use, now, expires];
        let id = tx.fetch_value::<i64>(sql, params).await?.ok_or(Error::Stored("id"))?;
        let once = if new.single_use { ", single use" } else { "" };
        let until = new.expires.map_or_else(|| "for ever".to_owned(), |expires| format!("until {expires}"));
        let after = format!("{label:?}: {scopes}, {until}{once}");
        by.record(&mut tx, Act::new("token create", object(owner, id)).after(after)).await?;
        tx.commit().await?;
        Ok((id, text))
    }

    /// The tokens of `owner`, or of everybody (1000 at most), the newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn tokens(&self, owner: Option<&Name>) -> Result<Vec<Token>, Error> {
        let sql = "SELECT token.id, name, label, scopes, single_use, token.created, expires, used, spent \
                   FROM token JOIN account ON account.id = account \
                   WHERE ($1 = '' OR name = $1) ORDER BY token.id DESC LIMIT 1000";
        let rows = self.database().fetch_all(sql, params![owner.map_or("", Name::as_str)]).await?;
        rows.iter().map(Token::read).collect()
    }

    /// Revokes a token of `owner`, or of anybody; whether there was one.
    ///
    /// # Errors
    /// The database's.
    pub async fn revoke_token(&self, by: &Author, owner: Option<&Name>, id: i64) -> Result<bool, Error> {
        let mut tx = self.database().begin().await?;
        let sql = "SELECT token.id, name, label, scopes, single_use, token.created, expires, used, spent \
                   FROM token JOIN account ON account.id = account WHERE token.id = $1 AND ($2 = '' OR name = $2)";
        let found = tx.fetch_optional(sql, params![id, owner.map_or("", Name::as_str)]).await?;
        let Some(token) = found.as_ref().map(Token::read).transpose()? else { return Ok(false) };
        tx.execute("DELETE FROM token WHERE id = $1", params![id]).await?;
        let act = Act::new("token revoke", object(&token.owner, id)).before(format!("{:?}", token.label));
        by.record(&mut tx, act).await?;
        tx.commit().await?;
        self.changed();
        Ok(true)
    }

    /// Uses a token up; whether this was the one use of it.
    pub(crate) async fn spend_token(&self, id: i64) -> Result<bool, Error> {
        let sql = "UPDATE token SET spent = $2, used = $2 WHERE id = $1 AND spent IS NULL";
        Ok(self.database().execute(sql, params![id, micros(self.now())]).await? == 1)
    }

    /// Notes that a token was used.
    pub(crate) async fn touch_token(&self, id: i64) -> Result<(), Error> {
        self.database().execute("UPDATE token SET used = $2 WHERE id = $1", params![id, micros(self.now())]).await?;
        Ok(())
    }
}

fn object(owner: &Name, id: i64) -> String {
    format!("auth/token/{owner}/{id}")
}
