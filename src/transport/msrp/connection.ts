/** One connection: what comes in, back-pressure, and when it is closed (RFC 4975 5.4). */

import type { Log, Owner, SocketsPort, Trace } from '../../ports.js';
import type { CertificateFingerprint } from '../../wire/msrp/fingerprint.js';
import type { MsrpFlag, MsrpHead, MsrpRequestHead } from '../../wire/msrp/frame.js';
import { MsrpParser } from '../../wire/msrp/parse.js';
import type { MsrpFault } from '../../wire/msrp/parse.js';
import { response } from '../../wire/msrp/write.js';
import type { Carrier, CarrierSocket } from './carrier.js';
import type { MsrpLimits } from './options.js';
import type { Outgoing } from './outgoing.js';
import { FrameTrace } from './trace.js';
import { Writer } from './writer.js';
import type { WriterSettings } from './writer.js';

export type LostCause = 'refused' | 'closed' | 'timeout' | 'protocol';

/** Takes in the body of one request. Nothing of it throws or rejects. */
export interface RequestBody {
  /** A promise holds back the connection. */
  write(bytes: Buffer): void | Promise<void>;
  end(flag: MsrpFlag): void;
  /** The frame broke off. */
  fault(): void;
}

export interface ConnectionOwner {
  request(connection: Connection, head: MsrpRequestHead): RequestBody;
  report(connection: Connection, head: MsrpRequestHead): void;
  /** A binding SEND was answered; 408 when it was not. */
  bound(connection: Connection, flow: Outgoing, status: number): void;
  /** Comes exactly once. */
  closed(connection: Connection, cause: LostCause): void;
  /** Everything that could be written has been written. */
  written(connection: Connection): void;
}

export interface ConnectionSettings extends Omit<WriterSettings, 'framed'> {
  readonly limits: MsrpLimits;
  readonly log: Log;
  readonly trace: Trace | undefined;
  /** By default those of Node. */
  readonly sockets: SocketsPort | undefined;
}

/** A frame event that waits for a sink. */
type Held =
  | { readonly head: MsrpHead }
  | { readonly body: Buffer }
  | { readonly flag: MsrpFlag }
  | { readonly fault: MsrpFault };

/** Faulty frames of a connection before it is closed. */
const faultsMax = 32;
/** Times that a connection without a session may be busy when it is to close. */
const restlessMax = 3;
const keepAliveMs = 60_000;

export class Connection {
  /** Whose sessions are bound, or being bound, to it. */
  readonly sessions = new Set<Owner>();
  readonly writer: Writer;
  /** Host and port it was opened to; undefined when the peer opened it. */
  readonly target: string | undefined;
  /** Address of the peer, for limits and logs. */
  readonly peer: string;
  readonly #carrier: Carrier;
  readonly #socket: CarrierSocket;
  readonly #expected: readonly CertificateFingerprint[];
  readonly #owner: ConnectionOwner;
  readonly #settings: ConnectionSettings;
  readonly #parser: MsrpParser;
  readonly #trace: FrameTrace | undefined;
  readonly #held: Held[] = [];
  #holding = false;
  /** Answers wait to be taken. */
  #isUnread = false;
  #body: RequestBody | undefined;
  #completions = 0;
  #faults = 0;
  /** How often something was under way when it was to close for want of a session. */
  #restless = 0;
  #isOpen: boolean;
  #closing = false;
  #closed = false;
  #idle: (() => void) | undefined;
  #watch: (() => void) | undefined;
  /** Octets that came and frame events that happened since the last look of the watch. */
  #octets = 0;
  #events = 0;

