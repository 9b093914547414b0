// Credentials off the beaten path, signed with the other implementation's key and judged by both. Where the two differ, the
// case says which rule decides; a case that comes out otherwise one day, on either side, is worth reading about.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import * as base58 from 'base58-universal';

import {openBadge} from './badge.mjs';
import * as theirs from './libraries/digitalbazaar.mjs';
import {Home, NOT_VERIFIED} from './knack.mjs';

const holder = new Home();

const key = await theirs.newKey();
const stranger = await theirs.newKey();
const badge = openBadge(key.controller, holder.did);

/** `document` signed by `signer`, its contexts in the proof unless `options` say otherwise. */
async function signed(document, options, signer = key) {
  const complete = theirs.proofOptions(signer, {'@context': document['@context'], ...options});
  for(const name of Object.keys(complete)) {
    if(complete[name] === undefined) {
      delete complete[name];
    }
  }
  return {...document, proof: await theirs.proof(document, signer, complete)};
}

function changed(value, apply) {
  const copy = structuredClone(value);
  apply(copy);
  return copy;
}

/** The badge, saying something more of its subject. */
const saying = value => changed(badge, ({credentialSubject}) => {
  credentialSubject.detail = value;
});

/** The JSON text of a signed badge in which `written` stands where the signer had `value`. */
async function rewritten(value, written) {
  const text = JSON.stringify(await signed(saying(value)));
  const member = `"detail":${JSON.stringify(value)}`;
  assert.ok(text.includes(member));
  return text.replace(member, () => written);
}

const more = context => changed(context, c => c['@context'].push('https://badges.example/context'));
const at = ms => new Date(Date.now() + ms).toISOString();
const signatureOf = ({proof}) => base58.decode(proof.proofValue.slice(1));
const good = await signed(badge);
const second = (await signed(badge, {}, stranger)).proof;
// A proof that depends on another is made over the document with that one (VC-DI 4.6).
const first = (await signed(badge, {id: 'urn:example:first'})).proof;
const dependent = (await signed({...badge, proof: [first]}, {previousProof: first.id})).proof;

const accepted = {
  'no context in the proof': await signed(badge, {'@context': undefined}),
  'a context appended after signing': more(good),
  'the proof’s contexts are some of the document’s': await signed(badge, {'@context': [theirs.CONTEXT_V2]}),
  'the proof’s context is a text, not a list': await signed(badge, {'@context': theirs.CONTEXT_V2}),
  'created with a fraction': await signed(badge, {created: '2026-01-01T00:00:00.123Z'}),
  'created with an offset': await signed(badge, {created: '2026-01-01T00:00:00+02:00'}),
  // Wrong on the signer's side; readers take such times as UTC (VCDM 4.9.1, VC-DI 2.1).
  'created without an offset': await signed(badge, {created: '2026-01-01T00:00:00'}),
  'validUntil without an offset': await signed({...badge, validUntil: '2090-01-01T00:00:00'}),
  'created left out': await signed(badge, {created: undefined}),
  'a proof that has not expired': await signed(badge, {expires: '2089-01-01T00:00:00Z'}),
  'a proof with members of its own': await signed(badge, {id: 'urn:example:proof', nonce: 'n', other: {a: [1]}}),
  'a proof bound to a challenge': await signed(badge, {challenge: 'c', domain: 'd'}),
  'two proofs that hold': {...badge, proof: [good.proof, second]},
  'two proofs that hold, in two suites': await theirs.issue(good, key, 'eddsa-rdfc-2022'),
  'a chain of two proofs (theirs know no chains, and hold by the first)': {...badge, proof: [first, dependent]},
  'a second proof in a suite that is unknown': {...badge, proof: [good.proof, {...second, cryptosuite: 'bbs-2023'}]},
  'the issuer as a text': await signed({...badge, issuer: key.controller}),
  'a list of one subject': await signed({...badge, credentialSubject: [badge.credentialSubject]}),
  'two subjects': await signed({...badge, credentialSubject: [badge.credentialSubject, {id: stranger.controller}]}),
  'keys in the order of UTF-16': await signed(saying({'😀': 1, '\ufb33': 2, 'é': 3, 'e\u0301': 4, '': 5, a: 6, A: 7, 10: 8, 9: 9})),
  'texts with everything that is escaped': await signed(saying('\0\x1f\x7f\x80\u2028\u2029\\/"\b\f\n\r\t€😀\ufeff')),
  'a text escaped where it need not be': await rewritten('abc', '"detail":"\\u0061b\\u0063"'),
  'a number written with a fraction': await rewritten(1, '"detail":1.0'),
  'a number written with an exponent': await rewritten(1, '"detail":10e-1'),
  'minus zero': await rewritten(0, '"detail":-0'),
  'literals and empty values': await signed(saying([null, true, false, {}, [], ''])),
  '1,000 doubles of random bits': await signed(saying(doubles(1000))),
  '1,000 keys of random text': await signed(saying(keys(1000))),
};

