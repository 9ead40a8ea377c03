//! Codes of the same hazard of one member.

/// Returns a code without its resource, if the resource is only another name for the identity of
/// the member: for a member without data, files show a hostname where its spec may say the right to
/// write.
pub fn kin(code: &str) -> String {
    let who = ["writer", "hostname", "id"];
    let parts: Vec<&str> = code.split('/').map(|p| if who.contains(&p) { "id" } else { p }).collect();
    parts.join("/")
}
