//! The reader of fleet's units: scratch.

use berthc::world::{File, World, fleet};

pub fn read(units: &[(&str, &str)]) -> World {
    let files: Vec<File> = units.iter().map(|(path, text)| File { path, text }).collect();
    fleet::read(&files)
}

#[test]
fn scratch() {
    let dir = std::env::var("SCRATCH").unwrap();
    let mut all = Vec::new();
    for p in crate::harness::walk(std::path::Path::new(&dir)) {
        let n = p.to_string_lossy().into_owned();
        if n.ends_with(".service") || n.ends_with(".conf") {
            let base = p.file_name().unwrap().to_string_lossy();
            let base = base
                .split_once('-')
                .filter(|(a, _)| a.bytes().all(|b| b.is_ascii_digit()))
                .map_or(base.to_string(), |x| x.1.to_string());
            all.push((base, std::fs::read_to_string(&p).unwrap()));
        }
    }
    let units: Vec<(&str, &str)> = all.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let world = read(&units);
    for f in &world.findings {
        println!(
            "{:?} {} {}:{} [{}]\n   {}\n   -> {}",
            f.level, f.code, f.at[0].file, f.at[0].line, f.at[0].field, f.message, f.mend
        );
    }
    for u in &world.unread {
        println!("UNREAD {}:{} [{}] {}", u.at.file, u.at.line, u.at.field, u.what);
    }
    if std::env::var("W").is_ok() {
        for w in &world.workloads {
            println!("{w:#?}");
        }
    }
}
