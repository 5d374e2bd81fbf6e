/** Names of header fields: the ones that are recognised while a message is scanned. */

/** Position in KNOWN_NAMES; -1 is any other name. */
export type HeaderId = number;

export const VIA = 0;
export const FROM = 1;
export const TO = 2;
export const CALL_ID = 3;
export const CSEQ = 4;
export const CONTENT_LENGTH = 5;
export const MAX_FORWARDS = 6;
export const CONTENT_TYPE = 7;

const KNOWN_NAMES: readonly string[] = [
  'via',
  'from',
  'to',
  'call-id',
  'cseq',
  'content-length',
  'max-forwards',
  'content-type',
  'expires',
  'event',
  'date',
  'content-disposition',
  'contact',
  'route',
  'record-route',
  'path',
  'accept-contact',
  'p-asserted-identity',
  'privacy',
  'require',
  'supported',
  'subject',
  'accept',
  'content-encoding',
  'authorization',
  'proxy-authorization',
  'allow-events',
  'refer-to',
  'referred-by',
  'reject-contact',
  'request-disposition',
  'session-expires',
  'identity',
  'identity-info',
  'subscription-state',
  'user-agent',
  'allow',
];

/** The names below this position occur at most once in a message (RFC 3261 7.3.1), Via apart. */
const SINGLE_END = KNOWN_NAMES.indexOf('contact');

/** Bit of each id that stands at most once. */
export const SINGLE_MASK = ((1 << SINGLE_END) - 1) & ~(1 << VIA);
export const MANDATORY_MASK = (1 << VIA) | (1 << FROM) | (1 << TO) | (1 << CALL_ID) | (1 << CSEQ);

/** Compact forms of RFC 3261, 3515, 3841, 3892, 4028, 4474 and 6665. */
const COMPACT: ReadonlyMap<string, string> = new Map([
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['n', 'identity-info'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
  ['y', 'identity'],
]);

const ID_BY_NAME: ReadonlyMap<string, HeaderId> = new Map([
  ...KNOWN_NAMES.map((name, id) => [name, id] as const),
  ...[...COMPACT].map(([letter, name]) => [letter, KNOWN_NAMES.indexOf(name)] as const),
]);

const ID_BY_LETTER = Int8Array.from({ length: 128 }, (_, code) => {
  const name = COMPACT.get(String.fromCharCode(code | 0x20));
  return name !== undefined && /[A-Za-z]/.test(String.fromCharCode(code))
    ? KNOWN_NAMES.indexOf(name)
    : -1;
});

const NAME_OCTETS = KNOWN_NAMES.map((name) => Buffer.from(name, 'latin1'));
const SLOTS = slots();
const SLOT_MASK = SLOTS.length - 1;

/** Step of the hash of a name; case does not matter. Begin with 0. */
export function hashStep(hash: number, octet: number): number {
  return (Math.imul(hash, 31) + (octet | 0x20)) | 0;
}

/** The id of the name at these octets, `hash` being made of them. Compact forms count. */
export function idOfOctets(bytes: Buffer, start: number, end: number, hash: number): HeaderId {
  if (end - start === 1) return ID_BY_LETTER[bytes[start]! & 0x7f]!;
  const id = SLOTS[(hash ^ (hash >>> 8)) & SLOT_MASK]!;
  if (id < 0) return -1;
  const name = NAME_OCTETS[id]!;
  if (name.length !== end - start) return -1;
  for (let at = 0; at < name.length; at++) {
    if (name[at] !== lowerOctet(bytes[start + at]!)) return -1;
  }
  return id;
}

/** The id of a name in lower case, or -1. */
export function idOfName(lowerName: string): HeaderId {
  return ID_BY_NAME.get(lowerName) ?? -1;
}

/** A name as it is sought: its id and the name in lower case. */
export interface SoughtName {
  readonly id: HeaderId;
  readonly lower: string;
}

/** Names that have been sought: the code asks for some dozens, in few ways of writing. */
const sought = new Map<string, SoughtName>();
const soughtMax = 256;

export function soughtName(name: string): SoughtName {
  const before = sought.get(name);
  if (before !== undefined) return before;
  const lower = name.toLowerCase();
  const found = { id: idOfName(lower), lower };
  if (sought.size < soughtMax) sought.set(name, found);
  return found;
}

/** The long form of a name in lower case. */
export function longName(name: string): string {
  const lower = name.toLowerCase();
  return COMPACT.get(lower) ?? lower;
}

export function lowerOctet(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
}

/** A table in which no two known names share a slot, so that one probe decides. */
function slots(): Int8Array {
  for (let size = 64; size <= 65_536; size *= 2) {
    const table = new Int8Array(size).fill(-1);
    const clash = NAME_OCTETS.some((name, id) => {
      const hash = name.reduce(hashStep, 0);
      const slot = (hash ^ (hash >>> 8)) & (size - 1);
      const taken = table[slot] !== -1;
      table[slot] = id;
      return taken;
    });
    if (!clash) return table;
  }
  throw new Error('the hash of header names does not separate them');
}
