/** Who may connect: bounds of accepted and opened connections, counted at their TCP sockets. */

import type { Socket } from 'node:net';
import type { Log } from '../../ports.js';
import type { MsrpLimits } from './options.js';

/**
 * Counts a socket from the moment it was accepted, so that handshakes of TLS and WebSocket that
 * never end are bounded like connections.
 */
export class Admission {
  readonly #limits: MsrpLimits;
  readonly #log: Log;
  readonly #accepted = new Set<Socket>();
  readonly #acceptedOf = new Map<string, number>();
  #opened = 0;

  constructor(limits: MsrpLimits, log: Log) {
    this.#limits = limits;
    this.#log = log;
  }

  get isFull(): boolean {
    return this.#accepted.size + this.#opened >= this.#limits.connections;
  }

  /** Of connections that this side opened: +1 and, once closed, -1. */
  open(change: 1 | -1): void {
    this.#opened += change;
  }

  /** Counts an accepted socket in, or closes it. */
  admit(socket: Socket): boolean {
    const peer = socket.remoteAddress ?? '';
    const count = this.#acceptedOf.get(peer) ?? 0;
    if (this.isFull || count >= this.#limits.connectionsPerPeer) {
      const code = 'MSRP_CONNECTIONS_FULL';
      this.#log.warn({ code, peer }, 'MSRP connection not accepted');
      socket.on('error', () => {
        // The peer may reset what is being closed anyway.
      });
      socket.destroy();
      return false;
    }
    this.#accepted.add(socket);
    this.#acceptedOf.set(peer, count + 1);
    socket.once('close', () => this.#left(socket, peer));
    return true;
  }

  /** Closes what was accepted, connections and handshakes alike. */
  closeAll(): void {
    for (const socket of this.#accepted) socket.destroy();
  }

  #left(socket: Socket, peer: string): void {
    if (!this.#accepted.delete(socket)) return;
    const count = (this.#acceptedOf.get(peer) ?? 1) - 1;
    if (count === 0) this.#acceptedOf.delete(peer);
    else this.#acceptedOf.set(peer, count);
  }
}
