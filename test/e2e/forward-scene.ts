/** A server on loopback between a bare peer that sends and a bare peer that is the user's client. */

import { responseTo, type SipPeer } from '../../src/testing/sip-peer.js';
import type { HeaderField, SipRequest, SipResponse } from '../../src/wire/sip/message.js';
import { serialiseRequest } from '../../src/wire/sip/serialise.js';
import { bob, udpServerOf, withTwoPeers } from './two-peers.js';
import type { startWorld, World } from './world.js';

export interface ForwardScene {
  readonly world: World;
  readonly sender: SipPeer;
  /** The client of bob, or the S-CSCF before it. */
  readonly client: SipPeer;
  /** Sends octet by octet what is written; returns what was sent. */
  send(sketch: MessageSketch): Buffer;
  /** The next final response that the sender gets. */
  answer(): Promise<SipResponse>;
  /** The next request of that method at the client. */
  asked(method: string): Promise<SipRequest>;
  /** The client answers a request. */
  reply(request: SipRequest, status: number, headers?: readonly HeaderField[]): void;
  /** Registers a contact of bob at a peer; the client when absent. */
  register(more?: RegisterSketch): Promise<SipResponse>;
  /** Resolves when nothing is stored for bob any more, or that many messages. */
  stored(count: number): Promise<void>;
}

export interface MessageSketch {
  readonly headers?: readonly HeaderField[];
  readonly body?: Buffer;
  readonly callId?: string;
  readonly hops?: number | undefined;
  readonly branch?: string;
}

export interface RegisterSketch {
  readonly at?: { readonly port: number };
  readonly contact?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly from?: string;
  readonly expires?: number;
  readonly headers?: readonly HeaderField[];
}

export function withForward(
  play: (scene: ForwardScene) => Promise<void>,
  ...settings: Parameters<typeof startWorld>
): Promise<void> {
  return withTwoPeers((...between) => play(sceneOf(...between)), ...settings);
}

function sceneOf(world: World, sender: SipPeer, client: SipPeer): ForwardScene {
  const server = udpServerOf(world);
  let serial = 0;
  const via = (peer: SipPeer, branch = `f${++serial}`): HeaderField => {
    return ['Via', `SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK${branch}`];
  };
  return {
    ...{ world, sender, client },
    send(sketch) {
      const hops = 'hops' in sketch ? sketch.hops : 70;
      const headers: HeaderField[] = [
        via(sender, sketch.branch),
        ...(hops === undefined ? [] : [['Max-Forwards', String(hops)] as const]),
        ['From', '"Al" <sip:alice@example.org>;tag=a1'],
        ['To', `<${bob}>`],
        ['Call-ID', sketch.callId ?? `m${++serial}@alice`],
        ['CSeq', '7 MESSAGE'],
        ['P-Asserted-Identity', '<sip:alice@example.org>'],
        ...(sketch.headers ?? [['Content-Type', 'text/plain'] as const]),
      ];
      const { body = Buffer.from('hi') } = sketch;
      const bytes = serialiseRequest({ method: 'MESSAGE', uri: bob, headers, body });
      sender.send(server, bytes);
      return bytes;
    },
    answer: () => finalOf(sender),
    async asked(method) {
      for (;;) {
        const request = await client.nextRequest();
        if (request.method === method) return request;
      }
    },
    reply(request, status, headers = []) {
      client.send(server, responseTo(request, status, { tag: 'client', headers }));
    },
    async register(sketch = {}) {
      const { at = client, expires = 600, cseq = 1 } = sketch;
      const headers: HeaderField[] = [
        via(sender),
        ['Max-Forwards', '70'],
        ['From', `<${sketch.from ?? bob}>;tag=r1`],
        ['To', `<${bob}>`],
        ['Call-ID', sketch.callId ?? 'register'],
        ['CSeq', `${cseq} REGISTER`],
        ['Contact', sketch.contact ?? `<sip:bob@127.0.0.1:${at.port}>;+g.oma.sip-im`],
        ['Expires', String(expires)],
        ['P-Asserted-Identity', `<${bob}>`],
        ...(sketch.headers ?? []),
      ];
      const request = { method: 'REGISTER', uri: 'sip:example.org', headers, body: undefined };
      sender.send(server, serialiseRequest(request));
      return finalOf(sender);
    },
    async stored(count) {
      const watcher = await world.client('bob');
      for await (const state of watcher.watch()) {
        if (state.classes.reduce((sum, one) => sum + one.new, 0) === count) return;
      }
    },
  };
}

async function finalOf(peer: SipPeer): Promise<SipResponse> {
  for (;;) {
    const response = await peer.nextResponse();
    if (response.status >= 200) return response;
  }
}
