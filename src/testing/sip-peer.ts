/** A bare SIP peer on a loopback socket, and a handler that records what a SipPort tells. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Owner, Peer, SipHandler, SipReceived, TransactionId } from '../ports.js';
import type { HeaderField, SipMessage, SipRequest, SipResponse } from '../wire/sip/message.js';
import { parseSip } from '../wire/sip/parse.js';
import { serialiseRequest, serialiseResponse } from '../wire/sip/serialise.js';
import { SipStream } from '../wire/sip/stream.js';

export interface SipPlace {
  readonly transport: Peer['transport'];
  readonly address: string;
  readonly port: number;
}

/** A message that reached the peer, with the way back. */
export interface SipArrival {
  readonly message: SipMessage;
  reply(bytes: Buffer): void;
}

/** First in, first out, with waiting at the end. */
export class Queue<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  get length(): number {
    return this.#items.length;
  }

  push(item: T): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(item);
    else this.#items.push(item);
  }

  next(): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** Speaks SIP octet by octet: no transactions, no timers, nothing that a test did not ask for. */
export interface SipPeer extends SipPlace {
  readonly transport: 'udp' | 'tcp';
  readonly arrivals: Queue<SipArrival>;
  /** Sends to a place; over TCP on one connection to it. */
  send(to: SipPlace, bytes: Buffer): void;
  nextRequest(): Promise<SipRequest>;
  nextResponse(): Promise<SipResponse>;
  close(): Promise<void>;
}

/** Opens a peer on a free port. */
export async function openSipPeer(
  transport: 'udp' | 'tcp',
  address = '127.0.0.1',
): Promise<SipPeer> {
  const arrivals = new Queue<SipArrival>();
  const opened = await (transport === 'udp' ? openUdp : openTcp)(address, arrivals);
  const next = async (kind: string): Promise<SipMessage> => {
    const { message } = await arrivals.next();
    if (message.kind === kind) return message;
    throw new Error(`expected a ${kind}, came:\n${message.bytes.toString('latin1')}`);
  };
  return {
    transport,
    address,
    arrivals,
    ...opened,
    nextRequest: () => next('request') as Promise<SipRequest>,
    nextResponse: () => next('response') as Promise<SipResponse>,
  };
}

type Opened = Pick<SipPeer, 'port' | 'send' | 'close'>;

async function openUdp(address: string, arrivals: Queue<SipArrival>): Promise<Opened> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.on('message', (bytes, source) => {
    const reply = (answer: Buffer): void => socket.send(answer, source.port, source.address);
    arrivals.push({ message: parseSip(bytes), reply });
  });
  socket.bind(0, address);
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    send: (to, bytes) => socket.send(bytes, to.port, to.address),
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

