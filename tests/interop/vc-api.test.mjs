// `knack serve vc-api`, asked as other people's software asks it: what the W3C's test suites require, in our own words. The
// other implementation reads what it signs, and signs what it reads.
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {after, test} from 'node:test';
import {gunzipSync} from 'node:zlib';

import * as theirs from './libraries/digitalbazaar.mjs';
import {Home} from './knack.mjs';

const {CONTEXT_V2} = theirs;
const EXAMPLES = 'https://www.w3.org/ns/credentials/examples/v2';
const SUITES = {'/rdfc': 'eddsa-rdfc-2022', '/jcs': 'eddsa-jcs-2022', '/status': 'eddsa-rdfc-2022'};
const LIST_BYTES_MIN = 16384;

const home = new Home();
const server = await home.serve();
after(() => server.stop());
const key = await theirs.newKey();

const post = (path, body) => server.post(path, body);
const issue = (prefix, credential, options) => post(`${prefix}/credentials/issue`, {credential, options});
const verify = (prefix, verifiableCredential, options = {checks: ['proof']}) =>
  post(`${prefix}/credentials/verify`, {verifiableCredential, options});
const verifyPresentation = (verifiablePresentation, options) =>
  post('/rdfc/presentations/verify', {verifiablePresentation, options});

async function issued(prefix, credential) {
  const {status, body} = await issue(prefix, credential);
  assert.equal(status, 201, JSON.stringify(body));
  return body.verifiableCredential;
}

function accepts({status, body}) {
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.verified, true);
  assert.equal(body.errors?.length ?? 0, 0);
  return body;
}

function refuses({status, body}, code) {
  assert.equal(status, 400, JSON.stringify(body));
  for(const member of ['type', 'title', 'detail', 'code']) {
    assert.equal(typeof body[member], 'string', member);
  }
  if(code) {
    assert.equal(body.code, code, body.detail);
  }
  return body;
}

/** An unsigned credential, in which `members` replace or (as undefined) remove what it states. */
const credential = members => ({
  '@context': [CONTEXT_V2],
  id: `urn:uuid:${crypto.randomUUID()}`,
  type: ['VerifiableCredential'],
  issuer: server.did,
  credentialSubject: {id: 'did:example:ada', name: 'Ada'},
  ...members
});
const typed = (type, more) => ({'@context': [CONTEXT_V2, {[type]: `https://terms.example/#${type}`}], ...more});
const text = (value, extra = {}) => ({'@value': value, '@language': 'en', ...extra});

const bytes = readFileSync(new URL('../../protocol/vectors/credential/contexts/credentials-v2.json', import.meta.url));
const digest = (algorithm, encoding) => createHash(algorithm).update(bytes).digest(encoding);
const resource = members => ({id: CONTEXT_V2, digestSRI: `sha384-${digest('sha384', 'base64')}`, ...members});

const acceptable = {
  'a further context by its URL': {'@context': [CONTEXT_V2, EXAMPLES], alumniOf: 'somewhere'},
  'a type that an inline context defines': typed('Diploma', {type: ['VerifiableCredential', 'Diploma']}),
  'a type that is a URL, before the one that must be there': {type: ['https://terms.example/#Diploma', 'VerifiableCredential']},
  'an issuer that is another, as a URL': {issuer: 'did:example:other'},
  'an issuer that is another, as an object': {issuer: {id: 'https://issuer.example/', name: text('Issuer')}},
  'two subjects': {credentialSubject: [{id: 'did:example:ada'}, {id: 'did:example:eve'}]},
  'a name in three languages': {name: ['en', 'fr', 'it'].map(language => ({'@value': 'Dog', '@language': language}))},
  'a description with a direction': {description: text('Dog', {'@direction': 'ltr'})},
  'dates with an offset and with fractions': {validFrom: '2023-02-25T19:10:39-06:00', validUntil: '2023-02-26T01:20:18.477Z'},
  'a status of a kind that nobody knows': typed('Other', {credentialStatus: {type: 'Other'}}),
  'schemas, which nobody asks for': {credentialSchema: [1, 2].map(n => ({id: `did:example:${n}`, type: 'https://terms.example/#S'}))},
  'terms of use, evidence and a way to refresh': typed('Any', {
    termsOfUse: {type: 'Any'}, evidence: [{type: 'Any'}, {type: 'Any'}], refreshService: {id: 'did:example:r', type: 'Any'}
  }),
  'a resource with its digest for browsers': {relatedResource: resource()},
  'a resource with its digest in multibase': {
    relatedResource: [resource({digestSRI: undefined, digestMultibase: `u${digest('sha256', 'base64url')}`})]
  },
};

