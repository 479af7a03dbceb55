//! Brokers, levels, producer ids: the counters that never go back.

use controller::image::{BrokerEpoch, Endpoint, LEVEL_NEWEST};
use controller::record::{BrokerRegistered, ProducerIdsAllocated};
use controller::request::{Mode, ProducerIdBlock, Registration};
use controller::{
    ApplyError, Controller, DecideError, Image, Record, Reply, Request, Settings, snapshot,
};
use types::{NodeId, ProducerId};

use crate::support::{Machine, NODE, NOW, Schema, id, register, topic};

#[test]
fn nothing_is_decided_before_a_broker_registers() {
    let mut machine = Machine::empty(Settings::default());
    let request = Request::CreateTopics {
        topics: vec![topic(1, "a")],
        mode: Mode::Commit,
    };
    assert_eq!(machine.commit(&request), Err(DecideError::NoBroker));
    machine.commit(&register(1)).unwrap();
    assert!(machine.commit(&request).is_ok());
}

#[test]
fn the_first_registration_raises_the_level_and_each_has_its_epoch() {
    let mut machine = Machine::empty(Settings::default());
    let request = Request::RegisterBroker(Registration {
        node: NODE,
        rack: Some("r1".to_owned()),
        endpoints: vec![Endpoint {
            listener: "PLAINTEXT".to_owned(),
            host: "localhost".to_owned(),
            port: 9092,
        }],
    });
    let first = machine.commit(&request);
    assert_eq!(first, Ok(Reply::RegisterBroker(BrokerEpoch(0))));
    assert_eq!(machine.image().level(), LEVEL_NEWEST);
    assert_eq!(machine.log.len(), 2);
    let second = machine.commit(&request);
    assert_eq!(second, Ok(Reply::RegisterBroker(BrokerEpoch(1))));
    assert_eq!(machine.log.len(), 3);
    let broker = machine.image().broker(NODE).unwrap();
    assert_eq!(broker.epoch, BrokerEpoch(1));
    assert_eq!(broker.rack.as_deref(), Some("r1"));
    assert_eq!(broker.endpoints[0].port, 9092);
    assert_eq!(machine.image().revision(), 3);
}

#[test]
fn producer_id_blocks_never_overlap_even_if_one_is_lost() {
    let mut machine = Machine::new();
    let request = Request::AllocateProducerIds(NODE);
    let block = |first| {
        Ok(Reply::AllocateProducerIds(ProducerIdBlock {
            first: ProducerId(first),
            count: 1_000,
        }))
    };
    assert_eq!(machine.commit(&request), block(0));
    // Written, but the node dies before it learns of the block: replay has it as given out.
    let lost = machine.controller.decide(NOW, &request).unwrap();
    machine.log.push(lost.records[0].encode());
    let mut replayed = Image::empty();
    for bytes in &machine.log {
        replayed.apply(&Record::decode(bytes).unwrap()).unwrap();
    }
    assert_eq!(replayed.next_producer_id(), ProducerId(2_000));
    assert_eq!(
        machine.commit(&Request::AllocateProducerIds(NodeId(9))),
        Err(DecideError::UnknownBroker { node: NodeId(9) })
    );
}

/// No cluster gets there by giving out ids, so the counter is moved in the bytes of a snapshot.
#[test]
fn producer_ids_end_below_two_to_the_63() {
    let mut machine = Machine::new();
    let count = 0x1234_5678;
    let record = Record::ProducerIdsAllocated(ProducerIdsAllocated {
        node: NODE,
        first: ProducerId(0),
        count,
    });
    machine.controller.apply(&record).unwrap();
    let mut bytes = snapshot::encode(machine.image());
    let present = i64::from(count).to_le_bytes();
    let place = bytes.windows(8).position(|window| window == present);
    let place = place.unwrap();
    let next = i64::MAX - 1_000;
    bytes[place..place + 8].copy_from_slice(&next.to_le_bytes());
    let image = snapshot::decode(&bytes).unwrap();
    assert_eq!(image.next_producer_id(), ProducerId(next));

    let mut controller = Controller::new(Settings::default(), Box::new(Schema), image);
    let request = Request::AllocateProducerIds(NODE);
    let last = controller.decide(NOW, &request).unwrap();
    controller.apply(&last.records[0]).unwrap();
    assert_eq!(
        controller.decide(NOW, &request),
        Err(DecideError::ProducerIdsExhausted {
            next: ProducerId(i64::MAX)
        })
    );
}

#[test]
fn brokers_and_their_addresses_are_bounded() {
    let nodes: Vec<i32> = (1..=64).collect();
    let mut machine = Machine::with_brokers(Settings::default(), &nodes);
    assert_eq!(
        machine.commit(&register(65)),
        Err(DecideError::RegistrationTooLarge { max: 64 })
    );
    machine.commit(&register(64)).unwrap();
    let endpoint = Endpoint {
        listener: "PLAINTEXT".to_owned(),
        host: "localhost".to_owned(),
        port: 9092,
    };
    let request = Request::RegisterBroker(Registration {
        node: NODE,
        rack: None,
        endpoints: vec![endpoint; 17],
    });
    assert_eq!(
        machine.commit(&request),
        Err(DecideError::RegistrationTooLarge { max: 16 })
    );
}

#[test]
fn records_that_do_not_follow_change_nothing() {
    let mut machine = Machine::new();
    machine.create(topic(1, "a")).unwrap();
    let before = machine.image().clone();
    let mut refuse = |record: Record, want: ApplyError| {
        assert_eq!(machine.controller.apply(&record), Err(want));
        assert_eq!(machine.image(), &before);
    };
    refuse(
        Record::LevelRaised {
            level: LEVEL_NEWEST + 1,
        },
        ApplyError::LevelTooNew {
            level: LEVEL_NEWEST + 1,
            newest: LEVEL_NEWEST,
        },
    );
    refuse(
        Record::LevelRaised {
            level: LEVEL_NEWEST,
        },
        ApplyError::LevelNotRaised {
            have: LEVEL_NEWEST,
            level: LEVEL_NEWEST,
        },
    );
    refuse(
        Record::BrokerRegistered(BrokerRegistered {
            node: NODE,
            epoch: BrokerEpoch(0),
            registered_at: NOW,
            rack: None,
            endpoints: Vec::new(),
        }),
        ApplyError::BrokerEpochOrder {
            want: BrokerEpoch(1),
            got: BrokerEpoch(0),
        },
    );
    refuse(
        Record::TopicDeleted { topic: id(9) },
        ApplyError::UnknownTopic { id: id(9) },
    );
    refuse(
        Record::ProducerIdsAllocated(ProducerIdsAllocated {
            node: NODE,
            first: ProducerId(5),
            count: 1,
        }),
        ApplyError::ProducerIdOrder {
            want: ProducerId(0),
            got: ProducerId(5),
        },
    );
    let early = Image::empty().apply(&Record::TopicDeleted { topic: id(1) });
    assert_eq!(early, Err(ApplyError::LevelMissing));
}
