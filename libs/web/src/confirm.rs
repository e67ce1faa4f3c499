//! The question before something is destroyed: a page of its own, so that it is asked without a script too.
//!
//! `GET /zope/delete` shows it, its form goes to where a program would send its `DELETE`; programs are not asked.

use http::Method;
use serde::Serialize;

use crate::{Error, Form, Page, Pages, Visit};

/// The name of the field in which a word is to be typed.
const TYPED: &str = "typed";

/// A question with two answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confirm {
    title: String,
    consequences: Vec<String>,
    action: String,
    method: String,
    label: String,
    cancel: String,
    typed: Option<String>,
}

impl Confirm {
    /// Asks `title`, "Delete zope 1.0?"; yes sends `method` to `action`, no leads to `cancel`.
    #[must_use]
    pub fn new(
        title: impl Into<String>,
        method: &Method,
        action: impl Into<String>,
        cancel: impl Into<String>,
    ) -> Self {
        Self {
            title: title.into(),
            consequences: Vec::new(),
            action: action.into(),
            method: method.to_string(),
            label: "Yes, go on".to_owned(),
            cancel: cancel.into(),
            typed: None,
        }
    }

    /// What follows from yes: a sentence each.
    #[must_use]
    pub fn consequence(mut self, sentence: impl Into<String>) -> Self {
        self.consequences.push(sentence.into());
        self
    }

    /// What the button says; a verb: "Delete".
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    /// `word` has to be typed, for what cannot be had back. The handler asks [`Self::accepts`].
    #[must_use]
    pub fn typed(self, word: impl Into<String>) -> Self {
        Self { typed: Some(word.into()), ..self }
    }

    /// Was the word typed? Notes in the form if it was not.
    pub fn accepts(&self, form: &mut Form) -> bool {
        match &self.typed {
            Some(word) if form.value(TYPED).trim() != word => {
                form.refuse(TYPED, format!("must be {word}"));
                false
            }
            _ => true,
        }
    }
}

impl Pages {
    /// The page that asks. `form` is empty, or what [`Confirm::accepts`] refused.
    ///
    /// # Errors
    /// There is no [`Front`](crate::Front) around the router.
    pub fn confirm(&self, visit: &Visit, question: &Confirm, form: &Form) -> Result<Page, Error> {
        #[derive(Serialize)]
        struct Context<'a> {
            question: &'a Confirm,
            f: &'a Form,
        }
        self.show(visit, "confirm.html", Context { question, f: form })
    }
}
