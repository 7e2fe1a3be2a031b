//! Bad pointers and odd arguments look inside as they do outside.

use pinion_e2e::World;

#[test]
fn hostile_pointers_get_the_kernels_own_answers() {
    let world = World::new();
    let outside = world
        .in_world(world.host.program("pointers"))
        .run()
        .expect(0)
        .json();
    let inside = world.run("pointers", &[]).expect(0).json();
    assert_eq!(inside, outside);
}
