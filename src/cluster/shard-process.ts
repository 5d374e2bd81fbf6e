/** One shard as the front sees it: a process that is started, watched, and started again. */

import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:dgram';
import type { Duplex } from 'node:stream';
import type { Clock, Log } from '../ports.js';
import { Calls, ClusterError } from './calls.js';
import type { Answers } from './calls.js';
import { frameKind } from './frame.js';
import { Link } from './link.js';

export interface ShardBounds {
  /** Octets of SIP messages that wait for the process. */
  readonly pendingOctets: number;
  /** Octets of media that wait for it. */
  readonly mediaOctets: number;
  /** Questions that wait for their answers, and ms for one of them. */
  readonly questions: number;
  readonly questionMs: number;
  /** ms until a process has to have its store open. */
  readonly startMs: number;
  /** ms before it is started again; doubled up to `restartMaxMs` while it does not stay. */
  readonly restartMs: number;
  readonly restartMaxMs: number;
  /** ms between two questions whether it is still there; a process that has no answer is ended. */
  readonly beatMs: number;
}

export interface ShardProcessParts {
  readonly shard: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly bounds: ShardBounds;
  /** Starts the process; the link is its fourth stream. */
  spawn(): ChildProcess;
  /** What it is told first, to open its store; then, when the sockets are open, what it serves. */
  readonly opening: () => unknown;
  readonly greeting: () => unknown;
  readonly answers: Answers;
  /** Frames that are no questions. */
  frame(kind: number, octets: Buffer): void;
  /** Of the link for media, if it is used. */
  readonly media?: MediaAnswers;
}

/** What comes of the link for media: it is apart, so that calls and signalling do not wait. */
export interface MediaAnswers {
  frame(kind: number, octets: Buffer): void;
  drained(): void;
  /** The process is gone. */
  lost(): void;
}

/** Index of the stream that carries the link, and of that for media. */
export const linkStream = 3;
export const mediaStream = 5;

interface Running {
  readonly child: ChildProcess;
  readonly link: Link;
  readonly media: Link;
  readonly calls: Calls;
  readonly since: number;
}

export class ShardProcess {
  readonly #parts: ShardProcessParts;
  #running: Running | undefined;
  #isUp = false;
  #isStopping = false;
  #restartMs: number;
  #restarts = 0;
  /** What it has said when it was ready. */
  #ready: unknown;
  #counters: Readonly<Record<string, number>> = {};

