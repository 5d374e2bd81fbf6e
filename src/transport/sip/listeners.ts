/** The listeners of an endpoint: UDP sockets, and servers whose connections are handed on. */

import { lookup } from 'node:dns/promises';
import { isIP, type Server, type Socket } from 'node:net';
import type { Server as HttpServer } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import type { Connection } from './connection.js';
import { carryStream, type Connections } from './connections.js';
import { hostPort, type Receiver, type SipCounters } from './flow.js';
import type { SipAddress, SipListener, SipSettings, StreamTransport } from './options.js';
import { provenDomains, SipTlsError, type TlsIdentity } from './tls.js';
import { UdpFlow } from './udp.js';

/** Cannot open what the options ask for. `code` is stable API. */
export class SipListenError extends Error {
  readonly code: string;

  constructor(listener: SipListener, cause: NodeJS.ErrnoException) {
    const where = `${listener.transport} ${hostPort(listener.host, listener.port)}`;
    super(`SIP_LISTEN: cannot listen on ${where}: ${cause.code ?? cause.message}`, { cause });
    this.name = 'SipListenError';
    this.code = 'SIP_LISTEN';
  }
}

/** What listeners need of the endpoint. */
export interface ListenersContext {
  readonly settings: SipSettings;
  readonly counters: SipCounters;
  readonly receiver: Receiver;
  readonly connections: Connections;
  readonly identity: TlsIdentity;
}

/** Another process may take the number for TCP that UDP was given. */
const pairAttempts = 10;

export class Listeners {
  readonly addresses: SipAddress[] = [];
  readonly udp: UdpFlow[] = [];
  readonly #context: ListenersContext;
  readonly #servers: Server[] = [];
  readonly #closing: Promise<void>[] = [];
  /** Those of a pair that is open. */
  readonly #early = new Map<SipListener, SipAddress>();

  constructor(context: ListenersContext) {
    this.#context = context;
  }

  /** Opens every listener or none. Rejects with SipListenError. */
  async open(): Promise<void> {
    for (const listener of this.#context.settings.listeners) {
      try {
        const bound = await this.#openFree(listener);
        const { advertised } = listener;
        this.addresses.push(advertised === undefined ? bound : { ...bound, advertised });
      } catch (error) {
        await this.close();
        throw new SipListenError(listener, error as NodeJS.ErrnoException);
      }
    }
  }

  /** Takes no new connections; datagrams go on. */
  stop(): void {
    for (const server of this.#servers.splice(0)) this.#closing.push(closeServer(server));
  }

  /** Resolves when every accepted connection has ended, too. */
  async close(): Promise<void> {
    this.stop();
    await Promise.all([...this.#closing, ...this.udp.map((flow) => flow.close())]);
  }

  /** With port 0, UDP and TCP of a host have the same number. */
  async #openFree(listener: SipListener): Promise<SipAddress> {
    const early = this.#early.get(listener);
    if (early) return early;
    const partner = this.#partnerOf(listener);
    return partner ? this.#openPair(listener, partner) : this.#listen(listener, listener.port);
  }

  #partnerOf({ transport, host, port }: SipListener): SipListener | undefined {
    if (port !== 0 || (transport !== 'udp' && transport !== 'tcp')) return undefined;
    const other = transport === 'udp' ? 'tcp' : 'udp';
    return this.#context.settings.listeners.find(
      (one) =>
        one.transport === other && one.host === host && one.port === 0 && !this.#early.has(one),
    );
  }

