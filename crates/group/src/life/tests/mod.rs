//! Groups that live through anything: whatever happens in whatever order, the promises hold.

use proptest::prelude::*;

use super::*;
use world::World;

mod spares;
mod world;

fn settings(replicas: u32, surge: u32) -> Settings {
    Settings {
        replicas,
        spares: 0,
        min_live: (replicas - 1).max(1),
        surge,
        warms: false,
        interval: 100,
        start_interval: 10,
        rise: 2,
        fall: 2,
        grace: 3_000,
        every: Some(4_000),
        requests: Some(50),
        exposure: Some(9_000),
        drain: 500,
        backoff: (50, 1_000),
    }
}

#[test]
fn a_group_comes_up_and_serves() {
    let mut world = World::new(Settings {
        every: None,
        requests: None,
        exposure: None,
        ..settings(3, 1)
    });
    world.step(&Event::Tick);
    world.until(1_000);
    assert_eq!(world.life.serving(), 3);
    // Checked on and on, and nothing else happens.
    world.until(60_000);
    assert_eq!(world.life.serving(), 3);
    assert!(
        !world
            .told
            .iter()
            .any(|action| matches!(action, Action::Discard(..)))
    );
    world.step(&Event::Down);
    world.until(61_000);
    assert!(world.life.is_over());
}

#[test]
fn a_fault_is_replaced_at_once() {
    let mut world = World::new(settings(3, 1));
    world.step(&Event::Tick);
    world.until(1_000);
    let makes = |world: &World| {
        world
            .told
            .iter()
            .filter(|action| matches!(action, Action::Make(_)))
            .count()
    };
    assert_eq!(makes(&world), 3);
    let why = Why::Crashed("code 1".into());
    world.step(&Event::Of(2, What::Fault(why.clone())));
    assert_eq!(world.told.last(), Some(&Action::Make(4)));
    assert!(world.told.contains(&Action::Discard(2, why)));
    world.until(1_300);
    assert_eq!(world.life.serving(), 3);
}

#[test]
fn one_that_fails_beside_sound_ones_backs_off() {
    let mut world = World::new(Settings {
        every: None,
        exposure: None,
        ..settings(3, 1)
    });
    world.step(&Event::Tick);
    world.until(1_000);
    world.broken = true;
    world.step(&Event::Of(2, What::Fault(Why::Crashed(String::new()))));
    world.until(10_000);
    let pauses = |action: &&Action| matches!(action, Action::BackOff { pause: 1_000, .. });
    let told = world.told.iter().filter(pauses).count();
    assert!((5..12).contains(&told), "{told}");
    assert_eq!(world.life.serving(), 2);
}

#[test]
fn checks_that_fail_so_often_replace() {
    let mut life = Life::new(settings(1, 1), 1);
    life.step(&Event::Tick, 0);
    for (what, at) in [
        (What::Made, 1),
        (What::Started, 2),
        (What::Checked(Ok(())), 3),
    ] {
        life.step(&Event::Of(1, what), at);
    }
    life.step(&Event::Tick, 20);
    let served = life.step(&Event::Of(1, What::Checked(Ok(()))), 21);
    assert_eq!(served, [Action::Ready(1), Action::Serve(1)]);
    let bad = || Event::Of(1, What::Checked(Err("refused".into())));
    assert_eq!(life.step(&Event::Tick, 1_000), [Action::Check(1)]);
    assert_eq!(life.step(&bad(), 1_001), []);
    assert_eq!(life.step(&Event::Tick, 1_101), [Action::Check(1)]);
    let found = life.step(&bad(), 1_102);
    assert_eq!(
        found,
        [
            Action::Discard(1, Why::Unhealthy("refused".into())),
            Action::Make(2)
        ]
    );
}

#[test]
fn a_crash_loop_backs_off_and_says_so() {
    let mut world = World::new(settings(2, 1));
    world.broken = true;
    world.step(&Event::Tick);
    world.until(60_000);
    let pauses: Vec<Ms> = world
        .told
        .iter()
        .filter_map(|action| match action {
            Action::BackOff { pause, .. } => Some(*pause),
            _ => None,
        })
        .collect();
    assert!(
        pauses.is_sorted() && pauses.last() == Some(&1_000),
        "{pauses:?}"
    );
    let tries = world
        .told
        .iter()
        .filter(|action| matches!(action, Action::Make(_)))
        .count();
    assert!(tries < 70, "{tries} tries");
    // It comes up by itself once it can.
    world.broken = false;
    world.until(62_000);
    assert_eq!(world.life.serving(), 2);
    world.until(64_000);
    assert_eq!(world.life.backing_off().0, 0);
}

