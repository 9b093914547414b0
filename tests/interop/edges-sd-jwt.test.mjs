// SD-JWT VCs off the beaten path, made by the other implementation and judged by both. As in edges-jcs.test.mjs, where the two
// differ the case says which rule decides.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {newKey, sign} from './libraries/jose.mjs';
import * as theirs from './libraries/sd-jwt.mjs';
import {Home, NOT_VERIFIED} from './knack.mjs';

const verifier = new Home();
const [issuer, holder] = [await newKey('ES256'), await newKey('EdDSA')];
const ASKED = {challenge: 'n-0S6_WzA2Mj', domain: 'https://verifier.example'};
const NOW = Math.floor(Date.now() / 1000);

const claims = {
  vct: 'https://badges.example/achievement', sub: holder.did, cnf: {jwk: holder.publicJwk},
  achievement: {name: 'SQL', tag: ['a', 'b']}
};
const frame = {_sd: ['achievement'], achievement: {_sd: ['name'], tag: {_sd: [0, 1]}}};

/** A credential with other claims, or issued otherwise. */
const issued = (more = {}, options = {}) => theirs.issue({...claims, ...more}, options.frame ?? frame, issuer, options);
/** A presentation that shows nothing that can be withheld, bound otherwise. */
const bound = async (binding = {}, header = {}) => {
  const shown = (await issued()).split('~')[0] + '~';
  const {sd_hash: hash} = (await theirs.verify(await theirs.present(shown, {}, holder, ASKED), ASKED)).binding;
  const payload = {iat: NOW, nonce: ASKED.challenge, aud: ASKED.domain, sd_hash: hash, ...binding};
  return shown + await sign(payload, {...holder, kid: undefined}, 'kb+jwt', header);
};

const accepted = {
  'disclosures inside disclosures': await issued(),
  'digests by SHA-512': await issued({}, {hashAlg: 'sha-512'}),
  'decoys': await issued({}, {frame: {...frame, _sd_decoy: 3}}),
  'nothing that can be withheld': await issued({}, {frame: {}}),
  'a beginning that has come, and an end that has not': await issued({nbf: NOW - 1, exp: NOW + 3600}),
  'a type of token as it was until 2024': await issued({}, {header: {typ: 'vc+sd-jwt'}}),
  'bound now': await bound(),
};

const refused = {
  'an end that has come': await issued({exp: NOW - 3600}),
  'a beginning that has not come': await issued({nbf: NOW + 3600}),
  'a binding of another type': await bound({}, {typ: 'JWT'}),
  'a binding without a hash': await bound({sd_hash: undefined}),
  'a binding without a time': await bound({iat: undefined}),
};

const refusedByOursOnly = {
  'another type of token (draft-ietf-oauth-sd-jwt-vc, JOSE Header)': await issued({}, {header: {typ: 'JWT'}}),
  'a binding that is two days old (RFC 9901 7.3, 5.5)': await bound({iat: NOW - 2 * 86_400}),
  'a binding of tomorrow (RFC 9901 7.3, 5.5)': await bound({iat: NOW + 86_400}),
  'a binding for two verifiers': await bound({aud: [ASKED.domain, 'https://other.example']}),
};

const verdicts = [
  ['both accept', accepted, {theirs: true, ours: true}],
  ['both refuse', refused, {theirs: false, ours: false}],
  ['ours alone refuse', refusedByOursOnly, {theirs: true, ours: false}],
];

for(const [verdict, cases, expected] of verdicts) {
  for(const [name, text] of Object.entries(cases)) {
    test(`${verdict}: ${name}`, async () => {
      const asked = text.endsWith('~') ? {} : ASKED;
      const [verified, why] = await theirs.verify(text, asked).then(() => [true], e => [false, e.message]);
      const options = Object.entries(asked).flatMap(([option, value]) => [`--${option}`, value]);
      const {status, output} = verifier.verify(text, ...options);
      assert.ok(status === 0 || status === NOT_VERIFIED, `exit code ${status}`);
      assert.deepEqual({theirs: verified, ours: status === 0}, expected, `${why} ${JSON.stringify(output)}`);
    });
  }
}
