/** SIP over one connection: messages, keep-alive and the bounds of a slow or silent peer. */

import type { SipStreamEvent } from '../../wire/sip/stream.js';
import type { Carrier } from './carrier.js';
import { hostPort, traceMessage, type Flow, type Receiver, type SipCounters } from './flow.js';
import { KeepAlive } from './keep-alive.js';
import type { SipSettings, StreamTransport } from './options.js';
import { WheelTimer, type TimerWheel, type WheelTarget } from './timer-wheel.js';

/** What a connection needs of the endpoint. */
export interface ConnectionContext {
  readonly settings: SipSettings;
  readonly counters: SipCounters;
  readonly wheel: TimerWheel;
  readonly receiver: Receiver;
  /** The first message has come in. */
  spoke(connection: Connection): void;
  /** The connection is gone; called once. */
  closed(connection: Connection): void;
}

/** Who is at the other end, and how the connection came about. */
export interface ConnectionPeer {
  readonly transport: StreamTransport;
  readonly address: string;
  readonly port: number;
  readonly accepted: boolean;
  /** The domain whose certificate was asked for when we opened it. */
  readonly domain?: string | undefined;
}

const ping = Buffer.from('\r\n\r\n');
const pong = Buffer.from('\r\n');

interface Waiting {
  readonly bytes: Buffer;
  readonly failed: (() => void) | undefined;
}

export class Connection implements Flow, WheelTarget {
  readonly transport: StreamTransport;
  readonly address: string;
  readonly port: number;
  readonly accepted: boolean;
  readonly domain: string | undefined;
  /** What the certificate of the peer proves. */
  names: readonly string[] = [];
  readonly #context: ConnectionContext;
  readonly #destroy: () => void;
  readonly #keepAlive: KeepAlive;
  readonly #idle = new WheelTimer(this);
  /** Connecting, a handshake, or the rest of a message that has begun. */
  readonly #patience = new WheelTimer(this);
  #carrier: Carrier | undefined;
  /** Messages that wait for the connection to be established. */
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #lastTraffic: number;
  #isSilent: boolean;
  #hasSpoken = false;
  #closed = false;

