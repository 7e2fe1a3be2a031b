//! Random operations on files and keys, by fixed seeds: what the calls answer
//! inside a VM, where the trees begin on the host's layer, is what they answer
//! on a plain copy outside; the trees are then the same, and the host's own are
//! as they were, byte for byte. `./x transparency` and `./x fuzz` go on with
//! other seeds.

use pinion_e2e::World;
use pinion_harness::Wine;
use pinion_harness::random::{Ground, Trial};
use pinion_harness::wine::windows_path;

/// The same trial inside and outside, on a ground of the test's own.
fn same_on_both_sides(ground: &str, trials: &[Trial]) {
    let world = World::new();
    let mut wine = Wine::from_env().expect("a Wine");
    wine.set("PINION_ROOT", &windows_path(&world.store()));
    let ground = Ground::new(&wine, ground);
    for &trial in trials {
        let found = ground.compare(trial).expect("both sides run to their end");
        if let Some(found) = found {
            panic!("{trial:?}: not the same inside\n{found}");
        }
    }
    ground.clear();
}

#[test]
fn processes_in_trees_of_their_own_get_the_answers_of_the_host() {
    let trial = |seed| Trial {
        seed,
        processes: 3,
        operations: 1500,
        together: false,
    };
    same_on_both_sides("random apart", &[trial(1), trial(1000)]);
}

/// Seeds that once found a difference, with as many operations as it took.
#[test]
fn what_once_differed_is_answered_as_on_the_host() {
    let apart = |seed, operations| Trial {
        seed,
        processes: 1,
        operations,
        together: false,
    };
    let together = |seed, operations| Trial {
        seed,
        processes: 3,
        operations,
        together: true,
    };
    same_on_both_sides(
        "random once",
        &[
            apart(11, 1090),
            apart(29, 1500),
            apart(38, 880),
            apart(1007, 880),
            apart(1023, 80),
            apart(1025, 330),
            together(11, 160),
            together(23, 240),
            together(29, 330),
            together(1013, 160),
            together(1020, 470),
            together(1021, 370),
            together(1023, 240),
        ],
    );
}

#[test]
fn processes_in_one_tree_get_the_answers_of_the_host() {
    let trial = |seed| Trial {
        seed,
        processes: 3,
        operations: 3000,
        together: true,
    };
    same_on_both_sides("random together", &[trial(1), trial(1000)]);
}
