/** Flows of an endpoint whose sockets are in another process: stands for listeners and connections. */

import { isIP } from 'node:net';
import { WireError } from '../../wire/error.js';
import type { SipMessage } from '../../wire/sip/message.js';
import { parseSip, salvageRequest } from '../../wire/sip/parse.js';
import type { Flow, Receiver, SipCounters } from './flow.js';
import type { SipArrival, SipDeparture, SipLink, SipLinkReceiver } from './link.js';
import type { SipAddress, SipSettings, StreamTransport } from './options.js';
import { invalidContactHost } from './invalid-host.js';

/** Departures of which it is not known yet whether they left. */
const askedMax = 100_000;

/** A connection or socket at the other end of the link. */
interface LinkedFlow extends Flow {
  readonly address: SipAddress;
  isOpen: boolean;
}

type Asked = Omit<SipDeparture, 'id' | 'bytes'>;

export class LinkedFlows implements SipLinkReceiver {
  readonly addresses: readonly SipAddress[];
  readonly udp: readonly LinkedFlow[];
  readonly #settings: SipSettings;
  readonly #counters: SipCounters;
  readonly #receiver: Receiver;
  readonly #link: SipLink;
  /** Connections by number. */
  readonly #flows = new Map<number, LinkedFlow>();
  /** Connections by the host in `.invalid` of whoever has opened them (RFC 7118 5). */
  readonly #aliases = new Map<string, LinkedFlow>();
  readonly #asked = new Map<number, () => void>();
  #lastAsked = 0;
  #isClosed = false;

  constructor(settings: SipSettings, link: SipLink, counters: SipCounters, receiver: Receiver) {
    this.#settings = settings;
    this.#link = link;
    this.#counters = counters;
    this.#receiver = receiver;
    this.addresses = link.addresses;
    this.udp = link.addresses
      .filter(({ transport }) => transport === 'udp')
      .map((address, index) => this.#flow(index + 1, address, []));
    for (const [index, flow] of this.udp.entries()) this.#flows.set(index + 1, flow);
  }

  get size(): number {
    return this.#flows.size - this.udp.length;
  }

  open(): Promise<void> {
    this.#link.open(this);
    return Promise.resolve();
  }

  /** The other process stops listening. */
  stop(): void {
    // Nothing of it is here.
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }

  /** The flow to an address, or to whoever calls itself by a host in `.invalid`. */
  flowTo(
    transport: StreamTransport,
    address: string,
    port: number,
    domain = address,
  ): Flow | undefined {
    const known = this.aliased(address);
    if (known) return known;
    if (this.#isClosed || transport === 'ws' || transport === 'wss') return undefined;
    if (isIP(address) === 0) return undefined;
    return {
      transport,
      isOpen: true,
      send: (bytes, _address, _port, failed) => {
        this.#send({ flow: 0, transport, address, port, domain }, bytes, failed);
      },
    };
  }

  aliased(host: string): Flow | undefined {
    return this.#aliases.get(host.toLowerCase());
  }

  arrived({ flow: number, transport, address, port, names, bytes }: SipArrival): void {
    if (this.#isClosed) return;
    this.#counters.received++;
    const flow = this.#arrivalFlow(number, { transport, address, port }, names);
    let message;
    try {
      message = parseSip(bytes, this.#settings.limits);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#receiver.malformed(error, salvageRequest(bytes), flow, address, port);
      return;
    }
    if (transport !== 'udp') this.#learn(message, flow);
    this.#receiver.message(message, flow, address, port);
  }

  closed(number: number): void {
    const flow = this.#flows.get(number);
    if (!flow) return;
    flow.isOpen = false;
    this.#flows.delete(number);
    for (const [host, aliased] of this.#aliases) if (aliased === flow) this.#aliases.delete(host);
  }

  failed(id: number): void {
    const failed = this.#asked.get(id);
    this.#asked.delete(id);
    if (!failed) return;
    this.#counters.sendFailures++;
    failed();
  }

  #arrivalFlow(number: number, peer: SipAddress, names: readonly string[]): LinkedFlow {
    const known = this.#flows.get(number);
    if (known) return known;
    const flow = this.#flow(number, peer, names);
    this.#flows.set(number, flow);
    return flow;
  }

  #flow(number: number, address: SipAddress, names: readonly string[]): LinkedFlow {
    const { transport } = address;
    return {
      ...{ transport, address, names },
      isOpen: true,
      send: (bytes, to, port, failed) => {
        const domain = names[0] ?? '';
        this.#send({ flow: number, transport, address: to, port, domain }, bytes, failed);
      },
    };
  }

  #send(departure: Asked, bytes: Buffer, failed: (() => void) | undefined): void {
    this.#counters.sent++;
    const { flow: number, transport, address, port } = departure;
    if (transport === 'udp' && !this.#isClosed) {
      if (this.#link.sendDatagram?.(number - 1, bytes, address, port) === true) return;
    }
    // A stream tells whether it could carry a request; a datagram is lost without a word.
    const id = failed && transport !== 'udp' ? this.#ask(failed) : 0;
    if (!this.#isClosed && this.#link.send({ ...departure, id, bytes })) return;
    this.#counters.sendFailures++;
    if (id !== 0) this.#asked.delete(id);
    failed?.();
  }

  #ask(failed: () => void): number {
    this.#lastAsked = this.#lastAsked >= 0x7fff_ffff ? 1 : this.#lastAsked + 1;
    this.#asked.set(this.#lastAsked, failed);
    if (this.#asked.size > askedMax) {
      // The oldest has long left or timed out.
      const [oldest] = this.#asked.keys();
      this.#asked.delete(oldest!);
    }
    return this.#lastAsked;
  }

  /** A Contact with a host in `.invalid` says that requests to it come back on this connection. */
  #learn(message: SipMessage, flow: LinkedFlow): void {
    const host = invalidContactHost(message);
    if (host === undefined) return;
    const before = this.#aliases.get(host);
    // Only the host that had the name may move it, as after a change of its connection.
    if (before && before.address.address !== flow.address.address) return;
    if (!before && this.#aliases.size >= this.#settings.limits.connections) return;
    this.#aliases.set(host, flow);
  }
}
