//! A disk in memory that fails, forgets and damages on demand.
//!
//! What was written but not synced may be lost page by page, in any order; names that were made,
//! changed or removed without a sync of their directory may be lost from the last one backwards.

mod dice;
mod lock;
mod map;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

pub(crate) use self::dice::Dice;
use self::lock::SimLock;
use self::map::SimMap;
use super::{Disk, File, Lock, Mapped};

const PAGE: usize = 512;

type Names = BTreeMap<PathBuf, u64>;

/// What the disk does at a chosen call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The call fails with an input/output error, later ones work.
    Once,
    /// The call finds no room, later ones do.
    Full,
    /// The machine is dead: this and all later calls fail.
    Dead,
}

#[derive(Debug, Default)]
struct Content {
    now: Vec<u8>,
    synced: Vec<u8>,
}

#[derive(Clone, Debug)]
enum NameChange {
    Add(PathBuf, u64),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

#[derive(Debug, Default)]
struct State {
    contents: BTreeMap<u64, Content>,
    names: Names,
    names_synced: Names,
    unsynced: Vec<NameChange>,
    locked: BTreeSet<PathBuf>,
    next_file: u64,
    calls: u64,
    fault: Option<(u64, Fault)>,
    free: Option<u64>,
}

/// The disk. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct SimDisk(Arc<Mutex<State>>);

/// Without the bytes of the files, of which a failing test would print millions.
impl std::fmt::Debug for SimDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SimDisk")
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    number: u64,
}

fn apply(names: &mut Names, change: &NameChange) {
    match change {
        NameChange::Add(path, number) => drop(names.insert(path.clone(), *number)),
        NameChange::Rename(from, to) => {
            if let Some(number) = names.remove(from) {
                names.insert(to.clone(), number);
            }
        }
        NameChange::Remove(path) => drop(names.remove(path)),
    }
}

impl SimDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Number of calls so far.
    pub(crate) fn calls(&self) -> u64 {
        self.state().calls
    }

    /// What happens at the call of that number.
    pub(crate) fn fail_at(&self, call: u64, fault: Fault) {
        self.state().fault = Some((call, fault));
    }

    /// From now on nothing fails.
    pub(crate) fn heal(&self) {
        self.state().fault = None;
    }

    /// How much room is left.
    pub(crate) fn set_free(&self, free: Option<u64>) {
        self.state().free = free;
    }

    /// The machine loses its power: of what was not synced, some is there and some is not.
    pub(crate) fn crash(&self, seed: u64) {
        let mut dice = Dice::new(seed);
        let mut state = self.state();
        state.fault = None;
        state.locked.clear();
        let kept = dice.roll(state.unsynced.len() as u64 + 1) as usize;
        let changes = std::mem::take(&mut state.unsynced);
        let mut names = state.names_synced.clone();
        for change in &changes[..kept] {
            apply(&mut names, change);
        }
        state.names = names.clone();
        state.names_synced = names;
        for content in state.contents.values_mut() {
            let len = match dice.roll(2) {
                0 => content.synced.len(),
                _ => content.now.len(),
            };
            let mut after = vec![0; len];
            for (i, page) in after.chunks_mut(PAGE).enumerate() {
                let from = match dice.roll(2) {
                    0 => &content.synced,
                    _ => &content.now,
                };
                for (j, byte) in page.iter_mut().enumerate() {
                    *byte = from.get(i * PAGE + j).copied().unwrap_or(0);
                }
            }
            content.now = after.clone();
            content.synced = after;
        }
    }

    /// The bytes of a file.
    pub(crate) fn bytes(&self, path: &Path) -> Vec<u8> {
        let state = self.state();
        state.contents[&state.names[path]].now.clone()
    }

    /// Replaces the bytes of a file, as damage does.
    pub(crate) fn set_bytes(&self, path: &Path, bytes: Vec<u8>) {
        let mut state = self.state();
        let number = state.names[path];
        let content = state.contents.get_mut(&number).unwrap();
        content.now = bytes.clone();
        content.synced = bytes;
    }

    /// Every byte that the disk has, those of removed files included: what was written last, and
    /// what was synced last.
    pub(crate) fn everything(&self) -> Vec<Vec<u8>> {
        let state = self.state();
        let contents = state.contents.values();
        let both = contents.flat_map(|content| {
            let differs = content.synced != content.now;
            [
                Some(&content.now),
                Some(&content.synced).filter(|_| differs),
            ]
        });
        both.flatten().cloned().collect()
    }

    /// A copy that goes its own way.
    pub(crate) fn fork(&self) -> Self {
        let state = self.state();
        let contents = state.contents.iter().map(|(number, content)| {
            let content = Content {
                now: content.now.clone(),
                synced: content.synced.clone(),
            };
            (*number, content)
        });
        SimDisk(Arc::new(Mutex::new(State {
            contents: contents.collect(),
            names: state.names.clone(),
            names_synced: state.names_synced.clone(),
            unsynced: state.unsynced.clone(),
            next_file: state.next_file,
            ..State::default()
        })))
    }

    /// Counts a call; fails the chosen one.
    fn call(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.calls += 1;
        let calls = state.calls;
        match state.fault {
            Some((at, Fault::Once)) if at == calls => {
                Err(io::Error::other("injected input/output error"))
            }
            Some((at, Fault::Full)) if at == calls => Err(io::ErrorKind::StorageFull.into()),
            Some((at, Fault::Dead)) if at <= calls => Err(io::Error::other("the machine is dead")),
            _ => Ok(state),
        }
    }

    fn file(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let state = self.call()?;
        let number = *state.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        drop(state);
        Ok(Arc::new(SimFile {
            disk: self.clone(),
            number,
        }))
    }

    fn change(&self, mut state: MutexGuard<'_, State>, change: NameChange) {
        apply(&mut state.names, &change);
        state.unsynced.push(change);
    }
}

