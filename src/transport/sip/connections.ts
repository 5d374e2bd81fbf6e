/** Every connection of an endpoint: who is let in, and which one leads to an address. */

import type { Socket } from 'node:net';
import type { SipMessage } from '../../wire/sip/message.js';
import { streamCarrier } from './carrier.js';
import { Connection, type ConnectionContext } from './connection.js';
import { hostPort, type Flow, type Receiver, type SipCounters } from './flow.js';
import { invalidContactHost, invalidHost } from './invalid-host.js';
import type { SipSettings, StreamTransport } from './options.js';
import type { TimerWheel } from './timer-wheel.js';
import { provenDomains, type TlsIdentity } from './tls.js';

/** Names that one connection may have besides its address. */
const aliasesMax = 4;

export class Connections {
  readonly #settings: SipSettings;
  readonly #counters: SipCounters;
  readonly #context: ConnectionContext;
  readonly #identity: TlsIdentity;
  /** By transport, address at the other end, and domain of the certificate asked for. */
  readonly #open = new Map<string, Connection>();
  /** Accepted connections without a message so far, oldest first. */
  readonly #silent = new Set<Connection>();
  readonly #acceptedFrom = new Map<string, number>();
  /** Connections by the host in `.invalid` of those at the other end (RFC 7118 5). */
  readonly #byAlias = new Map<string, Connection>();
  readonly #aliases = new Map<Connection, Set<string>>();
  #closed = false;

