//! Curricula vitae.
#![no_main]

use std::sync::OnceLock;

use knackmesh_fuzz::texts;
use knackmesh_protocol::{
    credential::cv,
    limits::{CV_SECTIONS_MAX, CV_SKILLS_MAX},
    vocabulary::Vocabulary,
};

static VOCABULARY: OnceLock<Vocabulary> = OnceLock::new();

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([text]) = texts(data) else { return };
    if let Ok(curriculum) = cv::read(text, VOCABULARY.get_or_init(Vocabulary::embedded)) {
        assert!(curriculum.skills.len() <= CV_SKILLS_MAX);
        assert!(curriculum.dropped.len() <= CV_SECTIONS_MAX);
    }
});
