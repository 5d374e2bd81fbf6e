/** An accepted connection whose sessions are in several processes: brings each frame to its own. */

import type { Clock, Log, Trace } from '../../ports.js';
import { FrameBounds } from '../../wire/msrp/frame-bounds.js';
import { MsrpParser } from '../../wire/msrp/parse.js';
import type { Carrier, CarrierSocket } from './carrier.js';
import type { HeldOctets, Holder } from './held-octets.js';
import { msrpRecord } from './link.js';
import type { LinkedPeer } from './link.js';
import type { MsrpLimits } from './options.js';
import { SharedOutput } from './shared-output.js';
import type { SessionsWay, SharedStream } from './shared-stream.js';
import { FrameTrace } from './trace.js';

export interface SharedConnectionOwner {
  /** The process of the session, or any other for what is nobody's; undefined: there is none. */
  wayOf(toPath: string | undefined): SessionsWay | undefined;
  opened(connection: SharedConnection, way: SessionsWay): SharedStream;
  /** Nothing comes from its process any more that counts. */
  left(stream: SharedStream): void;
  closed(connection: SharedConnection): void;
}

export interface SharedConnectionSettings {
  readonly limits: MsrpLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly trace: Trace | undefined;
  readonly held: HeldOctets;
}

/** A connection of which processes have closed their part that often is closed. */
const faultsMax = 32;
const keepAliveMs = 60_000;
const startLine = 512;

export class SharedConnection implements Holder {
  readonly #carrier: Carrier;
  readonly #socket: CarrierSocket;
  readonly #owner: SharedConnectionOwner;
  readonly #settings: SharedConnectionSettings;
  readonly #bounds: FrameBounds;
  readonly #tracing: MsrpParser | undefined;
  readonly #output: SharedOutput;
  readonly #streams = new Map<SessionsWay, SharedStream>();
  /** Those that have to take in something before more is read. */
  readonly #blockedBy = new Set<SharedStream>();
  /** Whose frame is coming; undefined: nobody wants the rest of it. */
  #to: SharedStream | undefined;
  #pieces: Buffer[] = [];
  #faults = 0;
  #isClosing = false;
  #isClosed = false;
  #wait: (() => void) | undefined;
  #watch: (() => void) | undefined;
  /** Octets that came and frames that began or ended since the last look of the watch. */
  #octets = 0;
  #events = 0;

