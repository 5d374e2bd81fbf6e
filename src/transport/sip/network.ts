/** The sockets of an endpoint: listeners, connections, and the way to an address. */

import { lookup } from 'node:dns/promises';
import { connect, createServer, isIP, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { hostPort, type Flow, type Receiver, type SipCounters } from './flow.js';
import type { SipAddress, SipListener, SipSettings, SipTransport } from './options.js';
import { TcpConnection, type TcpContext } from './tcp.js';
import type { TimerWheel } from './timer-wheel.js';
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

export class Network {
  readonly addresses: SipAddress[] = [];
  readonly #settings: SipSettings;
  readonly #counters: SipCounters;
  readonly #context: TcpContext;
  readonly #udp: UdpFlow[] = [];
  readonly #servers: Server[] = [];
  /** Every open connection, by the address at its other end. */
  readonly #connections = new Map<string, TcpConnection>();
  readonly #acceptedFrom = new Map<string, number>();
  #closed = false;

  constructor(settings: SipSettings, counters: SipCounters, wheel: TimerWheel, receiver: Receiver) {
    this.#settings = settings;
    this.#counters = counters;
    this.#context = {
      settings,
      counters,
      wheel,
      receiver,
      closed: (connection) => this.#forget(connection),
    };
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Opens every listener or none. Rejects with SipListenError. */
  async open(): Promise<void> {
    for (const listener of this.#settings.listeners) {
      try {
        this.addresses.push(await this.#listen(listener));
      } catch (error) {
        await this.close();
        throw new SipListenError(listener, error as NodeJS.ErrnoException);
      }
    }
  }

  /** The transports by which a request can leave to that address. */
  reaches(transport: SipTransport, address: string): boolean {
    return transport === 'tcp' || this.#udpTo(address) !== undefined;
  }

  /** The flow to an address; a connection is opened when there is none. Undefined: there is none. */
  flowTo(transport: SipTransport, address: string, port: number): Flow | undefined {
    if (this.#closed || isIP(address) === 0 || port < 1 || port > 65_535) return undefined;
    if (transport === 'udp') return this.#udpTo(address);
    return this.#connections.get(hostPort(address, port)) ?? this.#connect(address, port);
  }

  /** Sends on the flow of the request or, when that is gone, to its source anew (18.2.2). */
  reply(flow: Flow, bytes: Buffer, address: string, port: number): void {
    const way = flow.isOpen ? flow : this.flowTo(flow.transport, address, port);
    if (way) way.send(bytes, address, port);
    else this.#counters.sendFailures++;
  }

  /** `host:port` under which answers to a request by that way reach us, for Via. */
  sentBy(transport: SipTransport, address: string): string {
    const family = isIP(address);
    const own =
      this.addresses.find((one) => one.transport === transport && isIP(one.address) === family) ??
      this.addresses.find((one) => one.transport === transport) ??
      this.addresses[0];
    return own ? this.publicAddress(own) : hostPort(this.#settings.advertised ?? address, 5060);
  }

  /** `host:port` of a listener as others see it. */
  publicAddress(own: SipAddress): string {
    return hostPort(this.#settings.advertised ?? reachableAddress(own.address), own.port);
  }

  /** Takes no new connections; datagrams and open connections go on. */
  stopListening(): void {
    for (const server of this.#servers) server.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const connection of [...this.#connections.values()]) connection.close();
    const closing = this.#servers.map((server) => closeServer(server));
    await Promise.all([...closing, ...this.#udp.map((flow) => flow.close())]);
  }

  async #listen(listener: SipListener): Promise<SipAddress> {
    const { address, family } = await lookup(listener.host);
    if (listener.transport === 'tcp') return this.#listenTcp(address, listener.port);
    const version = family === 6 ? 6 : 4;
    const { receiver } = this.#context;
    const flow = new UdpFlow(version, this.#settings, this.#counters, receiver);
    this.#udp.push(flow);
    return flow.open(address, listener.port);
  }

  #listenTcp(host: string, port: number): Promise<SipAddress> {
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, ipv6Only: isIP(host) === 6 }, () => {
        server.off('error', reject);
        server.on('error', (error: NodeJS.ErrnoException) => {
          this.#settings.log.warn({ code: error.code ?? 'SIP_TCP' }, 'TCP listener error');
        });
        const bound = server.address();
        if (bound === null || typeof bound === 'string') reject(new Error('no address'));
        else resolve({ transport: 'tcp', address: bound.address, port: bound.port });
      });
    });
  }

  #accept(socket: Socket): void {
    const { limits } = this.#settings;
    const { remoteAddress: address, remotePort: port } = socket;
    // A peer that is gone again has no address.
    const count = address === undefined ? 0 : (this.#acceptedFrom.get(address) ?? 0);
    const full = this.#connections.size >= limits.connections || count >= limits.connectionsPerPeer;
    if (address === undefined || port === undefined || full || this.#closed) {
      this.#counters.connectionsRefused++;
      socket.on('error', () => socket.destroy());
      socket.destroy();
      return;
    }
    this.#counters.connectionsAccepted++;
    this.#acceptedFrom.set(address, count + 1);
    this.#remember(new TcpConnection(this.#context, socket, { address, port, accepted: true }));
  }

  #connect(address: string, port: number): Flow | undefined {
    if (this.#connections.size >= this.#settings.limits.connections) {
      this.#counters.connectionsRefused++;
      return undefined;
    }
    this.#counters.connectionsOpened++;
    const socket = connect({ host: address, port, noDelay: true });
    const peer = { address, port, accepted: false };
    const connection = new TcpConnection(this.#context, socket, peer);
    this.#remember(connection);
    return connection;
  }

  #remember(connection: TcpConnection): void {
    this.#connections.set(hostPort(connection.address, connection.port), connection);
  }

  #forget(connection: TcpConnection): void {
    const key = hostPort(connection.address, connection.port);
    if (this.#connections.get(key) === connection) this.#connections.delete(key);
    if (!connection.accepted) return;
    const count = this.#acceptedFrom.get(connection.address) ?? 0;
    if (count <= 1) this.#acceptedFrom.delete(connection.address);
    else this.#acceptedFrom.set(connection.address, count - 1);
  }

  #udpTo(address: string): UdpFlow | undefined {
    const family = isIP(address);
    return this.#udp.find((flow) => flow.isOpen && isIP(flow.address.address) === family);
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) resolve();
    else server.close(() => resolve());
  });
}

/** A listener on all addresses is known by the first one that is not of the loop. */
function reachableAddress(address: string): string {
  const family = address === '0.0.0.0' ? 'IPv4' : address === '::' ? 'IPv6' : undefined;
  if (!family) return address;
  for (const found of Object.values(networkInterfaces()).flat()) {
    if (found && !found.internal && found.family === family && !found.address.startsWith('fe80')) {
      return found.address;
    }
  }
  return family === 'IPv4' ? '127.0.0.1' : '::1';
}
