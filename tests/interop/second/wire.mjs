// Bytes as protocol/spec/wire.md has them: read by cborg, and refused where the chapter refuses them.
import {decodeFirst, encode as write, rfc8949EncodeOptions} from 'cborg';

const DEPTH_MAX = 24;

/** Bytes or a value that the specification refuses, with the name that its vectors give the refusal. */
export class Refused extends Error {
  constructor(code, why) {
    super(`${code}: ${why}`);
    this.code = code;
  }
}

const READING = {
  strict: true, allowIndefinite: false, allowUndefined: false, allowInfinity: false, allowNaN: false, useMaps: true,
  rejectDuplicateMapKeys: true
};

/** The one encoding of a value. Maps are objects here; `undefined` is left out of them. */
export function encode(value) {
  return write(canonical(value), rfc8949EncodeOptions);
}

/** The value of canonical bytes, of at most `max`; maps as `Map`. */
export function decode(bytes, max) {
  if(bytes.length > max) {
    throw new Refused('too-long', `${bytes.length} bytes`);
  }
  let value;
  try {
    const [first, rest] = decodeFirst(bytes, READING);
    value = first;
    if(rest.length > 0) {
      throw new Error('bytes after the item');
    }
  } catch(error) {
    // Nesting that exhausts the library's stack is deeper than any that is allowed.
    throw new Refused('not-canonical', error.message);
  }
  walk(value, 0);
  // Lengths, integers and floats that are written otherwise, order of keys, and text that is not UTF-8.
  if(!equal(write(value, rfc8949EncodeOptions), bytes)) {
    throw new Refused('not-canonical', 'it would be written otherwise');
  }
  return value;
}

/** Refuses what is deeper than allowed, and floats. */
function walk(value, depth) {
  if(depth > DEPTH_MAX) {
    throw new Refused('not-canonical', 'nested too deeply');
  }
  if(typeof value === 'number' && !Number.isInteger(value)) {
    throw new Refused('not-canonical', 'a float');
  }
  const inside = value instanceof Map ? [...value].flat() : Array.isArray(value) ? value : [];
  inside.forEach(part => walk(part, depth + 1));
}

function canonical(value) {
  if(value instanceof Uint8Array || typeof value !== 'object' || value === null) {
    return value;
  }
  if(Array.isArray(value)) {
    return value.map(canonical);
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return new Map(entries.filter(([, part]) => part !== undefined).map(([key, part]) => [key, canonical(part)]));
}

/** Whether two byte strings are the same. */
export function equal(a, b) {
  return Buffer.compare(a, b) === 0;
}

/** An unsigned varint: seven bits a byte, the lowest first. */
export function varint(number) {
  const bytes = [];
  for(; number > 0x7f; number = Math.floor(number / 128)) {
    bytes.push(number % 128 | 0x80);
  }
  return Uint8Array.from([...bytes, number]);
}

/** A message as it stands on a stream: its length, then itself. */
export function framed(message) {
  return Buffer.concat([varint(message.length), message]);
}

/** The message that a whole stream holds. Throws when it holds anything else, or is longer than `max`. */
export function unframed(bytes, max) {
  const end = bytes.subarray(0, 3).findIndex(byte => byte < 0x80) + 1;
  const length = bytes.subarray(0, end).reduce((sum, byte, i) => sum + (byte & 0x7f) * 128 ** i, 0);
  if(end === 0 || length > max || bytes.length !== end + length) {
    throw new Refused('frame', `${bytes.length} bytes on the stream`);
  }
  return bytes.subarray(end);
}
