/** A peer with large messages: SIP written by hand, MSRP by the endpoint of the house. */

import { createHash } from 'node:crypto';
import type { Content, MsrpHandler, MsrpIncoming, MsrpSink, Owner } from '../../src/ports.js';
import { openSipPeer, Queue, responseTo } from '../../src/testing/sip-peer.js';
import type { SipArrival, SipPeer } from '../../src/testing/sip-peer.js';
import { systemClock, systemRandom } from '../../src/system.js';
import { createMsrpEndpoint } from '../../src/transport/msrp/endpoint.js';
import type { MsrpEndpoint } from '../../src/transport/msrp/endpoint.js';
import type { MsrpTlsOptions } from '../../src/transport/msrp/options.js';
import { msrpMedia, parseSdp } from '../../src/wire/sdp.js';
import type { HeaderField, SipRequest, SipResponse } from '../../src/wire/sip/message.js';
import { serialiseRequest } from '../../src/wire/sip/serialise.js';

/** What an MSRP session of the peer tells. */
export type MediaTold =
  | { readonly kind: 'connected' | 'lost' }
  | { readonly kind: 'sent' | 'reported'; readonly messageId: string; readonly status: number }
  | ({ readonly kind: 'received' } & ReceivedMessage);

export interface ReceivedMessage {
  readonly incoming: MsrpIncoming;
  readonly size: number;
  readonly sha256: string;
  /** The first octets, enough for the head of what is enclosed. */
  readonly head: Buffer;
  /** All octets, of a small message. */
  readonly body: Buffer;
  /** The last octets. */
  readonly tail: Buffer;
}

export interface Dialog {
  readonly response: SipResponse;
  readonly owner: Owner;
  /** Ends it; resolves with the status of the answer. */
  bye(headers?: readonly HeaderField[]): Promise<number>;
}

interface ServerWay {
  readonly sipPort: number;
  /** Its sessions are `msrps`, with this certificate and these authorities. */
  readonly tls?: MsrpTlsOptions;
}

/** What else an INVITE says. */
export interface InviteMore {
  readonly direction?: string;
  readonly acceptTypes?: string;
  /** Further lines of its SDP. */
  readonly sdp?: readonly string[];
  readonly from?: string;
  /** A URI that is not of the endpoint of the peer: whoever asks connects by himself. */
  readonly path?: string;
}

export const largeMessageTag: HeaderField = ['Accept-Contact', '*;+g.oma.sip-im.large-message'];

const sdpType: HeaderField = ['Content-Type', 'application/sdp'];
const keptMax = 262_144;
const edge = 4_096;

export class LargePeer {
  readonly user: string;
  readonly told = new Queue<MediaTold>();
  /** The messages that have begun to come in. */
  readonly begun: MsrpIncoming[] = [];
  readonly #sip: SipPeer;
  readonly #msrp: MsrpEndpoint;
  readonly #server: ServerWay;
  #number = 0;
  /** Octets of a message at which the peer breaks off, once. */
  breakAt = Infinity;

  private constructor(user: string, sip: SipPeer, msrp: MsrpEndpoint, server: ServerWay) {
    this.user = user;
    this.#sip = sip;
    this.#msrp = msrp;
    this.#server = server;
  }