  /** A connection on its way: `open` tells when it stands. `destroy` ends it until then. */
  constructor(context: ConnectionContext, peer: ConnectionPeer, destroy: () => void) {
    this.#context = context;
    this.transport = peer.transport;
    this.address = peer.address;
    this.port = peer.port;
    this.accepted = peer.accepted;
    this.domain = peer.domain;
    this.#destroy = destroy;
    this.#isSilent = peer.accepted;
    this.#lastTraffic = context.settings.clock.now();
    const { limits } = context.settings;
    this.#keepAlive = new KeepAlive(context.wheel, limits.pongMs, {
      ping: () => this.#transmit({ bytes: ping, failed: undefined }),
      lost: () => this.drop('PONG'),
    });
    if (peer.accepted) context.wheel.set(this.#patience, 'handshake', limits.handshakeMs);
    else context.wheel.set(this.#patience, 'connect', limits.connectMs);
    const quietMs = this.#isSilent ? Math.min(limits.silentMs, limits.idleMs) : limits.idleMs;
    context.wheel.set(this.#idle, 'idle', quietMs);
  }

  get isOpen(): boolean {
    return !this.#closed;
  }

  get offersKeepAlive(): boolean {
    return !this.accepted && this.#context.settings.keepAlive === true;
  }

  /** It stands: what has waited leaves. */
  open(carrier: Carrier, names: readonly string[] = []): void {
    if (this.#closed) {
      carrier.destroy();
      return;
    }
    this.#carrier = carrier;
    this.names = names;
    this.#context.wheel.cancel(this.#patience);
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    for (const message of waiting) this.#transmit(message);
  }

  send(bytes: Buffer, _address?: string, _port?: number, failed?: () => void): void {
    const { counters, settings } = this.#context;
    if (this.#closed) {
      counters.sendFailures++;
      failed?.();
      return;
    }
    const pending = this.#waitingBytes + (this.#carrier?.pendingBytes ?? 0);
    if (pending + bytes.length > settings.limits.pendingBytes) {
      this.drop('SLOW');
      failed?.();
      return;
    }
    counters.sent++;
    this.#lastTraffic = settings.clock.now();
    if (this.#carrier) {
      this.#transmit({ bytes, failed });
      return;
    }
    this.#waitingBytes += bytes.length;
    this.#waiting.push({ bytes, failed });
  }

  keepAlive(seconds: number): void {
    if (!this.#closed && this.offersKeepAlive) this.#keepAlive.start(seconds);
  }

  expired(name: string): void {
    const { settings, wheel } = this.#context;
    if (name !== 'idle') {
      this.drop(name.toUpperCase());
      return;
    }
    if (this.#isSilent) {
      this.drop('SILENT');
      return;
    }
    const left = this.#lastTraffic + settings.limits.idleMs - settings.clock.now();
    if (left > 0) wheel.set(this.#idle, 'idle', left);
    else this.drop('IDLE');
  }

  /** Octets of a stream, or one WebSocket message. */
  receive(chunk: Buffer): void {
    if (this.#closed || !this.#carrier) return;
    const { framing } = this.#carrier;
    const { settings, wheel } = this.#context;
    this.#lastTraffic = settings.clock.now();
    if (this.#isSilent) this.#break();
    const events = framing.push(chunk);
    for (const event of events) {
      if (this.#closed) return;
      this.#take(event);
    }
    if (this.#closed) return;
    if (framing.pendingBytes === 0) wheel.cancel(this.#patience);
    else if (this.#patience.slot < 0 || events.length > 0) {
      wheel.set(this.#patience, 'partial', settings.limits.partialMs);
    }
  }

  /** Something went wrong below; the end of the connection follows. */
  failed(error: Error): void {
    const code = (error as NodeJS.ErrnoException).code ?? this.#code('ERROR');
    const fields = { code, peer: hostPort(this.address, this.port), transport: this.transport };
    this.#context.settings.log.debug(fields, 'connection failed');
  }

  /** Ends a connection that breaks a bound. The code is that of the transport and the bound. */
  drop(bound: string): void {
    if (this.#closed) return;
    this.#context.counters.connectionsDropped++;
    const peer = hostPort(this.address, this.port);
    this.#context.settings.log.debug({ code: this.#code(bound), peer }, 'connection dropped');
    if (this.#carrier) this.#carrier.destroy();
    else this.#destroy();
    this.ended();
  }

  /** Closes; what was written leaves first if the peer takes it soon. */
  close(): void {
    if (this.#carrier) this.#carrier.close();
    else this.#destroy();
    this.ended();
  }

  /** The connection is gone. */
  ended(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#keepAlive.stop();
    this.#context.wheel.cancel(this.#idle);
    this.#context.wheel.cancel(this.#patience);
    this.#context.closed(this);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { failed } of waiting) failed?.();
  }

  #take(event: SipStreamEvent): void {
    const { counters, receiver } = this.#context;
    if (event.kind === 'message') {
      counters.received++;
      if (!this.#hasSpoken) {
        this.#hasSpoken = true;
        this.#context.spoke(this);
      }
      this.#trace('in', event.message.bytes);
      receiver.message(event.message, this, this.address, this.port);
    } else if (event.kind === 'error') {
      receiver.malformed(event.error, event.salvaged, this, this.address, this.port);
      if (event.fatal) this.#hangUp();
    } else if (this.#keepAlive.isWaiting) this.#keepAlive.answered();
    else if (event.kind === 'ping') this.send(pong);
  }

  /** The first octets: from here on the connection may be idle for longer. */
  #break(): void {
    this.#isSilent = false;
    this.#context.wheel.set(this.#idle, 'idle', this.#context.settings.limits.idleMs);
  }

  #transmit({ bytes, failed }: Waiting): void {
    this.#trace('out', bytes);
    if (!failed) this.#carrier?.write(bytes);
    else this.#carrier?.write(bytes, (error) => (error ? failed() : undefined));
  }

  #trace(direction: 'in' | 'out', bytes: Buffer): void {
    const { settings } = this.#context;
    if (!settings.trace) return;
    const { transport, address, port } = this;
    const local = this.#carrier?.local ?? '';
    traceMessage(settings, direction, { transport, local, address, port }, bytes);
  }

  /** Framing is lost: what was answered still leaves, nothing more is read. */
  #hangUp(): void {
    this.#context.counters.connectionsDropped++;
    this.close();
  }

  #code(bound: string): string {
    return `SIP_${this.transport.toUpperCase()}_${bound}`;
  }
}