async function openTcp(address: string, arrivals: Queue<SipArrival>): Promise<Opened> {
  const sockets = new Set<Socket>();
  const outgoing = new Map<string, Socket>();
  const watch = (socket: Socket): Socket => {
    const stream = new SipStream();
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      for (const event of stream.push(chunk)) {
        if (event.kind !== 'message') continue;
        arrivals.push({ message: event.message, reply: (answer) => void socket.write(answer) });
      }
    });
    return socket;
  };
  const server = createServer(watch);
  server.listen(0, address);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    send(to, bytes) {
      const key = `${to.address} ${to.port}`;
      const socket = outgoing.get(key) ?? watch(connect(to.port, to.address));
      outgoing.set(key, socket);
      socket.write(bytes);
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** What a test says of a request; the rest is filled in. */
export interface RequestSketch {
  readonly method: string;
  readonly branch: string;
  readonly cseq?: number;
  readonly callId?: string;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly headers?: readonly HeaderField[];
  readonly body?: Buffer;
}

/** The octets of a request of that peer. */
export function requestOf(peer: SipPlace, sketch: RequestSketch): Buffer {
  const { method, branch, cseq = 1, callId = 'call-1', fromTag = 'peer', toTag } = sketch;
  const host = peer.address.includes(':') ? `[${peer.address}]` : peer.address;
  const sentBy = `${host}:${peer.port}`;
  const transport = peer.transport.toUpperCase();
  const headers: HeaderField[] = [
    ['Via', `SIP/2.0/${transport} ${sentBy};branch=z9hG4bK${branch}`],
    ['Max-Forwards', '70'],
    ['From', `<sip:alice@example.com>;tag=${fromTag}`],
    ['To', `<sip:bob@example.org>${toTag === undefined ? '' : `;tag=${toTag}`}`],
    ['Call-ID', callId],
    ['CSeq', `${cseq} ${method}`],
  ];
  if (method === 'INVITE') {
    headers.push(['Contact', `<sip:alice@${sentBy};transport=${peer.transport}>`]);
  }
  headers.push(...(sketch.headers ?? []));
  const { body } = sketch;
  return serialiseRequest({ method, uri: 'sip:bob@example.org', headers, body });
}

/** The octets of the peer's answer to a request that reached it. */
export function responseTo(
  request: SipRequest,
  status: number,
  extra: {
    readonly tag?: string;
    readonly headers?: readonly HeaderField[];
    readonly body?: Buffer;
  } = {},
): Buffer {
  const headers: HeaderField[] = request.fields('Via').map((via) => ['Via', via]);
  const to = request.header('To')!;
  const tag = extra.tag === undefined || to.includes(';tag=') ? '' : `;tag=${extra.tag}`;
  headers.push(['From', request.header('From')!], ['To', `${to}${tag}`]);
  headers.push(['Call-ID', request.header('Call-ID')!], ['CSeq', request.header('CSeq')!]);
  headers.push(...(extra.headers ?? []));
  return serialiseResponse({ status, headers, ...(extra.body && { body: extra.body }) });
}

/** What a handler was told, as data. */
export type SipTold =
  | { readonly kind: 'request'; readonly received: SipReceived }
  | {
      readonly kind: 'response';
      readonly owner: Owner;
      readonly id: string;
      readonly response: SipResponse;
    }
  | {
      readonly kind: 'failure';
      readonly owner: Owner;
      readonly id: string;
      readonly cause: 'timeout' | 'transport';
    }
  | { readonly kind: 'cancelled'; readonly transaction: TransactionId }
  | { readonly kind: 'acknowledged'; readonly owner: Owner }
  | { readonly kind: 'unacknowledged'; readonly owner: Owner }
  | { readonly kind: 'expired'; readonly owner: Owner };

/** A handler that keeps what it is told, in order. */
export class RecordingHandler implements SipHandler {
  readonly told = new Queue<SipTold>();

  request(received: SipReceived): void {
    this.told.push({ kind: 'request', received });
  }

  response(owner: Owner, id: string, response: SipResponse): void {
    this.told.push({ kind: 'response', owner, id, response });
  }

  failure(owner: Owner, id: string, cause: 'timeout' | 'transport'): void {
    this.told.push({ kind: 'failure', owner, id, cause });
  }

  cancelled(transaction: TransactionId): void {
    this.told.push({ kind: 'cancelled', transaction });
  }

  acknowledged(owner: Owner): void {
    this.told.push({ kind: 'acknowledged', owner });
  }

  unacknowledged(owner: Owner): void {
    this.told.push({ kind: 'unacknowledged', owner });
  }

  expired(owner: Owner): void {
    this.told.push({ kind: 'expired', owner });
  }

  /** The next thing told, which must be of that kind. */
  async next<K extends SipTold['kind']>(kind: K): Promise<Extract<SipTold, { kind: K }>> {
    const told = await this.told.next();
    if (told.kind === kind) return told as Extract<SipTold, { kind: K }>;
    throw new Error(`expected ${kind}, was told ${told.kind}`);
  }
}
