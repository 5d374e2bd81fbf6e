/** The sockets of an endpoint, and the way to an address. */

import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { Connections } from './connections.js';
import { hostPort, type Flow, type Receiver, type SipCounters } from './flow.js';
import { LinkedFlows } from './linked-flows.js';
import { Listeners } from './listeners.js';
import type { SipAddress, SipSettings, SipTransport } from './options.js';
import { invalidHost } from './invalid-host.js';
import type { TimerWheel } from './timer-wheel.js';
import { TlsIdentity, type SipTlsOptions } from './tls.js';
import type { UdpFlow } from './udp.js';

export { SipListenError } from './listeners.js';

export class Network {
  readonly #settings: SipSettings;
  readonly #counters: SipCounters;
  readonly #identity: TlsIdentity;
  readonly #connections: Connections | LinkedFlows;
  readonly #listeners: Listeners | LinkedFlows;
  /** Our name where nobody can connect to us. */
  readonly #invalidHost: string;
  #closed = false;

  /** Throws SipTlsError. */
  constructor(settings: SipSettings, counters: SipCounters, wheel: TimerWheel, receiver: Receiver) {
    this.#settings = settings;
    this.#counters = counters;
    this.#invalidHost = `${settings.random.token(12).toLowerCase()}.invalid`;
    const identity = new TlsIdentity(settings.tls ?? {});
    this.#identity = identity;
    if (settings.link) {
      const linked = new LinkedFlows(settings, settings.link, counters, receiver);
      this.#connections = linked;
      this.#listeners = linked;
      return;
    }
    const connections = new Connections(settings, counters, wheel, identity, receiver);
    this.#connections = connections;
    this.#listeners = new Listeners({ settings, counters, receiver, connections, identity });
  }

  /** The open listeners, in the order of the options. */
  get addresses(): readonly SipAddress[] {
    return this.#listeners.addresses;
  }

  /** The UDP sockets that are here, in the order of the options. */
  get datagrams(): readonly UdpFlow[] {
    return this.#listeners instanceof Listeners ? this.#listeners.udp : [];
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Opens every listener or none. Rejects with SipListenError. */
  open(): Promise<void> {
    return this.#listeners.open();
  }

  /** New connections get these certificates. Throws SipTlsError, and keeps the former ones. */
  reloadTls(options: SipTlsOptions): void {
    this.#identity.reload(options);
  }

  /** Whether a request can leave by that transport to that address. */
  reaches(transport: SipTransport, address: string): boolean {
    return transport !== 'udp' || this.#udpTo(address) !== undefined;
  }

  /** The connection of whoever calls itself by that host in `.invalid` (RFC 7118 5). */
  aliased(host: string): Flow | undefined {
    return this.#connections.aliased(host);
  }

  /**
   * The flow to an address; a connection is opened when there is none. `domain` is the host of the
   * URI that led here, which a certificate has to prove. Undefined: there is none.
   */
  flowTo(
    transport: SipTransport,
    address: string,
    port: number,
    domain?: string,
  ): Flow | undefined {
    if (this.#closed || port < 1 || port > 65_535) return undefined;
    if (isIP(address) === 0 && invalidHost(address) === undefined) return undefined;
    if (transport === 'udp') return this.#udpTo(address);
    return this.#connections.flowTo(transport, address, port, domain);
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
    const fitting = this.addresses.filter((one) => one.transport === transport);
    const own = fitting.find((one) => isIP(one.address) === family) ?? fitting[0];
    if (own) return this.publicAddress(own);
    if (transport !== 'udp' && transport !== 'tcp') return this.#invalidHost;
    const any = this.addresses[0];
    return any ? this.publicAddress(any) : hostPort(this.#settings.advertised ?? address, 5060);
  }

  /** Host and parameters of a URI under which we are reached by that transport, for Contact. */
  reachedBy(transport: SipTransport | undefined): string {
    const fitting = this.addresses.find((one) => one.transport === transport);
    const isPlaceless = !fitting && transport !== undefined && !/^(?:udp|tcp)$/.test(transport);
    if (isPlaceless) return `${this.#invalidHost};transport=${uriTransport(transport)}`;
    const own = fitting ?? this.addresses[0];
    if (!own) return this.#invalidHost;
    const parameter = own.transport === 'udp' ? '' : `;transport=${uriTransport(own.transport)}`;
    return `${this.publicAddress(own)}${parameter}`;
  }

  /** `host:port` of a listener as others see it. */
  publicAddress(own: SipAddress): string {
    const advertised = own.advertised ?? this.#settings.advertised;
    return hostPort(advertised ?? reachableAddress(own.address), own.port);
  }

  /** Takes no new connections; datagrams and open connections go on. */
  stopListening(): void {
    this.#listeners.stop();
  }

  async close(): Promise<void> {
    this.#closed = true;
    void this.#connections.close();
    await this.#listeners.close();
  }

  #udpTo(address: string): Flow | undefined {
    const family = isIP(address);
    const udp: readonly (Flow & { readonly address: SipAddress })[] = this.#listeners.udp;
    return udp.find((flow) => flow.isOpen && isIP(flow.address.address) === family);
  }
}

/** RFC 7118 5.2: in a URI a WebSocket is `ws`, secure or not. */
function uriTransport(transport: SipTransport): string {
  return transport === 'wss' ? 'ws' : transport;
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
