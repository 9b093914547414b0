// Digital Bazaar's libraries: Data Integrity, presentations, did:key and did:jwk. They are given nothing of ours but the
// contexts in the repository, and ask no network.
import {readFileSync} from 'node:fs';

import * as DidJwk from '@digitalbazaar/did-method-jwk';
import * as DidKey from '@digitalbazaar/did-method-key';
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as jcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {cryptosuite as rdfc} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import jsonld from 'jsonld';

export const CONTEXT_V2 = 'https://www.w3.org/ns/credentials/v2';
export const CONTEXT_OPEN_BADGES = 'https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json';

/** The cryptosuites, by name. */
export const SUITES = ['eddsa-jcs-2022', 'eddsa-rdfc-2022'];

const signing = suite => suite === 'eddsa-rdfc-2022' ? rdfc : jcs.createSignCryptosuite();
const verifying = () => [rdfc, jcs.createVerifyCryptosuite()].map(cryptosuite => new DataIntegrityProof({cryptosuite}));

const CONTEXTS = new Map([
  [CONTEXT_V2, 'credentials-v2.json'],
  [CONTEXT_OPEN_BADGES, 'open-badges-3.0.3.json']
].map(([url, file]) => {
  const path = new URL(`../../../protocol/vectors/credential/contexts/${file}`, import.meta.url);
  return [url, JSON.parse(readFileSync(path, 'utf8'))];
}));

const didKey = DidKey.driver();
didKey.use({multibaseMultikeyHeader: 'z6Mk', fromMultibase: Ed25519Multikey.from});
didKey.use({multibaseMultikeyHeader: 'zDna', fromMultibase: EcdsaMultikey.from});
const didJwk = DidJwk.driver();

/** The library's DID document of a did:key or did:jwk; of a URL with a fragment, that part of it. */
export function resolve(url) {
  return (url.startsWith('did:jwk:') ? didJwk : didKey).get({url});
}

/** A document loader that has `documents`, by their ids, besides contexts and keys. */
export const loaderOf = documents => async url => {
  const document = url.startsWith('did:key:') ? await resolve(url) :
    CONTEXTS.get(url) ?? documents.find(({id}) => id === url);
  if(!document) {
    throw new Error(`nothing but did:key and what is here is loaded: ${url}`);
  }
  return {contextUrl: null, documentUrl: url, document};
};
const documentLoader = loaderOf([]);

/** A new Ed25519 key of which the id is that of its did:key. */
export async function newKey() {
  const key = await Ed25519Multikey.generate();
  key.controller = `did:key:${key.publicKeyMultibase}`;
  key.id = `${key.controller}#${key.publicKeyMultibase}`;
  return key;
}

/** `credential` with a proof, by the library's own way of issuing. */
export async function issue(credential, key, suite) {
  const proof = new DataIntegrityProof({signer: key.signer(), cryptosuite: signing(suite)});
  // The library adds the proof to what it is given.
  return vc.issue({credential: structuredClone(credential), suite: proof, documentLoader});
}

/** A presentation of `credentials` by the holder of `key`; `members` replace or (as undefined) remove what it states. */
export async function present(credentials, key, suite, {challenge, domain, ...members}) {
  const presentation = structuredClone({
    '@context': [CONTEXT_V2], type: ['VerifiablePresentation'], holder: key.controller, ...members,
    verifiableCredential: credentials
  });
  const proof = new DataIntegrityProof({signer: key.signer(), cryptosuite: signing(suite)});
  return vc.signPresentation({presentation, suite: proof, challenge, domain, documentLoader});
}

/** The options of a JCS proof by `key`. */
export function proofOptions(key, options = {}) {
  return {
    type: 'DataIntegrityProof',
    cryptosuite: 'eddsa-jcs-2022',
    created: '2026-01-01T00:00:00Z',
    verificationMethod: key.id,
    proofPurpose: 'assertionMethod',
    ...options
  };
}

/** A JCS proof of `document` with exactly these options, for forms that the library verifies but does not write. */
export async function proof(document, key, options) {
  const cryptosuite = jcs.createVerifyCryptosuite();
  // One clone of both: the library compares contexts that are objects by identity.
  const data = await cryptosuite.createVerifyData({cryptosuite, ...structuredClone({document, proof: options})});
  const suite = new DataIntegrityProof({signer: key.signer(), cryptosuite});
  return suite.sign({verifyData: data, proof: structuredClone(options)});
}

/** Whether the library takes the credential for verified, and why not; with `checkStatus`, what that says, too. */
export async function verify(credential, {loader = documentLoader, checkStatus} = {}) {
  const result = await vc.verifyCredential(
    {credential: structuredClone(credential), suite: verifying(), documentLoader: loader, checkStatus});
  return {...verdict(result), ...checkStatus && {status: result.statusResult}};
}

/** Whether the library takes the presentation, and all that is in it, for verified, and why not. */
export async function verifyPresentation(presentation, {challenge, domain}) {
  const result = await vc.verify(
    {presentation: structuredClone(presentation), suite: verifying(), challenge, domain, documentLoader});
  return verdict(result);
}

/** Expands the document as JSON-LD; fails when a term in it is defined by no context. */
export function expand(document) {
  return jsonld.expand(document, {documentLoader, safe: true});
}

function verdict({verified, error, presentationResult, credentialResults = []}) {
  const errors = [error, presentationResult?.error, ...credentialResults.map(({error}) => error)].flat().filter(Boolean);
  return {verified, why: verified ? undefined : errors.map(reason).join('; ')};
}

function reason(error) {
  return [error.message, ...(error.errors ?? []).map(reason)].join(': ');
}
