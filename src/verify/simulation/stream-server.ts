/** A listener for streams of a simulated network, as far as transports use one. */

import { EventEmitter } from 'node:events';
import { SimulatedStream } from './stream-socket.js';
import type { Place, SimulatedNetwork } from './network.js';

type ListenOptions = { readonly host: string; readonly port: number };

export class SimulatedServer extends EventEmitter {
  readonly #network: SimulatedNetwork;
  readonly #own: (stream: SimulatedStream) => void;
  readonly #accepted = new Set<SimulatedStream>();
  #place: Place | undefined;
  #settled: (() => void)[] = [];

  /** `own` hears of every stream that is accepted. */
  constructor(network: SimulatedNetwork, own: (stream: SimulatedStream) => void) {
    super();
    this.#network = network;
    this.#own = own;
  }

  get listening(): boolean {
    return this.#place !== undefined;
  }

  listen(where: number | ListenOptions, ...rest: readonly unknown[]): this {
    const { host: address, port } =
      typeof where === 'number' ? { host: String(rest[0]), port: where } : where;
    const listens = rest.at(-1) as () => void;
    const place = { address, port: port === 0 ? this.#network.freePort() : port };
    if (this.#network.listen(this, place)) {
      this.#place = place;
      process.nextTick(listens);
    } else {
      const error = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' });
      process.nextTick(() => this.emit('error', error));
    }
    return this;
  }

  address(): { address: string; family: string; port: number } | null {
    return this.#place ? { ...this.#place, family: 'IPv4' } : null;
  }

  /** A peer has connected. */
  accept(peer: SimulatedStream, from: Place): void {
    const stream = SimulatedStream.accepted(this.#network, this.#place!, from, peer);
    this.#accepted.add(stream);
    stream.once('close', () => {
      this.#accepted.delete(stream);
      this.#settle();
    });
    this.#own(stream);
    this.emit('connection', stream);
  }

  /** Takes no more; `closed` is called when those that were accepted are gone, too. */
  close(closed: () => void = () => undefined): this {
    this.stop();
    this.#settled.push(closed);
    process.nextTick(() => this.#settle());
    return this;
  }

  stop(): void {
    if (this.#place) this.#network.unlisten(this, this.#place);
    this.#place = undefined;
  }

  #settle(): void {
    if (this.#place || this.#accepted.size > 0) return;
    for (const settled of this.#settled.splice(0)) settled();
  }
}
