// One change each to something that was signed before, in every form in which it can be signed. Nothing else differs.
//
// As a program, it prints the changes to what a file holds as a JSON list: node tampering.mjs FILE STRANGER
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';

/** A key that has nothing to do with what is changed. */
const STRANGERS_KEY = {kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'};

/** A text with one of its characters replaced by another of the same alphabet. */
const other = (text, at) => {
  const index = at < 0 ? text.length + at : at;
  return text.slice(0, index) + (text[index] === '2' ? '3' : '2') + text.slice(index + 1);
};
const earlier = seconds => seconds - 1000;
/** Changes the value that is disclosed under a name; false where none is. */
const disclosed = (disclosures, name, change) => {
  const found = disclosures.find(({value}) => value.at(-2) === name);
  if(found) {
    found.value[2] = change(found.value[2]);
  }
  return Boolean(found);
};

/**
 * The table. A row is tried on whatever has one of the parts that its functions are named after (see `open`), each of which
 * changes what it is given, or returns false where there is nothing to change; `stranger` is a DID that has nothing to do with
 * the rest.
 */
const TABLE = {
  // What is said.
  'the achievement’s name': {
    credential: c => { c.credentialSubject.achievement.name += ' II'; },
    disclosures: d => disclosed(d, 'name', name => `${name} II`)
  },
  'the level achieved': {
    credential: ({credentialSubject: {achievement, result}}) => {
      const [{rubricCriterionLevel: rubric}] = achievement.resultDescription;
      result[0].achievedLevel = rubric.find(({level}) => level === '5').id;
    },
    claims: c => { c.result[0].value = '5'; }
  },
  'the subject’s id': {
    credential: (c, stranger) => { c.credentialSubject.id = stranger; },
    disclosures: (d, stranger) => disclosed(d, 'sub', () => stranger)
  },
  'the issuer’s id': {
    credential: (c, stranger) => { c.issuer.id = stranger; },
    claims: (c, stranger) => { c.iss = stranger; }
  },
  'the end, later': {
    credential: c => { c.validUntil = '2099-01-01T00:00:00Z'; },
    claims: c => 'exp' in c && Boolean(c.exp += 1)
  },
  'the end, gone': {
    credential: c => 'validUntil' in c && delete c.validUntil,
    claims: c => 'exp' in c && delete c.exp
  },
  'the beginning, earlier': {
    credential: c => { c.validFrom = '2001-01-01T00:00:00Z'; },
    claims: c => 'nbf' in c && Boolean(c.nbf = earlier(c.nbf))
  },
  'a property more': {
    credential: c => { c.credentialSubject.achievement.humanCode = 'A1'; },
    claims: c => { c.achievement.humanCode = 'A1'; }
  },
  'the holder’s key': {claims: c => { c.cnf = {jwk: STRANGERS_KEY}; }},
  'the kind of credential': {claims: c => { c.vct += '0'; }},
  // What can be withheld.
  'a disclosure’s salt': {disclosures: ([{value}]) => { value[0] = other(value[0], 3); }},
  'a disclosure of something that was not signed': {
    disclosures: d => { d.push(part(encode(['AAAAAAAAAAAAAAAAAAAAAA', 'honours', true]))); }
  },
  'a disclosure twice': {disclosures: d => { d.push(d[0]); }},
  'a digest': {claims: c => { c._sd[0] = other(c._sd[0], 5); }},
  // Who shows it, to whom, when.
  'the presentation’s holder': {presentation: (p, stranger) => { p.holder = stranger; }},
  'the presentation’s credentials, gone': {presentation: p => { delete p.verifiableCredential; }},
  'the key binding’s time': {binding: b => { b.claims.value.iat = earlier(b.claims.value.iat); }},
  'the key binding’s nonce': {binding: b => { b.claims.value.nonce += '0'; }},
  'the key binding’s audience': {binding: b => { b.claims.value.aud += '0'; }},
  'the key binding’s hash': {binding: b => { b.claims.value.sd_hash = other(b.claims.value.sd_hash, 7); }},
  'the key binding’s signature': {binding: b => { b.signature = other(b.signature, 40); }},
  'a disclosure fewer than the holder bound': {bound: ({disclosures}) => { disclosures.pop(); }},
  // How it is signed.
  'the proof’s created': {proof: p => { p.created = '2026-01-02T03:04:05Z'; }},
  'the proof’s context, gone': {jcsProof: p => { delete p['@context']; }},
  'the proof’s purpose': {
    proof: p => { p.proofPurpose = p.proofPurpose === 'authentication' ? 'assertionMethod' : 'authentication'; }
  },
  'the proof’s suite': {
    proof: p => { p.cryptosuite = p.cryptosuite === 'eddsa-jcs-2022' ? 'eddsa-rdfc-2022' : 'eddsa-jcs-2022'; }
  },
  'the algorithm, none': {token: t => { t.header.value.alg = 'none'; t.signature = ''; }},
  'the algorithm, another': {token: ({header: {value}}) => { value.alg = value.alg === 'ES256' ? 'EdDSA' : 'ES256'; }},
  'the type of token': {token: t => { t.header.value.typ = 'at+jwt'; }},
  'no signature': {proof: p => { delete p.proofValue; }, token: t => { t.signature = ''; }},
  ...Object.fromEntries([1, 40, -2].map(at => [`character ${at} of the signature`, {
    proof: p => { p.proofValue = other(p.proofValue, at); },
    token: t => { t.signature = other(t.signature, at); }
  }]))
};

/** Every change of the table that can be made to `text`, each with its name: `[[name, text]]`. */
export function tampered(text, stranger) {
  assert.equal(open(text).close(), text);
  return Object.entries(TABLE).flatMap(([name, changes]) => {
    const {parts, close} = open(text);
    const fitting = Object.keys(changes).find(part => parts[part] !== undefined);
    if(!fitting || changes[fitting](parts[fitting], stranger) === false) {
      return [];
    }
    const changed = close();
    assert.notEqual(changed, text, `${name} changes nothing`);
    return [[name, changed]];
  });
}

/** The parts of what was signed, to be changed, and how to put it together again. */
function open(text) {
  if(text.startsWith('{')) {
    return openJson(text);
  }
  return text.includes('~') ? openSdJwt(text) : openToken(text);
}

function openJson(text) {
  const document = JSON.parse(text);
  const shows = 'verifiableCredential' in document || [document.type].flat().includes('VerifiablePresentation');
  const {proof} = document;
  const parts = {
    proof, jcsProof: proof.cryptosuite === 'eddsa-jcs-2022' ? proof : undefined,
    presentation: shows ? document : undefined,
    credential: shows ? [document.verifiableCredential].flat()[0] : document
  };
  const before = JSON.stringify(document);
  return {parts, close: () => JSON.stringify(document) === before ? text : JSON.stringify(document)};
}

function openToken(text) {
  const token = parse(text);
  const {value} = token.claims;
  const shows = [value.type].flat().includes('VerifiablePresentation');
  return {parts: {token, [shows ? 'presentation' : 'credential']: value}, close: () => `${token}`};
}

function openSdJwt(text) {
  const [first, ...rest] = text.split('~');
  const token = parse(first);
  const last = rest.pop();
  const binding = last ? parse(last) : undefined;
  const disclosures = rest.map(part);
  const parts = {token, claims: token.claims.value, disclosures, binding, bound: binding && {disclosures}};
  return {parts, close: () => [token, ...disclosures, binding ?? ''].join('~')};
}

function parse(text) {
  const [header, claims, signature] = text.split('.');
  return {
    header: part(header), claims: part(claims), signature,
    toString() {
      return [this.header, this.claims, this.signature].join('.');
    }
  };
}

/** JSON in base64url; written as it was read unless its value has changed. */
function part(text) {
  const value = JSON.parse(Buffer.from(text, 'base64url'));
  const before = JSON.stringify(value);
  return {value, toString: () => JSON.stringify(value) === before ? text : encode(value)};
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

if(process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , file, stranger] = process.argv;
  console.log(JSON.stringify(tampered(readFileSync(file, 'utf8').trim(), stranger)));
}
