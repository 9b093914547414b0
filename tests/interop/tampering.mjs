// One change each to a credential that was signed before. `apply` changes a copy; nothing else differs.

const change = (name, apply) => ({name, apply: credential => {
  const copy = structuredClone(credential);
  apply(copy);
  return copy;
}});

/** A base58 text with one digit replaced by another. */
function otherDigit(text, at) {
  return text.slice(0, at) + (text[at] === '2' ? '3' : '2') + text.slice(at + 1);
}

/** Changes that a verifier must refuse, `stranger` being a DID that has nothing to do with the credential. */
export const tamperings = stranger => [
  change('the achievement’s name', c => {
    c.credentialSubject.achievement.name += ' II';
  }),
  change('the level achieved', c => {
    const [{rubricCriterionLevel: rubric}] = c.credentialSubject.achievement.resultDescription;
    c.credentialSubject.result[0].achievedLevel = rubric.find(criterion => criterion.level === '5').id;
  }),
  change('the subject’s id', c => {
    c.credentialSubject.id = stranger;
  }),
  change('the issuer’s id', c => {
    c.issuer.id = stranger;
  }),
  change('validUntil, later', c => {
    c.validUntil = '2099-01-01T00:00:00Z';
  }),
  change('validUntil, gone', c => {
    delete c.validUntil;
  }),
  change('the proof’s created', c => {
    c.proof.created = '2026-01-02T03:04:05Z';
  }),
  change('the proof’s context, gone', c => {
    delete c.proof['@context'];
  }),
  change('a property more', c => {
    c.credentialSubject.achievement.humanCode = 'A1';
  }),
  ...[1, 40, -1].map(at => change(`digit ${at} of proofValue`, c => {
    const {proofValue} = c.proof;
    c.proof.proofValue = otherDigit(proofValue, at < 0 ? proofValue.length + at : at);
  })),
];
