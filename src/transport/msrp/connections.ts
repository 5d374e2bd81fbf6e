/** The connections of an endpoint: listener, bounds, reuse (MSRP-13). */

import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { Connection } from './connection.js';
import type { ConnectionOwner, ConnectionSettings } from './connection.js';
import { MsrpError } from './options.js';

export interface Target {
  readonly host: string;
  readonly port: number;
}

export class Connections {
  readonly #owner: ConnectionOwner;
  readonly #settings: ConnectionSettings;
  readonly #all = new Set<Connection>();
  readonly #acceptedOf = new Map<string, number>();
  readonly #byTarget = new Map<string, Connection>();
  #server: Server | undefined;
  #address: { readonly address: string; readonly port: number } | undefined;

  constructor(owner: ConnectionOwner, settings: ConnectionSettings) {
    this.#owner = owner;
    this.#settings = settings;
  }

  /** Where it listens, or has listened. */
  get address(): { readonly address: string; readonly port: number } | undefined {
    return this.#address;
  }

  all(): Connection[] {
    return [...this.#all];
  }

  listen(host: string, port: number): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.on('error', (error: NodeJS.ErrnoException) => {
        const reason = error.code ?? error.name;
        if (!this.#address) reject(new MsrpError('MSRP_LISTEN', `cannot listen: ${reason}`));
        // Out of descriptors, for instance: those that are open go on.
        else this.#settings.log.error({ code: 'MSRP_ACCEPT', reason }, 'MSRP accept failed');
      });
      server.listen(port, host, () => {
        const { address, port: bound } = server.address() as AddressInfo;
        this.#address = { address, port: bound };
        resolve();
      });
    });
  }

  /** A usable connection to that target, opened if there is none; undefined at the bound. */
  open(target: Target): Connection | undefined {
    const key = `${target.host.toLowerCase()}:${target.port}`;
    const known = this.#byTarget.get(key);
    if (known?.isUsable) return known;
    if (this.#isFull()) return undefined;
    const socket = createConnection(target);
    const connection = new Connection(socket, this.#owner, this.#settings, key);
    this.#all.add(connection);
    this.#byTarget.set(key, connection);
    return connection;
  }

  /** The connection is closed. */
  forget(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    const { target, peer } = connection;
    if (target !== undefined) {
      if (this.#byTarget.get(target) === connection) this.#byTarget.delete(target);
      return;
    }
    const count = (this.#acceptedOf.get(peer) ?? 1) - 1;
    if (count === 0) this.#acceptedOf.delete(peer);
    else this.#acceptedOf.set(peer, count);
  }

  /** Accepts no further connection; resolves when those that are open are closed too. */
  stopListening(): Promise<void> {
    const server = this.#server;
    if (!server?.listening) return Promise.resolve();
    return new Promise((resolve) => {
      server.close(() => resolve());
    });
  }

  #accept(socket: Socket): void {
    const peer = socket.remoteAddress ?? '';
    const count = this.#acceptedOf.get(peer) ?? 0;
    if (this.#isFull() || count >= this.#settings.limits.connectionsPerPeer) {
      const code = 'MSRP_CONNECTIONS_FULL';
      this.#settings.log.warn({ code, peer }, 'MSRP connection not accepted');
      socket.on('error', () => {
        // The peer may reset what is being closed anyway.
      });
      socket.destroy();
      return;
    }
    this.#acceptedOf.set(peer, count + 1);
    this.#all.add(new Connection(socket, this.#owner, this.#settings));
  }

  #isFull(): boolean {
    return this.#all.size >= this.#settings.limits.connections;
  }
}
