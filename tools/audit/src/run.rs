//! placeholder
use crate::report::Report;
/// x
pub struct Plan {
    pub wine: String,
    pub pass: std::path::PathBuf,
    pub keep: Option<std::path::PathBuf>,
    pub only: Vec<String>,
}
/// x
pub fn run(_p: &Plan) -> anyhow::Result<Report> {
    anyhow::bail!("no")
}