const unacceptable = {
  'no context': {'@context': undefined},
  'a context that is a number': {'@context': 4},
  'no context at all': {'@context': []},
  'another context first': {'@context': [EXAMPLES, CONTEXT_V2]},
  'a number among the contexts': {'@context': [CONTEXT_V2, 7]},
  'a context with a blank in it': {'@context': [CONTEXT_V2, 'https ://terms.example']},
  'a context that redefines a term of the data model': {'@context': [CONTEXT_V2, {VerifiableCredential: 'https://terms.example/#V'}]},
  'a context that redefines what another protects': {
    '@context': [CONTEXT_V2, {'@protected': true, Mine: 'https://a.example/#M'}, {Mine: 'https://b.example/#M'}]
  },
  'no type': {type: undefined},
  'a type that is null': {type: null},
  'a type that is not the data model’s': {'@context': [CONTEXT_V2, EXAMPLES], type: ['RelationshipCredential']},
  'a type that no context defines': {type: ['VerifiableCredential', 'Undefined']},
  'a type defined as what is no URL': {
    '@context': [CONTEXT_V2, {Odd: 'https ://terms.example#Odd'}], type: ['VerifiableCredential', 'Odd']
  },
  'a term that no context defines': {credentialSubject: {id: 'did:example:ada', undefinedTerm: 1}},
  'an id that is null': {id: null},
  'two ids': {id: ['urn:a:1', 'urn:a:2']},
  'an id with a blank in it': {id: 'https ://a.example'},
  'no issuer': {issuer: undefined},
  'an issuer that is null': {issuer: null},
  'an issuer that is a list': {issuer: []},
  'an issuer that is no URL': {issuer: 'nobody'},
  'an issuer whose id is null': {issuer: {id: null}},
  'no subject': {credentialSubject: undefined},
  'a subject that is a text': {credentialSubject: 'did:example:ada'},
  'a subject of which nothing is said': {credentialSubject: {}},
  'a second subject of which nothing is said': {credentialSubject: [{id: 'did:example:ada'}, {}]},
  'a name with a member of its own': {name: text('Dog', {url: 'did:example:dog'})},
  'an issuer’s description with a member of its own': {issuer: {id: 'did:example:i', description: text('Dog', {url: 'did:example:dog'})}},
  'a date in words': {validFrom: 'Sat 25 Feb 2023 07:16:31 PM CST'},
  'an end before the beginning': {validFrom: '2026-01-02T00:00:00Z', validUntil: '2026-01-01T00:00:00Z'},
  'a status without a type': {credentialStatus: {id: 'did:example:status'}},
  'a status of two ids': typed('Other', {credentialStatus: {id: ['did:example:1', 'did:example:2'], type: 'Other'}}),
  'a schema without an id': {credentialSchema: {type: 'https://terms.example/#S'}},
  'evidence without a type': {evidence: {}},
  'terms of use without a type': {termsOfUse: {id: 'did:example:terms'}},
  'a way to refresh without a type': {refreshService: {id: 'did:example:r'}},
  'a resource that is a text': {relatedResource: [CONTEXT_V2]},
  'a resource without a digest': {relatedResource: resource({digestSRI: undefined})},
  'a resource named twice': {relatedResource: [resource(), resource()]},
  'a resource with another’s digest': {relatedResource: resource({digestSRI: `sha384-${'A'.repeat(64)}`})},
};

