// Digital Bazaar's library for Bitstring Status Lists.
import {checkStatus, createCredential, createList, decodeList} from '@digitalbazaar/vc-bitstring-status-list';

import * as digitalbazaar from './digitalbazaar.mjs';

/** How many credentials a list has room for: the least that the standard allows. */
const LENGTH = 131_072;

/** A status list of which the bits at `indexes` are set, signed by `key`. */
export async function issue({id, statusPurpose, indexes}, key, suite) {
  const list = await createList({length: LENGTH});
  indexes.forEach(index => list.setStatus(index, true));
  const credential = await createCredential({id, list, statusPurpose});
  return digitalbazaar.issue({...credential, issuer: key.controller, validFrom: '2026-01-01T00:00:00Z'}, key, suite);
}

/** Whether a bit of a list is set. */
export async function bit({credentialSubject: {encodedList}}, index) {
  return (await decodeList({encodedList})).getStatus(index);
}

/**
 * What the library says of a credential, given status lists: whether it is verified, and for each purpose whether the bit
 * is set.
 */
export async function verify(credential, lists) {
  const {verified, why, status} = await digitalbazaar.verify(
    credential, {loader: digitalbazaar.loaderOf(lists), checkStatus});
  const bits = status?.results?.map(({credentialStatus, status}) => [credentialStatus.statusPurpose, status]);
  return {verified, why: why || status?.error?.message, bits: bits && Object.fromEntries(bits)};
}