const refused = {
  'a context appended that no proof lists': more(await signed(badge, {'@context': undefined})),
  'contexts in another order': changed(good, c => c['@context'].reverse()),
  'no proof': badge,
  'a proof by somebody else': await signed(badge, {}, stranger),
  'somebody else’s credential under the issuer’s name': await signed({...badge, issuer: 'did:web:badges.example'}),
  'a proof for another purpose': await signed(badge, {proofPurpose: 'authentication'}),
  'a method that names another’s key': await signed(
    badge, {verificationMethod: `${key.controller}#${stranger.publicKeyMultibase}`}),
  'the signature’s twin, S + L': changed(good, c => {
    c.proof.proofValue = `z${base58.encode(twin(signatureOf(c)))}`;
  }),
  'expired': await signed({...badge, validUntil: '2026-02-01T00:00:00Z'}),
  'not valid yet': await signed({...badge, validFrom: '2080-01-01T00:00:00Z'}),
  'a member called __proto__ slipped in': await rewritten(1, '"__proto__":{"a":1},"detail":1'),
  'a status that nobody asked about': await signed(
    {...badge, credentialStatus: {id: 'https://badges.example/status#1', type: 'BitstringStatusListEntry'}}),
};

// Each with the rule that ours follows.
const refusedByOursOnly = {
  'the proof’s contexts are an empty list (it would sign none, and none is not what a credential may have: VCDM 4.3)':
    await signed(badge, {'@context': []}),
  'proofValue in base64url (vc-di-eddsa 3.3.1: base58btc)': changed(good, c => {
    c.proof.proofValue = `u${Buffer.from(signatureOf(c)).toString('base64url')}`;
  }),
  'one of two proofs does not hold (VC-DI 4.5: all of a set)':
    {...badge, proof: [good.proof, {...second, created: '2025-01-01T00:00:00Z'}]},
  'a proof that has expired (VC-DI 2.1, expires)': await signed(badge, {expires: '2026-02-01T00:00:00Z'}),
  'a proof that rests on another, which is not there (VC-DI 2.1, previousProof)':
    await signed(badge, {previousProof: 'urn:example:proof'}),
  'a chain in which the first proof was replaced (VC-DI 4.6)':
    {...badge, proof: [(await signed(badge, {id: first.id, created: '2025-01-01T00:00:00Z'})).proof, dependent]},
  'a method that is an object (VC-DI 2.1: a text)':
    await signed(badge, {verificationMethod: {id: key.id, type: 'Multikey'}}),
  'expired a minute ago (theirs forgive 5 minutes, ours none)': await signed({...badge, validUntil: at(-60_000)}),
  'an id that is no URL (VCDM 4.4)': await signed({...badge, id: 'mine'}),
  'a key twice, of which JSON.parse keeps the last (RFC 7493 2.3)': await rewritten(1, '"detail":2,"detail":1'),
  'an integer that a double rounds (RFC 7493 2.2)': await rewritten(2 ** 53, `"detail":${2n ** 53n + 1n}`),
  'a lone surrogate (RFC 7493 2.1)': await signed(saying('\ud800')),
};

const refusedByTheirsOnly = {
  'a method that is a did:key without fragment (which has one key; some issuers of badges write it so)':
    await signed(badge, {verificationMethod: key.controller}),
  'a context that is an object (theirs compare contexts by identity, so that none read from JSON equals another)':
    await signed(changed(badge, c => c['@context'].push({detail: 'https://badges.example/terms#detail'}))),
};

const verdicts = [
  ['both accept', accepted, {theirs: true, ours: true}],
  ['both refuse', refused, {theirs: false, ours: false}],
  ['ours alone refuse', refusedByOursOnly, {theirs: true, ours: false}],
  ['theirs alone refuse', refusedByTheirsOnly, {theirs: false, ours: true}],
];

for(const [verdict, cases, expected] of verdicts) {
  for(const [name, credential] of Object.entries(cases)) {
    test(`${verdict}: ${name}`, async () => {
      const text = typeof credential === 'string' ? credential : JSON.stringify(credential);
      const {verified, why} = await theirs.verify(JSON.parse(text));
      const {status, output} = holder.verify(text);
      assert.ok(status === 0 || status === NOT_VERIFIED, `exit code ${status}`);
      assert.deepEqual({theirs: verified, ours: status === 0}, expected, `${why} ${JSON.stringify(output)}`);
    });
  }
}

/** The other signature that an equation modulo L would accept (RFC 8032, 8.4). */
function twin(signature) {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const scalar = signature.subarray(32).reduceRight((sum, byte) => sum << 8n | BigInt(byte), 0n) + order;
  return signature.map((byte, i) => i < 32 ? byte : Number(scalar >> BigInt(8 * (i - 32)) & 255n));
}

/** The first `count` values of `make` that are `fit`, the same in every run: Marsaglia's xorshift of 64 bits is the source. */
function random(count, make, fit) {
  const values = [];
  for(let state = 88172645463325252n; values.length < count;) {
    state ^= BigInt.asUintN(64, state << 13n);
    state ^= state >> 7n;
    state ^= BigInt.asUintN(64, state << 17n);
    const value = make(state);
    if(fit(value)) {
      values.push(value);
    }
  }
  return values;
}

function doubles(count) {
  return random(count, bits => new Float64Array(BigUint64Array.of(bits).buffer)[0], Number.isFinite);
}

function keys(count) {
  // Half of the characters are beyond the basic plane: their surrogates sort below U+E000 to U+FFFF.
  const character = bits => Number(bits & 0xffffn) + (bits >> 16n & 1n ? 0x10000 : 0);
  const text = bits => String.fromCodePoint(character(bits), character(bits >> 32n));
  return Object.fromEntries(random(count, text, key => key.isWellFormed()).map((key, i) => [key, i]));
}
