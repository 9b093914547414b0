// jose, for credentials and presentations that are signed as tokens. Keys are read from DIDs by Digital Bazaar's libraries.
import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {decodeProtectedHeader, exportJWK, generateKeyPair, importJWK, jwtVerify, SignJWT} from 'jose';

import {resolve} from './digitalbazaar.mjs';

/** The algorithms, and for each the library of its keys. */
const MULTIKEYS = {EdDSA: Ed25519Multikey, ES256: EcdsaMultikey};
export const ALGORITHMS = Object.keys(MULTIKEYS);

/** A new key: its did:key, the URL of the key there, and both halves as JWK. */
export async function newKey(alg) {
  const {privateKey} = await generateKeyPair(alg, {extractable: true});
  const privateJwk = await exportJWK(privateKey);
  const {d, ...publicJwk} = privateJwk;
  const {publicKeyMultibase} = await MULTIKEYS[alg].fromJwk({jwk: publicJwk});
  const did = `did:key:${publicKeyMultibase}`;
  return {alg, did, kid: `${did}#${publicKeyMultibase}`, publicJwk, privateJwk};
}

/** The public key that a DID URL names, as JWK. */
export async function keyOf(kid) {
  const {publicKeyMultibase, publicKeyJwk} = await resolve(kid);
  if(publicKeyJwk) {
    return publicKeyJwk;
  }
  const library = publicKeyMultibase.startsWith('z6Mk') ? Ed25519Multikey : EcdsaMultikey;
  return library.toJwk({keyPair: await library.from({id: kid, type: 'Multikey', publicKeyMultibase})});
}

/** `payload` as a token of this `typ`, signed by `key`. */
export async function sign(payload, key, typ, header = {}) {
  const jwt = new SignJWT(payload).setProtectedHeader({alg: key.alg, typ, kid: key.kid, ...header});
  return jwt.sign(await importJWK(key.privateJwk, key.alg));
}

/**
 * What a token says that has this `typ`, is signed with the key that it names, and by whom it says: `issuer` of a
 * credential, `holder` of a presentation. Throws otherwise.
 */
export async function verify(token, typ, options = {}) {
  const {kid} = decodeProtectedHeader(token);
  const jwk = await keyOf(kid);
  const alg = jwk.kty === 'OKP' ? 'EdDSA' : 'ES256';
  const {payload} = await jwtVerify(token, await importJWK(jwk, alg), {algorithms: [alg], typ, ...options});
  const signer = typ === 'vp+jwt' ? payload.holder : payload.issuer;
  if((signer.id ?? signer) !== kid.split('#')[0]) {
    throw new Error('it is not signed by whom it says');
  }
  return payload;
}

/** A presentation of credentials, which are tokens, by the holder of `key`. */
export function present(tokens, key, {challenge, domain}) {
  const presentation = {
    '@context': ['https://www.w3.org/ns/credentials/v2'],
    type: ['VerifiablePresentation'],
    holder: key.did,
    verifiableCredential: tokens.map(token => ({
      '@context': 'https://www.w3.org/ns/credentials/v2',
      id: `data:application/vc+jwt,${token}`,
      type: 'EnvelopedVerifiableCredential'
    })),
    iat: Math.floor(Date.now() / 1000), nonce: challenge, aud: domain
  };
  return sign(presentation, key, 'vp+jwt');
}

/** What the credentials say that a presentation shows, all of which are tokens. Throws when anything does not verify. */
export async function verifyPresentation(token, {challenge, domain}) {
  const {nonce, verifiableCredential} = await verify(token, 'vp+jwt', {audience: domain});
  if(nonce !== challenge) {
    throw new Error('it answers another challenge');
  }
  return Promise.all(verifiableCredential.map(({id}) => verify(id.replace('data:application/vc+jwt,', ''), 'vc+jwt')));
}
