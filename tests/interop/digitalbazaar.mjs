// The other implementation: Digital Bazaar's, given nothing of ours but the contexts in the repository. It asks no network.
import {readFileSync} from 'node:fs';

import * as DidKey from '@digitalbazaar/did-method-key';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as eddsaJcs2022 from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import jsonld from 'jsonld';

export const CONTEXT_V2 = 'https://www.w3.org/ns/credentials/v2';
export const CONTEXT_OPEN_BADGES = 'https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json';

const CONTEXTS = new Map([
  [CONTEXT_V2, 'credentials-v2.json'],
  [CONTEXT_OPEN_BADGES, 'open-badges-3.0.3.json']
].map(([url, file]) => {
  const path = new URL(`../../protocol/vectors/credential/contexts/${file}`, import.meta.url);
  return [url, JSON.parse(readFileSync(path, 'utf8'))];
}));

const didKey = DidKey.driver();
didKey.use({multibaseMultikeyHeader: 'z6Mk', fromMultibase: Ed25519Multikey.from});

async function documentLoader(url) {
  const document = url.startsWith('did:key:') ? await didKey.get({url}) : CONTEXTS.get(url);
  if(!document) {
    throw new Error(`nothing but did:key and the bundled contexts is loaded: ${url}`);
  }
  return {contextUrl: null, documentUrl: url, document};
}

/** A new Ed25519 key of which the id is that of its did:key. */
export async function newKey() {
  const key = await Ed25519Multikey.generate();
  key.controller = `did:key:${key.publicKeyMultibase}`;
  key.id = `${key.controller}#${key.publicKeyMultibase}`;
  return key;
}

/** `credential` with a proof, by the library's own way of issuing. */
export async function issue(credential, key, {date} = {}) {
  const suite = new DataIntegrityProof({
    signer: key.signer(), date, cryptosuite: eddsaJcs2022.createSignCryptosuite()
  });
  // The library adds the proof to what it is given.
  return vc.issue({credential: structuredClone(credential), suite, documentLoader});
}

/** The options of a proof by `key`, for `proof`. */
export function proofOptions(key, options = {}) {
  return {
    type: 'DataIntegrityProof',
    cryptosuite: eddsaJcs2022.createVerifyCryptosuite().name,
    created: '2026-01-01T00:00:00Z',
    verificationMethod: key.id,
    proofPurpose: 'assertionMethod',
    ...options
  };
}

/** A proof of `document` with exactly these options, for forms that the library verifies but does not write. */
export async function proof(document, key, options) {
  const cryptosuite = eddsaJcs2022.createVerifyCryptosuite();
  // One clone of both: the library compares contexts that are objects by identity.
  const data = await cryptosuite.createVerifyData({cryptosuite, ...structuredClone({document, proof: options})});
  const suite = new DataIntegrityProof({signer: key.signer(), cryptosuite});
  return suite.sign({verifyData: data, proof: structuredClone(options)});
}

/** Whether the library takes the credential for verified, and why not. */
export async function verify(credential) {
  const suite = new DataIntegrityProof({cryptosuite: eddsaJcs2022.createVerifyCryptosuite()});
  const {verified, error} = await vc.verifyCredential(
    {credential: structuredClone(credential), suite, documentLoader});
  return {verified, why: error && [error].flat().map(reason).join('; ')};
}

/** A presentation of `credentials`, signed for a challenge and a domain; `id` and `holder` as they are wanted. */
export async function present(credentials, key, {challenge, domain, ...members} = {}) {
  const presentation = {
    '@context': [CONTEXT_V2], type: ['VerifiablePresentation'], ...members,
    verifiableCredential: structuredClone(credentials)
  };
  const suite = new DataIntegrityProof({signer: key.signer(), cryptosuite: eddsaJcs2022.createSignCryptosuite()});
  return vc.signPresentation({presentation, suite, challenge, domain, documentLoader});
}

/** Whether the library takes the presentation for verified, and why not. */
export async function verifyPresentation(presentation, {challenge, domain}) {
  const suite = new DataIntegrityProof({cryptosuite: eddsaJcs2022.createVerifyCryptosuite()});
  const {verified, error} = await vc.verify(
    {presentation: structuredClone(presentation), suite, challenge, domain, documentLoader});
  return {verified, why: error && [error].flat().map(reason).join('; ')};
}

/** Expands the document as JSON-LD; fails when a term in it is defined by no context. */
export function expand(document) {
  return jsonld.expand(document, {documentLoader, safe: true});
}

function reason(error) {
  return [error.message, ...(error.errors ?? []).map(reason)].join(': ');
}
