/** Puts packets together of which the fragments came (RFC 791 3.2, RFC 8200 4.5). */

import type { Findings } from './conversation.js';
import type { Stamp } from './frame.js';
import type { Packet } from './internet.js';

const payloadMax = 65_535;
const partsMax = 256;
/** RFC 8200 4.5: a packet is given up after that time. */
const patienceMs = 60_000;

interface Gathering {
  readonly first: Packet;
  readonly since: Stamp;
  readonly parts: Map<number, Packet>;
  /** Octets of the parts. */
  bytes: number;
  /** Octets of the whole, once the last part has come. */
  total: number | undefined;
}

export class Fragments {
  readonly #findings: Findings;
  readonly #gatherings = new Map<string, Gathering>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** The packet, when this was what it still lacked. */
  take(packet: Packet, { number, at }: Stamp): Packet | undefined {
    const { source, target, protocol, fragment } = packet;
    if (fragment === undefined) return packet;
    const key = `${source} ${target} ${protocol} ${fragment.identification}`;
    this.#forget(at);
    let gathering = this.#gatherings.get(key);
    if (gathering === undefined) {
      gathering = {
        first: packet,
        since: { number, at },
        parts: new Map(),
        bytes: 0,
        total: undefined,
      };
      this.#gatherings.set(key, gathering);
    }
    if (!gather(gathering, packet)) return undefined;
    const whole = wholeOf(gathering);
    if (whole !== undefined) this.#gatherings.delete(key);
    return whole;
  }

  end(): void {
    for (const [key, { since }] of this.#gatherings) this.#drop(key, since);
  }

  #forget(at: number): void {
    for (const [key, { since }] of this.#gatherings) {
      const isFull = this.#gatherings.size >= this.#findings.limits.fragmentedPackets;
      if (!isFull && Math.abs(at - since.at) < patienceMs) return;
      this.#drop(key, since);
    }
  }

  #drop(key: string, { number }: Stamp): void {
    const { source, target } = this.#gatherings.get(key)!.first;
    const what = 'packets of which fragments are missing';
    this.#findings.messages.lose({ number, what, source, target });
    this.#gatherings.delete(key);
    this.#findings.remarks.count(what, number);
  }
}

/** Whether all of it may be there. */
function gather(gathering: Gathering, packet: Packet): boolean {
  const { offset, isLast } = packet.fragment!;
  const { parts } = gathering;
  const { payload } = packet;
  const end = offset + payload.length + packet.missing;
  // What came first counts, as a receiver has it.
  if (end > payloadMax || parts.has(offset) || parts.size >= partsMax) return false;
  // Copied: a view would keep much more of the file alive.
  parts.set(offset, { ...packet, payload: Buffer.from(payload) });
  gathering.bytes += end - offset;
  if (isLast) gathering.total ??= end;
  return gathering.total !== undefined && gathering.bytes >= gathering.total;
}

/** What is missing of a fragment is cut off with all that follows. */
function wholeOf({ parts, total, first }: Gathering): Packet | undefined {
  const pieces: Buffer[] = [];
  let end = 0;
  let isCut = false;
  for (const [offset, { payload, missing }] of [...parts].sort(([one], [other]) => one - other)) {
    if (offset > end) return undefined;
    const fresh = payload.subarray(Math.min(payload.length, end - offset));
    if (!isCut) pieces.push(fresh);
    isCut ||= missing > 0;
    end = Math.max(end, offset + payload.length + missing);
  }
  if (end < total!) return undefined;
  const payload = Buffer.concat(pieces).subarray(0, total);
  const { source, target, protocol } = first;
  return { source, target, protocol, payload, missing: total! - payload.length };
}