  static async open(user: string, server: ServerWay, messageBytes = 2 ** 31): Promise<LargePeer> {
    const silent = () => undefined;
    const msrp = createMsrpEndpoint({
      host: '127.0.0.1',
      port: 0,
      clock: systemClock,
      random: systemRandom,
      log: { debug: silent, info: silent, warn: silent, error: silent },
      limits: { messageBytes },
      ...(server.tls && { tls: server.tls }),
    });
    const peer = new LargePeer(user, await openSipPeer('tcp'), msrp, server);
    await msrp.start(peer.#handler());
    return peer;
  }

  async close(): Promise<void> {
    await this.#msrp.stop(0);
    await this.#sip.close();
  }

  get uri(): string {
    return `sip:${this.user}@example.org`;
  }

  /** A URI at which requests of the server reach the peer itself. */
  get address(): string {
    return `sip:${this.user}@127.0.0.1:${this.#sip.port};transport=tcp`;
  }

  /** INVITE with a sendonly offer and the tag of large messages, unless told otherwise. */
  inviteToSend(
    to: string,
    headers: readonly HeaderField[] = [largeMessageTag],
    more: InviteMore = {},
  ): Promise<Dialog> {
    return this.#invite(`sip:${to}@example.org`, headers, {
      direction: 'sendonly',
      acceptTypes: 'message/cpim',
      ...more,
    });
  }

  /** INVITE to the Deferred Messaging Function for everything that is stored. */
  inviteToRetrieve(acceptTypes: string): Promise<Dialog> {
    const headers = [['Accept-Contact', '*;+g.oma.sip-im']] as const;
    return this.#invite('sip:Deferred@store.example.org', headers, {
      direction: 'recvonly',
      acceptTypes,
    });
  }

  async register(): Promise<SipResponse> {
    const headers = [this.#contact, ['Expires', '600']] as const;
    return this.ask('REGISTER', 'sip:example.org', headers, undefined, this.uri);
  }

  /** Waits for the INVITE of a push, takes it and connects; it is bound when that is told. */
  async takePush(acceptTypes = '*'): Promise<SipRequest> {
    const { message: invite, reply } = await this.arrival();
    if (invite.kind !== 'request' || invite.method !== 'INVITE') throw new Error('no INVITE');
    const owner = `session-${++this.#number}`;
    const described = this.#description(this.#msrp.reserve(owner), [
      ...['a=recvonly', `a=accept-types:${acceptTypes}`],
    ]);
    const headers = [this.#contact, sdpType] as const;
    reply(responseTo(invite, 200, { tag: this.user, headers, body: Buffer.from(described) }));
    this.#connect(owner, invite.body);
    const { message: ack } = await this.arrival();
    if (ack.kind !== 'request' || ack.method !== 'ACK') throw new Error('no ACK');
    return invite;
  }

  /** Sends nothing but a request. */
  async ask(
    method: string,
    uri: string,
    headers: readonly HeaderField[] = [],
    body?: Buffer,
    to?: string,
  ): Promise<SipResponse> {
    const callId = `call-${this.user}-${++this.#number}@${this.#sip.port}`;
    const addressed = to !== undefined && { to: `<${to}>` };
    return this.#ask({ method, uri, headers, callId, ...(body && { body }), ...addressed });
  }

  /** The next message of the server that is no 100. */
  async arrival(): Promise<SipArrival> {
    for (;;) {
      const arrived = await this.#sip.arrivals.next();
      if (arrived.message.kind === 'request' || arrived.message.status > 100) return arrived;
    }
  }

  /** Waits for a request of the server and answers 200. */
  async answer(method: string): Promise<SipRequest> {
    const { message, reply } = await this.arrival();
    if (message.kind !== 'request' || message.method !== method) {
      throw new Error(`expected ${method}, came:\n${message.bytes.toString('latin1')}`);
    }
    reply(responseTo(message, 200));
    return message;
  }

  async next<K extends MediaTold['kind']>(kind: K): Promise<Extract<MediaTold, { kind: K }>> {
    const told = await this.told.next();
    if (told.kind !== kind) throw new Error(`expected ${kind}, was told ${JSON.stringify(told)}`);
    return told as Extract<MediaTold, { kind: K }>;
  }

  /** Queues a message in the session; its end is told. */
  send(
    owner: Owner,
    messageId: string,
    content: Content,
    contentType = 'application/octet-stream',
  ): void {
    this.#msrp.send({
      ...{ session: owner, owner: `${owner} ${messageId}`, messageId, contentType, content },
      headers: [],
      successReport: true,
    });
  }

  /** The session ends here and now, whatever is under way: the server sees its connection close. */
  tear(owner: Owner): void {
    this.#msrp.release(owner);
  }

  async #invite(
    uri: string,
    headers: readonly HeaderField[],
    { direction = 'sendonly', acceptTypes = '*', sdp = [], from, path }: InviteMore,
  ): Promise<Dialog> {
    const number = ++this.#number;
    const owner = `session-${number}`;
    const described = path ?? this.#msrp.reserve(owner);
    const body = this.#description(described, [
      `a=${direction}`,
      `a=accept-types:${acceptTypes}`,
      ...sdp,
    ]);
    const callId = `call-${this.user}-${number}@${this.#sip.port}`;
    const response = await this.#ask({
      ...{ method: 'INVITE', uri, callId, body, ...(from !== undefined && { from }) },
      headers: [this.#contact, ...headers, sdpType],
    });
    if (response.status === 200) {
      const inside = this.#inside(response, callId);
      this.#write({ ...inside, method: 'ACK', headers: [] });
      if (path === undefined) this.#connect(owner, response.body);
    }
    const bye = async (more: readonly HeaderField[] = []): Promise<number> => {
      const ended = await this.#ask({
        ...this.#inside(response, callId),
        ...{ method: 'BYE', cseq: 2, headers: more },
      });
      return ended.status;
    };
    return { response, owner, bye };
  }

  get #contact(): HeaderField {
    return ['Contact', `<${this.address}>;+g.oma.sip-im`];
  }

  #description(path: string, lines: readonly string[]): string {
    const secure = path.startsWith('msrps');
    const { port } = (secure ? this.#msrp.secureAddress : undefined) ?? this.#msrp.address;
    return [
      'v=0',
      'o=- 1 1 IN IP4 127.0.0.1',
      's=-',
      'c=IN IP4 127.0.0.1',
      't=0 0',
      `m=message ${port} ${secure ? 'TCP/TLS/MSRP' : 'TCP/MSRP'} *`,
      ...['a=setup:active', 'a=accept-wrapped-types:*', ...lines, `a=path:${path}`],
      '',
    ].join('\r\n');
  }

  #connect(owner: Owner, described: Buffer): void {
    const { path } = msrpMedia(parseSdp(described))!;
    this.#msrp.connect(owner, { path, active: true });
  }

  #inside(response: SipResponse, callId: string) {
    const uri = /<([^>]+)>/.exec(response.header('Contact') ?? '')?.[1] ?? '';
    return { uri, callId, to: response.header('To')! };
  }

  async #ask(request: Request): Promise<SipResponse> {
    this.#write(request);
    const { message } = await this.arrival();
    if (message.kind === 'response') return message;
    throw new Error(`came ${message.bytes.toString('latin1')}`);
  }

  #write(request: Request): void {
    const { method, uri, callId, cseq = 1, to = `<${uri}>`, headers, body } = request;
    const { from = this.uri } = request;
    const fields: HeaderField[] = [
      ['Via', `SIP/2.0/TCP 127.0.0.1:${this.#sip.port};branch=z9hG4bK${systemRandom.token(12)}`],
      ['Max-Forwards', '70'],
      ['From', `<${from}>;tag=${this.user}`],
      ['To', to],
      ['Call-ID', callId],
      ['CSeq', `${cseq} ${method}`],
      ['P-Asserted-Identity', `<${this.uri}>`],
      ...headers,
    ];
    const octets = body === undefined ? undefined : Buffer.from(body);
    const bytes = serialiseRequest({ method, uri, headers: fields, body: octets });
    this.#sip.send({ transport: 'tcp', address: '127.0.0.1', port: this.#server.sipPort }, bytes);
  }

  #handler(): MsrpHandler {
    return {
      connected: () => this.told.push({ kind: 'connected' }),
      lost: () => this.told.push({ kind: 'lost' }),
      sent: (_owner, messageId, status) => this.told.push({ kind: 'sent', messageId, status }),
      reported: (_owner, messageId, status) =>
        this.told.push({ kind: 'reported', messageId, status }),
      receive: (owner, incoming) => this.#sink(owner, incoming),
    };
  }

  /** Hashes what comes in order; keeps its edges, and all of it while it is small. */
  #sink(owner: Owner, incoming: MsrpIncoming): MsrpSink {
    this.begun.push(incoming);
    const hash = createHash('sha256');
    let kept = Buffer.alloc(0);
    let head = Buffer.alloc(0);
    let tail = Buffer.alloc(0);
    return {
      write: (offset, bytes) => {
        if (offset + bytes.length > this.breakAt) {
          this.breakAt = Infinity;
          setImmediate(() => this.tear(owner));
        }
        hash.update(bytes);
        if (head.length < edge) head = Buffer.concat([head, bytes.subarray(0, edge)]);
        if (kept.length < keptMax) kept = Buffer.concat([kept, bytes]);
        tail = Buffer.concat([tail, bytes]).subarray(-edge);
      },
      complete: (size) => {
        const sha256 = hash.digest('hex');
        this.told.push({ kind: 'received', incoming, size, sha256, head, tail, body: kept });
        return 200;
      },
      abort: () => this.told.push({ kind: 'lost' }),
    };
  }
}

interface Request {
  readonly method: string;
  readonly uri: string;
  readonly callId: string;
  readonly cseq?: number;
  readonly to?: string;
  /** URI of From; its own without. */
  readonly from?: string;
  readonly headers: readonly HeaderField[];
  readonly body?: string | Buffer;
}

/** Octets that are the same for the same seed, made when they are read. */
export function generated(size: number, seed = 1): Content {
  return {
    size,
    read: (offset, length) => {
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)));
      for (let at = 0; at < bytes.length; at++) {
        const place = offset + at;
        bytes[at] = (place * 31 + (place >>> 8) * 17 + (place >>> 16) * seed) & 255;
      }
      return bytes;
    },
  };
}

/** The digest of a content, read in pieces. */
export async function sha256Of(content: Content): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < content.size; at += 65_536) hash.update(await content.read(at, 65_536));
  return hash.digest('hex');
}
