//! Reads all specs one by one and keeps a summary of each. A spec is read again when its batch
//! compiles, so memory does not grow with whole specs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::summary::Summary;
use crate::code::Code;
use crate::diag::{Diagnostic, Place};
use crate::images::Images;
use crate::model::check::{Checked, alone};
use crate::model::{Model, Names, Service};
use crate::plan::swarm::{AwaitsNames, DnsCycles};
use crate::spec::layers::Layers;
use crate::text::nearest::nearest;
use crate::threads::{self, locked};

/// Size of one generation of the cache of services, in bytes of spec text. The cache has two
/// generations, so a compile of few specs without bases reads each spec once.
const KEPT: usize = 256 << 10;
/// A service that this many others name stays in the cache, so that it is not read again for each
/// of them.
const MANY: usize = 4;
/// Maximum number of unknown names that get a hint. Each hint compares the name with all services.
const MAX_HINTS: usize = 100;

/// The summaries of all services of a compile.
pub struct Index<'a> {
    layers: &'a Layers<'a>,
    /// The summaries, sorted by name and revision. The position is the index of the service.
    pub summaries: Vec<Summary>,
    /// The names of invalid services, and hints for unknown names.
    names: Arc<Names>,
    /// The services that wait for each other's names on Swarm.
    pub dns_cycles: DnsCycles,
    /// The paths of all files that were read, specs included.
    read: BTreeSet<String>,
    /// The services that [`MANY`] others name.
    many: BTreeSet<usize>,
    kept: Mutex<Kept>,
}

/// A cache of services, by index.
#[derive(Default)]
struct Kept {
    last: BTreeMap<usize, Arc<Service>>,
    /// Size of the spec texts behind `last`, in bytes.
    bytes: usize,
    before: BTreeMap<usize, Arc<Service>>,
    /// The services that [`MANY`] others name.
    named: BTreeMap<usize, Arc<Service>>,
}

impl Kept {
    fn get(&self, index: usize) -> Option<Arc<Service>> {
        [&self.named, &self.last, &self.before].into_iter().find_map(|kept| kept.get(&index)).cloned()
    }

    fn keep(&mut self, service: Arc<Service>, bytes: usize) {
        if bytes > KEPT {
            return;
        }
        if self.bytes + bytes > KEPT {
            (self.before, self.bytes) = (std::mem::take(&mut self.last), 0);
        }
        if self.last.insert(service.index, service).is_none() {
            self.bytes += bytes;
        }
    }
}

impl<'a> Index<'a> {
    /// Reads all specs of `layers` and checks each by itself.
    pub fn of(layers: &'a Layers<'a>, threads: usize, out: &mut Vec<Diagnostic>) -> Self {
        let first = Mutex::new((BTreeMap::new(), 0));
        let one = |spec| {
            let mut checked = alone(spec, layers);
            let service = checked.service.take();
            let summary = service.as_ref().map(|service| Summary::of(service, spec));
            // Bases get their final numbers when all are known.
            let service = service.filter(|s| !s.source.layers.iter().any(|l| layers.is_base(*l)));
            let mut first = locked(&first);
            if first.1 + checked.bytes <= KEPT {
                first.1 += checked.bytes;
                first.0.extend(service.map(|service| (spec, (service, checked.bytes))));
            }
            (summary, checked.invalid, checked.read, checked.faults)
        };
        let all = threads::each(threads, (0..layers.count()).collect(), one, &|_| {});
        let (mut summaries, mut broken, mut read) = (Vec::new(), BTreeSet::new(), layers.paths());
        let mut faults = Vec::new();
        for (summary, invalid, also, found) in all {
            summaries.extend(summary);
            broken.extend(invalid);
            read.extend(also);
            faults.extend(found);
        }
        layers.renumber(&mut faults);
        out.extend(faults);
        summaries.sort_by(|a, b| (&a.name, &a.revision).cmp(&(&b.name, &b.revision)));
        let near = near(&summaries, &broken);
        let names = Arc::new(Names { broken, near });
        let dns_cycles =
            DnsCycles::of(&summaries.iter().filter_map(|o| o.waits.as_ref()).collect::<Vec<&AwaitsNames>>());
        let (mut first, _) = first.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut kept = Kept::default();
        for (index, summary) in summaries.iter().enumerate() {
            if let Some((service, bytes)) = first.remove(&summary.spec) {
                kept.keep(Arc::new(Service { index, ..service }), bytes);
            }
        }
        let mut naming = vec![0; summaries.len()];
        for name in summaries.iter().flat_map(Summary::mentions) {
            named(&summaries, name).for_each(|index| naming[index] += 1);
        }
        let many = (0..summaries.len()).filter(|index| naming[*index] >= MANY).collect();
        Self { layers, summaries, names, dns_cycles, read, many, kept: Mutex::new(kept) }
    }