  /** `expected`: fingerprints one of which the certificate of the peer has to have, if any. */
  constructor(
    carrier: Carrier,
    owner: ConnectionOwner,
    settings: ConnectionSettings,
    expected: readonly CertificateFingerprint[] = [],
  ) {
    const { socket, target } = carrier;
    this.#carrier = carrier;
    this.#socket = socket;
    this.#expected = expected;
    this.#owner = owner;
    this.#settings = settings;
    this.#isOpen = carrier.opens === undefined;
    this.target = target;
    this.peer = socket.remoteAddress ?? target ?? '';
    const { limits, trace, clock } = settings;
    this.#parser = new MsrpParser(this.#frames(), {
      headers: limits.headers,
      headerSection: limits.headBytes,
      headerLine: limits.headBytes,
    });
    this.#trace = trace && new FrameTrace(trace, clock, carrier);
    const { framed } = carrier;
    this.writer = new Writer(socket, this.#writerOwner(), { ...settings, framed });
    if (this.#isOpen) this.writer.open();
    this.#attachSocket();
    this.#waitFor(target === undefined ? limits.bindWaitMs : limits.connectMs);
  }

  /** Neither closed nor about to be. */
  get isUsable(): boolean {
    return !this.#closing && !this.#closed;
  }

  /** Whether it stands, handshake and certificate included. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Whether nobody else can read it: a WebSocket without TLS has a proxy before it that ends TLS. */
  get isSecure(): boolean {
    return this.#carrier.transport !== 'tcp';
  }

  /** Whether a session whose peer has one of these certificates may use it. */
  mayCarry(fingerprints: readonly CertificateFingerprint[]): boolean {
    if (this.#isOpen) return this.#carrier.refusal(fingerprints) === undefined;
    return sameFingerprints(fingerprints, this.#expected);
  }

  /** Whether nothing of it is under way. */
  get isQuiet(): boolean {
    return this.writer.isQuiet && this.#completions === 0 && this.#body === undefined;
  }

  attach(owner: Owner): void {
    this.sessions.add(owner);
    this.#restless = 0;
    if (!this.#isOpen) return;
    this.#idle?.();
    this.#idle = undefined;
  }

  /** A connection without a session is closed after a while (MSRP-13). */
  detach(owner: Owner): void {
    if (!this.sessions.delete(owner) || this.sessions.size > 0 || !this.isUsable) return;
    // While it is opened the time limit of that runs on.
    if (this.isOpen) this.#waitFor(this.#settings.limits.idleMs);
  }

  /** Sends a response or a REPORT. */
  control(frame: Buffer): void {
    this.writer.control(frame);
  }

  /** A message is being completed by its sink: reading stops when there are too many. */
  completing(change: 1 | -1): void {
    this.#completions += change;
    const { completions } = this.#settings.limits;
    if (change > 0 && this.#completions >= completions) this.#socket.pause();
    if (change < 0 && this.#completions === completions - 1) this.#resume();
    if (change < 0) this.#owner.written(this);
  }

  /** Closes at once. `code` is logged when the peer is at fault. */
  close(cause: LostCause, code?: string, reason?: string): void {
    if (this.#closed) return;
    if (code !== undefined) {
      const fields = { code, peer: this.peer, ...(reason !== undefined && { reason }) };
      this.#settings.log.warn(fields, 'MSRP connection closed');
    }
    this.#finish(cause);
    this.#socket.destroy();
  }

  #attachSocket(): void {
    const socket = this.#socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveMs);
    if (this.#carrier.opens) socket.on(this.#carrier.opens, () => this.#opened());
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => {
      // `close` follows and tells the owner; the reason is the network's and nobody can act on it.
    });
    socket.on('close', () => this.#finish(this.#isOpen ? 'closed' : 'refused'));
  }

  #opened(): void {
    const refusal = this.#carrier.refusal(this.#expected);
    if (refusal !== undefined) {
      this.close('refused', 'MSRP_TLS_CERTIFICATE', refusal);
      return;
    }
    this.#isOpen = true;
    this.#idle?.();
    this.#idle = undefined;
    if (this.sessions.size === 0) this.#waitFor(this.#settings.limits.idleMs);
    this.writer.open();
  }

  #read(chunk: Buffer): void {
    if (this.#closed || this.#closing) return;
    this.#octets += chunk.length;
    this.#parser.push(chunk);
    if (this.#closed || this.#watch || this.#parser.idle || this.#carrier.leave) return;
    this.#startWatch(this.#events);
  }

  #frames(): ConstructorParameters<typeof MsrpParser>[0] {
    return {
      head: (head) => {
        if (this.#holding) this.#held.push({ head });
        else this.#head(head);
      },
      body: (body) => {
        if (this.#holding) this.#held.push({ body });
        else this.#takeBody(body);
      },
      end: (flag) => {
        if (this.#holding) this.#held.push({ flag });
        else this.#end(flag);
      },
      fault: (fault) => {
        if (this.#holding) this.#held.push({ fault });
        else this.#fault(fault);
      },
    };
  }

  #head(head: MsrpHead): void {
    this.#events += 1;
    this.#trace?.head(head);
    if (head.kind === 'response') this.writer.answered(head);
    else if (head.method === 'REPORT') this.#owner.report(this, head);
    else this.#body = this.#owner.request(this, head);
  }

  #takeBody(bytes: Buffer): void {
    const written = this.#body?.write(bytes);
    if (written === undefined) return;
    this.#holding = true;
    this.#socket.pause();
    void written.then(() => this.#release());
  }

  #end(flag: MsrpFlag): void {
    this.#events += 1;
    this.#trace?.end(flag);
    const body = this.#body;
    this.#body = undefined;
    body?.end(flag);
  }

  /** Goes on with what came while a sink was busy. */
  #release(): void {
    this.#holding = false;
    // The time a sink takes is not the peer's.
    this.#octets = Infinity;
    let index = 0;
    while (index < this.#held.length && !this.#holding && !this.#closed) {
      const held = this.#held[index++]!;
      if ('head' in held) this.#head(held.head);
      else if ('body' in held) this.#takeBody(held.body);
      else if ('flag' in held) this.#end(held.flag);
      else this.#fault(held.fault);
    }
    this.#held.splice(0, index);
    this.#resume();
  }

  /** Reads on, unless something is still in the way. */
  #resume(): void {
    const isFull = this.#completions >= this.#settings.limits.completions;
    if (!this.#holding && !isFull && !this.#isUnread) this.#socket.resume();
  }

  #fault(fault: MsrpFault): void {
    this.#events += 1;
    this.#faults += 1;
    const { error, answer, fatal } = fault;
    this.#body?.fault();
    this.#body = undefined;
    if (this.#faults === 1) {
      this.#settings.log.warn({ code: error.code, peer: this.peer }, 'MSRP frame refused');
    }
    if (answer) {
      const { transactionId, fromPath, toPath } = answer;
      const to = fromPath.slice(0, 1);
      const from = toPath.length > 0 ? toPath.slice(0, 1) : to;
      const { status } = error;
      this.control(response({ transactionId, status, toPath: to, fromPath: from }));
    }
    if (fatal || this.#faults >= faultsMax) this.#closeAfterWriting('protocol');
  }

  /** Lets what is queued leave, then closes. */
  #closeAfterWriting(cause: LostCause): void {
    if (!this.isUsable) return;
    this.#closing = true;
    this.#parser.stop();
    this.writer.pump();
    this.#finish(cause);
    this.#socket.destroySoon();
    // A peer that does not read would keep it for ever.
    this.#idle = this.#settings.clock.after(this.#settings.limits.connectMs, () => {
      this.#socket.destroy();
    });
  }

  #finish(cause: LostCause): void {
    this.#idle?.();
    if (this.#closed) return;
    this.#closed = true;
    this.#watch?.();
    this.#held.length = 0;
    this.#body = undefined;
    this.writer.close();
    this.#owner.closed(this, cause);
  }

  /** Closes unless a session comes in time. */
  #waitFor(waitMs: number): void {
    this.#idle?.();
    this.#idle = this.#settings.clock.after(waitMs, () => {
      this.#idle = undefined;
      if (!this.#isOpen) this.close('timeout', 'MSRP_CONNECT_TIMEOUT');
      else if (this.sessions.size > 0) return;
      else if (this.isQuiet && !this.#carrier.leave) this.#closeAfterWriting('closed');
      // A peer that lets it never come to rest has had its time as well.
      else if (++this.#restless >= restlessMax) this.#closeAfterWriting('closed');
      else {
        const { idleMs, connectMs } = this.#settings.limits;
        if (this.isQuiet) this.#carrier.leave?.();
        this.#waitFor(Math.min(idleMs, connectMs));
      }
    });
  }

  /** A peer in the middle of a frame has to go on: bounds slow heads and slow bodies. */
  #startWatch(eventsBefore: number): void {
    const { clock, limits } = this.#settings;
    this.#octets = 0;
    this.#watch = clock.after(limits.partialMs, () => {
      this.#watch = undefined;
      if (this.#parser.idle) return;
      const isSlow = this.#octets < limits.progressBytes && this.#events === eventsBefore;
      if (isSlow && !this.#socket.isPaused()) this.close('timeout', 'MSRP_SLOW_PEER');
      else this.#startWatch(this.#events);
    });
  }

  #writerOwner(): ConstructorParameters<typeof Writer>[1] {
    const trace = this.#trace;
    return {
      traceOut: trace && ((...parts) => trace.out(...parts)),
      overdue: (code) => this.close('timeout', code),
      bound: (flow, status) => this.#owner.bound(this, flow, status),
      written: () => this.#owner.written(this),
      holdBack: (isHeld) => {
        this.#isUnread = isHeld;
        // Whoever was not read from was not slow.
        this.#octets = Infinity;
        if (isHeld) this.#socket.pause();
        else this.#resume();
      },
    };
  }
}

function sameFingerprints(
  some: readonly CertificateFingerprint[],
  others: readonly CertificateFingerprint[],
): boolean {
  const isKnown = ({ hash, value }: CertificateFingerprint): boolean =>
    others.some((other) => other.hash === hash && other.value === value);
  return some.length === others.length && some.every(isKnown);
}
