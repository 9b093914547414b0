// Presentations as tokens (vp+jwt), by jose and by ours.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import * as theirs from './libraries/jose.mjs';
import {Home} from './knack.mjs';
import {tampered} from './tampering.mjs';

const [issuer, holder, stranger] = [new Home(), new Home(), new Home()];
const server = await holder.serve();

const ASKED = {challenge: 'c-3fc1', domain: 'https://verifier.example'};
const OTHERS = {
  'for another challenge': {...ASKED, challenge: 'c-4fd2'},
  'for another domain': {...ASKED, domain: 'https://other.example'},
};
const refuses = promise => promise.then(() => false, () => true);

/** A presentation's token, in an envelope and out of it. */
const MEDIA_TYPE = 'data:application/vp+jwt,';
const enveloped = token => ({
  '@context': 'https://www.w3.org/ns/credentials/v2', id: MEDIA_TYPE + token, type: 'EnvelopedVerifiablePresentation'
});

const credential = (subject, alg) => issuer.issue(
  subject, '--format', 'vc-jwt', '--alg', alg, '--skill', 'rust', '--level', '3');

/** Who presents, with which key: the home's is an Ed25519 key. */
const presentations = {};
for(const alg of theirs.ALGORITHMS) {
  const key = await theirs.newKey(alg);
  presentations[`${alg}: theirs`] = await theirs.present([credential(key.did, alg)], key, ASKED);
}
const envelope = {
  '@context': 'https://www.w3.org/ns/credentials/v2', id: `data:application/vc+jwt,${credential(holder.did, 'ES256')}`,
  type: 'EnvelopedVerifiableCredential'
};
const presented = await server.present('/jwt', [envelope], ASKED);
presentations['EdDSA: ours'] = presented.id.replace(MEDIA_TYPE, '');

for(const [name, token] of Object.entries(presentations)) {
  test(`${name}: both verify a presentation`, async () => {
    const [{issuer: {id}}] = await theirs.verifyPresentation(token, ASKED);
    assert.ok(id.startsWith('did:key:'));
    assert.deepEqual(await server.verify(enveloped(token), ASKED), {verified: true, code: undefined});
  });

  for(const [other, options] of Object.entries(OTHERS)) {
    test(`${name}: both refuse a presentation ${other}`, async () => {
      assert.ok(await refuses(theirs.verifyPresentation(token, options)));
      assert.equal((await server.verify(enveloped(token), options)).verified, false);
    });
  }

  for(const [change, text] of tampered(token, stranger.did)) {
    test(`${name}: both refuse a presentation, tampered: ${change}`, async () => {
      assert.ok(await refuses(theirs.verifyPresentation(text, ASKED)));
      assert.equal((await server.verify(enveloped(text), ASKED)).verified, false);
    });
  }
}
