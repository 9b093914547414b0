// What the other implementation signs, read by `knack verify` and `knack import`.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';

import {openBadge, SQL} from './badge.mjs';
import * as theirs from './digitalbazaar.mjs';
import {Home, NOT_VERIFIED} from './knack.mjs';
import {tamperings} from './tampering.mjs';

const holder = new Home();
const stranger = new Home();
after(() => [holder, stranger].forEach(home => home.remove()));

const key = await theirs.newKey();
const badge = await theirs.issue(openBadge(key.controller, holder.did), key);

test('ours verify theirs', () => {
  const {status, output} = holder.verify(badge);
  assert.equal(status, 0);
  assert.equal(output.untampered, 'PASS');
  assert.equal(output.unexpired, 'PASS');
  assert.equal(output.trusted_issuer, 'NOT_CHECKED');
  assert.equal(output.verified, true);
  assert.equal(output.issuer, key.controller);
});

test('ours import theirs, with its skill and level', () => {
  const {status, output, stderr} = holder.import(badge);
  assert.equal(status, 0, stderr);
  const [{imported: {credential}}] = output;
  assert.deepEqual(credential.skills, [{skill: SQL, label: 'SQL', level: 4}]);
  assert.equal(credential.verified, true);
  assert.deepEqual(holder.succeed('credentials').map(({id}) => id), [credential.id]);
});

test('ours do not import theirs about somebody else', () => {
  assert.equal(stranger.verify(badge).status, 0);
  assert.notEqual(stranger.import(badge).status, 0);
  assert.deepEqual(stranger.succeed('credentials'), []);
});

for(const {name, apply} of tamperings(stranger.did)) {
  test(`both refuse theirs, tampered: ${name}`, async () => {
    const tampered = apply(badge);
    assert.notDeepEqual(tampered, badge);
    assert.equal((await theirs.verify(tampered)).verified, false);
    const {status, output} = holder.verify(tampered);
    assert.equal(status, NOT_VERIFIED);
    assert.equal(output.untampered, 'FAIL');
    assert.equal(holder.import(tampered).status, NOT_VERIFIED);
  });
}
