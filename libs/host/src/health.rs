//! What a service says of itself.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// What a service says of itself while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "health", content = "reason")]
pub enum Health {
    /// It does what it is for.
    #[default]
    Ok,
    /// It serves, but somebody must act; the text says why.
    Degraded(String),
    /// It does not do what it is for; the text says why.
    Failed(String),
}

/// Where one instance of a service keeps its [`Health`]. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct HealthCell(Arc<Mutex<Health>>);

impl HealthCell {
    /// Says how the service is, from now on.
    pub fn set(&self, health: Health) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *current != health {
            match &health {
                Health::Ok => tracing::info!("healthy again"),
                Health::Degraded(reason) => tracing::warn!(reason, "degraded"),
                Health::Failed(reason) => tracing::error!(reason, "unhealthy"),
            }
            *current = health;
        }
    }

    /// What it last said.
    #[must_use]
    pub fn get(&self) -> Health {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
