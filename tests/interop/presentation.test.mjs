// Presentations with Data Integrity: a holder shows credentials to one verifier, once.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {openBadge} from './badge.mjs';
import * as theirs from './libraries/digitalbazaar.mjs';
import {Home} from './knack.mjs';
import {tampered} from './tampering.mjs';

const [issuer, holder, stranger] = [new Home(), new Home(), new Home()];
const server = await holder.serve();

const key = await theirs.newKey();
const ASKED = {challenge: 'c-3fc1', domain: 'verifier.example'};
const OTHERS = {
  'for another challenge': {...ASKED, challenge: 'c-4fd2'},
  'for another domain': {...ASKED, domain: 'other.example'},
};

/** How each side presents a credential that it issued. */
const sides = {
  ours: async suite => {
    const text = issuer.issue(holder.did, '--format', suite, '--skill', 'rust', '--level', '3', '--expires', '2y');
    return server.present(suite === 'eddsa-rdfc-2022' ? '/rdfc' : '/jcs', [JSON.parse(text)], ASKED);
  },
  theirs: async suite => {
    const badge = await theirs.issue(openBadge(key.controller, key.controller), key, suite);
    return theirs.present([badge], key, suite, ASKED);
  },
};

const presentations = await Promise.all(Object.entries(sides).flatMap(
  ([side, present]) => theirs.SUITES.map(async suite => [side, suite, await present(suite)])));

for(const [side, suite, presentation] of presentations) {
  test(`${suite}: both verify a presentation of ${side}`, async () => {
    assert.equal(presentation.proof.cryptosuite, suite);
    assert.deepEqual(await theirs.verifyPresentation(presentation, ASKED), {verified: true, why: undefined});
    assert.deepEqual(await server.verify(presentation, ASKED), {verified: true, code: undefined});
  });

  for(const [name, options] of Object.entries(OTHERS)) {
    test(`${suite}: both refuse a presentation of ${side} ${name}`, async () => {
      assert.equal((await theirs.verifyPresentation(presentation, options)).verified, false);
      assert.equal((await server.verify(presentation, options)).verified, false);
    });
  }

  for(const [name, text] of tampered(JSON.stringify(presentation), stranger.did)) {
    test(`${suite}: both refuse a presentation of ${side}, tampered: ${name}`, async () => {
      assert.equal((await theirs.verifyPresentation(JSON.parse(text), ASKED)).verified, false);
      assert.equal((await server.verify(JSON.parse(text), ASKED)).verified, false);
    });
  }
}

test('both verify a presentation of credentials of both, in both suites', async () => {
  const ours = JSON.parse(issuer.issue(key.controller, '--format', 'eddsa-rdfc-2022', '--skill', 'rust', '--level', '3'));
  const badge = await theirs.issue(openBadge(key.controller, key.controller), key, 'eddsa-jcs-2022');
  const presentation = await theirs.present([ours, badge], key, 'eddsa-rdfc-2022', ASKED);
  assert.deepEqual(await theirs.verifyPresentation(presentation, ASKED), {verified: true, why: undefined});
  assert.deepEqual(await server.verify(presentation, ASKED), {verified: true, code: undefined});
});

test('a credential of somebody else is verified by theirs, and told by ours', async () => {
  const badge = await theirs.issue(openBadge(key.controller, stranger.did), key, 'eddsa-jcs-2022');
  const presentation = await theirs.present([badge], key, 'eddsa-jcs-2022', ASKED);
  assert.equal((await theirs.verifyPresentation(presentation, ASKED)).verified, true);
  const {body} = await server.post('/presentations/verify', {verifiablePresentation: presentation, options: ASKED});
  assert.equal(body.holder, key.controller);
  assert.equal(body.credentialResults[0].checks.trusted_holder, 'FAIL');
});