  constructor(
    settings: SipSettings,
    counters: SipCounters,
    wheel: TimerWheel,
    identity: TlsIdentity,
    receiver: Receiver,
  ) {
    this.#settings = settings;
    this.#counters = counters;
    this.#identity = identity;
    this.#context = {
      ...{ settings, counters, wheel },
      receiver: {
        message: (message, flow, address, port) => {
          this.#learn(message, flow);
          receiver.message(message, flow, address, port);
        },
        malformed: receiver.malformed.bind(receiver),
      },
      spoke: (connection) => this.#silent.delete(connection),
      closed: (connection) => {
        this.#forget(connection);
        receiver.closed?.(connection);
      },
    };
  }

  get size(): number {
    return this.#open.size;
  }

  /** A peer has connected. Undefined: there is no room, and it is gone again. */
  accept(transport: StreamTransport, socket: Socket): Connection | undefined {
    const { limits } = this.#settings;
    const { remoteAddress: address, remotePort: port } = socket;
    // A peer that is gone again has no address.
    const count = address === undefined ? 0 : (this.#acceptedFrom.get(address) ?? 0);
    const isAdmitted = address !== undefined && port !== undefined && !this.#closed;
    if (!isAdmitted || count >= limits.connectionsPerPeer || !this.#makeRoom()) {
      this.#counters.connectionsRefused++;
      socket.on('error', () => socket.destroy());
      socket.destroy();
      return undefined;
    }
    this.#counters.connectionsAccepted++;
    this.#acceptedFrom.set(address, count + 1);
    const peer = { transport, address, port, accepted: true };
    const connection = new Connection(this.#context, peer, () => socket.destroy());
    socket.on('error', (error) => connection.failed(error));
    socket.on('close', () => connection.ended());
    this.#silent.add(connection);
    if (this.#silent.size > limits.silentConnections) this.#dropSilent();
    this.#open.set(keyOf(transport, address, port), connection);
    return connection;
  }

  /**
   * The flow to an address or host in `.invalid`; a connection is opened when there is none. `domain`
   * is the host of the URI, which the certificate of a TLS peer has to prove. Undefined: no way.
   */
  flowTo(
    transport: StreamTransport,
    address: string,
    port: number,
    domain = address,
  ): Connection | undefined {
    if (this.#closed) return undefined;
    const known =
      this.#byAlias.get(address.toLowerCase()) ?? this.#known(transport, address, port, domain);
    if (known || transport === 'ws' || transport === 'wss') return known;
    return invalidHost(address) ? undefined : this.#connect(transport, address, port, domain);
  }

  /** The connection of whoever calls itself by that host in `.invalid`. */
  aliased(host: string): Connection | undefined {
    return this.#byAlias.get(host.toLowerCase());
  }

  close(): void {
    this.#closed = true;
    for (const connection of [...this.#open.values()]) connection.close();
  }

  #known(
    transport: StreamTransport,
    address: string,
    port: number,
    domain: string,
  ): Connection | undefined {
    const accepted = this.#open.get(keyOf(transport, address, port));
    if (transport === 'tcp' || transport === 'ws') return accepted;
    const opened = this.#open.get(keyOf(transport, address, port, domain));
    if (opened) return opened;
    // A URI with a domain is for that domain only, one with an address for who has the address.
    return domain === address || accepted?.names.includes(domain.toLowerCase()) === true
      ? accepted
      : undefined;
  }

  #connect(
    transport: 'tcp' | 'tls',
    address: string,
    port: number,
    domain: string,
  ): Connection | undefined {
    if (!this.#makeRoom()) {
      this.#counters.connectionsRefused++;
      return undefined;
    }
    this.#counters.connectionsOpened++;
    const isSecure = transport === 'tls';
    const socket = isSecure
      ? this.#identity.connect(address, port, domain)
      : this.#settings.sockets.connect(address, port);
    const peer = {
      transport,
      address,
      port,
      accepted: false,
      domain: isSecure ? domain : undefined,
    };
    const connection = new Connection(this.#context, peer, () => socket.destroy());
    socket.setNoDelay(true);
    socket.on('error', (error: Error) => connection.failed(error));
    socket.on('close', () => connection.ended());
    socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      const names = 'authorized' in socket ? provenDomains(socket) : [];
      carryStream(connection, socket, this.#settings, names);
    });
    this.#open.set(keyOf(transport, address, port, peer.domain), connection);
    return connection;
  }

  /** When the table is full, one that has said nothing so far makes room. */
  #makeRoom(): boolean {
    if (this.#open.size < this.#settings.limits.connections) return true;
    return this.#dropSilent();
  }

  #dropSilent(): boolean {
    const [oldest] = this.#silent;
    oldest?.drop('SILENT');
    return oldest !== undefined;
  }

  /** A Contact with a host in `.invalid` says that requests to it come back on this connection. */
  #learn(message: SipMessage, flow: Flow): void {
    if (!(flow instanceof Connection) || !flow.accepted) return;
    const host = invalidContactHost(message);
    if (host === undefined) return;
    const before = this.#byAlias.get(host);
    // Only the host that had the name may move it, as after a change of its connection.
    if (before && before.address !== flow.address) return;
    if (before) this.#aliases.get(before)?.delete(host);
    const own = this.#aliases.get(flow) ?? new Set();
    if (own.size >= aliasesMax) return;
    own.add(host);
    this.#aliases.set(flow, own);
    this.#byAlias.set(host, flow);
  }

  #forget(connection: Connection): void {
    const { transport, address, port, domain, accepted } = connection;
    const key = keyOf(transport, address, port, domain);
    if (this.#open.get(key) === connection) this.#open.delete(key);
    this.#silent.delete(connection);
    for (const host of this.#aliases.get(connection) ?? []) this.#byAlias.delete(host);
    this.#aliases.delete(connection);
    if (!accepted) return;
    const count = this.#acceptedFrom.get(address) ?? 0;
    if (count <= 1) this.#acceptedFrom.delete(address);
    else this.#acceptedFrom.set(address, count - 1);
  }
}

/** Joins a stream that stands to its connection. */
export function carryStream(
  connection: Connection,
  socket: Socket,
  settings: SipSettings,
  names: readonly string[] = [],
): void {
  const local = hostPort(socket.localAddress ?? '', socket.localPort ?? 0);
  socket.on('data', (chunk: Buffer) => connection.receive(chunk));
  connection.open(streamCarrier(socket, local, settings), names);
}

function keyOf(transport: string, address: string, port: number, domain = ''): string {
  return `${transport} ${hostPort(address, port)} ${domain.toLowerCase()}`;
}
