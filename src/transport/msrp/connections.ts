/** The connections of an endpoint: listeners, bounds, reuse (MSRP-13). */

import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { CertificateFingerprint } from '../../wire/msrp/fingerprint.js';
import { Admission } from './admission.js';
import { acceptedTcp, openTcp } from './carrier.js';
import type { Carrier, Target } from './carrier.js';
import { Connection } from './connection.js';
import type { ConnectionOwner, ConnectionSettings } from './connection.js';
import { MsrpError } from './options.js';
import type { MsrpAddress } from './options.js';
import type { TlsIdentity } from './tls.js';

export class Connections {
  readonly #owner: ConnectionOwner;
  readonly #settings: ConnectionSettings;
  readonly #identity: TlsIdentity | undefined;
  readonly #admission: Admission;
  readonly #all = new Set<Connection>();
  readonly #byTarget = new Map<string, Connection>();
  readonly #servers: Server[] = [];

  constructor(
    owner: ConnectionOwner,
    settings: ConnectionSettings,
    identity: TlsIdentity | undefined,
  ) {
    this.#owner = owner;
    this.#settings = settings;
    this.#identity = identity;
    this.#admission = new Admission(settings.limits, settings.log);
  }

  all(): Connection[] {
    return [...this.#all];
  }

  /** Listens for `msrp`. */
  listen(host: string, port: number): Promise<MsrpAddress> {
    const server = this.#settings.sockets?.server() ?? createServer();
    server.on('connection', (socket) => {
      if (this.#admission.admit(socket)) this.#accept(acceptedTcp(socket));
    });
    return this.#listen(server, host, port);
  }

  /** Listens for `msrps`. */
  listenSecure(identity: TlsIdentity, host: string, port: number): Promise<MsrpAddress> {
    const { connectMs } = this.#settings.limits;
    const server = createTlsServer(identity.serverOptions(connectMs), (socket) => {
      this.#accept(identity.accepted(socket));
    });
    identity.keep(server);
    server.on('connection', (socket: Socket) => this.#admission.admit(socket));
    server.on('tlsClientError', (error, socket) => {
      const reason = (error as NodeJS.ErrnoException).code ?? error.name;
      this.#settings.log.debug({ code: 'MSRP_TLS', reason }, 'MSRP handshake failed');
      socket.destroy();
    });
    return this.#listen(server, host, port);
  }

  /** Listens for MSRP over WebSocket, secure with an identity. */
  async listenWebSocket(
    identity: TlsIdentity | undefined,
    host: string,
    port: number,
  ): Promise<MsrpAddress> {
    const { limits } = this.#settings;
    // Who has no such listener does not wait for what it is made of.
    const { createWebSocketListener } = await import('./websocket.js');
    const server = createWebSocketListener(identity, limits, (carrier) => this.#accept(carrier));
    server.on('connection', (socket: Socket) => this.#admission.admit(socket));
    return this.#listen(server, host, port);
  }

  /** A usable connection to that target, opened if there is none; undefined at the bound. */
  open(
    target: Target,
    fingerprints: readonly CertificateFingerprint[] = [],
  ): Connection | undefined {
    const { secure, host, port } = target;
    const key = `${secure ? 'tls' : 'tcp'}:${host.toLowerCase()}:${port}`;
    const known = this.#byTarget.get(key);
    // A certificate that did for one session need not do for the next.
    if (known?.isUsable && known.mayCarry(fingerprints)) return known;
    if (this.#admission.isFull) return undefined;
    if (secure && !this.#identity) return undefined;
    const carrier = secure
      ? this.#identity!.open(target, key)
      : openTcp(target, key, this.#settings.sockets);
    const connection = new Connection(carrier, this.#owner, this.#settings, fingerprints);
    this.#admission.open(1);
    this.#all.add(connection);
    this.#byTarget.set(key, connection);
    return connection;
  }

  /** The connection is closed. */
  forget(connection: Connection): void {
    if (!this.#all.delete(connection)) return;
    const { target } = connection;
    if (target === undefined) return;
    this.#admission.open(-1);
    if (this.#byTarget.get(target) === connection) this.#byTarget.delete(target);
  }

  /** Accepts no further connection; resolves when those that are open are closed too. */
  async stopListening(): Promise<void> {
    const open = this.#servers.filter((server) => server.listening);
    await Promise.all(
      open.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
  }

  /** Closes every connection, and every handshake that is under way. */
  closeAll(): void {
    for (const connection of this.all()) connection.close('closed');
    this.#admission.closeAll();
  }

  #listen(server: Server, host: string, port: number): Promise<MsrpAddress> {
    let isListening = false;
    return new Promise((resolve, reject) => {
      server.on('error', (error: NodeJS.ErrnoException) => {
        const reason = error.code ?? error.name;
        if (!isListening) reject(new MsrpError('MSRP_LISTEN', `cannot listen: ${reason}`));
        // Out of descriptors, for instance: those that are open go on.
        else this.#settings.log.error({ code: 'MSRP_ACCEPT', reason }, 'MSRP accept failed');
      });
      server.listen(port, host, () => {
        isListening = true;
        this.#servers.push(server);
        const { address, port: bound } = server.address() as AddressInfo;
        resolve({ address, port: bound });
      });
    });
  }

  #accept(carrier: Carrier): void {
    this.#all.add(new Connection(carrier, this.#owner, this.#settings));
  }
}
