//! Members that enter, come back and leave, and the shares that follow.

use bytes::{BufMut, Bytes, BytesMut};
use wire::api::ApiKey;

use super::group::{Member, TIMEOUT_MS};
use super::maker::{Generator, topic_name};
use crate::messages::Form;
use crate::script::RUN;
use crate::script::{ADMIN_LINE, Due};
use crate::tree::{Earlier, Tree, body};

/// How many members a group takes, by the configuration of both brokers.
pub(super) const MEMBERS_MAX: usize = 5;

/// The first version of JoinGroup in which a member without an id is sent away with one.
const ID_REQUIRED: i16 = 4;

/// The first version of JoinGroup in which a member may have a name of its own.
const WITH_INSTANCE: i16 = 5;

impl Generator {
    /// A change of who is in the group, carried through until it is stable again.
    pub(super) fn membership_step(&mut self, index: usize) {
        let count = self.groups[index].members.len();
        match self.chance.below(10) {
            _ if count == 0 => self.enter_empty(index),
            0..=2 if count < MEMBERS_MAX => self.enter(index),
            3 if count < MEMBERS_MAX => self.come_and_go(index),
            4 => self.rejoin_unchanged(index),
            5 => self.rejoin_and_share(index),
            6 => self.static_return(index),
            7 => self.share_again(index),
            8 => self.everybody_leaves(index),
            _ => self.leave(index),
        }
    }

    fn join_body(&mut self, index: usize, member: &Member, id: Tree) -> Tree {
        let protocol_type = self.groups[index].protocol_type;
        let protocols = protocols(protocol_type, member.number);
        let reason = if self.chance.once_in(3) {
            Some("a reason")
        } else {
            None
        };
        body! {
            group_id: self.groups[index].name.clone(),
            session_timeout_ms: TIMEOUT_MS,
            rebalance_timeout_ms: TIMEOUT_MS,
            member_id: id,
            group_instance_id: member.instance.clone(),
            protocol_type: protocol_type,
            protocols: protocols,
            reason: reason,
        }
    }

    fn join_form(&mut self, member: &Member) -> Form {
        let version_min = member.version_min(WITH_INSTANCE);
        Form {
            key: ApiKey::JoinGroup,
            version: self.chance.version(version_min, 9),
        }
    }

    /// Someone who is to enter; one that must ask for an id first has asked.
    fn newcomer(&mut self, index: usize) -> Option<(Member, Form, Tree)> {
        let line = self.groups[index].free_line()?;
        let number = self.fresh();
        let is_static = self.chance.once_in(3);
        let instance = is_static.then(|| format!("{RUN}-instance-{number}"));
        let mut member = Member {
            line,
            joined: 0,
            instance,
            number,
        };
        let form = self.join_form(&member);
        let mut id = Tree::from("");
        if form.version >= ID_REQUIRED && member.instance.is_none() {
            let body = self.join_body(index, &member, id);
            let step = self.push(line, form, body, Due::Now, Vec::new());
            id = Earlier {
                step,
                path: "member_id".to_owned(),
            }
            .into();
            member.joined = step;
        }
        Some((member, form, id))
    }

    /// The first member: nobody has to be waited for.
    fn enter_empty(&mut self, index: usize) {
        let Some((mut member, form, id)) = self.newcomer(index) else {
            return;
        };
        let body = self.join_body(index, &member, id);
        member.joined = self.push(member.line, form, body, Due::Now, Vec::new());
        self.groups[index].members.push(member);
        self.groups[index].leader = 0;
        self.share(index);
    }

    /// One more: all others are called back.
    fn enter(&mut self, index: usize) {
        let Some((mut member, form, id)) = self.newcomer(index) else {
            return;
        };
        let body = self.join_body(index, &member, id);
        let members = self.groups[index].members.len() + 1;
        let due = self.rebalancing(index, members);
        let parked = self.push(member.line, form, body, due, Vec::new());
        member.joined = parked;
        self.groups[index].members.push(member);
        self.call_back(index, vec![parked]);
        self.share(index);
    }

    fn rebalancing(&self, index: usize, members: usize) -> Due {
        Due::ReleasedOnceRebalancing {
            group: self.groups[index].name.clone(),
            members,
        }
    }

    /// Someone looks at the groups while one of them rebalances.
    fn look_on(&mut self) {
        match self.chance.below(12) {
            0 => self.describe_groups(),
            1 => self.list_groups(),
            _ => {}
        }
    }

