/** Gathers the header sets of one large message while its SENDs come in, within bounds (D-14). */

import type { MsrpChunk } from '../ports.js';
import type { RecordedHeaders } from '../wire/recorded-headers.js';
import type { HeaderField } from '../wire/sip/message.js';

/** Sets that are kept; those of an honest sender are one or two. */
const setsMax = 8;

/** S1 12.4.2.3 names the first ones; they are kept before all others. */
const foremost = [
  'from',
  'to',
  'p-asserted-identity',
  'subject',
  'date',
  'call-id',
  'cseq',
  'privacy',
];

const secret = new Set(['authorization', 'proxy-authorization']);

export class SendHeaders {
  readonly #sets = new Map<string, readonly HeaderField[]>();
  readonly #octetsMax: number;
  #octets = 0;
  #chunks = 0;
  #transactionId: string | undefined;

  constructor(octetsMax: number) {
    this.#octetsMax = octetsMax;
  }

  add({ transactionId, headers }: MsrpChunk): void {
    this.#chunks++;
    this.#transactionId = this.#chunks === 1 ? transactionId : undefined;
    if (this.#sets.size === setsMax) return;
    let key = '';
    for (const [name, value] of headers) {
      if (name.toLowerCase() !== 'byte-range') key += `${name}:${value}\n`;
    }
    if (this.#sets.has(key) || this.#octets + key.length > this.#octetsMax) return;
    this.#octets += key.length;
    this.#sets.set(key, headers);
  }

  sets(): Pick<RecordedHeaders, 'sends' | 'chunks' | 'transactionId'> {
    const sends = { sends: [...this.#sets.values()], chunks: this.#chunks };
    const transactionId = this.#transactionId;
    return transactionId === undefined ? sends : { ...sends, transactionId };
  }
}

/** Header fields to be kept: never credentials, the foremost first, as many as there is room for. */
export function keptFields(
  fields: readonly HeaderField[],
  octetsMax: number,
): readonly HeaderField[] {
  const kept = new Set<HeaderField>();
  let octets = 0;
  const keep = (field: HeaderField): void => {
    const size = field[0].length + field[1].length + 4;
    if (octets + size > octetsMax) return;
    octets += size;
    kept.add(field);
  };
  const rank = ([name]: HeaderField): boolean => foremost.includes(name.toLowerCase());
  for (const field of fields) if (rank(field)) keep(field);
  for (const field of fields) {
    if (!rank(field) && !secret.has(field[0].toLowerCase())) keep(field);
  }
  // In their order, whatever was chosen first.
  return fields.filter((field) => kept.has(field));
}
