// What the other implementation signs with Data Integrity, read by `knack verify` and `knack import`.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {openBadge, SQL} from './badge.mjs';
import * as theirs from './libraries/digitalbazaar.mjs';
import {Home, NOT_VERIFIED} from './knack.mjs';
import {tampered} from './tampering.mjs';

const [holder, stranger] = [new Home(), new Home()];

const key = await theirs.newKey();
const badges = Object.fromEntries(await Promise.all(theirs.SUITES.map(
  async suite => [suite, await theirs.issue(openBadge(key.controller, holder.did), key, suite)])));

for(const [suite, badge] of Object.entries(badges)) {
  test(`${suite}: ours verify theirs`, () => {
    const {status, output} = stranger.verify(badge);
    assert.equal(status, 0);
    assert.equal(output.untampered, 'PASS');
    assert.equal(output.unexpired, 'PASS');
    assert.equal(output.trusted_issuer, 'NOT_CHECKED');
    assert.equal(output.verified, true);
    assert.equal(output.issuer, key.controller);
  });

  test(`${suite}: ours verify theirs: a credential that is no badge`, async () => {
    const plain = {
      '@context': [theirs.CONTEXT_V2], type: ['VerifiableCredential'], issuer: key.controller,
      validFrom: '2026-01-01T00:00:00Z', credentialSubject: {id: holder.did, name: 'Ada'}
    };
    assert.equal(stranger.verify(await theirs.issue(plain, key, suite)).status, 0);
  });

  test(`${suite}: ours import theirs, with its skill and level`, () => {
    const {status, output, stderr} = holder.import(badge);
    assert.equal(status, 0, stderr);
    const [{imported: {credential}}] = output;
    assert.deepEqual(credential.skills, [{skill: SQL, label: 'SQL', level: 4}]);
    assert.equal(credential.verified, true);
    assert.ok(holder.succeed('credentials').some(({id}) => id === credential.id));
  });

  test(`${suite}: ours do not import theirs about somebody else`, () => {
    assert.equal(stranger.verify(badge).status, 0);
    assert.notEqual(stranger.import(badge).status, 0);
    assert.deepEqual(stranger.succeed('credentials'), []);
  });

  for(const [name, text] of tampered(JSON.stringify(badge), stranger.did)) {
    test(`${suite}: both refuse theirs, tampered: ${name}`, async () => {
      assert.equal((await theirs.verify(JSON.parse(text))).verified, false);
      const {status, output} = holder.verify(text);
      assert.equal(status, NOT_VERIFIED);
      assert.notEqual(output.untampered, 'PASS');
      assert.equal(holder.import(text).status, NOT_VERIFIED);
    });
  }
}
