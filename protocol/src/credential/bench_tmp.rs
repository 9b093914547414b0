#[test]
fn timing() {
    use super::*; use std::time::Instant;
    let c: Value = serde_json::from_str(include_str!("../../vectors/credential/good.json")).unwrap();
    let text = c["credential"].to_string();
    let now: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
    let n = 3000;
    let t = Instant::now(); for _ in 0..n { let _ = json::parse(&text, 1<<20).unwrap(); } println!("json parse {:?} of {} bytes", t.elapsed()/n, text.len());
    let v = json::parse(&text, 1<<20).unwrap();
    let t = Instant::now(); for _ in 0..n { let _ = json::canonical(&v); } println!("canonical {:?}", t.elapsed()/n);
    let t = Instant::now(); for _ in 0..n { let _ = Credential::parse(&text).unwrap(); } println!("Credential::parse {:?}", t.elapsed()/n);
    let cr = Credential::parse(&text).unwrap();
    let t = Instant::now(); for _ in 0..n { let _ = cr.verify(now, &TrustList::default()); } println!("verify {:?}", t.elapsed()/n);
    let k = crate::key::SecretKey::from_seed([1;32]); let s = k.sign(&[0;64]); let p = k.public();
    let t = Instant::now(); for _ in 0..n { p.verify(&[0;64], &s).unwrap(); } println!("raw {:?}", t.elapsed()/n);
}
