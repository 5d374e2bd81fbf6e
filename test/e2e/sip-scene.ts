/** A bare SIP peer before a real server: what goes over the wire is written and read as it is. */

import { setImmediate as immediate } from 'node:timers/promises';
import { expect } from 'vitest';
import type { ManualClock } from '../../src/testing/clock.js';
import { responseTo } from '../../src/testing/sip-peer.js';
import type { SipArrival, SipPeer } from '../../src/testing/sip-peer.js';
import type { HeaderField, SipRequest, SipResponse } from '../../src/wire/sip/message.js';
import { tagOf } from '../../src/wire/sip/name-addr.js';
import { serialiseRequest } from '../../src/wire/sip/serialise.js';
import { startWorld, type World } from './world.js';
import { openPeer } from './unrepeated-peer.js';

export { hostname } from './world.js';

export interface Sketch {
  readonly method: string;
  readonly uri: string;
  readonly headers?: readonly HeaderField[];
  readonly body?: string | Buffer;
  readonly branch?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly from?: string;
  readonly to?: string;
  /** Max-Forwards; undefined: there is none. */
  readonly hops?: number | undefined;
  /** Asserted identity, as name-addr; undefined: none. Tomas unless told otherwise. */
  readonly identity?: string | undefined;
}

/** A peer before a server, wherever that runs. */
export interface WireScene {
  readonly peer: SipPeer;
  send(sketch: Sketch): void;
  /** The next message that is no 100. */
  arrival(): Promise<SipArrival>;
  /** Sends and waits for the final response. */
  ask(sketch: Sketch): Promise<SipResponse>;
  request(): Promise<{ readonly request: SipRequest; readonly reply: SipArrival['reply'] }>;
}

export interface SipScene extends WireScene {
  readonly world: World;
}

const tomas = '<sip:tomas@example.org>';

/** Over UDP, so that nothing but the transaction answers for what is lost. */
export async function withServer(
  play: (scene: SipScene) => Promise<void>,
  ...settings: Parameters<typeof startWorld>
): Promise<void> {
  const world = await startWorld(...settings);
  const peer = await openPeer(settings[3]);
  const { port } = world.server.sip.find(({ transport }) => transport === 'udp')!;
  try {
    await play({ world, ...sceneAt(peer, port) });
  } finally {
    await peer.close();
    await world.end();
  }
}

/** What the peer says to the server at that UDP port of the loopback, and hears from it. */
export function sceneAt(peer: SipPeer, port: number): WireScene {
  let serial = 0;
  const send = (sketch: Sketch): void => {
    serial++;
    const { method, uri, headers = [], body, cseq = 1, from = `${tomas};tag=t` } = sketch;
    const hops = 'hops' in sketch ? sketch.hops : 70;
    const identity = 'identity' in sketch ? sketch.identity : tomas;
    const branch = sketch.branch ?? `b${serial}`;
    const fields: HeaderField[] = [
      ['Via', `SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK${branch}`],
      ...(hops === undefined ? [] : [['Max-Forwards', String(hops)] as const]),
      ['From', from],
      ['To', sketch.to ?? `<${uri}>`],
      ['Call-ID', sketch.callId ?? `call-${serial}`],
      ['CSeq', `${cseq} ${method}`],
      ...(identity === undefined ? [] : [['P-Asserted-Identity', identity] as const]),
      ...headers,
    ];
    const octets = body === undefined ? undefined : Buffer.from(body);
    const request = serialiseRequest({ method, uri, headers: fields, body: octets });
    peer.send({ transport: 'udp', address: '127.0.0.1', port }, request);
  };
  const arrival = async (): Promise<SipArrival> => {
    for (;;) {
      const arrived = await peer.arrivals.next();
      if (arrived.message.kind === 'request' || arrived.message.status > 100) return arrived;
    }
  };
  const ask = async (sketch: Sketch): Promise<SipResponse> => {
    send(sketch);
    const { message } = await arrival();
    if (message.kind !== 'response') throw new Error(`came ${message.method}`);
    expect(message.header('CSeq')).toContain(sketch.method);
    return message;
  };
  const request = async () => {
    const { message, reply } = await arrival();
    if (message.kind !== 'request') throw new Error(`came ${message.status}`);
    return { request: message, reply };
  };
  return { peer, send, arrival, ask, request };
}

/** No message has it: to ask for it anew changes nothing. */
const noSerial = 0;

