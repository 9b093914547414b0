// What `knack issue` signs, read by the other implementation.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';

import * as theirs from './digitalbazaar.mjs';
import {Home, NOT_VERIFIED} from './knack.mjs';
import {tamperings} from './tampering.mjs';

const issuer = new Home();
const holder = new Home();
const stranger = new Home();
after(() => [issuer, holder, stranger].forEach(home => home.remove()));

const forms = [
  ['without end', ['--skill', 'rust', '--level', '4']],
  ['for two years', ['--skill', 'rust', '--level', '1', '--expires', '2y']],
  ['several skills', ['--skill', 'python', '--skill', 'SQL', '--level', '3', '--achievement', 'Data course']],
  ['an ESCO skill by its URI',
    ['--skill', 'http://data.europa.eu/esco/skill/598de5b0-5b58-4ea7-8058-a4bc4d18c742', '--level', '5']],
  ['texts outside ASCII', ['--skill', 'rust', '--level', '2', '--issuer-name', 'Académie "Ünï" \\ €',
    '--achievement', 'Système 系統 😀 \u2028 \u{fb33}']],
];

for(const [form, args] of forms) {
  test(`theirs verify ours: ${form}`, async () => {
    const credential = issuer.issue(holder.did, ...args);
    assert.deepEqual(await theirs.verify(credential), {verified: true, why: undefined});
    assert.equal(issuer.verify(credential).status, 0);
  });

  test(`every term of ours has a meaning in JSON-LD: ${form}`, async () => {
    const [expanded] = await theirs.expand(issuer.issue(holder.did, ...args));
    assert.ok(expanded['@type'].includes('https://purl.imsglobal.org/spec/vc/ob/vocab.html#OpenBadgeCredential'));
  });
}

const good = issuer.issue(holder.did, '--skill', 'rust', '--level', '3', '--expires', '2y');
for(const {name, apply} of tamperings(stranger.did)) {
  test(`both refuse ours, tampered: ${name}`, async () => {
    const tampered = apply(good);
    assert.notDeepEqual(tampered, good);
    assert.equal((await theirs.verify(tampered)).verified, false);
    const {status, output} = holder.verify(tampered);
    assert.equal(status, NOT_VERIFIED);
    assert.equal(output.untampered, 'FAIL');
  });
}
