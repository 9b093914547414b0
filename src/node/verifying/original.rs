//! What somebody else awarded, verified, for an issuer that is about to vouch for it.

use knackmesh_protocol::{
    credential::{
        Shown, Verifier, identity,
        import::{Form, Opened},
        open_badge_2::Recipient,
        reissue::Original,
    },
    key::Did,
    limits::STATUS_AGE_DEFAULT_MS,
};

use super::{Asker, Badge, gather, needs_of};
use crate::{
    control::{Exit, Refusal},
    report::ChecksRow,
};

/// An award of another's, with what was found out about it.
#[derive(Clone, Debug)]
pub struct Award {
    /// What it says.
    pub original: Original,
    /// Its checks.
    pub checks: ChecksRow,
    /// The DID that it is bound to.
    pub subject: Option<Did>,
    /// The addresses that it names as its recipient's.
    pub recipients: Vec<Recipient>,
}

impl Award {
    /// Verifies the award that was opened.
    ///
    /// # Errors
    /// [`Refusal`] when it is none. Whether it is verified, its checks say.
    pub async fn verify(
        opened: &Opened,
        verifier: &Verifier<'_>,
        asker: &Asker<'_>,
    ) -> Result<Self, Refusal> {
        match &opened.form {
            Form::Credential(credential) => {
                let credentials = [(**credential).clone()];
                let known = gather(&needs_of(&credentials), verifier, asker).await;
                let [credential] = &credentials;
                let checks = credential.verify(&verifier.knowing(&known));
                let original = Original::of_credential(credential);
                Ok(Award {
                    original: original.ok_or_else(|| no_award("it states no achievement"))?,
                    checks: ChecksRow::new(credential, &checks, Shown::File),
                    subject: credential.subject().cloned(),
                    recipients: identity::recipients(credential),
                })
            }
            Form::Assertion(_) | Form::SignedAssertion(_) | Form::HostedAt(_) => {
                let mut badge = Badge::open(&opened.form, &opened.text, asker).await?;
                badge.gather(STATUS_AGE_DEFAULT_MS, asker).await;
                let checks = badge.row(&opened.text, &badge.verify(verifier));
                let assertion = badge.dossier.assertion();
                let class = badge.dossier.badge().ok_or_else(|| {
                    let reasons: Vec<String> = asker
                        .fetched()
                        .into_iter()
                        .filter_map(|row| row.problem.map(|problem| problem.reason))
                        .collect();
                    no_award(&format!("its issuer could not be asked what it is: {}", reasons.join("; ")))
                })?;
                let issuer = badge.dossier.issuer().map(|issuer| issuer.name.as_str());
                let issuer = issuer.filter(|name| !name.is_empty()).unwrap_or(&checks.issuer);
                Ok(Award {
                    original: Original::of_badge(&opened.text, assertion, class, issuer),
                    subject: None,
                    recipients: vec![assertion.recipient.clone()],
                    checks,
                })
            }
            Form::Presentation | Form::LearnerRecord(..) | Form::Curriculum(_) => {
                Err(no_award("it is no badge by itself"))
            }
        }
    }
}

fn no_award(why: &str) -> Refusal {
    Refusal::new(
        Exit::NotVerified,
        format!("there is nothing to say again: {why}"),
        "name one badge that was awarded",
    )
}
