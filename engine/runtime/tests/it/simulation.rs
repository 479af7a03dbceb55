//! The simulation itself: repeatable, and as unkind as it is told to be.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use runtime::sim::{Crash, NetworkPlan, NotReached, Simulation, this_node};
use runtime::{
    AlignedBuffer, Chunk, ConnectionLimits, File, Listener, Mesh, OpenMode, Queue, Signal,
    TaskGroup, connect, next_signal, now, random_u64, sleep, spawn, wall_clock, yield_if_due,
};
use types::{ByteCount, ShardId};

const PORT: u16 = 9092;

/// A node that does a little of everything: calls, writes, answers.
async fn busy(mesh: Mesh<u64, u64>) {
    let group = TaskGroup::new();
    let server = mesh.clone();
    group.spawn(Queue::Latency, async move {
        while let Some((_, request, responder)) = server.incoming().await {
            yield_if_due().await;
            responder.respond(request + 1);
        }
    });
    let path = format!("/{}", mesh.id());
    let file = File::open(path.as_ref(), OpenMode::Create)
        .await
        .expect("a healthy disk");
    for round in 0..20 {
        let to = ShardId(u16::try_from(random_u64() % 3).expect("below 3"));
        let answer = mesh.call(to, round).await.await;
        assert_eq!(answer, Ok(round + 1));
        let written = file
            .write_at(AlignedBuffer::zeroed(4096), round * 4096)
            .await;
        written.expect("a healthy disk");
    }
    file.sync_data().await.expect("a healthy disk");
    sleep(Duration::from_secs(1)).await;
    mesh.close();
    group.join_all().await;
}

fn run(seed: u64) -> (u64, Duration) {
    let simulation = Simulation::new(seed);
    let node = simulation.spawn_node("busy", 3, busy);
    simulation.join(&node);
    (simulation.trace_hash(), simulation.now().since_start())
}

#[test]
fn a_seed_repeats_its_run_and_another_does_not() {
    for seed in 0..20 {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
    let mut hashes: Vec<u64> = (0..50).map(|seed| run(seed).0).collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 50, "every seed runs in its own way");
}

#[test]
fn the_order_of_ready_tasks_is_drawn_by_the_seed() {
    let mut orders = Vec::new();
    for seed in 0..40 {
        let order = Rc::new(RefCell::new(Vec::new()));
        let simulation = Simulation::new(seed);
        simulation.block_on(async {
            let group = TaskGroup::new();
            for number in 0..3 {
                let order = Rc::clone(&order);
                group.spawn(
                    Queue::Latency,
                    async move { order.borrow_mut().push(number) },
                );
            }
            group.join_all().await;
        });
        orders.push(order.take());
    }
    orders.sort_unstable();
    orders.dedup();
    assert_eq!(orders.len(), 6, "every order is met: {orders:?}");
}

#[test]
fn virtual_time_jumps_over_idleness() {
    let simulation = Simulation::new(1);
    let ticks = Rc::new(Cell::new(0));
    let counting = Rc::clone(&ticks);
    simulation.spawn_node("ticking", 1, move |_mesh: Mesh<(), ()>| {
        let ticks = Rc::clone(&counting);
        async move {
            loop {
                sleep(Duration::from_mins(1)).await;
                ticks.set(ticks.get() + 1);
            }
        }
    });
    simulation.run_for(Duration::from_secs(24 * 3600 + 30));
    assert_eq!(ticks.get(), 24 * 60);
    let passed = simulation.now().since_start();
    assert_eq!(passed, Duration::from_secs(24 * 3600 + 30));
}

#[test]
fn a_simulation_that_cannot_go_on_says_so() {
    let simulation = Simulation::new(1);
    simulation.spawn_node("stuck", 1, |_mesh: Mesh<(), ()>| std::future::pending());
    let limit = Duration::from_secs(1);
    assert_eq!(
        simulation.run_until(limit, || false),
        Err(NotReached::Quiet)
    );
    simulation.spawn_node("waiting", 1, move |_mesh: Mesh<(), ()>| sleep(limit * 2));
    assert_eq!(
        simulation.run_until(limit, || false),
        Err(NotReached::TimeUp)
    );
    assert_eq!(
        simulation.run_until(limit * 2, || simulation.now().since_start() > limit),
        Ok(())
    );
}