    /// Every member that is not parked yet hears that the group rebalances, and joins again; the
    /// last one releases all.
    fn call_back(&mut self, index: usize, mut parked: Vec<usize>) {
        let members = self.groups[index].members.clone();
        let mut absent: Vec<usize> = (0..members.len())
            .filter(|at| !parked.contains(&members[*at].joined))
            .collect();
        while !absent.is_empty() {
            let at = absent.swap_remove(self.chance.below(absent.len()));
            let member = &members[at];
            if self.chance.once_in(2) {
                self.honest_heartbeat(index, member);
            }
            if self.chance.once_in(4) {
                self.commit_as(index, member);
            }
            self.look_on();
            let form = self.join_form(member);
            let body = self.join_body(index, member, member.id());
            let last = absent.is_empty();
            let due = if last { Due::Now } else { Due::Released };
            let releases = if last {
                std::mem::take(&mut parked)
            } else {
                Vec::new()
            };
            let step = self.push(member.line, form, body, due, releases);
            if !last {
                parked.push(step);
            }
            self.groups[index].members[at].joined = step;
        }
    }

    /// The leader hands out the parts, and everybody gets theirs.
    fn share(&mut self, index: usize) {
        let (members, leader) = (
            self.groups[index].members.clone(),
            self.groups[index].leader,
        );
        let mut parked = Vec::new();
        for (at, member) in members.iter().enumerate() {
            if at != leader {
                if self.chance.once_in(4) {
                    self.honest_heartbeat(index, member);
                }
                if self.chance.once_in(6) {
                    self.commit_as(index, member);
                }
                parked.push(self.sync(index, member, Vec::new(), Due::Released, Vec::new()));
            }
        }
        self.look_on();
        let mut parts: Vec<Tree> = members
            .iter()
            .map(|member| {
                let part = Bytes::from(format!("part of {}", member.number));
                body! { member_id: member.id(), assignment: part }
            })
            .collect();
        if self.chance.once_in(5) {
            parts.truncate(1);
        }
        self.sync(index, &members[leader], parts, Due::Now, parked);
    }

    fn sync(
        &mut self,
        index: usize,
        member: &Member,
        parts: Vec<Tree>,
        due: Due,
        releases: Vec<usize>,
    ) -> usize {
        let version = self.chance.version(member.version_min(3), 5);
        let body = body! {
            group_id: self.groups[index].name.clone(),
            generation_id: member.generation(),
            member_id: member.id(),
            group_instance_id: member.instance.clone(),
            protocol_type: self.groups[index].protocol_type,
            protocol_name: "range",
            assignments: parts,
        };
        self.push(
            member.line,
            Form {
                key: ApiKey::SyncGroup,
                version,
            },
            body,
            due,
            releases,
        )
    }

    pub(super) fn honest_heartbeat(&mut self, index: usize, member: &Member) {
        let body = body! {
            group_id: self.groups[index].name.clone(),
            generation_id: member.generation(),
            member_id: member.id(),
            group_instance_id: member.instance.clone(),
        };
        self.send_within(
            member.line,
            ApiKey::Heartbeat,
            (member.version_min(3), 4),
            body,
        );
    }

    /// Someone asks for an id, and leaves before using it.
    fn come_and_go(&mut self, index: usize) {
        let Some(line) = self.groups[index].free_line() else {
            return;
        };
        let member = Member {
            line,
            joined: 0,
            instance: None,
            number: self.fresh(),
        };
        let body = self.join_body(index, &member, Tree::from(""));
        let step = self.send_within(line, ApiKey::JoinGroup, (ID_REQUIRED, 9), body);
        let id = Earlier {
            step,
            path: "member_id".to_owned(),
        };
        self.leave_body(index, line, id.into(), None);
        // For Kafka, whoever leaves has the others share anew.
        if !self.groups[index].members.is_empty() {
            self.call_back(index, Vec::new());
            self.share(index);
        }
    }

    fn leave_body(&mut self, index: usize, line: usize, id: Tree, instance: Option<String>) {
        let versions = if instance.is_some() { (3, 5) } else { (0, 5) };
        let mut leavers = vec![body! { member_id: id.clone(), group_instance_id: instance }];
        if self.chance.once_in(4) {
            leavers.push(body! { member_id: "nobody" });
        }
        let body = body! {
            group_id: self.groups[index].name.clone(), member_id: id, members: leavers,
        };
        self.send_within(line, ApiKey::LeaveGroup, versions, body);
    }

    /// A follower that changed nothing gets the current generation again.
    fn rejoin_unchanged(&mut self, index: usize) {
        let (members, leader) = (
            self.groups[index].members.clone(),
            self.groups[index].leader,
        );
        let at = self.chance.below(members.len());
        if at == leader {
            return;
        }
        let form = self.join_form(&members[at]);
        let body = self.join_body(index, &members[at], members[at].id());
        let step = self.push(members[at].line, form, body, Due::Now, Vec::new());
        self.groups[index].members[at].joined = step;
    }

