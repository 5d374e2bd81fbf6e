/** A peer made of nothing but a socket and a parser: it sends whatever a test wants. */

import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Log } from '../../../src/ports.js';
import { systemClock, systemRandom } from '../../../src/system.js';
import { MsrpRecorder } from '../../../src/testing/msrp-recorder.js';
import { createMsrpEndpoint } from '../../../src/transport/msrp/endpoint.js';
import type { MsrpEndpoint, MsrpEndpointOptions } from '../../../src/transport/msrp/endpoint.js';
import type { MsrpHead, MsrpRequestHead } from '../../../src/wire/msrp/frame.js';
import { MsrpParser } from '../../../src/wire/msrp/parse.js';

export interface Frame {
  readonly head: MsrpHead;
  readonly flag: string;
  readonly body: Buffer;
}

export class RawPeer {
  readonly frames: Frame[] = [];
  readonly socket: Socket;
  isClosed = false;
  #waiting: (() => void)[] = [];
  #body: Buffer[] = [];
  #head: MsrpHead | undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    const parser = new MsrpParser({
      head: (head) => (this.#head = head),
      body: (bytes) => this.#body.push(Buffer.from(bytes)),
      end: (flag) => {
        this.frames.push({ head: this.#head!, flag, body: Buffer.concat(this.#body) });
        this.#body = [];
        this.#nudge();
      },
      fault: ({ error }) => {
        throw error;
      },
    });
    socket.on('data', (chunk: Buffer) => parser.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
      this.#nudge();
    });
  }

  /** Connects to an endpoint. */
  static async to(endpoint: MsrpEndpoint): Promise<RawPeer> {
    const socket = createConnection({ host: '127.0.0.1', port: endpoint.address.port });
    socket.setNoDelay(true);
    await once(socket, 'connect');
    return new RawPeer(socket);
  }

  write(text: string | Buffer): void {
    if (!this.socket.destroyed) this.socket.write(text);
  }

  async until(condition: (peer: this) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async closed(): Promise<void> {
    await this.until(() => this.isClosed);
  }

  /** The status of the response with that transaction id; undefined when the peer closes. */
  async status(id: string): Promise<number | undefined> {
    await this.until(() => this.isClosed || this.statusNow(id) !== undefined);
    return this.statusNow(id);
  }

  statusNow(id: string): number | undefined {
    for (const { head } of this.frames) {
      if (head.kind === 'response' && head.transactionId === id) return head.status;
    }
    return undefined;
  }

  /** The requests that have come, oldest first. */
  get requests(): (Frame & { readonly head: MsrpRequestHead })[] {
    return this.frames.flatMap((frame) =>
      frame.head.kind === 'request' ? [{ ...frame, head: frame.head }] : [],
    );
  }

  /** Resolves with the request number `index` (from 0). */
  async request(index: number): Promise<Frame & { readonly head: MsrpRequestHead }> {
    await this.until(() => this.requests.length > index);
    return this.requests[index]!;
  }

  /** Answers a request. */
  answer(head: MsrpRequestHead, status = 200): void {
    const { transactionId: id, fromPath, toPath } = head;
    const paths = `To-Path: ${fromPath[0]!}\r\nFrom-Path: ${toPath[0]!}\r\n`;
    this.write(`MSRP ${id} ${status} Answer\r\n${paths}-------${id}$\r\n`);
  }

  #nudge(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** A listener for the endpoint to connect to. */
export class RawListener {
  readonly #server: Server = createServer();
  readonly peers: RawPeer[] = [];
  #waiting: (() => void)[] = [];

  static async open(): Promise<RawListener> {
    const listener = new RawListener();
    listener.#server.on('connection', (socket) => {
      listener.peers.push(new RawPeer(socket));
      for (const resolve of listener.#waiting.splice(0)) resolve();
    });
    listener.#server.listen(0, '127.0.0.1');
    await once(listener.#server, 'listening');
    return listener;
  }

  uri(sessionId: string): string {
    const { port } = this.#server.address() as AddressInfo;
    return `msrp://127.0.0.1:${port}/${sessionId};tcp`;
  }

  /** The connection number `index` (from 0). */
  async peer(index = 0): Promise<RawPeer> {
    while (this.peers.length <= index) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.peers[index]!;
  }

  async close(): Promise<void> {
    for (const peer of this.peers) peer.socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export interface LogLine {
  readonly level: string;
  readonly code: unknown;
  readonly text: string;
}

/** A log that keeps its lines. */
export function recordingLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const add = (level: string) => (fields: object, message: string) => {
    const { code } = fields as { code?: unknown };
    lines.push({ level, code, text: `${JSON.stringify(fields)} ${message}` });
  };
  return {
    lines,
    ...{ debug: add('debug'), info: add('info') },
    warn: add('warn'),
    error: add('error'),
  };
}

export interface Running {
  readonly endpoint: MsrpEndpoint;
  readonly recorder: MsrpRecorder;
  readonly log: ReturnType<typeof recordingLog>;
}

/** Starts an endpoint on a free port of the loopback. */
export async function startEndpoint(options: Partial<MsrpEndpointOptions> = {}): Promise<Running> {
  const log = recordingLog();
  const recorder = new MsrpRecorder();
  const endpoint = createMsrpEndpoint({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    random: systemRandom,
    log,
    ...options,
  });
  await endpoint.start(recorder);
  return { endpoint, recorder, log };
}
