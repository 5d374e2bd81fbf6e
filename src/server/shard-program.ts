/** The program of one shard: a node without SIP sockets, led by the front over a link. */

import type { Socket } from 'node:dgram';
import { Socket as StreamSocket } from 'node:net';
import { Calls } from '../cluster/calls.js';
import { frameKind } from '../cluster/frame.js';
import { shardAmong, shardDirectory } from '../cluster/layout.js';
import { Link } from '../cluster/link.js';
import { markedRandom } from '../cluster/marker.js';
import { linkStream, mediaStream } from '../cluster/shard-process.js';
import { settingsOf } from '../config.js';
import type { Settings } from '../config.js';
import type { Server } from '../server.js';
import type { LevelStore } from '../store/level.js';
import { systemClock, systemRandom } from '../system.js';
import { encodeRecord } from '../transport/msrp/link.js';
import type { MsrpAddresses, MsrpLink } from '../transport/msrp/link.js';
import { decodeArrival, encodeArrival, encodeDeparture } from '../transport/sip/link-codec.js';
import type { SipLink, SipLinkReceiver } from '../transport/sip/link.js';
import { SharedDatagrams } from '../transport/sip/shared-datagrams.js';
import type { SipAddress } from '../transport/sip/options.js';
import { afterOrphan } from './orphan.js';
import { createLog } from './log.js';
import { startNode } from './node.js';
import { openStore } from './open-store.js';
import { forwardedTraces } from './shard-trace.js';
import type { NodeServer } from './node.js';
import { operatorAnswers } from './operator-answers.js';

/** What the front tells a shard first. */
export interface Opening {
  readonly settings: unknown;
  readonly shard: number;
}

/** What it tells it when the sockets are open. */
export interface Greeting extends Opening {
  readonly shards: number;
  /** The SIP listeners of the front. */
  readonly addresses: readonly SipAddress[];
  /** The MSRP listeners of the front; absent: the shard has its own. */
  readonly msrp?: MsrpAddresses | undefined;
  readonly draining: boolean;
  /** Whether somebody sees what passes. */
  readonly traced: boolean;
}

/** What a shard tells the front when it is ready. */
export interface ShardReady {
  readonly msrp: Server['msrp'];
}

/** Bounds of what waits for the front. */
const bounds = { pendingOctets: 64 * 1024 * 1024, questions: 10_000, questionMs: 30_000 };

/** The store before it is served. */
let opened: LevelStore | undefined;
let running: { readonly server: NodeServer; readonly store: LevelStore } | undefined;
let receiver: SipLinkReceiver | undefined;
let receiveMsrp: ((kind: number, record: Buffer) => void) | undefined;

const link = new Link(new StreamSocket({ fd: linkStream }), {
  pendingOctets: bounds.pendingOctets,
  frame(kind, octets) {
    switch (kind) {
      case frameKind.arrival:
        receiver?.arrived(decodeArrival(octets));
        break;
      case frameKind.closed:
        receiver?.closed(octets.readUInt32LE(0));
        break;
      case frameKind.failed:
        receiver?.failed(octets.readUInt32LE(0));
        break;
      case frameKind.question:
        void calls.asked(octets);
        break;
      default:
        calls.answered(octets);
    }
  },
  // Nothing is served without the front; what was acknowledged is on disk.
  closed: () => process.exit(running ? 1 : 0),
});

const media = new Link(new StreamSocket({ fd: mediaStream }), {
  ...{ pendingOctets: Infinity, views: true },
  frame: (kind, octets) => receiveMsrp?.(kind, octets),
  closed: () => process.exit(running ? 1 : 0),
});

const calls = new Calls(
  {
    clock: systemClock,
    pending: bounds.questions,
    timeoutMs: bounds.questionMs,
    ask: (octets) => link.send(frameKind.question, [octets]),
    answer: (octets) => link.send(frameKind.answer, [octets]),
  },
  {
    open: (opening: Opening) => open(opening),
    start: (greeting: Greeting) => start(greeting),
    stop: (graceMs: number) => stop(graceMs),
    beat: () => counters(),
    latency: () => running?.store.commitLatency(),
    reload: (policy: Settings['policy']) => running?.server.reload({ policy }),
    drain: (draining: boolean) => running?.server.intake.drain(draining),
    rebuild: (account: string) => running?.server.rebuildMetadata(account),
    ...operatorAnswers(() => running),
  },
);

