//! Status lists' bits: a size, then the list's text.
#![no_main]

use knackmesh_protocol::credential::bitstring::Bitstring;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((size, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    if let Ok(bits) = Bitstring::decode(text, size % 10) {
        assert_eq!(bits.get(bits.entries()), None);
        assert!(bits.get(bits.entries() - 1).is_some());
        let again = Bitstring::decode(&bits.encode(), size % 10).expect("what is written is read");
        assert_eq!(again, bits);
    }
    let _ = Bitstring::decode_legacy(text);
});