for(const [prefix, cryptosuite] of Object.entries(SUITES)) {
  test(`${prefix}: a credential is signed, and its proof is as it must be`, async () => {
    const unsigned = credential();
    const {proof, credentialStatus, ...rest} = await issued(prefix, unsigned);
    assert.deepEqual(rest, unsigned);
    assert.deepEqual(Object.keys(proof).filter(name => name !== '@context').sort(),
      ['created', 'cryptosuite', 'proofPurpose', 'proofValue', 'type', 'verificationMethod']);
    assert.deepEqual([proof.type, proof.cryptosuite, proof.proofPurpose], ['DataIntegrityProof', cryptosuite, 'assertionMethod']);
    assert.equal(proof.verificationMethod, `${server.did}#${server.did.slice('did:key:'.length)}`);
    assert.match(proof.proofValue, /^z[1-9A-HJ-NP-Za-km-z]{85,88}$/);
    assert.ok(!Number.isNaN(Date.parse(proof.created)));
    assert.equal(credentialStatus !== undefined, prefix === '/status');
  });
  test(`${prefix}: what it signed verifies, and not when it was changed`, async () => {
    const signed = await issued(prefix, credential());
    const {checks} = accepts(await verify(prefix, signed));
    assert.equal(checks.untampered, 'PASS');
    refuses(await verify(prefix, {...signed, name: 'Another'}), 'proof-bad-signature');
    const twice = signed.proof.proofValue + signed.proof.proofValue.slice(1);
    refuses(await verify(prefix, {...signed, proof: {...signed.proof, proofValue: twice}}), 'proof-malformed');
  });
  for(const [name, members] of Object.entries(acceptable)) {
    test(`${prefix}: issues ${name}`, async () => {
      const {issuer} = await issued(prefix, credential(members));
      assert.equal(issuer.id ?? issuer, server.did);
    });
  }
  for(const [name, members] of Object.entries(unacceptable)) {
    test(`${prefix}: does not issue ${name}`, async () => {
      refuses(await issue(prefix, credential(members)));
    });
  }
}

test('a body without a credential is refused', async () => {
  refuses(await post('/rdfc/credentials/issue', {verifiableCredential: credential()}), 'missing');
  refuses(await post('/rdfc/credentials/verify', {options: {checks: ['proof']}}), 'missing');
});

test('theirs verify what is signed over JSON here, and ours what they sign', async () => {
  const ours = await issued('/jcs', credential({'@context': [CONTEXT_V2, theirs.CONTEXT_OPEN_BADGES]}));
  assert.deepEqual(await theirs.verify(ours), {verified: true, why: undefined});
  accepts(await verify('/jcs', await theirs.issue(credential({issuer: key.controller}), key, 'eddsa-jcs-2022')));
});

const proofs = {
  'no proof': c => delete c.proof,
  'a proof that is null': c => c.proof = null,
  'a proof without a type': c => delete c.proof.type,
  'a proof of a type that nobody knows': c => c.proof.type = 'Other',
  'a proof of a suite that nobody knows': c => c.proof.cryptosuite = 'other',
  'a proof without a key': c => delete c.proof.verificationMethod,
  'a proof by what is no key': c => c.proof.verificationMethod = 'did:key:nothing',
  'a proof without a purpose': c => delete c.proof.proofPurpose,
  'a proof for another purpose': c => c.proof.proofPurpose = 'authentication',
  'a proof without a value': c => delete c.proof.proofValue,
  'a proof whose value has no base': c => c.proof.proofValue = c.proof.proofValue.slice(1),
  'a proof made at no time': c => c.proof.created = 'yesterday',
  'a proof that is over': c => c.proof.expires = '2020-01-01T00:00:00Z',
  'a proof over one that is not there': c => c.proof.previousProof = 'urn:a:1',
  'a term that nobody signed': c => c.credentialSubject.undefinedTerm = 1,
  'a type that nobody signed': c => c.type.push('Undefined'),
};
for(const [name, change] of Object.entries(proofs)) {
  test(`does not verify ${name}`, async () => {
    const signed = await theirs.issue(credential({issuer: key.controller}), key, 'eddsa-jcs-2022');
    change(signed);
    assert.equal(refuses(await verify('/jcs', signed)).verified, false);
  });
}

