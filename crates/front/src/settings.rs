//! What a front goes by.

use pinion_group::Config;
use pinion_group::config::{Front, Vote};

/// Of the group's file, what concerns the front.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its own table.
    pub front: Front,
    /// How answers are compared.
    pub vote: Vote,
    /// Equal answers that decide a vote.
    pub quorum: usize,
    /// Replicas of the whole group.
    pub replicas: usize,
}

impl Settings {
    /// As the group's file says.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            front: config.front.clone(),
            vote: config.vote.clone(),
            quorum: config.quorum() as usize,
            replicas: config.replicas as usize,
        }
    }
}
