//! Reads a form to its end: the file into the spool, the rest into memory, in whichever order they come.

use opsctl_http::{Form, Part};

use super::spool::{Spool, Spooled, Spooling};
use super::{Claims, Error};

/// Bytes of all texts of one form together. The description is the long one, and comes again in the file.
const TEXTS_MAX: usize = 4 << 20;

/// A form that was received.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) claims: Claims,
    /// As the client calls the file.
    pub(crate) filename: String,
    pub(crate) spooled: Spooled,
}

/// Receives an upload of a file of up to `limit` bytes; `action` is that of the URL's query.
///
/// # Errors
/// The form cannot be read, is for something else, or has no file.
pub(crate) async fn receive(
    mut form: Form,
    spool: &Spool,
    limit: u64,
    action: Option<&str>,
) -> Result<Received, Error> {
    let mut fields = Vec::new();
    let mut texts = 0;
    let mut content = None;
    while let Some(part) = form.next_part().await? {
        if part.name() == "content" {
            if content.is_some() {
                return Err(Error::Field("There is more than one file in the form.".to_owned()));
            }
            let filename = part.file_name().unwrap_or_default().to_owned();
            content = Some((filename, receive_file(part, spool.begin(limit)).await?));
        } else if part.file_name().is_some() {
            // a signature of a kind that nobody can check any more
        } else {
            let name = part.name().to_owned();
            let text = part.text().await?;
            texts += name.len() + text.len();
            if texts > TEXTS_MAX {
                return Err(Error::Field(format!("The fields of the form have more than {TEXTS_MAX} bytes.")));
            }
            fields.push((name, text));
        }
    }
    let claims = Claims::read(&fields, action)?;
    let (filename, spooled) = content.ok_or_else(|| Error::Field("Upload payload does not have a file.".to_owned()))?;
    Ok(Received { claims, filename, spooled })
}

/// Receives one file of a form into the spool.
///
/// # Errors
/// It does not come to its end, is too large, or there is no room for it.
pub(crate) async fn receive_file(mut part: Part<'_>, mut spooling: Spooling) -> Result<Spooled, Error> {
    while let Some(piece) = part.chunk().await? {
        if spooling.write(piece).await.is_err() {
            break;
        }
    }
    spooling.finish().await
}
