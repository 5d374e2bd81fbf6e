/** A network in memory: hosts, datagrams and streams under the transports, on a virtual clock. */

import { createHash } from 'node:crypto';
import type { Clock } from '../../ports.js';
import type { SimulatedDatagramSocket } from './datagram-socket.js';
import type { SimulatedServer } from './stream-server.js';
import type { SimulatedStream } from './stream-socket.js';
import type { Weather } from './weather.js';

/** What has passed. */
export interface Traffic {
  datagrams: number;
  /** Datagrams that reached nobody. */
  lost: number;
  segments: number;
  octets: number;
  connections: number;
  resets: number;
}

export interface Place {
  readonly address: string;
  readonly port: number;
}

/** Above the ports that are asked for by number. */
const firstFreePort = 32_768;

export class SimulatedNetwork {
  readonly clock: Clock;
  readonly weather: Weather;
  readonly traffic: Traffic = {
    ...{ datagrams: 0, lost: 0, segments: 0, octets: 0, connections: 0, resets: 0 },
  };
  readonly #datagrams = new Map<string, SimulatedDatagramSocket>();
  readonly #servers = new Map<string, SimulatedServer>();
  readonly #streams = new Set<SimulatedStream>();
  /** Hosts without power: what is for them is lost without a word. */
  readonly #dark = new Set<string>();
  readonly #hash = createHash('sha256');
  #nextPort = firstFreePort;

  constructor(clock: Clock, weather: Weather) {
    this.clock = clock;
    this.weather = weather;
  }

  /** Sockets that are open, listeners included. */
  get open(): { readonly datagrams: number; readonly servers: number; readonly streams: number } {
    const { size: datagrams } = this.#datagrams;
    return { datagrams, servers: this.#servers.size, streams: this.#streams.size };
  }

  /** Of everything that was sent so far, with its time: two runs that have the same are the same. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  setDark(address: string, isDark: boolean): void {
    if (isDark) this.#dark.add(address);
    else this.#dark.delete(address);
  }

  /** Whether nothing passes between the two. */
  isCut(one: string, other: string): boolean {
    return this.#dark.has(one) || this.#dark.has(other) || this.weather.isCut(one, other);
  }

  freePort(): number {
    const port = this.#nextPort++;
    if (this.#nextPort === 65_536) this.#nextPort = firstFreePort;
    return port;
  }

  // ----------------------------------------------------------------------------- datagrams

  /** False: somebody has that address and port. */
  bind(socket: SimulatedDatagramSocket, place: Place): boolean {
    const key = keyOf(place);
    if (this.#datagrams.has(key)) return false;
    this.#datagrams.set(key, socket);
    return true;
  }

  unbind(socket: SimulatedDatagramSocket, place: Place): void {
    if (this.#datagrams.get(keyOf(place)) === socket) this.#datagrams.delete(keyOf(place));
  }

  send(octets: Buffer, from: Place, to: Place): void {
    this.traffic.datagrams++;
    this.note('u', octets, from, to);
    const delays = this.isCut(from.address, to.address) ? [] : this.weather.datagram();
    if (delays.length === 0) this.traffic.lost++;
    for (const delay of delays) {
      this.clock.after(delay, () => {
        const socket = this.#datagrams.get(keyOf(to));
        if (!socket || this.#dark.has(to.address)) this.traffic.lost++;
        else socket.arrived(Buffer.from(octets), from);
      });
    }
  }

  // ------------------------------------------------------------------------------- streams

  listen(server: SimulatedServer, place: Place): boolean {
    const key = keyOf(place);
    if (this.#servers.has(key)) return false;
    this.#servers.set(key, server);
    return true;
  }

  unlisten(server: SimulatedServer, place: Place): void {
    if (this.#servers.get(keyOf(place)) === server) this.#servers.delete(keyOf(place));
  }

  serverAt(place: Place): SimulatedServer | undefined {
    return this.#servers.get(keyOf(place));
  }

  opened(stream: SimulatedStream): void {
    this.#streams.add(stream);
  }

  closed(stream: SimulatedStream): void {
    this.#streams.delete(stream);
  }

  /** Everything that passes is counted, and becomes part of the digest. */
  note(kind: string, octets: Buffer, from: Place, to: Place): void {
    this.traffic.octets += octets.length;
    this.#hash.update(`${kind} ${this.clock.now()} ${keyOf(from)} ${keyOf(to)} ${octets.length}\n`);
    this.#hash.update(octets);
  }
}

function keyOf({ address, port }: Place): string {
  return `${address}:${port}`;
}
