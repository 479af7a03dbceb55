//! The directory tree: what lookups see, and which names a power failure could leave.
//!
//! Changes of names since the last sync of their directory are kept in order. At a power failure
//! each of them survives or not, on its own: POSIX promises no more, and a caller that needs two
//! names in order has to sync between them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path};

use super::super::rng::Rng;
use super::content::Survival;
use super::inode::Inode;

/// A directory or file, by the order of its making; never used twice.
pub(crate) type NodeId = u64;

/// The top of the tree.
const ROOT: NodeId = 0;

#[derive(Debug, Default)]
struct Directory {
    current: BTreeMap<String, NodeId>,
    durable: BTreeMap<String, NodeId>,
}

#[derive(Debug)]
enum Node {
    Directory(Directory),
    File(Inode),
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    directory: NodeId,
    name: String,
}

#[derive(Clone, Debug)]
enum Change {
    Add {
        to: Place,
        node: NodeId,
    },
    Remove {
        from: Place,
        node: NodeId,
    },
    Move {
        from: Place,
        to: Place,
        node: NodeId,
    },
}

impl Change {
    fn touches(&self, directory: NodeId) -> bool {
        match self {
            Self::Add { to: place, .. } | Self::Remove { from: place, .. } => {
                place.directory == directory
            }
            Self::Move { from, to, .. } => from.directory == directory || to.directory == directory,
        }
    }

    fn node(&self) -> NodeId {
        match self {
            Self::Add { node, .. } | Self::Remove { node, .. } | Self::Move { node, .. } => *node,
        }
    }
}

/// The tree of one disk.
#[derive(Debug)]
pub(crate) struct Namespace {
    nodes: BTreeMap<NodeId, Node>,
    /// Stamp and change, oldest first.
    pending: Vec<(u64, Change)>,
    next: NodeId,
    stamp: u64,
}

impl Default for Namespace {
    fn default() -> Self {
        let root = Node::Directory(Directory::default());
        Self {
            nodes: BTreeMap::from([(ROOT, root)]),
            pending: Vec::new(),
            next: ROOT + 1,
            stamp: 0,
        }
    }
}

impl Namespace {
    /// Returns the stamp of the last change: what a sync that begins now covers.
    pub(crate) fn stamp(&self) -> u64 {
        self.stamp
    }

    /// Finds what a path stands for.
    pub(crate) fn find(&self, path: &Path) -> io::Result<NodeId> {
        let mut node = ROOT;
        for name in names(path)? {
            let directory = self.directory(node)?;
            node = *directory.current.get(name).ok_or_else(not_found)?;
        }
        Ok(node)
    }

    /// Finds the directory that holds, or would hold, a path's last name.
    pub(crate) fn place(&self, path: &Path) -> io::Result<Place> {
        let name = names(path)?.pop().ok_or(io::ErrorKind::InvalidInput)?;
        let parent = path.parent().unwrap_or_else(|| Path::new("/"));
        let directory = self.find(parent)?;
        self.directory(directory)?;
        Ok(Place {
            directory,
            name: name.to_owned(),
        })
    }

    /// Returns a file.
    pub(crate) fn file(&self, node: NodeId) -> io::Result<&Inode> {
        match self.nodes.get(&node) {
            Some(Node::File(inode)) => Ok(inode),
            Some(Node::Directory(_)) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(not_found()),
        }
    }

    /// Returns whether a path's node is a directory.
    pub(crate) fn is_directory(&self, node: NodeId) -> bool {
        matches!(self.nodes.get(&node), Some(Node::Directory(_)))
    }

    /// Lists a directory: names in order, and what they stand for.
    pub(crate) fn list(&self, node: NodeId) -> io::Result<&BTreeMap<String, NodeId>> {
        Ok(&self.directory(node)?.current)
    }

    /// Adds a file under a name that is free.
    pub(crate) fn add_file(&mut self, place: Place, inode: Inode) -> io::Result<NodeId> {
        self.add(place, Node::File(inode))
    }

    /// Adds a directory under a name that is free.
    pub(crate) fn add_directory(&mut self, place: Place) -> io::Result<NodeId> {
        self.add(place, Node::Directory(Directory::default()))
    }

