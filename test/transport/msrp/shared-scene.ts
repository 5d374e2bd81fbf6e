/** A front and the endpoints behind it in one process; what passes between them is in memory. */

import { once } from 'node:events';
import { createConnection } from 'node:net';
import { markOf, markedRandom } from '../../../src/cluster/marker.js';
import type { Clock, Trace } from '../../../src/ports.js';
import { systemClock, systemRandom } from '../../../src/system.js';
import { MsrpFront } from '../../../src/transport/msrp/front.js';
import { encodeRecord } from '../../../src/transport/msrp/link.js';
import type { MsrpEndpointOptions } from '../../../src/transport/msrp/options.js';
import type { SessionsWay } from '../../../src/transport/msrp/shared-stream.js';
import { RawPeer, recordingLog, startEndpoint } from './raw-peer.js';
import type { Running } from './raw-peer.js';

type Receive = (kind: number, record: Buffer) => void;

/** Octets in the order in which they were sent, in a turn of the event loop of their own. */
class Lane {
  receive: Receive | undefined;
  isHeld = false;
  octets = 0;
  readonly #records: [kind: number, record: Buffer][] = [];
  #isScheduled = false;

  put(kind: number, record: Buffer): void {
    this.#records.push([kind, record]);
    this.octets += record.length;
    this.#schedule();
  }

  release(): void {
    this.isHeld = false;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      while (!this.isHeld && this.#records.length > 0) {
        const [kind, record] = this.#records.shift()!;
        this.octets -= record.length;
        this.receive?.(kind, record);
      }
    });
  }
}

export class Shard implements SessionsWay {
  readonly there = new Lane();
  readonly back = new Lane();
  options!: Partial<MsrpEndpointOptions>;
  running!: Running;
  isUp = true;

  get isSlow(): boolean {
    return this.there.octets > 8_388_608;
  }

  send(kind: number, stream: number, ...parts: readonly Buffer[]): boolean {
    if (this.isUp) this.there.put(kind, Buffer.concat(encodeRecord(stream, parts)));
    return this.isUp;
  }
}

export interface SharedScene {
  readonly front: MsrpFront;
  readonly log: ReturnType<typeof recordingLog>;
  readonly shards: readonly Shard[];
  dial(): Promise<RawPeer>;
  /** As when its process is killed. */
  lose(shard: Shard): void;
}

interface Given {
  readonly options?: Partial<MsrpEndpointOptions>;
  readonly windowOctets?: number;
  readonly heldOctets?: number;
  readonly shards?: number;
  /** Without endpoints. */
  readonly isBare?: boolean;
  readonly clock?: Clock;
  readonly trace?: Trace;
}

export const defaultWindow = 131_072;

export async function startShared(given: Given = {}): Promise<SharedScene> {
  const { options = {}, windowOctets = defaultWindow, heldOctets = 2 ** 28 } = given;
  const log = recordingLog();
  const shards = Array.from({ length: given.shards ?? 2 }, () => new Shard());
  const common = { host: '127.0.0.1', port: 0, clock: given.clock ?? systemClock, ...options };
  const front = new MsrpFront({
    ...{ ...common, log, windowOctets, heldOctets },
    ...(given.trace && { trace: given.trace }),
    wayOf: (id) => {
      const own = id === undefined ? undefined : shards[markOf(id) ?? -1];
      return own?.isUp === true ? own : shards.find(({ isUp }) => isUp);
    },
  });
  await front.start();
  for (const [index, shard] of shards.entries()) {
    shard.back.receive = (kind, record) => front.received(kind, record);
    const link = {
      ...{ addresses: front.addresses!, windowOctets, heldOctets },
      send: (kind: number, stream: number, ...parts: readonly Buffer[]) => {
        if (shard.isUp) shard.back.put(kind, Buffer.concat(encodeRecord(stream, parts)));
        return shard.isUp;
      },
      open: (receive: Receive) => {
        shard.there.receive = receive;
      },
    };
    const random = markedRandom(systemRandom, index);
    shard.options = { ...common, random, link };
    if (given.isBare !== true) shard.running = await startEndpoint(shard.options);
  }
  return {
    ...{ front, log, shards },
    async dial() {
      const socket = createConnection({ host: '127.0.0.1', port: front.addresses!.plain.port });
      await once(socket, 'connect');
      return new RawPeer(socket);
    },
    lose(shard) {
      shard.isUp = false;
      shard.there.receive = undefined;
      shard.back.receive = undefined;
      front.lost(shard);
    },
  };
}

export async function stopShared({ front, shards }: SharedScene): Promise<void> {
  for (const shard of shards) shard.there.release();
  // A bare one has none.
  for (const { running } of shards) await (running as Running | undefined)?.endpoint.stop(0);
  await front.stop();
}

export const peerPath = 'msrp://127.0.0.1:9/peer;tcp';

/** A session of that shard which waits for the peer; its URI. */
export function waiting({ running: { endpoint } }: Shard, owner: string, path = peerPath): string {
  const uri = endpoint.reserve(owner);
  endpoint.connect(owner, { path: [path], active: false });
  return uri;
}

export function sendFrame(uri: string, id: string, body?: string, range?: string): string {
  const head = `MSRP ${id} SEND\r\nTo-Path: ${uri}\r\nFrom-Path: ${peerPath}\r\nMessage-ID: m-${id}\r\n`;
  if (body === undefined) return `${head}-------${id}$\r\n`;
  const byteRange = range ?? `1-${body.length}/${body.length}`;
  return `${head}Byte-Range: ${byteRange}\r\nContent-Type: text/plain\r\n\r\n${body}\r\n-------${id}$\r\n`;
}

/** Connects an endpoint of its own to a session of the shard. */
export async function bound(client: Running, { running }: Shard, owner: string): Promise<void> {
  const uri = running.endpoint.reserve(owner);
  running.endpoint.connect(owner, { path: [client.endpoint.reserve(owner)], active: false });
  client.endpoint.connect(owner, { path: [uri], active: true });
  await client.recorder.hears('connected', owner);
}

/** Of the event loop, for what is on its way in memory. */
export async function turns(count = 20): Promise<void> {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve));
}