  /** Both at once: a number that was only tried out would be taken again by somebody else. */
  async #openPair(listener: SipListener, partner: SipListener): Promise<SipAddress> {
    for (let attempt = 1; ; attempt++) {
      const bound = await this.#listen(listener, 0);
      try {
        this.#early.set(partner, await this.#listen(partner, bound.port));
        this.#early.set(listener, bound);
        return bound;
      } catch (error) {
        const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
        if (!isTaken || attempt === pairAttempts) throw error;
        await this.#closeLast(listener.transport);
      }
    }
  }

  async #closeLast(transport: string): Promise<void> {
    if (transport === 'udp') await this.udp.pop()?.close();
    else {
      const server = this.#servers.pop();
      if (server) await closeServer(server);
    }
  }

  async #listen(listener: SipListener, port: number): Promise<SipAddress> {
    const { address, family } = await lookup(listener.host);
    const { settings, counters, receiver } = this.#context;
    if (listener.transport !== 'udp') return this.#serve(listener.transport, address, port);
    const flow = new UdpFlow(family === 6 ? 6 : 4, settings, counters, receiver);
    const bound = await flow.open(address, port);
    this.udp.push(flow);
    return bound;
  }

  async #serve(transport: StreamTransport, host: string, port: number): Promise<SipAddress> {
    const { settings, connections } = this.#context;
    const establish = await this.#establisher(transport);
    const server = settings.sockets.server();
    server.on('connection', (socket) => {
      const connection = connections.accept(transport, socket);
      if (connection) establish(socket, connection);
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, ipv6Only: isIP(host) === 6 }, () => {
        server.off('error', reject);
        server.on('error', (error: NodeJS.ErrnoException) => {
          settings.log.warn({ code: error.code ?? 'SIP_LISTENER', transport }, 'listener error');
        });
        const bound = server.address();
        if (bound === null || typeof bound === 'string') reject(new Error('no address'));
        else {
          this.#servers.push(server);
          resolve({ transport, address: bound.address, port: bound.port });
        }
      });
    });
  }

  /** The steps from a raw connection to one that carries SIP. */
  async #establisher(
    transport: StreamTransport,
  ): Promise<(socket: Socket, connection: Connection) => void> {
    const { settings } = this.#context;
    const plain = (connection: Connection, socket: Socket): void => {
      carryStream(connection, socket, settings, namesOf(socket));
    };
    if (transport === 'tcp') return (socket, connection) => plain(connection, socket);
    if (transport === 'tls') return this.#tls(plain);
    const webSocket = await this.#webSocket();
    if (transport === 'ws') return (socket, connection) => webSocket(connection, socket);
    return this.#tls(webSocket);
  }

  #tls(
    secured: (connection: Connection, socket: TLSSocket) => void,
  ): (socket: Socket, connection: Connection) => void {
    const { identity, settings } = this.#context;
    if (!identity.hasCertificate) throw new SipTlsError('a TLS listener needs a certificate');
    const server: TlsServer = identity.createServer(settings.limits.handshakeMs);
    const pending = new Map<string, Connection>();
    server.on('secureConnection', (socket) => {
      const connection = pending.get(ends(socket));
      socket.on('error', (error: Error) => connection?.failed(error));
      if (connection) secured(connection, socket);
      else socket.destroy();
    });
    server.on('tlsClientError', (error, socket) => {
      pending.get(ends(socket))?.failed(error);
      socket.destroy();
    });
    return (socket, connection) => {
      const key = ends(socket);
      pending.set(key, connection);
      socket.on('close', () => pending.delete(key));
      server.emit('connection', socket);
    };
  }

  async #webSocket(): Promise<(connection: Connection, socket: Socket) => void> {
    const { settings } = this.#context;
    // Who has no such listener does not wait for what it is made of.
    const { createWebSocketServer, webSocketCarrier } = await import('./websocket.js');
    const pending = new WeakMap<Duplex, { connection: Connection; socket: Socket }>();
    const server: HttpServer = createWebSocketServer(settings.limits, (stream, webSocket) => {
      const found = pending.get(stream);
      if (!found) {
        webSocket.terminate();
        return;
      }
      const { connection, socket } = found;
      webSocket.on('error', (error) => connection.failed(error));
      webSocket.on('message', (data) => connection.receive(data as Buffer));
      const local = hostPort(socket.localAddress ?? '', socket.localPort ?? 0);
      const carrier = webSocketCarrier(webSocket, socket, local, settings);
      connection.open(carrier, namesOf(socket));
    });
    return (connection, socket) => {
      pending.set(socket, { connection, socket });
      socket.on('error', (error) => connection.failed(error));
      server.emit('connection', socket);
    };
  }
}

function namesOf(socket: Socket): readonly string[] {
  return 'authorized' in socket ? provenDomains(socket as TLSSocket) : [];
}

/** One listener has one connection from an address and port at a time. */
function ends(socket: Socket): string {
  return hostPort(socket.remoteAddress ?? '', socket.remotePort ?? 0);
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) resolve();
    else server.close(() => resolve());
  });
}
