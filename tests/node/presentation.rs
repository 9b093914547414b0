//! A presentation answers one inquiry. Replayed for another it is refused, and the refusal names why.

use knackmesh_protocol::{
    credential::{TrustList, Verifier, data_integrity::Binding, presentation},
    inquiry::{Disclosure, DisclosureError, Inquiry, challenge},
    signed::Signed,
};

use crate::{
    harness::{Knack, finish, until},
    people::{Holder, NOW, identity, inquiry},
};

const PURPOSE: &str = "a Rust role in Berlin";

fn verify(holder: &Holder, answer: &Disclosure, inquiry: &Signed<Inquiry>) -> Result<(), DisclosureError> {
    answer.verify(inquiry, holder.summary.body(), &Verifier::new(NOW, &TrustList::default())).map(drop)
}

#[test]
fn an_answer_to_the_inquiry_proves_the_claim() {
    let holder = Holder::new(1, 2);
    let asked = inquiry(&identity(3), &holder.summary, PURPOSE, 1);
    let answer = holder.answer(&asked);
    let proven = answer
        .verify(&asked, holder.summary.body(), &Verifier::new(NOW, &TrustList::default()))
        .expect("it verifies");
    assert_eq!(proven.holder, holder.identity.root.did());
    assert!(proven.verified_claim(&crate::people::skill()).is_some(), "{:?}", proven.failures());
}

#[test]
fn a_replay_is_refused_by_the_name_of_what_is_wrong() {
    let holder = Holder::new(1, 2);
    let (seeker, other) = (identity(3), identity(4));
    let answer = holder.answer(&inquiry(&seeker, &holder.summary, PURPOSE, 1));
    let cases = [
        (inquiry(&seeker, &holder.summary, PURPOSE, 2), DisclosureError::WrongNonce),
        (inquiry(&other, &holder.summary, PURPOSE, 1), DisclosureError::WrongSeeker),
        (inquiry(&seeker, &holder.summary, "something else", 1), DisclosureError::WrongPurpose),
    ];
    for (asked, refusal) in cases {
        assert_eq!(verify(&holder, &answer, &asked), Err(refusal));
    }
    let someone = Holder::new(1, 5);
    let asked = inquiry(&seeker, &someone.summary, PURPOSE, 1);
    assert_eq!(verify(&someone, &answer, &asked), Err(DisclosureError::WrongInquiry));
}

#[test]
fn a_replayed_presentation_under_a_fresh_link_is_refused_too() {
    // A holder who colludes with the replay can sign a new link, but not another's presentation.
    let (holder, thief) = (Holder::new(1, 2), Holder::new(1, 5));
    let seeker = identity(3);
    let stolen = holder.answer(&inquiry(&seeker, &holder.summary, PURPOSE, 1));
    let asked = inquiry(&seeker, &thief.summary, PURPOSE, 2);
    let mut answer = thief.answer(&asked);
    answer.presentation = stolen.presentation;
    let refusal = verify(&thief, &answer, &asked).expect_err("replayed").to_string();
    assert!(refusal.contains("challenge"), "{refusal}");

    // For another verifier the domain is wrong, even where the challenge is right.
    let asked = inquiry(&seeker, &holder.summary, PURPOSE, 1);
    let domain = identity(4).root.did();
    let challenge = challenge(asked.id());
    let expected = Binding::presentation(&challenge, domain.as_str());
    let shown = holder.answer(&asked).presentation;
    let refusal = presentation::verify(&shown, &expected, &Verifier::new(NOW, &TrustList::default()))
        .expect_err("replayed");
    assert!(refusal.to_string().contains("domain"), "{refusal}");
}

#[test]
fn another_person_cannot_present_a_holders_credential() {
    let (holder, thief) = (Holder::new(1, 2), Holder::new(1, 5));
    let asked = inquiry(&identity(3), &thief.summary, PURPOSE, 1);
    let knackmesh_protocol::peer::Identity { root, view, .. } = &thief.identity;
    let answer = Disclosure::answer(&asked, root, view, &[&holder.credential], thief.openings.clone(), NOW)
        .expect("signed");
    let proven = answer
        .verify(&asked, thief.summary.body(), &Verifier::new(NOW, &TrustList::default()))
        .expect("a presentation");
    assert!(proven.verified_claim(&crate::people::skill()).is_none());
    assert!(proven.failures().iter().any(|f| f.contains("trusted_holder")), "{:?}", proven.failures());
}

#[test]
fn what_a_node_showed_to_a_seeker_is_in_its_holders_record() {
    let [mut school, mut seeker, mut holder] = Knack::cast(["school", "seeker", "holder"]);
    school.up(&[]);
    seeker.up(school.listen());
    school.award(&holder, "rust", 4);
    holder.up(school.listen());
    holder.json(&["publish", "--present", "anyone"]);
    seeker.knows(1);
    assert_eq!(holder.json(&["disclosures"]), serde_json::json!([]));
    until("the seeker is shown the credential", || {
        let args = ["query", "rust", "--purpose", PURPOSE, "--json"];
        (finish(&mut seeker.command(&args)).json()["coverage"]["presented"] == 1).then_some(())
    });
    let rows = holder.json(&["disclosures"]);
    let row = &rows[0];
    assert_eq!((&row["to"], &row["occasion"]), (&seeker.did().into(), &"inquiry".into()), "{rows:#}");
    assert_eq!(
        (&row["purpose"], &row["credentials"][0]["name"]),
        (&PURPOSE.into(), &"Rust".into()),
        "{rows:#}"
    );
}
