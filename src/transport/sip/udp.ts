/** SIP over one UDP socket (RFC 3261 18). */

import type { Socket } from 'node:dgram';
import { WireError } from '../../wire/error.js';
import { parseSip, salvageRequest } from '../../wire/sip/parse.js';
import { hostPort, traceMessage, type Flow, type Receiver, type SipCounters } from './flow.js';
import type { SipAddress, SipSettings } from './options.js';

/** A burst of requests must wait in the kernel, not be lost there. */
const socketBufferBytes = 4 * 1024 * 1024;

export class UdpFlow implements Flow {
  readonly transport = 'udp';
  readonly #settings: SipSettings;
  readonly #counters: SipCounters;
  readonly #receiver: Receiver;
  readonly #socket: Socket;
  #address: SipAddress | undefined;
  #local = '';
  #closed = false;

  constructor(family: 4 | 6, settings: SipSettings, counters: SipCounters, receiver: Receiver) {
    this.#settings = settings;
    this.#counters = counters;
    this.#receiver = receiver;
    this.#socket = settings.sockets.datagram(family);
  }

  get address(): SipAddress {
    return this.#address!;
  }

  get isOpen(): boolean {
    return !this.#closed;
  }

  /** For another process that sends by it. */
  get socket(): Socket {
    return this.#socket;
  }

  /** Rejects with the error of the system, such as EADDRINUSE. */
  open(host: string, port: number): Promise<SipAddress> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, host, () => {
        socket.off('error', reject);
        socket.on('error', (error) => this.#failed(error));
        socket.on('message', (bytes, source) => this.receive(bytes, source.address, source.port));
        this.#enlargeBuffers();
        const bound = socket.address();
        this.#address = { transport: 'udp', address: bound.address, port: bound.port };
        this.#local = hostPort(bound.address, bound.port);
        resolve(this.#address);
      });
    });
  }

  send(bytes: Buffer, address: string, port: number, failed?: () => void): void {
    if (this.#closed) {
      failed?.();
      return;
    }
    this.#counters.sent++;
    if (this.#settings.trace) this.#trace('out', address, port, bytes);
    if (!failed) {
      this.#socket.send(bytes, port, address);
      return;
    }
    this.#socket.send(bytes, port, address, (error) => {
      if (!error) return;
      this.#failed(error);
      failed();
    });
  }

  /** A datagram from that address. */
  receive(bytes: Buffer, address: string, port: number): void {
    // Keep-alives are white space or zeros; over UDP they are never answered (RFC 5626 4.4).
    if (bytes.length <= 4 || port === 0) return;
    this.#counters.received++;
    if (this.#settings.trace) this.#trace('in', address, port, bytes);
    if (this.#receiver.octets?.(bytes, this, address, port) === true) return;
    let message;
    try {
      message = parseSip(bytes, this.#settings.limits);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const salvaged = salvageRequest(bytes);
      this.#receiver.malformed(error, salvaged, this, address, port);
      return;
    }
    this.#receiver.message(message, this, address, port);
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    return new Promise((resolve) => this.#socket.close(resolve));
  }

  #trace(direction: 'in' | 'out', address: string, port: number, bytes: Buffer): void {
    const passage = { transport: this.transport, local: this.#local, address, port } as const;
    traceMessage(this.#settings, direction, passage, bytes);
  }

  /** A datagram that cannot be sent is lost; its transaction repeats it or ends. */
  #failed(error: NodeJS.ErrnoException): void {
    this.#counters.sendFailures++;
    const fields = { code: error.code ?? 'SIP_UDP', local: this.#local };
    this.#settings.log.debug(fields, 'UDP socket error');
  }

  #enlargeBuffers(): void {
    try {
      this.#socket.setRecvBufferSize(socketBufferBytes);
      this.#socket.setSendBufferSize(socketBufferBytes);
    } catch (error) {
      // The system's own size serves as well, with less room for bursts.
      this.#failed(error as NodeJS.ErrnoException);
    }
  }
}