    /// Removes a file's name, or that of an empty directory.
    pub(crate) fn remove(&mut self, place: &Place) -> io::Result<()> {
        let node = self.at(place)?;
        if let Some(Node::Directory(directory)) = self.nodes.get(&node)
            && !directory.current.is_empty()
        {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        self.directory_mut(place.directory)?
            .current
            .remove(&place.name);
        self.unlink(node);
        let from = place.clone();
        self.note(Change::Remove { from, node });
        Ok(())
    }

    /// Removes a directory and all below it, deepest names first.
    pub(crate) fn remove_all(&mut self, place: &Place) -> io::Result<()> {
        let top = self.at(place)?;
        self.directory(top)?;
        // Parents before children; taken off from the end.
        let mut order = vec![place.clone()];
        let mut seen = 0;
        while seen < order.len() {
            let node = self.at(&order[seen])?;
            if let Ok(directory) = self.directory(node) {
                let below = directory.current.keys().map(|name| Place {
                    directory: node,
                    name: name.clone(),
                });
                order.extend(below);
            }
            seen += 1;
        }
        while let Some(place) = order.pop() {
            self.remove(&place)?;
        }
        Ok(())
    }

    /// Gives a node another name; a file there is replaced.
    pub(crate) fn rename(&mut self, from: &Place, to: &Place) -> io::Result<()> {
        let node = self.at(from)?;
        if from == to {
            return Ok(());
        }
        if let Ok(replaced) = self.at(to) {
            if self.is_directory(replaced) {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            self.unlink(replaced);
        }
        self.directory_mut(from.directory)?
            .current
            .remove(&from.name);
        self.directory_mut(to.directory)?
            .current
            .insert(to.name.clone(), node);
        self.note(Change::Move {
            from: from.clone(),
            to: to.clone(),
            node,
        });
        Ok(())
    }

    /// Makes durable the names of a directory as they were at a stamp.
    pub(crate) fn settle(&mut self, directory: NodeId, stamp: u64) {
        let (settled, pending) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|(at, change)| *at <= stamp && change.touches(directory));
        self.pending = pending;
        let settled: Vec<(u64, Change)> = settled;
        let removes = settled
            .iter()
            .any(|(_, change)| !matches!(change, Change::Add { .. }));
        for (_, change) in settled {
            self.make_durable(&change);
        }
        if removes {
            self.collect();
        }
    }

    /// Cuts the power: decides which names are there from now on.
    pub(crate) fn fail_power(&mut self, rng: &mut Rng, survival: Survival) {
        for (_, change) in std::mem::take(&mut self.pending) {
            if survival.spares(rng) {
                self.make_durable(&change);
            }
        }
        for node in self.nodes.values_mut() {
            if let Node::Directory(directory) = node {
                directory.current = directory.durable.clone();
            }
        }
        self.collect();
        for node in self.nodes.values() {
            if let Node::File(inode) = node {
                inode.link();
            }
        }
    }

    /// Visits every file.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Inode> {
        self.nodes.values().filter_map(|node| match node {
            Node::File(inode) => Some(inode),
            Node::Directory(_) => None,
        })
    }

    fn add(&mut self, to: Place, node: Node) -> io::Result<NodeId> {
        let id = self.next;
        let directory = self.directory_mut(to.directory)?;
        if directory.current.contains_key(&to.name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        directory.current.insert(to.name.clone(), id);
        self.next += 1;
        self.nodes.insert(id, node);
        self.note(Change::Add { to, node: id });
        Ok(id)
    }

    fn note(&mut self, change: Change) {
        self.stamp += 1;
        self.pending.push((self.stamp, change));
    }

    fn make_durable(&mut self, change: &Change) {
        match change {
            Change::Add { to, node } => self.set_durable(to, Some(*node)),
            Change::Remove { from, node } => self.clear_durable(from, *node),
            Change::Move { from, to, node } => {
                // Its earlier name may not have become durable, and must not do so any more.
                self.pending.retain(|(_, earlier)| {
                    !matches!(earlier, Change::Add { to, node: added } if to == from && added == node)
                });
                self.clear_durable(from, *node);
                self.set_durable(to, Some(*node));
            }
        }
    }

    fn set_durable(&mut self, place: &Place, node: Option<NodeId>) {
        // A directory that is gone keeps no names.
        if let Some(Node::Directory(directory)) = self.nodes.get_mut(&place.directory) {
            match node {
                Some(node) => directory.durable.insert(place.name.clone(), node),
                None => directory.durable.remove(&place.name),
            };
        }
    }

    fn clear_durable(&mut self, place: &Place, node: NodeId) {
        let held = match self.nodes.get(&place.directory) {
            Some(Node::Directory(directory)) => directory.durable.get(&place.name).copied(),
            _ => None,
        };
        if held == Some(node) {
            self.set_durable(place, None);
        }
    }

    /// Forgets nodes that no name can lead to any more; open files live on by their handles.
    fn collect(&mut self) {
        let mut reachable = BTreeSet::from([ROOT]);
        let mut frontier = vec![ROOT];
        frontier.extend(self.pending.iter().map(|(_, change)| change.node()));
        while let Some(node) = frontier.pop() {
            reachable.insert(node);
            let Some(Node::Directory(directory)) = self.nodes.get(&node) else {
                continue;
            };
            let below = directory.current.values().chain(directory.durable.values());
            frontier.extend(below.filter(|node| !reachable.contains(node)));
        }
        self.nodes.retain(|id, node| {
            let kept = reachable.contains(id);
            if let (Node::File(inode), false) = (node, kept) {
                inode.unlink();
            }
            kept
        });
    }

    fn at(&self, place: &Place) -> io::Result<NodeId> {
        let directory = self.directory(place.directory)?;
        directory
            .current
            .get(&place.name)
            .copied()
            .ok_or_else(not_found)
    }

    fn unlink(&self, node: NodeId) {
        if let Some(Node::File(inode)) = self.nodes.get(&node) {
            inode.unlink();
        }
    }

    fn directory(&self, node: NodeId) -> io::Result<&Directory> {
        match self.nodes.get(&node) {
            Some(Node::Directory(directory)) => Ok(directory),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(not_found()),
        }
    }

    fn directory_mut(&mut self, node: NodeId) -> io::Result<&mut Directory> {
        match self.nodes.get_mut(&node) {
            Some(Node::Directory(directory)) => Ok(directory),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(not_found()),
        }
    }
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

/// Splits a path into names; a relative one starts at the root.
fn names(path: &Path) -> io::Result<Vec<&str>> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => {
                names.push(name.to_str().ok_or(io::ErrorKind::InvalidInput)?);
            }
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(io::ErrorKind::InvalidInput.into());
            }
        }
    }
    Ok(names)
}
