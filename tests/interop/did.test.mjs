// Which keys a did:key and a did:jwk have, and for what, by the other implementation and by ours.
import assert from 'node:assert/strict';
import {test} from 'node:test';

import {resolve} from './libraries/digitalbazaar.mjs';
import {Home} from './knack.mjs';

const home = new Home();
const server = await home.serve();

const didJwk = key => `did:jwk:${Buffer.from(JSON.stringify(key)).toString('base64url')}`;
const ED25519 = {kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'};
const P256 = {
  kty: 'EC', crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4', y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM'
};
const shown = home.succeed('did', 'show');

const known = {
  'did:key, Ed25519': 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK',
  'did:key, P-256': 'did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169',
  'did:key of a home, Ed25519': shown.ed25519,
  'did:key of a home, P-256': shown.p256,
  'did:jwk, Ed25519': didJwk(ED25519),
  'did:jwk, P-256': didJwk(P256),
  'did:jwk, for signatures': didJwk({...P256, use: 'sig'}),
  'did:jwk, with members of its own': didJwk({...ED25519, alg: 'EdDSA', kid: 'k'}),
};

// The key agreement of keys that sign is left aside: theirs list none, ours derive one (did:key 3.1.3) or take the key
// itself (did:jwk, "To create the DID Document").
const RELATIONSHIPS = ['authentication', 'assertionMethod', 'capabilityInvocation', 'capabilityDelegation'];

/** The keys that a document lists for each relationship. */
function keys(document) {
  const methods = new Map(document.verificationMethod.map(({id, controller, publicKeyMultibase, publicKeyJwk}) =>
    [id, {id, controller, key: publicKeyMultibase ?? publicKeyJwk}]));
  return RELATIONSHIPS.map(name => [name, document[name].map(id => methods.get(id))]);
}

for(const [name, did] of Object.entries(known)) {
  test(`ours resolve as theirs: ${name}`, async () => {
    const theirs = await resolve(did);
    const {status, body: {didDocument: ours}} = await server.get(`/identifiers/${did}`);
    assert.equal(status, 200);
    assert.equal(ours.id, theirs.id);
    assert.deepEqual(keys(ours), keys(theirs));
  });
}

const refused = {
  'did:key, a kind of key that nobody knows': 'did:key:z2DcNLdHa3GqVNFQzXTYsyJ8VFnkgXQGpFPhCGQEKTpVXYy',
  'did:key, a digit that base58 lacks': `${known['did:key, Ed25519'].slice(0, -1)}0`,
  'did:key, a key that is too short': known['did:key, Ed25519'].slice(0, -3),
  'did:key, no key': 'did:key:',
  'did:jwk, no JSON': `did:jwk:${Buffer.from('{').toString('base64url')}`,
  'did:jwk, no base64url': 'did:jwk:*',
};

for(const [name, did] of Object.entries(refused)) {
  test(`both refuse: ${name}`, async () => {
    await assert.rejects(resolve(did));
    const {status, body} = await server.get(`/identifiers/${did}`);
    assert.ok(status >= 400 && body.didResolutionMetadata.error, `${status}`);
  });
}

test('ours alone refuse: did:jwk, a private key', async () => {
  const did = didJwk({...ED25519, d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A'});
  assert.equal((await resolve(did)).id, did);
  assert.ok((await server.get(`/identifiers/${did}`)).status >= 400);
});
