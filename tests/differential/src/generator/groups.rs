//! Groups: requests that ask about them, and those that err.

use wire::api::ApiKey;

use super::group::{Member, TIMEOUT_MS};
use super::maker::Generator;
use super::membership::{MEMBERS_MAX, protocols};
use crate::script::ADMIN_LINE;
use crate::script::RUN;
use crate::tree::{Tree, body};

impl Generator {
    /// One step of the walk through a group, or a few that belong together.
    pub(super) fn group_step(&mut self) {
        let index = self.chance.below(self.groups.len());
        match self.chance.below(16) {
            0..=4 => self.membership_step(index),
            5..=7 => self.heartbeat_step(index),
            8 if self.groups[index].members.len() == MEMBERS_MAX => self.join_full(index),
            8 => self.refused_join(index),
            9 => self.refused_sync(index),
            10 => self.refused_leave(index),
            11 | 12 => self.describe_groups(),
            13 => self.list_groups(),
            14 => self.find_coordinator(),
            _ => self.delete_groups(),
        }
    }

    /// A member to speak for, or a stranger.
    pub(super) fn speaker(&mut self, index: usize) -> Option<Member> {
        let members = self.groups[index].members.clone();
        (!members.is_empty()).then(|| self.chance.of(&members))
    }

    fn heartbeat_step(&mut self, index: usize) {
        let group = self.groups[index].name.clone();
        let Some(member) = self.speaker(index) else {
            let body = body! { group_id: group, generation_id: 1, member_id: "nobody" };
            self.ask(ApiKey::Heartbeat, body);
            return;
        };
        let honest = self.chance.once_in(2);
        let (mut generation, mut id) = (member.generation(), member.id());
        let mut instance = member.instance.clone();
        let mut name = group;
        if !honest {
            match self.chance.below(5) {
                0 => generation = self.chance.of(&[-1, 0, 9999]).into(),
                1 => id = self.chance.of(&["", "nobody"]).into(),
                2 => instance = Some(format!("{RUN}-no-instance")),
                3 => name = self.any_group(),
                _ => id = Tree::from("somebody else"),
            }
        }
        let versions = if instance.is_some() { (3, 4) } else { (0, 4) };
        let body = body! {
            group_id: name, generation_id: generation, member_id: id, group_instance_id: instance,
        };
        self.send_within(member.line, ApiKey::Heartbeat, versions, body);
    }

    /// A join that is refused at once, and changes nothing.
    fn refused_join(&mut self, index: usize) {
        let (mut group, kind) = (
            self.groups[index].name.clone(),
            self.groups[index].protocol_type,
        );
        let (mut session, mut id, mut instance) = (TIMEOUT_MS, "nobody", None);
        let mut protocol_type = kind;
        let mut protocols = protocols(kind, 0);
        match self.chance.below(9) {
            0 => group = String::new(),
            1 => session = self.chance.of(&[-1, 0, 1, 5_999]),
            2 => session = self.chance.of(&[1_800_001, i32::MAX]),
            3 => instance = Some(format!("{RUN}-no-instance")),
            4 if !self.groups[index].members.is_empty() => (protocol_type, id) = ("other", ""),
            5 if !self.groups[index].members.is_empty() => {
                protocols = vec![body! { name: "unheard-of", metadata: bytes::Bytes::new() }];
                id = "";
            }
            6 => (protocols, id) = (Vec::new(), ""),
            7 => (protocol_type, id) = ("", ""),
            _ => {}
        }
        if let Some(member) = self
            .speaker(index)
            .filter(|member| member.instance.is_some())
            && self.chance.once_in(3)
        {
            instance = member.instance;
        }
        let versions = if instance.is_some() { (5, 9) } else { (0, 9) };
        let body = body! {
            group_id: group, session_timeout_ms: session, rebalance_timeout_ms: TIMEOUT_MS,
            member_id: id, group_instance_id: instance, protocol_type: protocol_type,
            protocols: protocols,
        };
        self.send_within(ADMIN_LINE, ApiKey::JoinGroup, versions, body);
    }

