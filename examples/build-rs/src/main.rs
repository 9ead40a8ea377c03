//! Prints the files that the build script compiled: all of their names, or the text of one.

/// The path and text of each file.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

fn main() {
    let wanted = std::env::args().nth(1);
    for (path, text) in FILES {
        match &wanted {
            None => println!("{path}"),
            Some(wanted) if wanted == path => print!("{text}"),
            Some(_) => {}
        }
    }
}
