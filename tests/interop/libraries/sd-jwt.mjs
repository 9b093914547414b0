// @sd-jwt/sd-jwt-vc: credentials whose claims are disclosed one by one. Digital Bazaar's libraries read keys from DIDs.
import {createPrivateKey, createPublicKey, sign, verify as verifySignature} from 'node:crypto';

import {digest, generateSalt} from '@sd-jwt/crypto-nodejs';
import {SDJwtVcInstance} from '@sd-jwt/sd-jwt-vc';
import {decodeProtectedHeader} from 'jose';

import {keyOf} from './jose.mjs';

/** What node calls the algorithms. */
const hashOf = ({kty}) => kty === 'OKP' ? null : 'sha256';

const signer = jwk => data => sign(
  hashOf(jwk), Buffer.from(data), {key: createPrivateKey({key: jwk, format: 'jwk'}), dsaEncoding: 'ieee-p1363'}
).toString('base64url');

const verifier = jwk => (data, signature) => verifySignature(
  hashOf(jwk), Buffer.from(data), {key: createPublicKey({key: jwk, format: 'jwk'}), dsaEncoding: 'ieee-p1363'},
  Buffer.from(signature, 'base64url'));

const now = () => Math.floor(Date.now() / 1000);
const HASHING = {hasher: digest, saltGenerator: generateSalt};

/** An SD-JWT VC of `claims`, of which `frame` says what can be withheld, signed by `key`. */
export function issue(claims, frame, key, {hashAlg = 'sha-256', header} = {}) {
  const library = new SDJwtVcInstance({...HASHING, hashAlg, signer: signer(key.privateJwk), signAlg: key.alg});
  return library.issue({iss: key.did, iat: now(), ...claims}, frame, {header: {kid: key.kid, ...header}});
}

/** The credential with what `frame` names, bound by its holder's `key` to who asked. */
export function present(credential, frame, key, {challenge, domain}) {
  const library = new SDJwtVcInstance({...HASHING, kbSigner: signer(key.privateJwk), kbSignAlg: key.alg});
  return library.present(credential, frame, {kb: {payload: {iat: now(), nonce: challenge, aud: domain}}});
}

/**
 * What the library says of a text: the claims that are disclosed, and those of the key binding, which it looks at when a
 * challenge is given. Throws when it does not verify, or its issuer has not signed it.
 */
export async function verify(text, {challenge, ...options} = {}) {
  const {kid} = decodeProtectedHeader(text.split('~')[0]);
  const library = new SDJwtVcInstance({
    ...HASHING, verifier: verifier(await keyOf(kid)),
    kbVerifier: (data, signature, {cnf: {jwk}}) => verifier(jwk)(data, signature)
  });
  const {payload, kb} = await library.verify(text, {keyBindingNonce: challenge, ...options});
  if(payload.iss !== kid.split('#')[0]) {
    throw new Error('it is not signed by whom it says');
  }
  return {claims: payload, binding: kb?.payload};
}