#[test]
fn wall_clocks_are_each_nodes_own() {
    let simulation = Simulation::new(1);
    let seen = Rc::new(Cell::new(0));
    let showing = Rc::clone(&seen);
    let node = simulation.spawn_node("late", 1, move |_mesh: Mesh<(), ()>| {
        let seen = Rc::clone(&showing);
        async move {
            loop {
                seen.set(wall_clock().0);
                sleep(Duration::from_secs(1)).await;
            }
        }
    });
    node.step_wall_clock(-3_600_000);
    simulation.run_for(Duration::from_millis(1500));
    let client = simulation.block_on(async { wall_clock().0 });
    let behind = client - seen.get();
    assert!(
        (3_600_000..3_601_000).contains(&behind),
        "{behind} ms behind"
    );
}

#[test]
fn a_signal_reaches_the_node_it_is_sent_to() {
    let simulation = Simulation::new(1);
    let main = |_mesh: Mesh<(), ()>| async {
        assert_eq!(next_signal().await, Signal::Terminate);
        assert_eq!(this_node().name(), "ending");
    };
    let node = simulation.spawn_node("ending", 1, main);
    simulation.run_for(Duration::from_secs(5));
    assert!(node.is_running());
    node.signal(Signal::Terminate);
    simulation.join(&node);
}

/// Listens, and sends back every frame of every connection.
async fn echo(_mesh: Mesh<(), ()>) {
    let listener = Listener::bind(SocketAddr::from(([0, 0, 0, 0], PORT))).expect("it is free");
    let connections = TaskGroup::new();
    while let Ok(accepted) = listener.accept().await {
        let connection = accepted.into_connection(ConnectionLimits::default());
        let (mut reader, mut writer) = connection.expect("it stands").split();
        connections.spawn(Queue::Latency, async move {
            while let Ok(Some(frame)) = reader.frame(ByteCount::mib(1)).await {
                let size = u32::try_from(frame.len()).expect("frames are small");
                writer.queue(Chunk::Memory(Bytes::copy_from_slice(&size.to_be_bytes())));
                writer.queue(Chunk::Memory(frame));
                if writer.flush().await.is_err() {
                    break;
                }
            }
        });
    }
}

/// Asks the node at an address to send back a frame.
async fn ask(address: SocketAddr) -> std::io::Result<Bytes> {
    let connection = connect(address, ConnectionLimits::default()).await?;
    let (mut reader, mut writer) = connection.split();
    writer.queue(Chunk::Memory(Bytes::from_static(b"\0\0\0\x02hi")));
    writer.flush().await?;
    let answer = reader.frame(ByteCount(2)).await?;
    answer.ok_or_else(|| ErrorKind::UnexpectedEof.into())
}

#[test]
fn a_crash_resets_connections_and_a_restart_listens_again() {
    for seed in 0..20 {
        let simulation = Simulation::new(seed);
        let node = simulation.spawn_node("echo", 1, echo);
        let address = node.address(PORT);
        simulation.run_for(Duration::from_millis(1));
        let answer = simulation.block_on(ask(address)).unwrap();
        assert_eq!(answer, &b"hi"[..]);

        let open = simulation.block_on(connect(address, ConnectionLimits::default()));
        let (mut reader, writer) = open.unwrap().split();
        let crash = if seed % 2 == 0 {
            Crash::Power
        } else {
            Crash::Process
        };
        simulation.crash(&node, crash);
        assert!(!node.is_running());
        let ended = simulation.block_on(reader.frame(ByteCount(9))).unwrap_err();
        assert_eq!(ended.kind(), ErrorKind::ConnectionReset);
        drop(writer);
        let refused = simulation.block_on(ask(address)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);

        simulation.restart(&node, echo);
        simulation.run_for(Duration::from_millis(1));
        assert!(simulation.block_on(ask(address)).is_ok());
    }
}

