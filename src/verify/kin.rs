//! Codes that mean the same hazard of one member.

/// A code without its resource where that is only another name for who the member is: what files
/// of a member without data call its hostname, its spec may call its right to write.
pub fn kin(code: &str) -> String {
    let who = ["writer", "hostname", "id"];
    let parts: Vec<&str> = code.split('/').map(|p| if who.contains(&p) { "id" } else { p }).collect();
    parts.join("/")
}
