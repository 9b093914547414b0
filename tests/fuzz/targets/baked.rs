//! Badges in images.
#![no_main]

use knackmesh_protocol::credential::baked::{bake_png, bake_svg, extract};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(Some(badge)) = extract(data) else { return };
    // What was taken out can be put into another image of the kind, or is refused.
    let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
    if let Ok(baked) = bake_svg(svg, &badge) {
        assert_eq!(extract(baked.as_bytes()).expect("just baked"), Some(badge.clone()));
    }
    let _ = bake_png(data, &badge);
});
