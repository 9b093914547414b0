// dcql: which of a holder's credentials answer a verifier's query.
import {DcqlQuery} from 'dcql';

/**
 * What the library makes of a query: whether it can be answered, and of each part of it which of `candidates` match, by
 * their index, with the claims that are asked for. Throws when it is no query. `candidates` are as in
 * `protocol/vectors/dcql`.
 */
export function evaluate(query, candidates) {
  const parsed = DcqlQuery.parse(query);
  DcqlQuery.validate(parsed);
  const {can_be_satisfied: satisfied, credential_matches: matches} = DcqlQuery.query(parsed, candidates.map(credential));
  const parts = Object.entries(matches).map(([id, {success, valid_credentials: valid}]) => [id, success ?
    valid.map(({input_credential_index: candidate, claims}) => ({candidate, claims: selected(claims)})) : []]);
  return {satisfied, parts: Object.fromEntries(parts)};
}

/** The claims of the first claim set that is complete; lists have null where nothing is selected. */
function selected({valid_claim_sets: [{output}]}) {
  return JSON.parse(JSON.stringify(output));
}

function credential({format, types, bound, claims}) {
  const type = format === 'dc+sd-jwt' ? {vct: types[0]} : {type: types};
  return {credential_format: format, ...type, claims, cryptographic_holder_binding: bound};
}
