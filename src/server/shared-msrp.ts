/** MSRP of several shards behind one port: which process has a session, and the way there. */

import type { MediaAnswers, ShardProcess } from '../cluster/shard-process.js';
import { markOf } from '../cluster/marker.js';
import type { Settings } from '../config.js';
import { MsrpFront } from '../transport/msrp/front.js';
import { encodeRecord, msrpRecord } from '../transport/msrp/link.js';
import type { SessionsWay } from '../transport/msrp/shared-stream.js';
import { msrpOptions } from './transports.js';
import type { World } from './transports.js';

type ProcessOf = (shard: number) => ShardProcess | undefined;

/** The MSRP listeners of the front. */
export interface SharedMsrp extends Pick<
  MsrpFront,
  'start' | 'stop' | 'reloadCertificate' | 'addresses'
> {
  /** What a shard says. */
  answers(shard: number): MediaAnswers;
  counters(): Record<string, number>;
}

class ShardWay implements SessionsWay {
  wasSlow = false;
  readonly #process: ShardProcess;
  readonly #slowOctets: number;

  constructor(process: ShardProcess, slowOctets: number) {
    this.#process = process;
    this.#slowOctets = slowOctets;
  }

  get isUp(): boolean {
    return this.#process.media !== undefined;
  }

  get isSlow(): boolean {
    const isSlow = (this.#process.media?.waitingOctets ?? 0) > this.#slowOctets;
    this.wasSlow ||= isSlow;
    return isSlow;
  }

  send(kind: number, stream: number, ...parts: readonly Buffer[]): boolean {
    const { media } = this.#process;
    const record = encodeRecord(stream, parts);
    // What opens, closes and gives credit is short, and has to arrive.
    if (kind === msrpRecord.octets) return media?.offer(kind, record) === true;
    return media?.send(kind, record) === true;
  }
}

/** Throws MsrpError `MSRP_CERTIFICATE`. */
export function createSharedMsrp(
  settings: Settings,
  world: World,
  processOf: ProcessOf,
): SharedMsrp {
  const { msrpWindowOctets: windowOctets, msrpHeldOctets: heldOctets } = settings.cluster;
  const ways: ShardWay[] = [];
  const wayTo = (shard: number): ShardWay | undefined => {
    const process = processOf(shard);
    return process && (ways[shard] ??= new ShardWay(process, heldOctets / 2));
  };
  /** Ids of sessions begin with a mark of their shard. Any shard answers for what is nobody's. */
  const wayOf = (sessionId: string | undefined): SessionsWay | undefined => {
    const marked = sessionId === undefined ? undefined : markOf(sessionId);
    const own = marked === undefined ? undefined : wayTo(marked);
    if (own?.isUp === true) return own;
    for (let shard = 0; ; shard++) {
      const other = wayTo(shard);
      if (!other || other.isUp) return other;
    }
  };
  const front = new MsrpFront({
    ...{ ...world, ...msrpOptions(settings) },
    ...{ windowOctets, heldOctets, wayOf },
  });
  return {
    start: () => front.start(),
    stop: () => front.stop(),
    reloadCertificate: (certificate) => front.reloadCertificate(certificate),
    get addresses() {
      return front.addresses;
    },
    answers: (shard) => ({
      frame: (kind, octets) => front.received(kind, octets),
      drained: () => {
        const way = wayTo(shard)!;
        if (!way.wasSlow) return;
        way.wasSlow = false;
        front.drained(way);
      },
      lost: () => front.lost(wayTo(shard)!),
    }),
    counters: () => ({
      'cluster.msrpConnections': front.connections,
      'cluster.msrpHeld': front.heldOctets,
    }),
  };
}
