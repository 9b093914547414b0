//! Vocabularies of skills as tables.
#![no_main]

use knackmesh_fuzz::texts;
use knackmesh_protocol::vocabulary::Vocabulary;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some([table]) = texts(data) else { return };
    let Ok(vocabulary) = Vocabulary::from_tsv(table) else { return };
    for skill in vocabulary.skills() {
        assert_eq!(vocabulary.get(&skill.id), Some(skill));
        let (narrower, _) = vocabulary.narrower(&skill.id, 16);
        assert!(narrower.len() <= 16);
        for id in &narrower {
            assert!(vocabulary.is_narrower_or_equal(id, &skill.id));
        }
        let _ = (vocabulary.resolve(&skill.label), vocabulary.idf(&skill.id));
    }
    // The order of its lines says nothing.
    let mut lines: Vec<&str> = table.lines().collect();
    lines.reverse();
    let reversed = Vocabulary::from_tsv(&lines.join("\n")).expect("the same lines");
    assert_eq!(reversed.digest(), vocabulary.digest());
});