    /// A leader that joins again, or a member that changed what it can do, has all share anew.
    fn rejoin_and_share(&mut self, index: usize) {
        let leader = self.groups[index].leader;
        let count = self.groups[index].members.len();
        let at = if self.chance.once_in(2) {
            leader
        } else {
            self.chance.below(count)
        };
        if at != leader || self.chance.once_in(2) {
            self.groups[index].members[at].number = self.fresh();
        }
        let member = self.groups[index].members[at].clone();
        let form = self.join_form(&member);
        let body = self.join_body(index, &member, member.id());
        if count == 1 {
            let step = self.push(member.line, form, body, Due::Now, Vec::new());
            self.groups[index].members[at].joined = step;
        } else {
            let due = self.rebalancing(index, count);
            let parked = self.push(member.line, form, body, due, Vec::new());
            self.groups[index].members[at].joined = parked;
            self.call_back(index, vec![parked]);
        }
        self.share(index);
    }

    /// A static member comes back without its id, and gets a new one; the old one is fenced.
    fn static_return(&mut self, index: usize) {
        let members = self.groups[index].members.clone();
        let Some(at) = (0..members.len()).find(|at| members[*at].instance.is_some()) else {
            return;
        };
        let old = &members[at];
        let mut new = old.clone();
        if self.chance.once_in(2) {
            // It says something else of itself, but what all would choose stays the same.
            new.number = self.fresh();
        }
        let form = self.join_form(&new);
        let body = self.join_body(index, &new, Tree::from(""));
        new.joined = self.push(new.line, form, body, Due::Now, Vec::new());
        self.groups[index].members[at] = new;
        self.honest_heartbeat(index, old);
        self.commit_as(index, old);
    }

    /// A member asks for its part again.
    fn share_again(&mut self, index: usize) {
        if let Some(member) = self.speaker(index) {
            self.sync(index, &member, Vec::new(), Due::Now, Vec::new());
        }
    }

    /// One member leaves, and the others share anew.
    fn leave(&mut self, index: usize) {
        let (count, leader) = (self.groups[index].members.len(), self.groups[index].leader);
        let at = self.chance.below(count);
        if at == leader && count > 2 {
            // Kafka makes any of the others leader, by chance.
            return;
        }
        let member = self.groups[index].members.remove(at);
        let by_instance = member.instance.is_some() && self.chance.once_in(2);
        let id = if by_instance {
            Tree::from("")
        } else {
            member.id()
        };
        let line = if by_instance { ADMIN_LINE } else { member.line };
        self.leave_body(index, line, id, member.instance);
        if count == 1 {
            return;
        }
        self.groups[index].leader = if at == leader {
            0
        } else {
            leader - usize::from(at < leader)
        };
        self.call_back(index, Vec::new());
        self.share(index);
    }

    /// All members leave, as an administrator has them leave.
    pub(super) fn everybody_leaves(&mut self, index: usize) {
        let members = std::mem::take(&mut self.groups[index].members);
        if members.is_empty() {
            return;
        }
        let leavers: Vec<Tree> = members
            .iter()
            .map(|member| body! { member_id: member.id(), group_instance_id: member.instance.clone() })
            .collect();
        let body = body! { group_id: self.groups[index].name.clone(), members: leavers };
        self.send_within(ADMIN_LINE, ApiKey::LeaveGroup, (3, 5), body);
    }
}

/// What a member can do, in the order of its preference.
pub(super) fn protocols(protocol_type: &str, number: usize) -> Vec<Tree> {
    let metadata = |protocol: &str| {
        let own = format!("{protocol} {number}");
        if protocol_type == "consumer" {
            subscription(&own)
        } else {
            Bytes::from(own)
        }
    };
    let others: [&[&str]; 3] = [&[], &["roundrobin"], &["roundrobin", "sticky"]];
    let others = others[number % others.len()];
    let names = std::iter::once("range").chain(others.iter().copied());
    let protocol = |name: &str| body! { name: name, metadata: metadata(name) };
    names.map(protocol).collect()
}

/// What a consumer says that it reads, in version 0 of the consumers' own protocol: the first
/// topic, and bytes of its own.
fn subscription(own: &str) -> Bytes {
    let topic = topic_name(0);
    let mut bytes = BytesMut::new();
    bytes.put_i16(0);
    bytes.put_i32(1);
    bytes.put_i16(i16::try_from(topic.len()).unwrap_or(0));
    bytes.put_slice(topic.as_bytes());
    bytes.put_i32(i32::try_from(own.len()).unwrap_or(0));
    bytes.put_slice(own.as_bytes());
    bytes.freeze()
}
