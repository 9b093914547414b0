// Queries of verifiers (DCQL): dcql selects what our vectors say, and ours selects that too: `cargo test` holds it to them.
import assert from 'node:assert/strict';
import {readdirSync, readFileSync} from 'node:fs';
import {test} from 'node:test';

import {evaluate} from './libraries/dcql.mjs';

const FOLDER = new URL('../../protocol/vectors/dcql/', import.meta.url);
const vectors = readdirSync(FOLDER).filter(name => name.endsWith('.json')).map(
  name => [name.replace('.json', ''), JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'))]);

// Each with the section of OpenID for Verifiable Presentations 1.0 that ours follows.
const OTHERWISE = {
  'path-mixed': 'theirs pass over elements of the wrong kind (7.1.1: the whole path leads nowhere)',
  'unknown-properties': 'theirs know no authority of the candidate; ours leave authorities to the verifier (6.1.1)',
};
const ACCEPTED_BY_THEIRS = {
  'refused-claim-id-missing': 'a claim without id beside claim_sets (6.3)',
  'refused-claim-id-repeated': 'two claims with one id (6.3)',
  'refused-meta-list': 'meta that is no object (6.1)',
  'refused-no-meta': 'no meta (6.1)',
  'refused-option-empty': 'an empty option (6.2)',
  'refused-values-empty': 'empty values (6.3)',
  'refused-vct-empty': 'no vct at all (B.3.5)',
  'refused-claims-many': 'any number of claims (ours are bounded)',
  'refused-credentials-many': 'any number of credentials (ours are bounded)',
  'refused-path-long': 'paths of any length (ours are bounded)',
  'refused-values-many': 'any number of values (ours are bounded)',
};

/** The claims that these paths lead to, as the library gives them: lists have null where nothing is selected. */
function select(claims, paths) {
  const selected = {};
  for(const path of paths) {
    const steps = path.match(/[^.[\]]+/g).map((step, i) => i > 0 && /^\d+$/.test(step) ? Number(step) : step);
    let [from, to] = [claims, selected];
    steps.forEach((step, i) => {
      from = from[step];
      to[step] = i === steps.length - 1 ? from : to[step] ?? (typeof steps[i + 1] === 'number' ? [] : {});
      to = to[step];
    });
  }
  return JSON.parse(JSON.stringify(selected));
}

for(const [name, {description, query, candidates, expect, expect_error: error}] of vectors) {
  if(error) {
    const verdict = name in ACCEPTED_BY_THEIRS ? 'theirs accept' : 'both refuse';
    test(`${verdict}: ${ACCEPTED_BY_THEIRS[name] ?? description}`, () => {
      if(name in ACCEPTED_BY_THEIRS) {
        evaluate(query, []);
      } else {
        assert.throws(() => evaluate(query, []));
      }
    });
    continue;
  }

  const ours = expect.answers.map(({query, matches}) => [query, matches.map(
    ({candidate, disclose}) => ({candidate, claims: select(candidates[candidate].claims, disclose)}))]);

  test(`${name in OTHERWISE ? 'theirs select otherwise' : 'both select'}: ${OTHERWISE[name] ?? description}`, () => {
    const {satisfied, parts} = evaluate(query, candidates);
    const theirs = ours.map(([id]) => [id, parts[id]]);
    if(name in OTHERWISE) {
      assert.notDeepEqual([satisfied, theirs], [expect.satisfied, ours]);
      return;
    }
    assert.equal(satisfied, expect.satisfied);
    assert.deepEqual(theirs, ours);
    for(const id of Object.keys(expect.misses)) {
      assert.deepEqual(parts[id], []);
    }
  });
}
