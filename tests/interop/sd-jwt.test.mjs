// Credentials as SD-JWT VC: of which the holder shows what is asked for, and proves to be the holder.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {SQL} from './badge.mjs';
import {ALGORITHMS, keyOf, newKey} from './libraries/jose.mjs';
import * as theirs from './libraries/sd-jwt.mjs';
import {Home, NOT_VERIFIED} from './knack.mjs';
import {tampered} from './tampering.mjs';

const [issuer, verifier] = [new Home(), new Home()];

const ASKED = {challenge: 'n-0S6_WzA2Mj', domain: 'https://verifier.example'};
const RUST = 'urn:knackmesh:onet:43232402:rust';
const refuses = promise => promise.then(() => false, () => true);
const skillsOf = ({achievement}) => (achievement.alignment ?? []).map(({targetUrl}) => targetUrl);

/** What each side issues to the holder of a key: a credential for Rust and SQL. */
const issuers = {
  ours: (alg, did) => issuer.issue(did, '--format', 'sd-jwt', '--alg', alg,
    '--skill', RUST, '--skill', SQL, '--level', '4', '--expires', '2y'),
  theirs: async (alg, did, jwk) => theirs.issue({
    vct: 'https://badges.example/achievement', nbf: 1_767_225_600, exp: 3_786_912_000, sub: did, cnf: {jwk},
    achievement: {
      name: 'Datenbanken I', alignment: [RUST, SQL].map(targetUrl => ({type: ['Alignment'], targetUrl}))
    },
    result: [{value: '4'}]
  }, {_sd: ['sub'], achievement: {_sd: ['name'], alignment: {_sd: [0, 1]}}}, await newKey(alg)),
};

/** How each side's holder gets a credential, and shows Rust of it and nothing else. */
const holders = {
  ours: async (issue, alg) => {
    const home = new Home();
    const jwk = await keyOf(`${home.did}#${home.did.replace('did:key:', '')}`);
    const credential = await issue(alg, home.did, jwk);
    assert.equal(home.import(credential).status, 0);
    const [{presentation}] = home.present(ASKED, '--format', 'sd-jwt', '--skill', RUST);
    return {did: home.did, credential, presentation};
  },
  theirs: async (issue, alg) => {
    const key = await newKey(alg);
    const credential = await issue(alg, key.did, key.publicJwk);
    const presentation = await theirs.present(credential, {achievement: {alignment: {0: true}}}, key, ASKED);
    return {did: key.did, credential, presentation};
  }
};

// @sd-jwt drops a disclosure that nothing refers to, where RFC 9901 7.1 (4, 5) has a verifier refuse all. What was changed is
// not among the claims then. A key binding covers all disclosures, so that a presentation is refused.
const DROPPED_BY_THEIRS = [
  'the achievement’s name', 'the subject’s id', 'a disclosure’s salt', 'a disclosure of something that was not signed',
  'a disclosure twice'
];

const stranger = await newKey('EdDSA');
const cases = [];
for(const alg of ALGORITHMS) {
  for(const [issuing, issue] of Object.entries(issuers)) {
    for(const [holding, show] of Object.entries(holders)) {
      cases.push([`issued by ${issuing} (${alg}), held by ${holding}`, await show(issue, alg)]);
    }
  }
}

for(const [name, {did, credential, presentation}] of cases) {
  test(`${name}: both verify the credential`, async () => {
    const {claims} = await theirs.verify(credential);
    assert.deepEqual(skillsOf(claims), [RUST, SQL]);
    assert.equal(claims.sub, did);
    assert.equal(verifier.verify(credential).status, 0);
  });

  for(const [change, text] of tampered(credential, stranger.did)) {
    const drop = DROPPED_BY_THEIRS.includes(change);
    test(`${name}: ${drop ? 'ours refuse and theirs drop' : 'both refuse'} what was tampered with: ${change}`, async () => {
      assert.equal(verifier.verify(text).status, NOT_VERIFIED);
      if(drop) {
        const {claims} = await theirs.verify(text);
        assert.ok(!('honours' in claims) && !claims.achievement.name?.endsWith('II') && claims.sub !== stranger.did);
      } else {
        assert.ok(await refuses(theirs.verify(text)));
      }
    });
  }

  test(`${name}: both verify the presentation, and see what was chosen`, async () => {
    const {claims, binding} = await theirs.verify(presentation, ASKED);
    assert.deepEqual(skillsOf(claims), [RUST]);
    assert.equal(claims.sub, undefined);
    assert.equal(claims.achievement.name, undefined);
    assert.equal(binding.aud, ASKED.domain);
    const {verified, presentation: {holder}} = verifier.verifyPresentation(presentation, ASKED);
    assert.deepEqual([verified, holder], [true, did]);
  });

  test(`${name}: both refuse the presentation for another nonce`, async () => {
    const asked = {...ASKED, challenge: 'n-other'};
    assert.ok(await refuses(theirs.verify(presentation, asked)));
    assert.equal(verifier.verifyPresentation(presentation, asked).verified, false);
  });

  test(`${name}: ours refuse the presentation for another audience, which theirs tell and do not check`, async () => {
    assert.equal((await theirs.verify(presentation, ASKED)).binding.aud, ASKED.domain);
    const asked = {...ASKED, domain: 'https://other.example'};
    assert.equal(verifier.verifyPresentation(presentation, asked).verified, false);
  });

  test(`${name}: both refuse the presentation without key binding`, async () => {
    const unbound = presentation.slice(0, presentation.lastIndexOf('~') + 1);
    assert.ok(await refuses(theirs.verify(unbound, ASKED)));
    assert.equal(verifier.verifyPresentation(unbound, ASKED).verified, false);
  });

  test(`${name}: both refuse a presentation that somebody else bound`, async () => {
    const stolen = await theirs.present(credential, {}, stranger, ASKED);
    assert.ok(await refuses(theirs.verify(stolen, ASKED)));
    assert.equal(verifier.verifyPresentation(stolen, ASKED).verified, false);
  });

  for(const [change, text] of tampered(presentation, stranger.did)) {
    test(`${name}: both refuse the presentation, tampered: ${change}`, async () => {
      assert.ok(await refuses(theirs.verify(text, ASKED)));
      assert.equal(verifier.verifyPresentation(text, ASKED).verified, false);
    });
  }
}
