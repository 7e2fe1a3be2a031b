//! `docs/CHANNELS.md` is what the catalogue says. `PINION_WRITE_PAGE=1 cargo
//! test -p pinion-channels --test page` writes it anew.

const PAGE: &str = include_str!("../../../docs/CHANNELS.md");

#[test]
fn the_page_is_what_the_catalogue_says() {
    let mut page = String::new();
    pinion_channels::page::write(&mut page).expect("a string takes all");
    #[cfg(not(windows))]
    if std::env::var_os("PINION_WRITE_PAGE").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CHANNELS.md");
        std::fs::write(path, &page).expect("written");
        return;
    }
    assert!(
        page == PAGE,
        "docs/CHANNELS.md is not what the catalogue says; write it anew with \
         PINION_WRITE_PAGE=1 cargo test -p pinion-channels --test page"
    );
}
