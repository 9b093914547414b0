// Status lists: what was revoked or suspended by one side is so for the other.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {openBadge} from './badge.mjs';
import * as digitalbazaar from './libraries/digitalbazaar.mjs';
import * as jose from './libraries/jose.mjs';
import * as theirs from './libraries/status-list.mjs';
import {Home, NOT_VERIFIED} from './knack.mjs';

const LISTS = 'https://issuer.example/status';
const [issuer, verifier] = [new Home({statusUrl: LISTS}), new Home()];
const [key, stranger] = [await digitalbazaar.newKey(), await digitalbazaar.newKey()];

/** `knack verify` with status lists at hand. */
const verify = (credential, lists) => verifier.verify(
  credential, ...lists.flatMap(list => ['--status-list', verifier.file(list)]));

/** What each side issues: a credential for each of these, and both lists. */
const STANDINGS = {
  good: {revocation: false, suspension: false},
  revoked: {revocation: true, suspension: false},
  suspended: {revocation: false, suspension: true},
};
const sides = {
  ours: async suite => {
    const make = () => issuer.issue(key.controller, '--format', suite, '--skill', 'rust', '--level', '3', '--status');
    const credentials = {good: make(), revoked: make(), suspended: make()};
    issuer.succeed('revoke', issuer.file(credentials.revoked));
    issuer.succeed('suspend', issuer.file(credentials.suspended));
    return {credentials, lists: Object.values(issuer.statusLists(suite)).map(JSON.parse)};
  },
  theirs: async suite => {
    const indexes = {good: 0, revoked: 94_567, suspended: 131_071};
    const purposes = {revocation: 'revoked', suspension: 'suspended'};
    const entry = (statusPurpose, index) => ({
      type: 'BitstringStatusListEntry', statusPurpose, statusListIndex: `${index}`,
      statusListCredential: `${LISTS}/${statusPurpose}`
    });
    const credentials = Object.entries(indexes).map(async ([standing, index]) => [standing, JSON.stringify(
      await digitalbazaar.issue({
        ...openBadge(key.controller, key.controller),
        credentialStatus: Object.keys(purposes).map(purpose => entry(purpose, index))
      }, key, suite))]);
    const lists = Object.entries(purposes).map(([statusPurpose, standing]) =>
      theirs.issue({id: `${LISTS}/${statusPurpose}`, statusPurpose, indexes: [indexes[standing]]}, key, suite));
    return {credentials: Object.fromEntries(await Promise.all(credentials)), lists: await Promise.all(lists)};
  }
};

const cases = [];
for(const suite of digitalbazaar.SUITES) {
  for(const [side, issue] of Object.entries(sides)) {
    cases.push({suite, side, ...await issue(suite)});
  }
}

for(const {suite, side, credentials, lists} of cases) {
  for(const [standing, bits] of Object.entries(STANDINGS)) {
    test(`${suite}: both see a credential of ${side} as ${standing}`, async () => {
      const credential = credentials[standing];
      // Theirs call a revoked credential verified, and leave the bits to whoever asks.
      assert.deepEqual(await theirs.verify(JSON.parse(credential), lists), {verified: true, why: undefined, bits});
      const {status, output} = verify(credential, lists);
      assert.equal(status, standing === 'good' ? 0 : NOT_VERIFIED);
      assert.equal(output.unrevoked, standing === 'good' ? 'PASS' : 'FAIL');
      assert.equal(output.untampered, 'PASS');
    });
  }

  test(`${suite}: both refuse a credential of ${side} without its lists`, async () => {
    assert.equal((await theirs.verify(JSON.parse(credentials.good), [])).verified, false);
    const {status, output} = verify(credentials.good, []);
    assert.equal(status, NOT_VERIFIED);
    assert.equal(output.unrevoked, 'NOT_CHECKED');
  });
}

/** One change each to a list of theirs, which would make a revoked credential good, or not tell. */
const changed = {
  'other bits': (list, [, suspension]) => {
    list.credentialSubject.encodedList = suspension.credentialSubject.encodedList;
  },
  'another purpose': list => { list.credentialSubject.statusPurpose = 'refresh'; },
  'another issuer': list => { list.issuer = stranger.controller; },
  'an end that has come': list => { list.validUntil = '2026-02-01T00:00:00Z'; },
  'no proof': list => { delete list.proof; },
};
const {credentials, lists} = cases.find(({suite, side}) => suite === 'eddsa-jcs-2022' && side === 'theirs');

for(const [name, change] of Object.entries(changed)) {
  test(`both refuse a list that was tampered with: ${name}`, async () => {
    const tampered = structuredClone(lists);
    change(tampered[0], tampered);
    assert.equal((await theirs.verify(JSON.parse(credentials.revoked), tampered)).verified, false);
    assert.equal(verify(credentials.good, tampered).status, NOT_VERIFIED);
  });
}

test('both refuse a list by somebody else', async () => {
  const [, suspension] = lists;
  const list = {id: `${LISTS}/revocation`, statusPurpose: 'revocation', indexes: []};
  const forged = await theirs.issue(list, stranger, 'eddsa-jcs-2022');
  assert.equal((await theirs.verify(JSON.parse(credentials.revoked), [forged, suspension])).verified, false);
  const {status, output} = verify(credentials.revoked, [forged, suspension]);
  assert.equal(status, NOT_VERIFIED);
  assert.notEqual(output.unrevoked, 'PASS');
});

test('both refuse a list for another purpose', async () => {
  const [, suspension] = lists;
  const list = {id: `${LISTS}/revocation`, statusPurpose: 'suspension', indexes: []};
  const other = await theirs.issue(list, key, 'eddsa-jcs-2022');
  assert.equal((await theirs.verify(JSON.parse(credentials.revoked), [other, suspension])).verified, false);
  assert.equal(verify(credentials.revoked, [other, suspension]).status, NOT_VERIFIED);
});

test('a suspension of ours that has ended is none', async () => {
  const credential = issuer.issue(key.controller, '--skill', 'rust', '--level', '3', '--status');
  issuer.succeed('suspend', issuer.file(credential));
  issuer.succeed('reinstate', issuer.file(credential));
  const lists = Object.values(issuer.statusLists('eddsa-jcs-2022')).map(JSON.parse);
  const {bits} = await theirs.verify(JSON.parse(credential), lists);
  assert.deepEqual(bits, STANDINGS.good);
  assert.equal(verify(credential, lists).status, 0);
});

test('both read a list of ours that is a token', async () => {
  const credential = issuer.issue(key.controller, '--format', 'vc-jwt', '--skill', 'rust', '--level', '3', '--status');
  issuer.succeed('revoke', issuer.file(credential));
  const lists = issuer.statusLists('vc-jwt');
  const {credentialStatus} = await jose.verify(credential, 'vc+jwt');
  for(const {statusPurpose, statusListIndex} of credentialStatus) {
    const list = await jose.verify(lists[statusPurpose], 'vc+jwt');
    assert.equal(await theirs.bit(list, Number(statusListIndex)), statusPurpose === 'revocation');
  }
  const {status, output} = verify(credential, Object.values(lists));
  assert.equal(status, NOT_VERIFIED);
  assert.equal(output.unrevoked, 'FAIL');
});
