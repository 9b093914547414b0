// Credentials and presentations as tokens (vc+jwt, vp+jwt), by jose and by ours.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';

import {openBadge, SQL} from './badge.mjs';
import * as theirs from './libraries/jose.mjs';
import {Home, NOT_VERIFIED} from './knack.mjs';
import {tampered} from './tampering.mjs';

const [issuer, holder, stranger] = [new Home(), new Home(), new Home()];
const server = await holder.serve();
after(() => {
  server.stop();
  [issuer, holder, stranger].forEach(home => home.remove());
});

const ASKED = {challenge: 'c-3fc1', domain: 'https://verifier.example'};
const OTHERS = {
  'for another challenge': {...ASKED, challenge: 'c-4fd2'},
  'for another domain': {...ASKED, domain: 'https://other.example'},
};
const refuses = promise => promise.then(() => false, () => true);

for(const alg of theirs.ALGORITHMS) {
  const key = await theirs.newKey(alg);
  const credentials = {
    ours: issuer.issue(
      holder.did, '--format', 'vc-jwt', '--alg', alg, '--skill', 'rust', '--level', '3', '--expires', '2y'),
    theirs: await theirs.sign(openBadge(key.did, holder.did), key, 'vc+jwt'),
  };

  for(const [side, token] of Object.entries(credentials)) {
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
  }

  test(`${alg}: ours import a credential of theirs, with its skill and level`, () => {
    const {status, output, stderr} = holder.import(credentials.theirs);
    assert.equal(status, 0, stderr);
    const [{imported: {credential}}] = output;
    assert.deepEqual(credential.skills, [{skill: SQL, label: 'SQL', level: 4}]);
  });

  test(`${alg}: ours alone refuse a credential of theirs that has ended (it says so in validUntil, not in exp)`, async () => {
    const badge = {...openBadge(key.did, holder.did), validUntil: '2026-02-01T00:00:00Z'};
    const token = await theirs.sign(badge, key, 'vc+jwt');
    await theirs.verify(token, 'vc+jwt');
    const {status, output} = stranger.verify(token);
    assert.equal(status, NOT_VERIFIED);
    assert.equal(output.unexpired, 'FAIL');
  });
}

test('both refuse a token with a critical extension that they do not know', async () => {
  const key = await theirs.newKey('EdDSA');
  const [, claims, signature] = (await theirs.sign(openBadge(key.did, holder.did), key, 'vc+jwt')).split('.');
  const header = {alg: 'EdDSA', typ: 'vc+jwt', kid: key.kid, crit: ['badges'], badges: true};
  const token = [Buffer.from(JSON.stringify(header)).toString('base64url'), claims, signature].join('.');
  assert.ok(await refuses(theirs.verify(token, 'vc+jwt')));
  assert.equal(stranger.verify(token).status, NOT_VERIFIED);
});

test('ours alone refuse base64url with bits to spare that are set (RFC 4648 3.5)', async () => {
  const key = await theirs.newKey('EdDSA');
  const token = await theirs.sign(openBadge(key.did, holder.did), key, 'vc+jwt');
  // The last character of 64 bytes holds two bits of them, and four to spare.
  const spare = token.slice(0, -1) + {A: 'B', Q: 'R', g: 'h', w: 'x'}[token.at(-1)];
  await theirs.verify(spare, 'vc+jwt');
  assert.equal(stranger.verify(spare).status, NOT_VERIFIED);
});

test('both refuse a credential that is signed by somebody else', async () => {
  const [key, another] = [await theirs.newKey('EdDSA'), await theirs.newKey('EdDSA')];
  const token = await theirs.sign(openBadge(key.did, holder.did), another, 'vc+jwt');
  assert.ok(await refuses(theirs.verify(token, 'vc+jwt')));
  assert.equal(stranger.verify(token).status, NOT_VERIFIED);
});

/** A presentation's token, in an envelope and out of it. */
const MEDIA_TYPE = 'data:application/vp+jwt,';
const enveloped = token => ({
  '@context': 'https://www.w3.org/ns/credentials/v2', id: MEDIA_TYPE + token, type: 'EnvelopedVerifiablePresentation'
});

const presented = {};
for(const alg of theirs.ALGORITHMS) {
  const key = await theirs.newKey(alg);
  const credential = issuer.issue(key.did, '--format', 'vc-jwt', '--alg', alg, '--skill', 'rust', '--level', '3');
  presented[`theirs, ${alg}`] = await theirs.present([credential], key, ASKED);
}
{
  const credential = issuer.issue(holder.did, '--format', 'vc-jwt', '--skill', 'rust', '--level', '3');
  const envelope = {
    '@context': 'https://www.w3.org/ns/credentials/v2', id: `data:application/vc+jwt,${credential}`,
    type: 'EnvelopedVerifiableCredential'
  };
  const {type, id} = await server.present('/jwt', [envelope], ASKED);
  assert.deepEqual(type, ['EnvelopedVerifiablePresentation']);
  presented['ours, EdDSA'] = id.replace(MEDIA_TYPE, '');
}

for(const [side, token] of Object.entries(presented)) {
  test(`both verify a presentation of ${side}`, async () => {
    const [credential] = await theirs.verifyPresentation(token, ASKED);
    assert.equal(credential.issuer.id.slice(0, 8), 'did:key:');
    assert.deepEqual(await server.verify(enveloped(token), ASKED), {verified: true, code: undefined});
  });

  for(const [name, options] of Object.entries(OTHERS)) {
    test(`both refuse a presentation of ${side}, ${name}`, async () => {
      assert.ok(await refuses(theirs.verifyPresentation(token, options)));
      assert.equal((await server.verify(enveloped(token), options)).verified, false);
    });
  }

  for(const [name, text] of tampered(token, stranger.did)) {
    test(`both refuse a presentation of ${side}, tampered: ${name}`, async () => {
      assert.ok(await refuses(theirs.verifyPresentation(text, ASKED)));
      assert.equal((await server.verify(enveloped(text), ASKED)).verified, false);
    });
  }
}
