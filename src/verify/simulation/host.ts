/** A machine of a simulated network: its address, its sockets, and how it dies. */

import type { Socket as DatagramSocket } from 'node:dgram';
import type { Server, Socket } from 'node:net';
import type { SocketsPort } from '../../ports.js';
import { SimulatedDatagramSocket } from './datagram-socket.js';
import type { SimulatedNetwork } from './network.js';
import { SimulatedServer } from './stream-server.js';
import { SimulatedStream } from './stream-socket.js';

/**
 * The sockets of one process on a host. They stand for those of Node as far as the transports use
 * them, which is what the casts say.
 */
export class SimulatedHost implements SocketsPort {
  readonly address: string;
  readonly #network: SimulatedNetwork;
  readonly #datagrams = new Set<SimulatedDatagramSocket>();
  readonly #servers = new Set<SimulatedServer>();
  readonly #streams = new Set<SimulatedStream>();
  #isDead = false;

  constructor(network: SimulatedNetwork, address: string) {
    this.#network = network;
    this.address = address;
  }

  datagram(): DatagramSocket {
    this.#assertAlive();
    const socket = new SimulatedDatagramSocket(this.#network);
    this.#datagrams.add(socket);
    socket.once('close', () => this.#datagrams.delete(socket));
    return socket as unknown as DatagramSocket;
  }

  connect(host: string, port: number): Socket {
    const local = { address: this.address, port: this.#network.freePort() };
    const stream = SimulatedStream.connecting(this.#network, local, { address: host, port });
    this.#own(stream);
    return stream as unknown as Socket;
  }

  server(): Server {
    this.#assertAlive();
    const server = new SimulatedServer(this.#network, (stream) => this.#own(stream));
    this.#servers.add(server);
    return server as unknown as Server;
  }

  /**
   * The process is gone. Its kernel closes what it had open; without power nobody does, and peers
   * find out by themselves.
   */
  kill(how: 'process' | 'power'): void {
    this.#isDead = true;
    for (const socket of this.#datagrams) {
      socket.removeAllListeners();
      socket.close();
    }
    for (const server of this.#servers) {
      server.removeAllListeners();
      server.stop();
    }
    for (const stream of [...this.#streams]) {
      stream.removeAllListeners();
      stream.on('error', () => undefined);
      if (how === 'power') stream.vanish();
      stream.destroy();
    }
    this.#datagrams.clear();
    this.#servers.clear();
    this.#streams.clear();
  }

  /** A start that goes on behind the death of its process ends here. */
  #assertAlive(): void {
    if (this.#isDead) throw Object.assign(new Error('the process has died'), { code: 'ESRCH' });
  }

  #own(stream: SimulatedStream): void {
    if (this.#isDead) {
      stream.vanish();
      stream.destroy();
      return;
    }
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
  }
}
