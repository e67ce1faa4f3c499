//! A new configuration, all or nothing: read it, bind what is new, ask every service, and only when all have accepted
//! let them change.

use std::fs::File;
use std::sync::Arc;

use nix::fcntl::Flock;
use tokio::sync::oneshot;

use crate::data_dir;
use crate::instance::Opened;
use crate::keeper::{Order, Proposal};
use crate::plan::{Plan, Planned};
use crate::sockets::Sockets;
use crate::supervisor::{Supervisor, log_addresses, stop};

/// A service that is there already and has accepted.
struct Accepted {
    index: usize,
    planned: Planned,
    sockets: Sockets,
    decision: oneshot::Sender<()>,
}

/// A service that is new.
struct Added {
    planned: Planned,
    sockets: Sockets,
    opened: Opened,
    /// The lock on its folder, unless it was there before.
    held: Option<Flock<File>>,
}

impl Supervisor {
    /// Takes the configuration on as it is now; the text says what changed. Cancelled at any point, nothing has.
    ///
    /// # Errors
    /// Why nothing changed: every fault of the configuration, or the first refusal.
    pub(crate) async fn reload(&mut self) -> Result<String, String> {
        let plan = (self.reread)().map_err(|faults| crate::plugin::faults(&faults))?;
        let mut accepted = Vec::new();
        let mut added = Vec::new();
        for planned in &plan.services {
            let running = self.handles.iter().position(|handle| handle.planned.name == planned.name);
            let old = running.map(|index| &self.handles[index]);
            if old.is_some_and(|handle| handle.planned.same(planned)) {
                continue;
            }
            let taken = old.map(|handle| handle.sockets.clone()).unwrap_or_default();
            let sockets = Sockets::bind(planned.listens.clone(), &taken, &self.activated)
                .map_err(|error| format!("{error:#}"))?;
            let planned = planned.clone();
            match running {
                Some(index) => accepted.push(self.propose(index, planned, sockets).await?),
                None => {
                    // privileges are gone by now: whoever makes the folder owns it
                    let held = match self.held.contains_key(planned.name) {
                        true => None,
                        false => Some(self.hold(planned.name)?),
                    };
                    let opening = Opened::open(planned.clone(), sockets.clone(), Arc::clone(&self.shared));
                    let opened = opening.await.map_err(|error| format!("{error:#}"))?;
                    added.push(Added { planned, sockets, opened, held });
                }
            }
        }
        Ok(self.commit(plan, accepted, added))
    }

    fn hold(&self, service: &str) -> Result<Flock<File>, String> {
        data_dir::hold(&self.shared.data.dir().join(service), None).map_err(|error| format!("{error:#}"))
    }

    async fn propose(&self, index: usize, planned: Planned, sockets: Sockets) -> Result<Accepted, String> {
        let name = planned.name;
        let (answer, answered) = oneshot::channel();
        let (decision, decided) = oneshot::channel();
        let proposal = Proposal { planned: planned.clone(), sockets: sockets.clone(), answer, decision: decided };
        let gone = || format!("service `{name}` has ended");
        self.handles[index].orders.send(Order::Prepare(proposal)).await.map_err(|_| gone())?;
        match answered.await {
            Ok(Ok(())) => Ok(Accepted { index, planned, sockets, decision }),
            Ok(Err(refused)) => Err(format!("service `{name}` refused it: {refused}")),
            Err(_) => Err(gone()),
        }
    }

    /// The point of no return: nothing in here can fail or wait.
    fn commit(&mut self, plan: Plan, accepted: Vec<Accepted>, added: Vec<Added>) -> String {
        let mut changes = Vec::new();
        for Accepted { index, planned, sockets, decision } in accepted {
            changes.push(format!("{} changed", planned.name));
            log_addresses(planned.name, &sockets);
            let handle = &mut self.handles[index];
            handle.planned = planned;
            handle.sockets = sockets;
            // a keeper that ended in between is noticed by its end
            let _ = decision.send(());
        }
        for Added { planned, sockets, opened, held } in added {
            self.held.extend(held.map(|held| (planned.name, held)));
            changes.push(format!("{} started", planned.name));
            self.keep(opened, planned, sockets);
        }
        let gone = |name: &str| !plan.services.iter().any(|planned| planned.name == name);
        while let Some(index) = self.handles.iter().rposition(|handle| gone(handle.planned.name)) {
            let handle = self.handles.remove(index);
            changes.push(format!("{} stopped", handle.planned.name));
            self.shared.cards().retain(|card| card.name != handle.planned.name);
            self.leaving.spawn(async move {
                if let Err(error) = stop(handle).await {
                    tracing::error!(error = format!("{error:#}"), "service failed while it stopped");
                }
            });
        }
        self.order_by(&plan);
        if plan.log != self.plan.log {
            self.logs.set_filter(&plan.log.level);
            changes.push("log changed".to_owned());
        }
        if plan.auth != self.plan.auth {
            changes.push("`[auth]` needs a new start".to_owned());
        }
        let fixed = self.plan.host.fixed_changes(&plan.host);
        changes.extend(fixed.iter().map(|key| format!("`host.{key}` needs a new start")));
        self.plan = plan;
        if changes.is_empty() { "nothing changed".to_owned() } else { changes.join(", ") }
    }

    /// Services that came by a reload stand where the table has them.
    fn order_by(&mut self, plan: &Plan) {
        let place = |name: &str| plan.services.iter().position(|planned| planned.name == name);
        self.handles.sort_by_key(|handle| place(handle.planned.name));
        self.shared.cards().sort_by_key(|card| place(card.name));
    }
}
