// Which keys a did:key and a did:jwk have, by the other implementations and by ours.
import assert from 'node:assert/strict';
import {after, test} from 'node:test';

import {resolve} from './libraries/digitalbazaar.mjs';
import {Home} from './knack.mjs';

const home = new Home();
const server = await home.serve();
after(() => {
  server.stop();
  home.remove();
});

const jwk = key => `did:jwk:${Buffer.from(JSON.stringify(key)).toString('base64url')}`;
const ED25519 = {kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'};
const P256 = {
  kty: 'EC', crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4', y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM'
};
const {issuer: _, ...ours} = home.succeed('did', 'show');

const dids = {
  'did:key, Ed25519': 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK',
  'did:key, P-256': 'did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169',
  'did:jwk, Ed25519': jwk(ED25519),
  'did:jwk, P-256': jwk(P256),
};
console.log(ours);

for(const [name, did] of Object.entries(dids)) {
  test(`ours resolve as theirs: ${name}`, async () => {
    const theirs = await resolve(did);
    const {status, body} = await server.get(`/identifiers/${did}`);
    assert.equal(status, 200);
    console.log(JSON.stringify(theirs), JSON.stringify(body));
  });
}
