/** Somebody who sends octets that are no good, and the record of what the server sends. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Trace, TraceEntry } from '../../src/ports.js';
import type { Place } from './server.js';

/** Keeps the final responses a server sends, by Call-ID, and wakes who waits for one. */
export class Responses implements Trace {
  readonly #statuses = new Map<string, number>();
  #waiting: (() => void)[] = [];

  record({ protocol, direction, bytes }: TraceEntry): void {
    if (protocol !== 'sip' || direction !== 'out') return;
    // Not parsed: a 400 repeats what is wrong with the request.
    const text = bytes.toString('latin1');
    const status = Number(/^SIP\/2\.0 ([2-6]\d\d) /.exec(text)?.[1]);
    const callId = /^Call-ID: (.*)\r$/im.exec(text)?.[1];
    if (Number.isNaN(status) || callId === undefined) return;
    if (!this.#statuses.has(callId)) this.#statuses.set(callId, status);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Calls that got a final response so far. */
  get callIds(): ReadonlySet<string> {
    return new Set(this.#statuses.keys());
  }

  /** The first final status to a call that is neither in `before` nor of the good user. */
  since(before: ReadonlySet<string>): number | undefined {
    for (const [callId, status] of this.#statuses) {
      if (!before.has(callId) && !callId.startsWith('good-')) return status;
    }
    return undefined;
  }

  /** Resolves with it when there is one, or with undefined when `end` comes first. */
  async next(before: ReadonlySet<string>, end?: Promise<unknown>): Promise<number | undefined> {
    let isOver = false;
    void end?.then(() => {
      isOver = true;
      for (const resolve of this.#waiting.splice(0)) resolve();
    });
    while (this.since(before) === undefined && !isOver) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.since(before);
  }
}

export interface Attacker {
  /** What Via and Contact name. */
  readonly sentBy: string;
  /** Sends; over TCP on a connection of its own, whose end `closed` is. */
  send(bytes: Buffer): Promise<{ readonly closed?: Promise<unknown>; end(): void }>;
  close(): void;
}

export async function openAttacker(server: Place): Promise<Attacker> {
  return server.transport === 'udp' ? overUdp(server) : overTcp(server);
}

async function overUdp(server: Place): Promise<Attacker> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    sentBy: `127.0.0.1:${socket.address().port}`,
    async send(bytes) {
      await new Promise<void>((resolve, reject) =>
        socket.send(bytes, server.port, server.address, (error) =>
          error ? reject(error) : resolve(),
        ),
      );
      return { end: () => undefined };
    },
    close: () => socket.close(),
  };
}

function overTcp(server: Place): Attacker {
  const sockets = new Set<Socket>();
  return {
    sentBy: '127.0.0.1:9',
    async send(bytes) {
      const socket = connect(server.port, server.address);
      sockets.add(socket);
      const closed = new Promise((resolve) => socket.on('close', resolve));
      // A server may close before everything is written.
      socket.on('error', () => socket.destroy());
      socket.resume();
      await once(socket, 'connect');
      socket.write(bytes);
      return { closed, end: () => void socket.destroy() };
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