#[test]
fn connections_are_reset_when_the_network_is_told_to() {
    let simulation = Simulation::new(3);
    let node = simulation.spawn_node("echo", 1, echo);
    simulation.run_for(Duration::from_millis(1));
    let address = node.address(PORT);
    simulation.set_network(NetworkPlan {
        reset_per_ten_thousand: 1000,
        ..NetworkPlan::default()
    });
    let answers = (0..200).map(|_| simulation.block_on(ask(address)));
    let failed = answers.filter(Result::is_err).count();
    assert!((5..150).contains(&failed), "{failed} of 200 failed");

    simulation.set_network(NetworkPlan::default());
    let open = simulation.block_on(connect(address, ConnectionLimits::default()));
    let (mut reader, _writer) = open.unwrap().split();
    simulation.run_for(Duration::from_millis(10));
    assert!(simulation.reset_connections(&node) > 0);
    let ended = simulation.block_on(reader.frame(ByteCount(9))).unwrap_err();
    assert_eq!(ended.kind(), ErrorKind::ConnectionReset);
    assert!(simulation.block_on(ask(address)).is_ok());
}

#[test]
fn a_network_that_is_slow_delays_what_is_sent() {
    let simulation = Simulation::new(3);
    let node = simulation.spawn_node("echo", 1, echo);
    simulation.run_for(Duration::from_millis(1));
    let slow = Duration::from_millis(50);
    simulation.set_network(NetworkPlan {
        latency: (slow, slow),
        ..NetworkPlan::default()
    });
    let address = node.address(PORT);
    let took = simulation.block_on(async {
        let start = now();
        ask(address).await.unwrap();
        now().since(start)
    });
    // Dialling there and back, the question there, the answer back.
    assert!(took >= slow * 4, "{took:?}");
}

#[test]
fn an_address_of_nobody_is_unreachable() {
    let simulation = Simulation::new(3);
    let nobody = SocketAddr::from(([10, 9, 9, 9], PORT));
    let unreachable = simulation.block_on(ask(nobody)).unwrap_err();
    assert_eq!(unreachable.kind(), ErrorKind::HostUnreachable);
    assert!(simulation.client_address().is_ipv4());
}

#[test]
fn a_shard_ends_with_its_main_and_takes_its_tasks_along() {
    let simulation = Simulation::new(5);
    let ticks = Rc::new(Cell::new(0));
    let counting = Rc::clone(&ticks);
    let node = simulation.spawn_node("ending", 2, move |mesh: Mesh<(), ()>| {
        let ticks = Rc::clone(&counting);
        async move {
            let ticking = async move {
                loop {
                    sleep(Duration::from_millis(10)).await;
                    ticks.set(ticks.get() + 1);
                }
            };
            spawn(Queue::Background, ticking).detach();
            sleep(Duration::from_secs(1 + u64::from(mesh.id().0))).await;
        }
    });
    simulation.join(&node);
    assert!((250..=300).contains(&ticks.get()), "{}", ticks.get());
    let at_end = ticks.get();
    simulation.run_for(Duration::from_secs(10));
    assert_eq!(ticks.get(), at_end);
}

#[test]
fn a_crash_stops_every_task_of_the_node_and_of_no_other() {
    let simulation = Simulation::new(5);
    let ticks = [Rc::new(Cell::new(0)), Rc::new(Cell::new(0))];
    let nodes = [0, 1].map(|number: usize| {
        let ticks = Rc::clone(&ticks[number]);
        simulation.spawn_node("ticking", 2, move |_mesh: Mesh<(), ()>| {
            let ticks = Rc::clone(&ticks);
            async move {
                let inner = spawn(Queue::Background, async move {
                    loop {
                        sleep(Duration::from_millis(10)).await;
                        ticks.set(ticks.get() + 1);
                    }
                });
                inner.await;
            }
        })
    });
    simulation.run_for(Duration::from_secs(1));
    simulation.crash(&nodes[0], Crash::Process);
    let (dead, alive) = (ticks[0].get(), ticks[1].get());
    assert!(dead > 100 && alive > 100);
    simulation.run_for(Duration::from_secs(1));
    assert_eq!(ticks[0].get(), dead);
    assert!(ticks[1].get() > alive + 100);
}
