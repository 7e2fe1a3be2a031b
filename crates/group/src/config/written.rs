//! The form of the file.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

type Word = Option<Spanned<String>>;
type Number = Option<Spanned<i64>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub name: Word,
    pub from: Word,
    #[serde(default)]
    pub command: Vec<String>,
    pub workdir: Option<String>,
    #[serde(default)]
    pub env: BTreeMap<Spanned<String>, Spanned<String>>,
    pub network: Word,
    #[serde(default)]
    pub share: Vec<String>,
    pub policy: Option<String>,
    pub replicas: Number,
    pub spares: Number,
    pub port: Number,
    pub front: Spanned<Front>,
    #[serde(default)]
    pub check: Check,
    pub warm: Option<Warm>,
    #[serde(default)]
    pub replace: Replace,
    pub vote: Option<Spanned<Vote>>,
    pub changes: Option<Changes>,
    pub denied: Option<Denied>,
    #[serde(default)]
    pub growth: Growth,
    #[serde(default)]
    pub evidence: Evidence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Front {
    pub listen: Spanned<String>,
    pub status: Word,
    pub mode: Word,
    pub protocol: Word,
    pub connections: Number,
    pub per_replica: Number,
    pub queue: Number,
    pub queue_time: Word,
    pub head: Word,
    pub headers: Number,
    pub body: Word,
    pub head_time: Word,
    pub idle_time: Word,
    pub answer_time: Word,
    pub whole: Word,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    pub http: Word,
    pub status: Number,
    pub body: Word,
    #[serde(default)]
    pub command: Vec<String>,
    pub interval: Word,
    pub start_interval: Word,
    pub timeout: Word,
    pub rise: Number,
    pub fall: Number,
    pub grace: Word,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Warm {
    pub path: Spanned<String>,
    pub requests: Number,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Replace {
    pub every: Word,
    pub requests: Number,
    pub exposure: Word,
    pub min_live: Number,
    pub surge: Number,
    pub drain: Word,
    pub backoff: Word,
    pub backoff_most: Word,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vote {
    #[serde(default)]
    pub ignore_headers: Vec<Spanned<String>>,
    #[serde(default)]
    pub compare_headers: Vec<Spanned<String>>,
    #[serde(default)]
    pub ignore_body: Vec<Spanned<String>>,
    pub answer: Word,
    pub late: Word,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Changes {
    #[serde(default)]
    pub files: Vec<Spanned<String>>,
    #[serde(default)]
    pub keys: Vec<Spanned<String>>,
    pub interval: Word,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Denied {
    #[serde(default)]
    pub ignore: Vec<Spanned<String>>,
    pub interval: Word,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Growth {
    pub memory: Word,
    pub processes: Number,
    pub files: Number,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Evidence {
    pub size: Word,
    pub keep: Number,
}