// The front hears of signals, and ends its shards in good order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const datagrams = new SharedDatagrams((socket, bytes, address, port) => {
  const peer = { transport: 'udp', address, port, names: [] } as const;
  link.offer(frameKind.stray, encodeArrival({ flow: socket + 1, ...peer, bytes }));
});
let handedOver = (): void => undefined;

// A socket reads from the moment it arrives, so they are asked for, and somebody is there.
process.on('message', ({ datagrams: index }: { readonly datagrams: number }, socket) => {
  datagrams.add(index, socket as Socket);
  handedOver();
});

async function open({ settings: given, shard }: Opening): Promise<void> {
  const settings = settingsOf(given);
  const directory = shardDirectory(settings.store.directory, shard);
  const located = { ...settings, store: { ...settings.store, directory } };
  const world = {
    clock: systemClock,
    log: createLog(settings.log.level, settings.log.linesPerSecond),
  };
  opened = await afterOrphan(() => openStore(located, world), world.clock);
}

async function start(greeting: Greeting): Promise<ShardReady> {
  const { shard, shards, addresses, draining } = greeting;
  await takeDatagrams();
  const settings = settingsOf(greeting.settings);
  const log = createLog(settings.log.level, settings.log.linesPerSecond);
  const store = opened!;
  // Numbers of messages are of the whole server.
  const reserve = (counter: string, count: number): Promise<number> =>
    calls.call('reserve', counter, count) as Promise<number>;
  const server = await startNode(settings, {
    log,
    store: { ...store, reserve },
    random: markedRandom(systemRandom, shard),
    link: sipLink(addresses),
    ...(greeting.msrp && { msrpLink: msrpLink(settings, greeting.msrp) }),
    ...(greeting.traced && forwardedTraces(tellTrace, greeting.msrp === undefined)),
    placement: { owns: (account) => shardAmong(account, shards) === shard },
    learnt: (account, uris, expiresMs) => {
      // Lost when the front is: it hears of them again at the next registration.
      calls.call('learn', account, uris, expiresMs).catch(() => undefined);
    },
  });
  server.intake.drain(draining);
  running = { server, store };
  return { msrp: server.msrp };
}

/** A front that is too slow for its trace misses some of it. */
function tellTrace(octets: Buffer): void {
  link.offer(frameKind.traced, [octets]);
}

function counters(): Record<string, number> {
  return { ...running?.server.counters(), 'cluster.residentBytes': process.memoryUsage.rss() };
}

async function takeDatagrams(): Promise<void> {
  const count = await calls.call('datagrams');
  await new Promise<void>((resolve) => {
    handedOver = () => {
      if (datagrams.size === count) resolve();
    };
    handedOver();
  });
}

async function stop(graceMs: number): Promise<void> {
  await running?.server.stop(graceMs);
  await opened?.close();
  running = undefined;
}

function sipLink(addresses: readonly SipAddress[]): SipLink {
  return {
    addresses,
    open: (to) => {
      receiver = to;
    },
    send: (departure) => link.offer(frameKind.departure, encodeDeparture(departure)),
    sendDatagram: (socket, bytes, address, port) => datagrams.send(socket, bytes, address, port),
  };
}

/** What may wait here is bounded by the windows of the streams. */
function msrpLink({ cluster }: Settings, addresses: MsrpAddresses): MsrpLink {
  const { msrpWindowOctets: windowOctets, msrpHeldOctets: heldOctets } = cluster;
  return {
    ...{ addresses, windowOctets, heldOctets },
    send: (kind, stream, ...parts) => media.send(kind, encodeRecord(stream, parts)),
    open: (receive) => {
      receiveMsrp = receive;
    },
  };
}
