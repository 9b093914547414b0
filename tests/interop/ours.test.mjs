// What `knack issue` signs with Data Integrity, read by the other implementation.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import * as theirs from './libraries/digitalbazaar.mjs';
import {Home, NOT_VERIFIED} from './knack.mjs';
import {tampered} from './tampering.mjs';

const [issuer, holder, stranger] = [new Home(), new Home(), new Home()];

const forms = [
  ['without end', ['--skill', 'rust', '--level', '4']],
  ['for two years', ['--skill', 'rust', '--level', '1', '--expires', '2y']],
  ['several skills', ['--skill', 'python', '--skill', 'SQL', '--level', '3', '--achievement', 'Data course']],
  ['an ESCO skill by its URI',
    ['--skill', 'http://data.europa.eu/esco/skill/598de5b0-5b58-4ea7-8058-a4bc4d18c742', '--level', '5']],
  ['texts outside ASCII', ['--skill', 'rust', '--level', '2', '--issuer-name', 'Académie "Ünï" \\ €',
    '--achievement', 'Système 系統 😀 \u2028 \u{fb33}']],
];

for(const suite of theirs.SUITES) {
  for(const [form, args] of forms) {
    test(`${suite}: theirs verify ours: ${form}`, async () => {
      const text = issuer.issue(holder.did, '--format', suite, ...args);
      const credential = JSON.parse(text);
      assert.equal(credential.proof.cryptosuite, suite);
      assert.deepEqual(await theirs.verify(credential), {verified: true, why: undefined});
      assert.equal(stranger.verify(text).status, 0);
      // Every term of ours has a meaning in JSON-LD, whatever the suite.
      const [expanded] = await theirs.expand(credential);
      assert.ok(expanded['@type'].includes('https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential'));
    });
  }

  const good = issuer.issue(holder.did, '--format', suite, '--skill', 'rust', '--level', '3', '--expires', '2y');
  for(const [name, text] of tampered(good, stranger.did)) {
    test(`${suite}: both refuse ours, tampered: ${name}`, async () => {
      assert.equal((await theirs.verify(JSON.parse(text))).verified, false);
      const {status, output} = holder.verify(text);
      assert.equal(status, NOT_VERIFIED);
      assert.notEqual(output.untampered, 'PASS');
    });
  }
}
