//! Spares: when they serve, when they are made, and how long they stay.

use proptest::prelude::*;

use super::super::*;
use super::settings;
use super::world::World;

#[test]
fn a_spare_takes_the_place_of_a_fault_at_once() {
    let mut world = World::new(Settings {
        spares: 1,
        ..settings(3, 1)
    });
    world.step(&Event::Tick);
    world.until(1_000);
    assert_eq!((world.life.serving(), world.life.ready()), (3, 1));
    let of = |world: &World, state| world.life.oldest(|replica| replica.state == state)[0];
    let (victim, spare) = (of(&world, State::Serving), of(&world, State::Ready));
    let before = world.told.len();
    let why = Why::Crashed("code 1".into());
    world.step(&Event::Of(victim, What::Fault(why.clone())));
    assert_eq!(
        world.told[before..],
        [
            Action::Discard(victim, why),
            Action::Serve(spare),
            Action::Make(5)
        ]
    );
    // A spare that fails is replaced, too, and nothing that serves is missing.
    world.until(1_900);
    world.step(&Event::Of(5, What::Fault(Why::Changed("a file".into()))));
    assert_eq!((world.life.serving(), world.life.ready()), (3, 0));
    world.until(2_300);
    assert_eq!(world.life.replicas[&6].state, State::Ready);
    assert_eq!(world.life.backing_off().0, 0);
}

#[test]
fn spares_stay_young() {
    let mut world = World::new(Settings {
        spares: 2,
        requests: None,
        ..settings(1, 1)
    });
    world.step(&Event::Tick);
    world.until(60_000);
    assert_eq!((world.life.serving(), world.forced), (1, false));
    for replica in world.life.replicas.values() {
        assert!(world.now - replica.made < 4_500, "{replica:?}");
    }
    let count = world.discards("rejuvenated");
    assert!((40..60).contains(&count), "{count}");
}

#[test]
fn a_fault_before_there_is_a_spare_again_begins_a_start_at_once() {
    let mut world = World::new(Settings {
        spares: 1,
        every: None,
        ..settings(3, 1)
    });
    world.slow = 1_000;
    world.step(&Event::Tick);
    world.until(4_000);
    let made = |world: &World| {
        let makes = world.told.iter();
        makes
            .filter(|action| matches!(action, Action::Make(_)))
            .count()
    };
    assert_eq!((world.life.serving(), made(&world)), (3, 4));
    let fault = |id| Event::Of(id, What::Fault(Why::Crashed(String::new())));
    world.step(&fault(1));
    world.until(4_500);
    world.step(&fault(2));
    assert_eq!((world.life.serving(), made(&world)), (2, 6));
    // A third start would slow those two, of which the second is the spare.
    world.step(&fault(3));
    assert_eq!((world.life.serving(), made(&world)), (1, 6));
    world.until(5_100);
    assert_eq!((world.life.serving(), made(&world)), (2, 7));
}

#[test]
fn rejuvenation_takes_no_spare() {
    let mut world = World::new(Settings {
        spares: 1,
        requests: None,
        ..settings(3, 1)
    });
    world.step(&Event::Tick);
    world.until(1_000);
    let mut end = world.now;
    while end < 30_000 {
        end += 10;
        world.until(end);
        // A spare that is due is replaced by a younger one at one moment.
        assert!(world.life.ready() >= 1, "{:#?}", world.life);
    }
    assert!(world.discards("rejuvenated") >= 20);
    assert_eq!((world.life.serving(), world.forced), (3, false));
}

#[test]
fn spares_wait_while_nobody_serves() {
    let mut world = World::new(Settings {
        spares: 2,
        ..settings(1, 1)
    });
    world.step(&Event::Tick);
    assert_eq!(world.life.replicas.len(), 1);
    world.until(130);
    assert_eq!((world.life.serving(), world.life.replicas.len()), (1, 3));
}

proptest! {
    /// Faults that come faster than replicas: with k spares each is made good after the time of a
    /// start, less k times the time between two; where that is nothing, at its own moment.
    #[test]
    fn faults_that_come_faster_than_replicas_are_made_good(
        replicas in 3u32..8,
        spares in 1u32..4,
        slow in 100u64..6_000,
        // Of the shortest time for which there are enough spares to keep up, in hundredths.
        apart in 100u64..500,
    ) {
        let mut world = World::new(Settings {
            spares,
            every: None,
            requests: None,
            exposure: None,
            grace: 60_000,
            interval: 10_000,
            ..settings(replicas, 1)
        });
        world.slow = slow;
        // A start in this world: two halves, and two checks with a pause.
        let start = slow / 2 * 2 + 5 + 10 + 5;
        // Sooner after it was ready a fault would be a failed start.
        let apart = (start.div_ceil(u64::from(spares) + 1) * apart / 100).max(STABLE + 1);
        world.step(&Event::Tick);
        world.until(3 * start + 1_000);
        prop_assert_eq!(world.life.ready(), spares as usize);
        world.served.clear();
        let mut faults = Vec::new();
        for _ in 0..12 {
            let victim = world.life.oldest(|replica| replica.state == State::Serving)[0];
            faults.push(world.now);
            world.step(&Event::Of(victim, What::Fault(Why::Crashed(String::new()))));
            let end = world.now + apart;
            world.until(end);
        }
        let end = world.now + start;
        world.until(end);
        prop_assert_eq!(world.served.len(), faults.len());
        let bound = start.saturating_sub(u64::from(spares) * apart);
        for (fault, served) in faults.iter().zip(&world.served) {
            prop_assert!(served - fault <= bound, "{} ms of {bound}", served - fault);
        }
    }
}