#[test]
fn age_and_requests_replace_one_after_another() {
    for surge in [0, 1] {
        let mut world = World::new(settings(4, surge));
        world.step(&Event::Tick);
        world.until(30_000);
        assert!(!world.forced);
        assert!(
            world.discards("rejuvenated") >= 20,
            "{}",
            world.discards("rejuvenated")
        );
        assert!(world.life.serving() >= 3);
        let count = world.discards("rejuvenated");
        let newest = *world.life.replicas.keys().max().unwrap();
        world.step(&Event::Of(newest, What::Served(50)));
        world.until(31_000);
        assert!(world.discards("rejuvenated") > count);
        assert!(!world.life.replicas.contains_key(&newest));
    }
}

#[test]
fn scaling_makes_and_drains() {
    let mut world = World::new(Settings {
        every: None,
        exposure: None,
        ..settings(2, 1)
    });
    world.step(&Event::Tick);
    world.until(1_000);
    world.step(&Event::Scale(5));
    world.until(2_000);
    assert_eq!(world.life.serving(), 5);
    world.step(&Event::Scale(1));
    world.until(3_000);
    assert_eq!(world.life.serving(), 1);
    assert_eq!(world.life.replicas.len(), 1);
    world.step(&Event::Rejuvenate);
    world.until(4_000);
    assert_eq!(world.life.serving(), 1);
    assert_eq!(world.discards("rejuvenated"), 5);
}

#[test]
fn what_does_not_become_healthy_is_given_up() {
    let mut life = Life::new(settings(1, 1), 1);
    life.step(&Event::Tick, 0);
    life.step(&Event::Of(1, What::Made), 1);
    let late = life.step(&Event::Tick, 3_000);
    assert!(
        matches!(&late[..], [Action::Discard(1, Why::NotHealthy(_))]),
        "{late:?}"
    );
    // What it says afterwards counts for nothing.
    assert_eq!(life.step(&Event::Of(1, What::Started), 3_001), []);
}

fn what() -> impl Strategy<Value = What> {
    let text = || "[a-z]{0,3}".prop_map(String::from);
    prop_oneof![
        Just(What::Made),
        Just(What::Started),
        Just(What::Warmed),
        Just(What::Checked(Ok(()))),
        text().prop_map(|why| What::Checked(Err(why))),
        (0u64..100).prop_map(What::Served),
        Just(What::Drained),
        text().prop_map(|why| What::Fault(Why::Crashed(why))),
        text().prop_map(|why| What::Fault(Why::Disagreed(why))),
    ]
}

proptest! {
    /// Faults at any time: exposure and the minimum live are kept (`World` judges), and afterwards the
    /// group is whole again.
    #[test]
    fn faults_at_any_time_leave_the_promises(
        replicas in 1u32..6,
        surge in 0u32..3,
        spares in 0u32..3,
        slow in 2u64..400,
        faults in proptest::collection::vec((0u64..2_000, 0u32..40, what()), 0..60),
    ) {
        let surge = if replicas == 1 { surge.max(1) } else { surge };
        let spares = if surge == 0 { 0 } else { spares };
        let mut world = World::new(Settings { spares, ..settings(replicas, surge) });
        world.slow = slow;
        world.step(&Event::Tick);
        for (pause, id, what) in faults {
            let end = world.now + pause;
            world.until(end);
            world.step(&Event::Of(id, what));
        }
        let end = world.now + 10_000;
        world.until(end);
        prop_assert!(world.life.serving() >= world.life.settings.min_live as usize - usize::from(world.forced && replicas == 1));
        prop_assert!(world.life.replicas.len() <= 3 * replicas as usize + 8);
        world.step(&Event::Down);
        let end = world.now + 1_000;
        world.until(end);
        prop_assert!(world.life.is_over());
    }

    /// With replacements that come up in time nothing is forced: there are always `min_live`.
    #[test]
    fn rejuvenation_alone_never_goes_below(
        replicas in 2u32..8,
        surge in 0u32..3,
        spares in 0u32..3,
        slow in 2u64..300,
    ) {
        let spares = if surge == 0 { 0 } else { spares };
        let mut world = World::new(Settings { spares, ..settings(replicas, surge) });
        world.slow = slow;
        world.step(&Event::Tick);
        world.until(1_500);
        prop_assert_eq!(world.life.serving(), replicas as usize);
        let mut end = world.now;
        while end < 16_000 {
            end += 50;
            world.until(end);
            prop_assert!(world.life.serving() >= world.life.settings.min_live as usize);
        }
        prop_assert!(!world.forced);
    }
}