    fn refused_sync(&mut self, index: usize) {
        let mut body = vec![("group_id", Tree::from(self.groups[index].name.clone()))];
        let speaker = self.speaker(index);
        let Some(member) = speaker.filter(|_| !self.chance.once_in(5)) else {
            body.extend([
                ("generation_id", Tree::Int(1)),
                ("member_id", "nobody".into()),
            ]);
            let group = self.any_group();
            body[0].1 = group.into();
            self.ask(ApiKey::SyncGroup, Tree::Fields(body));
            return;
        };
        let (mut versions, line) = ((member.version_min(3), 5), member.line);
        let mut said = vec![
            ("generation_id", member.generation()),
            ("member_id", member.id()),
            ("group_instance_id", member.instance.into()),
        ];
        match self.chance.below(5) {
            0 => said[0].1 = self.chance.of(&[-1, 0, 9999]).into(),
            1 => said[1].1 = self.chance.of(&["", "nobody"]).into(),
            2 => (said[2].1, versions) = (format!("{RUN}-no-instance").into(), (3, 5)),
            3 => {
                said.push(("protocol_type", "other".into()));
                versions = (5, 5);
            }
            _ => {
                said.push(("protocol_name", "other".into()));
                versions = (5, 5);
            }
        }
        body.extend(said);
        self.send_within(line, ApiKey::SyncGroup, versions, Tree::Fields(body));
    }

    fn refused_leave(&mut self, index: usize) {
        let group = if self.chance.once_in(4) {
            self.any_group()
        } else {
            self.groups[index].name.clone()
        };
        let instance = format!("{RUN}-no-instance");
        let known = self.speaker(index).and_then(|member| member.instance);
        let members = match self.chance.below(5) {
            4 => vec![body! { member_id: "nobody", group_instance_id: known }],
            0 => Vec::new(),
            1 => vec![body! { member_id: "nobody", group_instance_id: instance }],
            2 => vec![
                body! { member_id: "", group_instance_id: instance },
                body! { member_id: "nobody" },
            ],
            _ => vec![
                body! { member_id: "nobody", reason: "none" },
                body! { member_id: "nobody" },
            ],
        };
        let id = self.chance.of(&["", "nobody"]);
        self.ask(
            ApiKey::LeaveGroup,
            body! { group_id: group, member_id: id, members: members },
        );
    }

    /// One more than a group takes is refused at once.
    fn join_full(&mut self, index: usize) {
        let kind = self.groups[index].protocol_type;
        let body = body! {
            group_id: self.groups[index].name.clone(), session_timeout_ms: TIMEOUT_MS,
            rebalance_timeout_ms: TIMEOUT_MS, member_id: "", protocol_type: kind,
            protocols: protocols(kind, 0),
        };
        self.ask(ApiKey::JoinGroup, body);
    }

    pub(super) fn describe_groups(&mut self) {
        let count = self.chance.of(&[0, 1, 1, 2, 3]);
        let groups: Vec<String> = (0..count).map(|_| self.any_group()).collect();
        let operations = self.chance.once_in(3);
        let body = body! { groups: groups, include_authorized_operations: operations };
        self.ask(ApiKey::DescribeGroups, body);
    }

    pub(super) fn list_groups(&mut self) {
        let states = self.chance.of(&[
            "Stable",
            "CompletingRebalance",
            "Empty",
            "stable",
            "Dead",
            "PreparingRebalance",
            "nonsense",
        ]);
        let types = self
            .chance
            .of(&["classic", "Classic", "consumer", "share", "nonsense"]);
        let states = if self.chance.once_in(2) {
            vec![states]
        } else {
            Vec::new()
        };
        let types = if self.chance.once_in(2) {
            vec![types]
        } else {
            Vec::new()
        };
        self.ask(
            ApiKey::ListGroups,
            body! { states_filter: states, types_filter: types },
        );
    }

    fn find_coordinator(&mut self) {
        let kind = self.chance.of(&[0_i8, 0, 0, 0, 1, 2, 3, -1, 100]);
        let count = self.chance.of(&[0, 1, 2, 3]);
        let keys: Vec<String> = (0..count).map(|_| self.any_group()).collect();
        let key = self.any_group();
        self.ask(
            ApiKey::FindCoordinator,
            body! { key: key, key_type: kind, coordinator_keys: keys },
        );
    }

    fn delete_groups(&mut self) {
        // An empty group, one with members, one that nobody knows: whichever it is.
        let count = self.chance.of(&[0, 1, 1, 2]);
        let names: Vec<String> = (0..count).map(|_| self.any_group()).collect();
        self.ask(ApiKey::DeleteGroups, body! { groups_names: names });
    }
}
