/** A server on loopback between a sender of large messages and clients of bob, all written by hand. */

import { responseTo, type SipPeer } from '../../src/testing/sip-peer.js';
import type { HeaderField, SipRequest, SipResponse } from '../../src/wire/sip/message.js';
import { serialiseRequest } from '../../src/wire/sip/serialise.js';
import { description } from './sip-scene.js';
import { bob, udpServerOf, withTwoPeers } from './two-peers.js';
import type { startWorld, World } from './world.js';

export const offer = description({ direction: 'sendonly', path: 'msrp://127.0.0.1:9/alice;tcp' });
export const answer = description({ direction: 'recvonly', path: 'msrp://127.0.0.1:9/bob;tcp' });
export const sdpType: HeaderField = ['Content-Type', 'application/sdp'];
const largeTag: HeaderField = ['Accept-Contact', '*;+g.oma.sip-im.large-message'];

/** What one of the two writes into a request. */
export interface Writing {
  readonly method: string;
  readonly uri?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly to?: string;
  readonly from?: string;
  readonly branch?: string;
  readonly hops?: number;
  readonly headers?: readonly HeaderField[];
  readonly body?: string;
}

/** Where requests inside a dialog go, and what they say of it. */
export type Inside = Pick<Writing, 'callId' | 'from' | 'to'> & { readonly uri: string };

export interface BridgeScene {
  readonly world: World;
  readonly sender: SipPeer;
  readonly client: SipPeer;
  write(peer: SipPeer, writing: Writing): void;
  /** INVITE of a large message. */
  invite(more?: Partial<Writing>): void;
  /** The next final response to the sender; what comes before it is passed over. */
  final(): Promise<SipResponse>;
  /** The next request at a peer, which must be of that method. */
  asked(peer: SipPeer, method: string): Promise<SipRequest>;
  reply(peer: SipPeer, request: SipRequest, status: number, more?: Replying): void;
  register(more?: { peer?: SipPeer; q?: number; callId?: string; user?: string }): Promise<void>;
  /** A session that both sides have acknowledged. */
  establish(): Promise<Established>;
  /** Serials stored for bob. */
  stored(): Promise<number>;
}

export interface Replying {
  readonly tag?: string;
  readonly headers?: readonly HeaderField[];
  readonly body?: string;
}

export interface Established {
  readonly invite: SipRequest;
  readonly accepted: SipResponse;
  /** The dialog of the sender, and that of the client. */
  readonly caller: Inside;
  readonly callee: Inside;
}

export function withBridge(
  play: (scene: BridgeScene) => Promise<void>,
  ...settings: Parameters<typeof startWorld>
): Promise<void> {
  return withTwoPeers((...between) => play(sceneOf(...between)), ...settings);
}

function sceneOf(world: World, sender: SipPeer, client: SipPeer): BridgeScene {
  const server = udpServerOf(world);
  let serial = 0;
  const write = (peer: SipPeer, writing: Writing): void => {
    const { method, uri = bob, cseq = 1, hops = 70, headers = [] } = writing;
    const fields: HeaderField[] = [
      ['Via', `SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK${writing.branch ?? ++serial}`],
      ['Max-Forwards', String(hops)],
      ['From', writing.from ?? '"Al" <sip:alice@example.org>;tag=a1'],
      ['To', writing.to ?? `<${bob}>`],
      ['Call-ID', writing.callId ?? `call-${serial}`],
      ['CSeq', `${cseq} ${method}`],
      ...headers,
    ];
    const body = writing.body === undefined ? undefined : Buffer.from(writing.body);
    peer.send(server, serialiseRequest({ method, uri, headers: fields, body }));
  };
  const invite = (more: Partial<Writing> = {}): void => {
    const headers: HeaderField[] = [
      ['Contact', `<sip:alice@127.0.0.1:${sender.port}>;+g.oma.sip-im;q=0.5`],
      ['P-Asserted-Identity', '<sip:alice@example.org>'],
      largeTag,
      sdpType,
      ...(more.headers ?? []),
    ];
    write(sender, { method: 'INVITE', callId: 'large', body: offer, ...more, headers });
  };
  const final = async (): Promise<SipResponse> => {
    for (;;) {
      const { message } = await sender.arrivals.next();
      if (message.kind === 'response' && message.status >= 200) return message;
    }
  };
  const asked = async (peer: SipPeer, method: string): Promise<SipRequest> => {
    for (;;) {
      const { message } = await peer.arrivals.next();
      if (message.kind === 'response' && message.status < 200) continue;
      if (message.kind === 'request' && message.method === method) return message;
      throw new Error(`expected ${method}, came:\n${message.bytes.toString('latin1')}`);
    }
  };
  const reply: BridgeScene['reply'] = (peer, request, status, more = {}) => {
    const { tag = 'client', headers = [], body } = more;
    const octets = body === undefined ? {} : { body: Buffer.from(body) };
    peer.send(server, responseTo(request, status, { tag, headers, ...octets }));
  };
  const scene: BridgeScene = {
    ...{ world, sender, client, write, invite, final, asked, reply },
    async register({ peer = client, q = 1, callId = 'register' } = {}) {
      const headers = [
        ['Contact', `<sip:bob@127.0.0.1:${peer.port}>;+g.oma.sip-im;q=${q}`],
        ['Expires', '600'],
        ['P-Asserted-Identity', `<${bob}>`],
      ] as const;
      write(sender, {
        ...{ method: 'REGISTER', uri: 'sip:example.org', from: `<${bob}>;tag=r`, callId, headers },
      });
      const { status } = await final();
      if (status !== 200) throw new Error(`registered with ${status}`);
    },
    establish: () => establish(scene),
    async stored() {
      const { accounts } = world.server;
      return (await accounts.histories('bob@example.org', { limit: 10 })).length;
    },
  };
  return scene;
}

/** What a client says with its 2xx. */
export function accepting({ client }: Pick<BridgeScene, 'client'>, peer = client): Replying {
  const contact = `<sip:bob@127.0.0.1:${peer.port}>;+g.oma.sip-im;video`;
  return { headers: [['Contact', contact], ['Server', 'Client/1'], sdpType], body: answer };
}

async function establish(scene: BridgeScene): Promise<Established> {
  const { invite: send, asked, reply, final, write, sender, client } = scene;
  send();
  const invite = await asked(client, 'INVITE');
  reply(client, invite, 200, accepting(scene));
  const accepted = await final();
  if (accepted.status !== 200) throw new Error(`came ${accepted.status}`);
  await asked(client, 'ACK');
  const caller = {
    ...{ uri: targetOf(accepted), callId: 'large' },
    ...{ from: accepted.header('From')!, to: accepted.header('To')! },
  };
  const callee = {
    ...{ uri: targetOf(invite), callId: invite.header('Call-ID')! },
    ...{ from: `${invite.header('To')!};tag=client`, to: invite.header('From')! },
  };
  write(sender, { method: 'ACK', ...caller });
  return { invite, accepted, caller, callee };
}

export function targetOf(message: SipRequest | SipResponse): string {
  return /<([^>]+)>/.exec(message.header('Contact')!)![1]!;
}

/** Resolves when no INVITE that was passed on is left. */
export async function gone(world: World): Promise<void> {
  while (world.server.counters()['actors.bridged'] !== 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