  constructor(parts: ShardProcessParts) {
    this.#parts = parts;
    this.#restartMs = parts.bounds.restartMs;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  /** What it counted when it was last asked. */
  get counters(): Readonly<Record<string, number>> {
    return this.#counters;
  }

  get ready(): unknown {
    return this.#ready;
  }

  /** Resolves when its store is open. Rejects with the error of the process, which is gone then. */
  async open(): Promise<void> {
    const running = this.#spawn();
    await this.#asked(running, 'open', this.#parts.opening());
  }

  /** Resolves when it is ready. Rejects as `open` does, which it does first when nobody has. */
  async start(): Promise<void> {
    if (!this.#running) await this.open();
    const running = this.#running;
    const { greeting, shard } = this.#parts;
    if (!running) throw new ClusterError('STORE_UNAVAILABLE', `shard ${shard} is gone`);
    this.#ready = await this.#asked(running, 'start', greeting());
    this.#isUp = running.link.isOpen;
    this.#beat(running);
  }

  async #asked({ calls, child }: Running, name: string, told: unknown): Promise<unknown> {
    const { clock, bounds, shard } = this.#parts;
    const late = new Promise<never>((_resolve, reject) => {
      clock.after(bounds.startMs, () => {
        reject(new ClusterError('CLUSTER_START', `shard ${shard} does not start`));
      });
    });
    try {
      return await Promise.race([calls.call(name, told), late]);
    } catch (error) {
      child.kill('SIGKILL');
      throw named(error, shard);
    }
  }

  /** False: the process is not there or too slow. */
  offer(kind: number, parts: readonly Buffer[]): boolean {
    return this.#isUp && this.#running?.link.offer(kind, parts) === true;
  }

  tell(kind: number, parts: readonly Buffer[]): void {
    if (this.#isUp) this.#running?.link.send(kind, parts);
  }

  /** The link for media while the process is there. */
  get media(): Link | undefined {
    return this.#isUp ? this.#running?.media : undefined;
  }

  /** Gives sockets for UDP to the process, which asks for them when it is ready to take them. */
  handOver(sockets: readonly Socket[]): number {
    for (const [index, socket] of sockets.entries()) {
      // A process that has ended meanwhile is told of by its exit.
      this.#running?.child.send({ datagrams: index }, socket, () => undefined);
    }
    return sockets.length;
  }

  /** What it has counted by now; when it has no answer, what it last said stays. */
  async refresh(): Promise<void> {
    const running = this.#running;
    try {
      const counters = await this.call('beat');
      if (this.#running === running) this.#counters = counters as Readonly<Record<string, number>>;
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
    }
  }

  call(name: string, ...parameters: readonly unknown[]): Promise<unknown> {
    if (this.#isUp && this.#running) return this.#running.calls.call(name, ...parameters);
    const { shard } = this.#parts;
    return Promise.reject(new ClusterError('STORE_UNAVAILABLE', `shard ${shard} is not there`));
  }

  /** Ends the process in good order, or at once when that takes longer than `graceMs` and a bit. */
  async stop(graceMs: number): Promise<void> {
    this.#isStopping = true;
    const running = this.#running;
    if (!running) return;
    const ended = new Promise<void>((resolve) => running.child.once('exit', () => resolve()));
    if (running.child.exitCode !== null || running.child.signalCode !== null) return;
    const withdraw = this.#parts.clock.after(graceMs * 3 + this.#parts.bounds.beatMs, () => {
      running.child.kill('SIGKILL');
    });
    running.calls.call('stop', graceMs).then(
      () => running.link.end(),
      () => running.link.end(),
    );
    await ended;
    withdraw();
  }

  #spawn(): Running {
    const { clock, bounds, answers, frame, log, shard } = this.#parts;
    const child = this.#parts.spawn();
    const link = new Link(child.stdio[linkStream] as Duplex, {
      pendingOctets: bounds.pendingOctets,
      frame: (kind, octets) => {
        if (kind === frameKind.question) void calls.asked(octets);
        else if (kind === frameKind.answer) calls.answered(octets);
        else frame(kind, octets);
      },
      closed: () => {
        calls.lost();
        // Without its link a process is of no use, whatever else it still does.
        child.kill('SIGKILL');
      },
    });
    const calls = new Calls(
      {
        clock,
        pending: bounds.questions,
        timeoutMs: Math.max(bounds.questionMs, bounds.startMs),
        ask: (octets) => link.send(frameKind.question, [octets]),
        answer: (octets) => link.send(frameKind.answer, [octets]),
      },
      answers,
    );
    const media = new Link((child.stdio as readonly unknown[])[mediaStream] as Duplex, {
      ...{ pendingOctets: bounds.mediaOctets, views: true },
      frame: (kind, octets) => this.#parts.media?.frame(kind, octets),
      drained: () => this.#parts.media?.drained(),
      closed: () => child.kill('SIGKILL'),
    });
    const running = { child, link, media, calls, since: clock.now() };
    this.#running = running;
    child.on('error', (error) => log.error({ err: error, shard }, 'shard cannot be started'));
    child.once('exit', (code, signal) => this.#ended(running, code, signal));
    return running;
  }

  #ended(running: Running, code: number | null, signal: string | null): void {
    if (this.#running !== running) return;
    const wasUp = this.#isUp;
    this.#isUp = false;
    this.#running = undefined;
    running.calls.lost();
    this.#parts.media?.lost();
    // A first start that fails is told to whoever has asked for it.
    if (this.#isStopping || !wasUp) return;
    const { clock, log, shard, bounds } = this.#parts;
    log.error({ code: 'CLUSTER_SHARD_LOST', shard, exit: code, signal }, 'shard is gone');
    if (clock.now() - running.since > bounds.restartMaxMs) this.#restartMs = bounds.restartMs;
    this.#restartLater();
  }

  #restartLater(): void {
    const { clock, log, shard, bounds } = this.#parts;
    const delayMs = this.#restartMs;
    this.#restartMs = Math.min(this.#restartMs * 2, bounds.restartMaxMs);
    clock.after(delayMs, () => {
      if (this.#isStopping) return;
      this.#restarts++;
      this.start().then(
        () => log.info({ shard }, 'shard is back'),
        (error: unknown) => {
          log.error({ err: error, code: 'CLUSTER_SHARD_LOST', shard }, 'shard does not come back');
          if (!this.#isStopping) this.#restartLater();
        },
      );
    });
  }

  /** A process that hangs is one that is gone. */
  #beat(running: Running): void {
    const { clock, bounds, log, shard } = this.#parts;
    clock.after(bounds.beatMs, () => {
      if (this.#running !== running || !this.#isUp) return;
      const withdraw = clock.after(bounds.beatMs, () => {
        log.error({ code: 'CLUSTER_SHARD_LOST', shard }, 'shard does not answer');
        running.child.kill('SIGKILL');
      });
      running.calls.call('beat').then(
        (counters) => {
          withdraw();
          this.#counters = counters as Readonly<Record<string, number>>;
          this.#beat(running);
        },
        () => withdraw(),
      );
    });
  }
}

/** One of several stores: which one is said. */
function named(error: unknown, shard: number): unknown {
  if (!(error instanceof ClusterError) || error.code === 'CLUSTER_START') return error;
  const why = error.message.replace(`${error.code}: `, '');
  return new ClusterError(error.code, `${error.code}: shard ${shard}: ${why}`);
}
