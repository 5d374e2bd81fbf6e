/** A UDP socket of a simulated network, as far as transports use one. */

import { EventEmitter } from 'node:events';
import type { Place, SimulatedNetwork } from './network.js';

export class SimulatedDatagramSocket extends EventEmitter {
  readonly #network: SimulatedNetwork;
  #place: Place | undefined;

  constructor(network: SimulatedNetwork) {
    super();
    this.#network = network;
  }

  bind(port: number, address: string, bound: () => void): this {
    const place = { address, port: port === 0 ? this.#network.freePort() : port };
    if (this.#network.bind(this, place)) {
      this.#place = place;
      process.nextTick(bound);
    } else {
      const error = Object.assign(new Error('bind EADDRINUSE'), { code: 'EADDRINUSE' });
      process.nextTick(() => this.emit('error', error));
    }
    return this;
  }

  address(): { address: string; family: string; port: number } {
    return { ...this.#bound(), family: 'IPv4' };
  }

  send(octets: Buffer, port: number, address: string, sent?: (error: Error | null) => void): void {
    // Whoever sends may use the octets again.
    if (this.#place) this.#network.send(Buffer.from(octets), this.#place, { address, port });
    if (sent) process.nextTick(sent, null);
  }

  arrived(octets: Buffer, from: Place): void {
    const { address, port } = from;
    this.emit('message', octets, { address, port, family: 'IPv4', size: octets.length });
  }

  close(closed?: () => void): this {
    if (this.#place) this.#network.unbind(this, this.#place);
    this.#place = undefined;
    process.nextTick(() => {
      this.emit('close');
      closed?.();
    });
    return this;
  }

  setRecvBufferSize(): void {
    // Datagrams are lost in the network here, never in the host.
  }

  setSendBufferSize(): void {
    // What is sent leaves at once.
  }

  #bound(): Place {
    if (!this.#place) throw new Error('the socket is not bound');
    return this.#place;
  }
}
