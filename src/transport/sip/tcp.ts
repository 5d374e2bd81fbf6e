/** SIP over one TCP connection: framing, keep-alive and the bounds of a slow or silent peer. */

import type { Socket } from 'node:net';
import { SipStream } from '../../wire/sip/stream.js';
import { hostPort, traceMessage, type Flow, type Receiver, type SipCounters } from './flow.js';
import type { SipSettings } from './options.js';
import { WheelTimer, type TimerWheel, type WheelTarget } from './timer-wheel.js';

/** What a connection needs of the endpoint. */
export interface TcpContext {
  readonly settings: SipSettings;
  readonly counters: SipCounters;
  readonly wheel: TimerWheel;
  readonly receiver: Receiver;
  /** The connection is gone; called once. */
  closed(connection: TcpConnection): void;
}

const pong = Buffer.from('\r\n');

export class TcpConnection implements Flow, WheelTarget {
  readonly transport = 'tcp';
  readonly address: string;
  readonly port: number;
  readonly accepted: boolean;
  readonly #context: TcpContext;
  readonly #socket: Socket;
  readonly #stream: SipStream;
  readonly #idle = new WheelTimer(this);
  /** Connecting, or the rest of a message that has begun. */
  readonly #patience = new WheelTimer(this);
  #lastTraffic: number;
  #closed = false;
  #local = '';

  /** A socket that connects, or that was accepted. */
  constructor(
    context: TcpContext,
    socket: Socket,
    peer: { readonly address: string; readonly port: number; readonly accepted: boolean },
  ) {
    this.#context = context;
    this.#socket = socket;
    this.address = peer.address;
    this.port = peer.port;
    this.accepted = peer.accepted;
    this.#stream = new SipStream(context.settings.limits);
    this.#lastTraffic = context.settings.clock.now();
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#failed(error));
    socket.on('close', () => this.#end());
    const { limits } = context.settings;
    if (peer.accepted) this.#connected();
    else {
      socket.on('connect', () => this.#connected());
      context.wheel.set(this.#patience, 'connect', limits.connectMs);
    }
    context.wheel.set(this.#idle, 'idle', limits.idleMs);
  }

  get isOpen(): boolean {
    return !this.#closed;
  }

  send(bytes: Buffer, _address?: string, _port?: number, failed?: () => void): void {
    const { counters, settings } = this.#context;
    if (this.#closed) {
      counters.sendFailures++;
      failed?.();
      return;
    }
    if (this.#socket.writableLength + bytes.length > settings.limits.pendingBytes) {
      this.#drop('SIP_TCP_SLOW');
      failed?.();
      return;
    }
    counters.sent++;
    this.#lastTraffic = settings.clock.now();
    this.#trace('out', bytes);
    if (!failed) this.#socket.write(bytes);
    else this.#socket.write(bytes, (error) => (error ? failed() : undefined));
  }

  expired(name: string): void {
    const { settings, wheel } = this.#context;
    if (name !== 'idle') {
      this.#drop(name === 'connect' ? 'SIP_TCP_CONNECT' : 'SIP_TCP_PARTIAL');
      return;
    }
    const left = this.#lastTraffic + settings.limits.idleMs - settings.clock.now();
    if (left > 0) wheel.set(this.#idle, 'idle', left);
    else this.#drop('SIP_TCP_IDLE');
  }

  /** Closes; what the peer has not taken yet is lost. */
  close(): void {
    if (this.#socket.writableLength === 0) this.#socket.destroySoon();
    else this.#socket.destroy();
    this.#end();
  }

  #connected(): void {
    const { localAddress, localPort } = this.#socket;
    this.#local = hostPort(localAddress ?? '', localPort ?? 0);
    this.#context.wheel.cancel(this.#patience);
  }

  #receive(chunk: Buffer): void {
    if (this.#closed) return;
    const { settings, wheel } = this.#context;
    this.#lastTraffic = settings.clock.now();
    const events = this.#stream.push(chunk);
    for (const event of events) {
      if (this.#closed) return;
      if (event.kind === 'message') {
        this.#context.counters.received++;
        this.#trace('in', event.message.bytes);
        this.#context.receiver.message(event.message, this, this.address, this.port);
      } else if (event.kind === 'error') {
        const { error, salvaged, fatal } = event;
        this.#context.receiver.malformed(error, salvaged, this, this.address, this.port);
        if (fatal) this.#hangUp();
      } else if (event.kind === 'ping') {
        this.send(pong);
      }
    }
    if (this.#closed) return;
    if (this.#stream.pendingBytes === 0) wheel.cancel(this.#patience);
    else if (this.#patience.slot < 0 || events.length > 0) {
      wheel.set(this.#patience, 'partial', settings.limits.partialMs);
    }
  }

  #trace(direction: 'in' | 'out', bytes: Buffer): void {
    const { settings } = this.#context;
    if (!settings.trace) return;
    const { transport, address, port } = this;
    traceMessage(settings, direction, { transport, local: this.#local, address, port }, bytes);
  }

  /** Framing is lost: what was answered still leaves, nothing more is read. */
  #hangUp(): void {
    this.#context.counters.connectionsDropped++;
    this.close();
  }

  #drop(code: string): void {
    this.#context.counters.connectionsDropped++;
    const peer = hostPort(this.address, this.port);
    this.#context.settings.log.debug({ code, peer }, 'TCP connection dropped');
    this.#socket.destroy();
    this.#end();
  }

  #failed(error: NodeJS.ErrnoException): void {
    const fields = { code: error.code ?? 'SIP_TCP', peer: hostPort(this.address, this.port) };
    this.#context.settings.log.debug(fields, 'TCP connection failed');
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#context.wheel.cancel(this.#idle);
    this.#context.wheel.cancel(this.#patience);
    this.#context.closed(this);
  }
}