test('does not verify a term without meaning that its issuer signed', async () => {
  const meaningless = credential({issuer: key.controller, credentialSubject: {undefinedTerm: 1}});
  const proof = await theirs.proof(meaningless, key, theirs.proofOptions(key));
  refuses(await verify('/jcs', {...meaningless, proof}), 'rdf-undefined-term');
});

test('a time without an offset is read as UTC', async () => {
  const unsigned = credential({issuer: key.controller});
  for(const [options, holds] of [[{created: '2026-01-01T00:00:00'}, true], [{expires: '2020-01-01T00:00:00'}, false]]) {
    const proof = await theirs.proof(unsigned, key, theirs.proofOptions(key, options));
    (holds ? accepts : refuses)(await verify('/jcs', {...unsigned, proof}));
  }
});

test('a proof is held against what the asker expects of it', async () => {
  const signed = await issued('/rdfc', credential());
  accepts(await verify('/rdfc', signed, {expectedProofPurpose: 'assertionMethod'}));
  refuses(await verify('/rdfc', signed, {expectedProofPurpose: 'authentication'}), 'proof-wrong-purpose');
  refuses(await verify('/rdfc', signed, {challenge: 'c'}), 'proof-wrong-challenge');
  refuses(await verify('/rdfc', signed, {domain: 'd'}), 'proof-wrong-domain');
});

test('a status stands in a list that anybody can read, until it is set', async () => {
  const unsigned = credential();
  const signed = await issued('/status', unsigned);
  for(const entry of signed.credentialStatus) {
    assert.equal(entry.type, 'BitstringStatusListEntry');
    assert.match(entry.statusListIndex, /^(0|[1-9][0-9]*)$/);
    assert.notEqual(entry.id, entry.statusListCredential);
    const response = await fetch(entry.statusListCredential, {headers: {accept: 'application/ld+json, application/json'}});
    assert.match(response.headers.get('content-type'), /json/);
    const list = await response.json();
    assert.equal(list.id, entry.statusListCredential);
    assert.ok(list.type.includes('BitstringStatusListCredential'));
    const {type, statusPurpose, encodedList} = list.credentialSubject;
    assert.deepEqual([type, statusPurpose], ['BitstringStatusList', entry.statusPurpose]);
    assert.match(encodedList, /^u[A-Za-z0-9_-]+$/);
    assert.ok(gunzipSync(Buffer.from(encodedList.slice(1), 'base64url')).length >= LIST_BYTES_MIN);
    accepts(await verify('/status', list));
  }
  assert.equal(accepts(await verify('/status', signed)).checks.unrevoked, 'PASS');
  const {ok} = await home.ask({command: 'set_status', id: unsigned.id, purpose: 'revocation', set: true});
  assert.equal(ok.status_set.changed, true);
  assert.equal(refuses(await verify('/status', signed), 'revoked').checks.unrevoked, 'FAIL');
});

const asked = {challenge: 'uNonce', domain: 'verifier.example'};
const inner = await theirs.issue(credential({issuer: key.controller}), key, 'eddsa-jcs-2022');
const presentations = {
  'of one credential': [[inner], {}],
  'of two': [[inner, inner], {}],
  'of none': [[], {}],
  'that names no holder': [[inner], {holder: undefined}],
  'whose holder is an object': [[inner], {holder: {id: key.controller}}],
  'with an id': [[inner], {id: `urn:uuid:${crypto.randomUUID()}`}],
};
for(const [name, [credentials, members]] of Object.entries(presentations)) {
  test(`verifies a presentation ${name}`, async () => {
    const presentation = await theirs.present(credentials, key, 'eddsa-jcs-2022', {...asked, ...members});
    const {holder, credentialResults} = accepts(await verifyPresentation(presentation, asked));
    assert.equal(holder, key.controller);
    assert.equal(credentialResults.length, credentials.length);
    refuses(await verifyPresentation(presentation, {...asked, challenge: 'uOther'}), 'proof-wrong-challenge');
    refuses(await verifyPresentation(presentation, {...asked, domain: 'other.example'}), 'proof-wrong-domain');
  });
}