impl Disk for SimDisk {
    fn create_dir(&self, _path: &Path) -> io::Result<()> {
        self.call().map(drop)
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let mut state = self.call()?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.next_file += 1;
        let number = state.next_file;
        state.contents.insert(number, Content::default());
        self.change(state, NameChange::Add(path.to_owned(), number));
        Ok(Arc::new(SimFile {
            disk: self.clone(),
            number,
        }))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.file(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        self.file(path)
    }

    fn map(&self, path: &Path) -> io::Result<Arc<dyn Mapped>> {
        let state = self.call()?;
        let number = state.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimMap(state.contents[number].now.clone())))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.call()?;
        let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
        let names = inside.filter_map(|path| path.file_name());
        Ok(names
            .map(|name| name.to_str().unwrap().to_owned())
            .collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let state = self.call()?;
        if !state.names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.change(state, NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let state = self.call()?;
        if !state.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.change(state, NameChange::Remove(path.to_owned()));
        Ok(())
    }

    fn exchange(&self, _one: &Path, _other: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove_tree(&self, _path: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.state()
            .names
            .keys()
            .any(|name| name.parent() == Some(path))
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.call()?;
        let inside = |change: &NameChange| match change {
            NameChange::Add(path, _) | NameChange::Remove(path) => path.parent() == Some(dir),
            NameChange::Rename(_, to) => to.parent() == Some(dir),
        };
        let changes = std::mem::take(&mut state.unsynced);
        for change in changes {
            match inside(&change) {
                true => apply(&mut state.names_synced, &change),
                false => state.unsynced.push(change),
            }
        }
        Ok(())
    }

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        Ok(self.call()?.free.unwrap_or(u64::MAX))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Lock>>> {
        let mut state = self.call()?;
        if !state.locked.insert(path.to_owned()) {
            return Ok(None);
        }
        Ok(Some(Box::new(SimLock {
            disk: self.clone(),
            path: path.to_owned(),
        })))
    }
}

impl SimFile {
    fn with<T>(&self, work: impl FnOnce(&mut Content) -> T) -> io::Result<T> {
        let mut state = self.disk.call()?;
        Ok(work(state.contents.get_mut(&self.number).unwrap()))
    }
}

impl File for SimFile {
    fn len(&self) -> io::Result<u64> {
        self.with(|content| content.now.len() as u64)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(|content| {
            let from = offset as usize;
            let part = content.now.get(from..from + out.len());
            out.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })?
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.with(|content| {
            let (from, to) = (offset as usize, offset as usize + bytes.len());
            if content.now.len() < to {
                content.now.resize(to, 0);
            }
            content.now[from..to].copy_from_slice(bytes);
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(|content| content.now.resize(len as usize, 0))
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        {
            let mut state = self.disk.state();
            if let Some(free) = state.free {
                state.free = Some(free.checked_sub(len).ok_or(io::ErrorKind::StorageFull)?);
            }
        }
        self.with(|content| {
            let to = (offset + len) as usize;
            if content.now.len() < to {
                content.now.resize(to, 0);
            }
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with(|content| content.synced = content.now.clone())
    }
}
