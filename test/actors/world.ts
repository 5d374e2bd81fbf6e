/** A node on simulated ports whose answers a test can look at. */

import { createMemoryStore } from '../../src/store/memory.js';
import type { MemoryStore } from '../../src/store/memory.js';
import type { ActorsOptions, Bounds } from '../../src/actors/options.js';
import { createActors } from '../../src/actors/node.js';
import type { Actors } from '../../src/actors/node.js';
import type { SipOutgoing, StorePort } from '../../src/ports.js';
import { CountingRandom, ManualClock } from '../../src/testing/clock.js';
import { SimulatedMsrp, SimulatedSip, SimulatedXdms } from '../../src/testing/simulated-ports.js';
import type { PortCall } from '../../src/testing/simulated-ports.js';
import { limits } from '../flows/limits.js';

export interface Logged {
  readonly level: string;
  readonly message: string;
  readonly fields: object;
}

export interface World {
  readonly clock: ManualClock;
  readonly sip: SimulatedSip;
  readonly msrp: SimulatedMsrp;
  readonly xdms: SimulatedXdms;
  readonly store: MemoryStore;
  readonly actors: Actors;
  readonly calls: PortCall[];
  readonly logs: Logged[];
  /** A submission; returns its transaction. */
  message(to: string, more?: { readonly callId?: string; readonly headers?: string }): string;
  /** The status that answered a transaction. */
  status(transaction: string): number | undefined;
  header(transaction: string, name: string): string | undefined;
  requests(method: string): SipOutgoing[];
  settle(): Promise<void>;
  /** The process dies; the next one finds what is durable. */
  crash(more?: WorldOptions): Promise<World>;
}

export interface WorldOptions {
  readonly bounds?: Partial<Bounds>;
  readonly options?: Partial<ActorsOptions>;
  readonly store?: MemoryStore;
  readonly clock?: ManualClock;
  readonly xdms?: boolean;
  readonly wrap?: (store: StorePort) => StorePort;
  readonly sessionsMax?: number;
  /** The ports open when it has settled. */
  readonly opening?: () => Promise<void>;
}

export async function createWorld(made: WorldOptions = {}): Promise<World> {
  const clock = made.clock ?? new ManualClock();
  const store = made.store ?? createMemoryStore({ clock });
  const calls: PortCall[] = [];
  const logs: Logged[] = [];
  const watch = (call: PortCall): void => void calls.push(call);
  const sip = new SimulatedSip({ host: 'as1.example.net', watch });
  const sessions = made.sessionsMax === undefined ? {} : { sessionsMax: made.sessionsMax };
  const msrp = new SimulatedMsrp({ host: '192.0.2.20', watch, ...sessions });
  const xdms = new SimulatedXdms({ watch });
  const log = (level: string) => (fields: object, message: string) =>
    void logs.push({ level, message, fields });
  const actors = createActors({
    store: made.wrap?.(store) ?? store,
    ...{ sip, msrp, clock, limits },
    ...(made.xdms === true && { xdms }),
    random: new CountingRandom(),
    log: { debug: () => undefined, info: log('info'), warn: log('warn'), error: log('error') },
    hostname: 's07.example.net',
    domains: ['example.net'],
    trustedPeers: ['127.0.0.0/8'],
    version: '0.1',
    bounds: { nodeBlock: 64, accountBlock: 4, ...made.bounds },
    ...made.options,
  });
  await actors.start(async () => {
    await made.opening?.();
    await sip.start(actors.sipHandler);
    await msrp.start(actors.msrpHandler);
  });
  let number = 0;
  const answer = (transaction: string) => {
    for (const call of calls) {
      if (call.call === 'respond' && call.transaction === transaction) return call.answer;
    }
    return undefined;
  };
  return {
    ...{ clock, sip, msrp, xdms, store, actors, calls, logs },
    message: (to, more = {}) => sip.receive(messageTo(to, ++number, more)),
    status: (transaction) => answer(transaction)?.status,
    header: (transaction, name) =>
      answer(transaction)?.headers.find(([field]) => field === name)?.[1],
    requests: (method) =>
      calls.flatMap((call) =>
        call.call === 'request' && call.request.method === method ? [call.request] : [],
      ),
    settle,
    crash: async (more) => {
      const remains = store.crash();
      await actors.stop(0);
      await settle();
      return createWorld({ ...made, ...more, store: remains, clock });
    },
  };
}

/** Everything in this world takes only turns of the event loop. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export function messageTo(
  to: string,
  number: number,
  { callId = `c${number}`, headers = '' }: { readonly callId?: string; readonly headers?: string },
): string {
  return (
    `MESSAGE sip:${to}@example.net SIP/2.0\r\n` +
    `Via: SIP/2.0/TCP ua.example.net;branch=z9hG4bK${number}\r\n` +
    'Max-Forwards: 70\r\n' +
    'From: <sip:nia@example.net>;tag=n1a\r\n' +
    `To: <sip:${to}@example.net>\r\n` +
    `Call-ID: ${callId}@ua.example.net\r\n` +
    'CSeq: 1 MESSAGE\r\n' +
    headers +
    'Content-Type: text/plain\r\n' +
    'Content-Length: 2\r\n\r\nhi'
  );
}

export const registerTomas =
  'REGISTER sip:example.net SIP/2.0\r\n' +
  'Via: SIP/2.0/TCP ua.example.net;branch=z9hG4bKr\r\n' +
  'From: <sip:tomas@example.net>;tag=r\r\n' +
  'To: <sip:tomas@example.net>\r\n' +
  'Call-ID: r@ua.example.net\r\n' +
  'CSeq: 1 REGISTER\r\n' +
  'Contact: <sip:tomas@192.0.2.30>;+g.oma.sip-im\r\n' +
  'Expires: 3600\r\n' +
  'Content-Length: 0\r\n\r\n';

/** How many messages are stored for a user. */
export async function storedFor(world: World, user: string): Promise<number> {
  const rows = await world.store.scan(`${user}@example.net`, { kind: 'ua', limit: 1000 });
  return rows.length;
}

export const answerSdp = {
  headers: [['Content-Type', 'application/sdp']] as const,
  body: Buffer.from(
    [
      'v=0',
      'o=- 1 1 IN IP4 192.0.2.30',
      's=-',
      'c=IN IP4 192.0.2.30',
      't=0 0',
      'm=message 9 TCP/MSRP *',
      'a=recvonly',
      'a=setup:active',
      'a=accept-types:message/sipfrag',
      'a=accept-wrapped-types:*',
      'a=path:msrp://192.0.2.30:9/client;tcp',
      '',
    ].join('\r\n'),
  ),
};