const spoilt = {
  'is not signed': p => delete p.proof,
  'has lost its contexts': p => delete p['@context'],
  'has lost its type': p => delete p.type,
  'is of another type': p => p.type = ['Other'],
  'has another context first': p => p['@context'].unshift({}),
  'has a context with a blank in it': p => p['@context'].push('https ://terms.example'),
  'has a number among its contexts': p => p['@context'].push(7),
  'has another’s signature': p => p.proof.proofValue = inner.proof.proofValue,
  'names another holder': p => p.holder = server.did,
  'shows a credential by its URL': p => p.verifiableCredential = ['https://a.example'],
  'shows a changed credential': p => p.verifiableCredential[0].name = 'Another',
};
for(const [name, change] of Object.entries(spoilt)) {
  test(`does not verify a presentation that ${name}`, async () => {
    const presentation = await theirs.present([inner], key, 'eddsa-jcs-2022', asked);
    change(presentation);
    assert.equal(refuses(await verifyPresentation(presentation, asked)).verified, false);
  });
}

test('a presentation that is signed here is theirs to verify', async () => {
  const presentation = {
    '@context': [CONTEXT_V2], type: ['VerifiablePresentation'],
    verifiableCredential: [await issued('/jcs', credential({credentialSubject: {id: server.did}}))]
  };
  const {status, body} = await post('/jcs/presentations/issue', {presentation, options: asked});
  assert.equal(status, 201, JSON.stringify(body));
  assert.deepEqual(await theirs.verifyPresentation(body.verifiablePresentation, asked), {verified: true, why: undefined});
});

const resolve = async (did, query = '') => {
  const response = await fetch(`${server.url}/identifiers/${encodeURIComponent(did)}${query}`, {
    headers: {accept: 'application/ld+json;profile="https://w3id.org/did-resolution"'}
  });
  assert.match(response.headers.get('content-type'), /json/);
  return {status: response.status, body: await response.json()};
};

test('a did:key is resolved, and its key found', async () => {
  const {status, body} = await resolve(key.controller);
  assert.equal(status, 200);
  assert.deepEqual(body.didDocument.assertionMethod, [key.id]);
  assert.equal(body.didDocument.verificationMethod[0].publicKeyMultibase, key.publicKeyMultibase);
  assert.equal((await resolve(key.id)).body.didDocument.controller, key.controller);
});

const unresolved = {
  [key.controller.replace('did:', 'other:')]: ['didResolutionMetadata', 'invalidDid'],
  [key.controller.replace(':z', ':')]: ['didResolutionMetadata', 'invalidDid'],
  [key.controller.replace('key:', 'key:-4:')]: ['didResolutionMetadata', 'invalidDid'],
  'did:key:zTjsVPtY': ['didResolutionMetadata', 'invalidPublicKeyLength'],
  [`${key.controller}/^a^?b=\`#c`]: ['didDereferencingMetadata', 'invalidDidUrl'],
};
for(const [did, [metadata, error]] of Object.entries(unresolved)) {
  test(`says why ${did.replace(key.publicKeyMultibase, 'z...')} is not resolved`, async () => {
    const {status, body} = await resolve(did);
    assert.ok(status >= 400);
    assert.equal(body[metadata].error, error);
    assert.deepEqual([body.didDocument, body.didDocumentMetadata], [{}, {}]);
  });
}

test('a format of keys that is not known, or not allowed, is told apart', async () => {
  const {body} = await resolve(key.controller, '?publicKeyFormat=other');
  assert.equal(body.didResolutionMetadata.error, 'unsupportedPublicKeyType');
  const old = await resolve(key.id, '?publicKeyFormat=Ed25519VerificationKey2018&enableExperimentalPublicKeyTypes=false');
  assert.equal(old.body.didDereferencingMetadata.error, 'invalidPublicKeyType');
});