    /// Returns whether text number `source` is a base.
    pub fn is_base(&self, source: usize) -> bool {
        self.layers.is_base(source)
    }

    /// Returns the table of images.
    pub fn images(&self) -> &Images {
        self.layers.images()
    }

    /// Returns the names of all services and the paths of all files that were read.
    pub fn known(self) -> (BTreeSet<String>, BTreeSet<String>) {
        let all = self.summaries.into_iter().map(|o| o.name);
        (all.chain(self.names.broken.iter().cloned()).collect(), self.read)
    }

    /// Returns the services of `batch` and the services that they name, in ascending order.
    pub fn near(&self, batch: &[usize]) -> BTreeSet<usize> {
        let mut all: BTreeSet<usize> = batch.iter().copied().collect();
        for summary in batch.iter().map(|i| &self.summaries[*i]) {
            summary.mentions().for_each(|name| all.extend(named(&self.summaries, name)));
        }
        all
    }

    /// Returns a model of the services of `batch` and of the services that they name. It holds no other
    /// service, so the output of a batch cannot depend on others.
    ///
    /// # Errors
    /// A spec changed since it was first read.
    pub fn model(&self, batch: &[usize]) -> Result<Model, Box<Diagnostic>> {
        let services: Result<Vec<_>, _> = self.near(batch).into_iter().map(|i| self.service(i)).collect();
        Ok(Model::new(services?, self.names.clone()))
    }

    fn service(&self, index: usize) -> Result<Arc<Service>, Box<Diagnostic>> {
        let known = locked(&self.kept).get(index);
        if let Some(service) = known {
            return Ok(service);
        }
        let summary = &self.summaries[index];
        let Checked { service, bytes, .. } = alone(summary.spec, self.layers);
        // Its errors were reported when it was first read.
        let Some(service) = service.filter(|service| service.digest == summary.digest) else {
            let place = Place::new(summary.spec, 0, 0);
            let message = format!("the spec of {} changed while it was compiled", summary.name);
            return Err(Box::new(Diagnostic::error(Code::SpecUnread, place, message)));
        };
        let service = Arc::new(Service { index, ..service });
        let mut kept = locked(&self.kept);
        if self.many.contains(&index) {
            kept.named.insert(index, service.clone());
        } else {
            kept.keep(service.clone(), bytes);
        }
        Ok(service)
    }
}

/// Returns the indices of the services with this name.
fn named(summaries: &[Summary], name: &str) -> std::ops::Range<usize> {
    let from = summaries.partition_point(|o| *o.name < *name);
    let length = summaries[from..].partition_point(|o| o.name == name);
    from..from + length
}

/// Returns the most similar known name for each unknown name.
fn near(summaries: &[Summary], broken: &BTreeSet<String>) -> BTreeMap<String, String> {
    let unknown = |name: &&str| named(summaries, name).is_empty() && !broken.contains(*name);
    let unknown: BTreeSet<&str> = summaries.iter().flat_map(Summary::mentions).filter(unknown).collect();
    let mut names: Vec<&str> = summaries.iter().map(|o| o.name.as_str()).collect();
    names.dedup();
    let near = |name: &str| Some((name.to_owned(), (*nearest(name, &names)?).to_owned()));
    unknown.into_iter().take(MAX_HINTS).filter_map(near).collect()
}
