// Presentations as tokens (vp+jwt), by jose and by ours.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import * as theirs from './libraries/jose.mjs';
import {Home} from './knack.mjs';
import {tampered} from './tampering.mjs';

const [issuer, holder, verifier, stranger] = [new Home(), new Home(), new Home(), new Home()];

const ASKED = {challenge: 'c-3fc1', domain: 'https://verifier.example'};
const OTHERS = {
  'for another challenge': {...ASKED, challenge: 'c-4fd2'},
  'for another domain': {...ASKED, domain: 'https://other.example'},
};
const refuses = promise => promise.then(() => false, () => true);

const credential = (subject, alg) => issuer.issue(
  subject, '--format', 'vc-jwt', '--alg', alg, '--skill', 'rust', '--level', '3');

/** Who presents, with which key: the home's is an Ed25519 key. */
const presentations = {};
for(const alg of theirs.ALGORITHMS) {
  const key = await theirs.newKey(alg);
  presentations[`${alg}: theirs`] = await theirs.present([credential(key.did, alg)], key, ASKED);
}
assert.equal(holder.import(credential(holder.did, 'ES256')).status, 0);
[{presentation: presentations['EdDSA: ours']}] = holder.present(ASKED, '--format', 'vp-jwt');

for(const [name, token] of Object.entries(presentations)) {
  test(`${name}: both verify a presentation`, async () => {
    const [{issuer: {id}}] = await theirs.verifyPresentation(token, ASKED);
    assert.ok(id.startsWith('did:key:'));
    assert.equal(verifier.verifyPresentation(token, ASKED).verified, true);
  });

  for(const [other, options] of Object.entries(OTHERS)) {
    test(`${name}: both refuse a presentation ${other}`, async () => {
      assert.ok(await refuses(theirs.verifyPresentation(token, options)));
      assert.equal(verifier.verifyPresentation(token, options).verified, false);
    });
  }

  for(const [change, text] of tampered(token, stranger.did)) {
    test(`${name}: both refuse a presentation, tampered: ${change}`, async () => {
      assert.ok(await refuses(theirs.verifyPresentation(text, ASKED)));
      assert.equal(verifier.verifyPresentation(text, ASKED).verified, false);
    });
  }
}

test('ours verify a presentation of theirs in an envelope', () => {
  const envelope = {
    '@context': 'https://www.w3.org/ns/credentials/v2', type: 'EnvelopedVerifiablePresentation',
    id: `data:application/vp+jwt,${presentations['ES256: theirs']}`
  };
  assert.equal(verifier.verifyPresentation(envelope, ASKED).verified, true);
});