/** Resolves when everything is durable that the account of tomas had been told by then. */
export async function caughtUp({ server }: World): Promise<void> {
  await server.accounts.requeue('tomas@example.org', noSerial);
  // Sockets have their turn as well.
  await immediate();
}

/** Looks in a row at which nobody had had a turn since the look before. */
const quietLooks = 3;

/** Resolves when the server has nothing to do at this time of its clock. */
export async function settled(world: World, clock?: ManualClock): Promise<void> {
  let turns = -Infinity;
  for (let quiet = 0; quiet < quietLooks;) {
    // Timers that fall due behind an answer of the store want the clock to be looked at again.
    clock?.advance(0);
    await caughtUp(world);
    const counters = await world.server.counted();
    const now = counters['actors.turns']!;
    // One turn is that of the look.
    quiet = now - turns <= 1 ? quiet + 1 : 0;
    turns = now;
  }
}

export function contactOf({ peer }: Pick<SipScene, 'peer'>): HeaderField {
  return ['Contact', `<sip:tomas@127.0.0.1:${peer.port}>;+g.oma.sip-im`];
}

/** A description of the peer; nobody listens at its path. */
export function description(more: {
  readonly direction?: string;
  readonly setup?: string;
  readonly path?: string;
  readonly proto?: string;
}): string {
  const { direction = 'recvonly', setup = 'active', proto = 'TCP/MSRP' } = more;
  const path = more.path ?? 'msrp://127.0.0.1:9/peer;tcp';
  return [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=message 9 ${proto} *`,
    `a=${direction}`,
    `a=setup:${setup}`,
    'a=accept-types:message/sipfrag message/cpim',
    'a=accept-wrapped-types:*',
    `a=path:${path}`,
    '',
  ].join('\r\n');
}

export const sdpType: HeaderField = ['Content-Type', 'application/sdp'];

/** Stores one message for tomas, so that there is something to fetch or to push. */
export async function store({ ask }: WireScene): Promise<void> {
  const uri = 'sip:tomas@example.org';
  const headers = [['Content-Type', 'text/plain']] as const;
  expect((await ask({ method: 'MESSAGE', uri, headers, body: 'hi' })).status).toBe(202);
}

/** A dialog as the peer sees it: who writes what into its requests. */
export interface Inside {
  readonly uri: string;
  readonly callId: string;
  readonly from: string;
  readonly to: string;
}

/** A retrieval that is accepted and acknowledged. */
export async function retrieval(
  scene: SipScene,
  headers: readonly HeaderField[] = [],
): Promise<{ readonly inside: Inside; readonly accepted: SipResponse }> {
  await store(scene);
  const callId = 'retrieval';
  const accepted = await scene.ask({
    method: 'INVITE',
    uri: 'sip:Deferred@store.example.org',
    callId,
    headers: [contactOf(scene), ['Accept-Contact', '*;+g.oma.sip-im'], sdpType, ...headers],
    body: description({}),
  });
  expect(accepted.status).toBe(200);
  const uri = /<([^>]+)>/.exec(accepted.header('Contact')!)![1]!;
  const inside = { uri, callId, from: `${tomas};tag=t`, to: accepted.header('To')! };
  scene.send({ method: 'ACK', ...inside });
  return { inside, accepted };
}

/** A push that the peer has accepted. */
export async function push(
  scene: SipScene,
  headers: readonly HeaderField[] = [],
): Promise<{ readonly inside: Inside; readonly invite: SipRequest }> {
  await store(scene);
  const uri = 'sip:example.org';
  const to = tomas;
  const contact = [contactOf(scene), ['Expires', '600']] as const;
  expect((await scene.ask({ method: 'REGISTER', uri, to, headers: contact })).status).toBe(200);
  const { request: invite, reply } = await scene.request();
  expect(invite.method).toBe('INVITE');
  const answer = responseTo(invite, 200, {
    tag: 'peer',
    headers: [contactOf(scene), sdpType, ...headers],
  });
  reply(Buffer.from(withBody(answer.toString('latin1'), description({}))));
  expect((await scene.request()).request.method).toBe('ACK');
  const target = /<([^>]+)>/.exec(invite.header('Contact')!)![1]!;
  const inside = {
    uri: target,
    callId: invite.header('Call-ID')!,
    from: `${invite.header('To')!};tag=peer`,
    to: invite.header('From')!,
  };
  expect(tagOf(inside.to)).toBeDefined();
  return { inside, invite };
}

function withBody(head: string, body: string): string {
  return head.replace(
    /Content-Length: 0\r\n\r\n$/,
    `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
}