  constructor(carrier: Carrier, owner: SharedConnectionOwner, settings: SharedConnectionSettings) {
    const { socket, framed } = carrier;
    const { trace, clock, limits } = settings;
    this.#carrier = carrier;
    this.#socket = socket;
    this.#owner = owner;
    this.#settings = settings;
    this.#bounds = new FrameBounds(
      {
        head: (bytes, toPath) => this.#head(bytes, toPath),
        body: (bytes) => this.#piece(bytes),
        end: (bytes) => this.#end(bytes),
        broken: (bytes) => this.#broken(bytes),
      },
      { startLine, headBytes: limits.headBytes },
    );
    const frames = trace && new FrameTrace(trace, clock, carrier);
    this.#tracing = frames && tracing(frames, limits);
    this.#output = new SharedOutput({
      ...{ socket, framed },
      traceOut: frames && ((...parts) => frames.out(...parts)),
      drained: () => this.#drained(),
      unread: () => this.destroy('MSRP_UNREAD'),
      ...{ clock, unreadMs: limits.responseMs },
    });
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAliveMs);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => {
      // `close` follows; the reason is the network's and nobody can act on it.
    });
    socket.on('close', () => this.#gone());
    this.#waitFor(limits.bindWaitMs, () => this.#finish());
  }

  /** What processes are told of it. */
  get peer(): LinkedPeer {
    const { transport, framed, proof } = this.#carrier;
    const { localAddress, localPort, remoteAddress, remotePort } = this.#socket;
    return { transport, framed, localAddress, localPort, remoteAddress, remotePort, proof };
  }

  /** Closes at once. `code` is logged. */
  destroy(code?: string): void {
    if (this.#isClosed) return;
    const peer = this.#socket.remoteAddress;
    if (code !== undefined) this.#settings.log.warn({ code, peer }, 'MSRP connection closed');
    this.#socket.destroy();
    this.#gone();
  }

  overfull(): void {
    this.destroy('MSRP_HELD_FULL');
  }

  // ------------------------------------------------------------- from the processes

  arrived(stream: SharedStream, octets: Buffer): void {
    this.#settings.held.take(this, octets.length);
    if (this.#isClosed) return;
    stream.frames.push(octets);
    this.#output.wake(stream);
  }

  /** Octets have gone to the socket. */
  moved(octets: number): void {
    this.#settings.held.give(this, octets);
  }

  /** The process can take in more. */
  released(stream: SharedStream): void {
    if (stream.isBlocked || !this.#blockedBy.delete(stream)) return;
    if (this.#blockedBy.size > 0 || this.#isClosed) return;
    // The time a process takes is not the peer's.
    this.#octets = Infinity;
    this.#socket.resume();
  }

  /** No session there uses it. What has been sent meanwhile may be the first of another one. */
  idle(stream: SharedStream, received: number): void {
    if (stream.sent !== received || this.#to === stream) return;
    stream.way.send(msrpRecord.closed, stream.number);
    this.#leave(stream);
    if (this.#streams.size === 0) this.#finish();
  }

  /** The process has closed its part, or is gone itself. `soon`: what it has sent is to leave. */
  left(stream: SharedStream, soon: boolean): void {
    this.#leave(stream);
    this.#faults += 1;
    if (this.#streams.size > 0 && this.#faults < faultsMax) return;
    if (soon) this.#finish();
    else this.destroy();
  }

  #leave(stream: SharedStream): void {
    stream.isGone = true;
    this.#streams.delete(stream.way);
    this.#owner.left(stream);
    if (this.#to === stream) {
      this.#to = undefined;
      this.#pieces = [];
    }
    this.released(stream);
    stream.frames.end();
    this.#output.wake(stream);
  }

  // ------------------------------------------------------------------ from the peer

  #read(chunk: Buffer): void {
    if (this.#isClosing || this.#isClosed) return;
    this.#octets += chunk.length;
    this.#tracing?.push(chunk);
    this.#bounds.push(chunk);
    this.#flush();
    if (this.#blockedBy.size > 0) this.#socket.pause();
    if (!this.#isClosed && !this.#watch && !this.#bounds.isIdle) this.#startWatch(this.#events);
  }

  #head(bytes: Buffer, toPath: string | undefined): void {
    this.#events += 1;
    const stream = this.#streamOf(toPath);
    if (stream !== this.#to) this.#flush();
    this.#to = stream;
    this.#pieces.push(bytes);
  }

  #piece(bytes: Buffer): void {
    if (this.#to) this.#pieces.push(bytes);
  }

  #end(bytes: Buffer): void {
    this.#events += 1;
    this.#piece(bytes);
    // The next frame is mostly for the same one.
    if (this.#bounds.isIdle) this.#flush();
  }

  /** One of the processes is to find out what is wrong, answer it and close. */
  #broken(bytes: Buffer): void {
    const stream = this.#streamOf(undefined);
    this.#flush();
    if (!stream) return;
    this.#to = stream;
    this.#pieces.push(bytes);
    this.#flush();
    this.#isClosing = true;
    for (const other of [...this.#streams.values()]) {
      if (other === stream) continue;
      other.way.send(msrpRecord.closed, other.number);
      this.#leave(other);
    }
    this.#waitFor(this.#settings.limits.connectMs, () => this.destroy());
  }

  #streamOf(toPath: string | undefined): SharedStream | undefined {
    if (this.#isClosed) return undefined;
    const way = this.#owner.wayOf(toPath);
    if (!way) {
      this.destroy();
      return undefined;
    }
    const known = this.#streams.get(way);
    if (known) return known;
    const stream = this.#owner.opened(this, way);
    this.#streams.set(way, stream);
    this.#wait?.();
    this.#wait = undefined;
    return stream;
  }

  #flush(): void {
    const pieces = this.#pieces;
    const stream = this.#to;
    if (pieces.length === 0 || !stream) return;
    this.#pieces = [];
    if (!stream.send(pieces)) this.overfull();
    else if (stream.isBlocked) this.#blockedBy.add(stream);
    if (this.#bounds.isIdle) this.#to = undefined;
  }

  // ------------------------------------------------------------------------- its end

  /** Lets what is queued leave, then closes. */
  #finish(): void {
    if (this.#isClosed) return;
    this.#isClosing = true;
    // A peer that does not read would keep it for ever.
    this.#waitFor(this.#settings.limits.connectMs, () => this.destroy());
    this.#socket.resume();
    this.#drained();
  }

  #drained(): void {
    const isDone = this.#isClosing && this.#streams.size === 0;
    if (isDone && this.#output.isDrained) this.#socket.destroySoon();
  }

  #gone(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#wait?.();
    this.#watch?.();
    this.#pieces = [];
    this.#blockedBy.clear();
    for (const stream of this.#streams.values()) {
      stream.isGone = true;
      stream.way.send(msrpRecord.closed, stream.number);
      this.#owner.left(stream);
    }
    this.#streams.clear();
    this.#settings.held.leave(this);
    this.#owner.closed(this);
  }

  #waitFor(waitMs: number, then: () => void): void {
    this.#wait?.();
    this.#wait = this.#settings.clock.after(waitMs, then);
  }

  /** A peer in the middle of a frame has to go on: bounds slow heads and slow bodies. */
  #startWatch(eventsBefore: number): void {
    const { clock, limits } = this.#settings;
    this.#octets = 0;
    this.#watch = clock.after(limits.partialMs, () => {
      this.#watch = undefined;
      if (this.#bounds.isIdle) return;
      const isSlow = this.#octets < limits.progressBytes && this.#events === eventsBefore;
      if (isSlow && !this.#socket.isPaused()) this.destroy('MSRP_SLOW_PEER');
      else this.#startWatch(this.#events);
    });
  }
}

function tracing(frames: FrameTrace, { headers, headBytes }: MsrpLimits): MsrpParser {
  return new MsrpParser(
    {
      head: (head) => frames.head(head),
      body: () => undefined,
      end: (flag) => frames.end(flag),
      fault: () => undefined,
    },
    { headers, headerSection: headBytes, headerLine: headBytes },
  );
}
