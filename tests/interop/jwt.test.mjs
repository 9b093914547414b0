// Credentials as tokens (vc+jwt), by jose and by ours.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {openBadge, SQL} from './badge.mjs';
import * as theirs from './libraries/jose.mjs';
import {Home, NOT_VERIFIED} from './knack.mjs';
import {tampered} from './tampering.mjs';

const [issuer, holder, stranger] = [new Home(), new Home(), new Home()];
const refuses = promise => promise.then(() => false, () => true);

const keys = Object.fromEntries(await Promise.all(theirs.ALGORITHMS.map(async alg => [alg, await theirs.newKey(alg)])));
const issue = (badge, alg = 'EdDSA') => theirs.sign(badge, keys[alg], 'vc+jwt');
const badge = alg => openBadge(keys[alg].did, holder.did);

const tokens = [];
for(const alg of theirs.ALGORITHMS) {
  tokens.push(['theirs', alg, await issue(badge(alg), alg)]);
  tokens.push(['ours', alg, issuer.issue(
    holder.did, '--format', 'vc-jwt', '--alg', alg, '--skill', 'rust', '--level', '3', '--expires', '2y')]);
}

for(const [side, alg, token] of tokens) {
  test(`${alg}: both verify a credential of ${side}`, async () => {
    const {credentialSubject} = await theirs.verify(token, 'vc+jwt');
    assert.equal(credentialSubject.id, holder.did);
    const {status, output} = stranger.verify(token);
    assert.equal(status, 0);
    assert.equal(output.untampered, 'PASS');
  });

  for(const [name, text] of tampered(token, stranger.did)) {
    test(`${alg}: both refuse a credential of ${side}, tampered: ${name}`, async () => {
      assert.ok(await refuses(theirs.verify(text, 'vc+jwt')));
      const {status, output} = stranger.verify(text);
      assert.equal(status, NOT_VERIFIED);
      assert.notEqual(output.untampered, 'PASS');
    });
  }

  if(side === 'theirs') {
    test(`${alg}: ours import a credential of theirs, with its skill and level`, () => {
      const {status, output, stderr} = holder.import(token);
      assert.equal(status, 0, stderr);
      const [{imported: {credential}}] = output;
      assert.deepEqual(credential.skills, [{skill: SQL, label: 'SQL', level: 4}]);
    });
  }
}

test('both refuse a token that has ended (exp)', async () => {
  const token = await issue({...badge('EdDSA'), exp: 1_770_000_000});
  assert.ok(await refuses(theirs.verify(token, 'vc+jwt')));
  assert.equal(stranger.verify(token).status, NOT_VERIFIED);
});

test('ours alone refuse a credential that has ended (validUntil, which jose does not know)', async () => {
  const token = await issue({...badge('EdDSA'), validUntil: '2026-02-01T00:00:00Z'});
  await theirs.verify(token, 'vc+jwt');
  const {status, output} = stranger.verify(token);
  assert.equal(status, NOT_VERIFIED);
  assert.equal(output.unexpired, 'FAIL');
});

test('ours alone refuse a token whose claims contradict the credential (Open Badges 3.0, 8.2)', async () => {
  const token = await issue({...badge('EdDSA'), sub: stranger.did});
  await theirs.verify(token, 'vc+jwt');
  assert.equal(stranger.verify(token).status, NOT_VERIFIED);
});

test('both refuse a token with a critical extension that they do not know', async () => {
  const [, claims, signature] = (await issue(badge('EdDSA'))).split('.');
  const header = {alg: 'EdDSA', typ: 'vc+jwt', kid: keys.EdDSA.kid, crit: ['badges'], badges: true};
  const token = [Buffer.from(JSON.stringify(header)).toString('base64url'), claims, signature].join('.');
  assert.ok(await refuses(theirs.verify(token, 'vc+jwt')));
  assert.equal(stranger.verify(token).status, NOT_VERIFIED);
});

test('both refuse a credential that is signed by somebody else', async () => {
  const token = await theirs.sign(badge('EdDSA'), await theirs.newKey('EdDSA'), 'vc+jwt');
  assert.ok(await refuses(theirs.verify(token, 'vc+jwt')));
  assert.equal(stranger.verify(token).status, NOT_VERIFIED);
});

test('ours alone refuse base64url with bits to spare that are set (RFC 4648 3.5)', async () => {
  const token = await issue(badge('EdDSA'));
  // The last character of 64 bytes holds two bits of them, and four to spare.
  const spare = token.slice(0, -1) + {A: 'B', Q: 'R', g: 'h', w: 'x'}[token.at(-1)];
  await theirs.verify(spare, 'vc+jwt');
  assert.equal(stranger.verify(spare).status, NOT_VERIFIED);
});
