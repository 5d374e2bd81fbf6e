/** Group commit: everything that arrives while one batch is under way forms the next batch. */

import { performance } from 'node:perf_hooks';
import { Latency } from './latency.js';
import { StoreError } from './store-error.js';
import type { Operation, Table } from './table.js';

export interface CommitQueueLimits {
  /** Requests that may wait, those of the batch under way included. */
  readonly pendingCommits: number;
  /** Octets of their keys and values. */
  readonly pendingBytes: number;
  /** Octets of one batch; a request above it goes alone. */
  readonly batchBytes: number;
}

/** What is to be written, and who hears how it went. */
export interface Write {
  readonly operations: readonly Operation[];
  /** Octets of their keys and values. */
  readonly bytes: number;
  /** False: what this was based on is no longer so, and it must not be written. */
  readonly isValid: boolean;
  /** It is durable. */
  written(): void;
  failed(error: StoreError): void;
}

interface Waiting {
  readonly write: Write;
  readonly begunAt: number;
}

export class CommitQueue {
  readonly #table: Table;
  readonly #limits: CommitQueueLimits;
  /** Defers the beginning of a batch, so that requests of one moment come together. */
  readonly #defer: (call: () => void) => void;
  #waiting: Waiting[] = [];
  #group: Waiting[] = [];
  #pending = 0;
  #bytes = 0;
  #running: Promise<void> | undefined;
  #closed = false;
  /** Those who can wait, and wait until half the room is free. */
  #patient: (() => void)[] = [];
  /** From the moment a request came until it was durable. */
  readonly latency = new Latency();
  readonly counts = { requests: 0, batches: 0, bytes: 0, refused: 0 };

  constructor(table: Table, limits: CommitQueueLimits, defer: (call: () => void) => void) {
    this.#table = table;
    this.#limits = limits;
    this.#defer = defer;
  }

  get pending(): number {
    return this.#pending;
  }

  get pendingBytes(): number {
    return this.#bytes;
  }

  /** Whether half the room is free: the other half is for those who cannot wait. */
  get isRoomy(): boolean {
    const { pendingCommits, pendingBytes } = this.#limits;
    return this.#closed || (this.#pending * 2 < pendingCommits && this.#bytes * 2 < pendingBytes);
  }

  /** Resolves when it is; for as many at a time as there is room for. */
  roomy(): Promise<void> {
    if (this.isRoomy) return Promise.resolve();
    return new Promise((resolve) => this.#patient.push(resolve));
  }

  /** Throws STORE_UNAVAILABLE when there is no room for `bytes` more. */
  admit(bytes: number): void {
    if (this.#closed) throw new StoreError('STORE_CLOSED', 'the store was closed');
    const { pendingCommits, pendingBytes } = this.#limits;
    // One request above the bound is let in when nothing waits: it could never go otherwise.
    const overrun = this.#bytes > 0 && this.#bytes + bytes > pendingBytes;
    if (this.#pending < pendingCommits && !overrun) return;
    this.counts.refused++;
    throw new StoreError('STORE_UNAVAILABLE', 'too many commits wait for the disk');
  }

  /** Durable when resolved. Rejects with a `StoreError`. Call `admit` before. */
  write(operations: readonly Operation[], bytes: number): Promise<void> {
    return new Promise((written, failed) => {
      this.take({ operations, bytes, isValid: true, written, failed });
    });
  }

  /** Writes it with those of its moment. Call `admit` before. */
  take(write: Write): void {
    this.#pending++;
    this.#bytes += write.bytes;
    this.#waiting.push({ write, begunAt: performance.now() });
    this.#running ??= this.#start();
  }

  async #start(): Promise<void> {
    await new Promise<void>((resolve) => this.#defer(resolve));
    while (this.#waiting.length > 0) await this.#next();
    this.#running = undefined;
  }

  async #next(): Promise<void> {
    if (this.#table.failed) {
      try {
        await this.#table.ready();
      } catch (error) {
        this.#refuse(this.#waiting.splice(0), error);
        return;
      }
    }
    const group = this.#takeGroup();
    if (group.length === 0) return;
    this.#group = group;
    const operations = group.length === 1 ? group[0]!.write.operations : merge(group);
    try {
      await this.#table.write(operations);
    } catch (error) {
      if (this.#group.length > 0) {
        this.#reject(group, new StoreError('STORE_UNKNOWN', 'a write failed', error));
      }
      this.#group = [];
      return;
    }
    if (this.#group.length === 0) return;
    this.#group = [];
    this.counts.batches++;
    const now = performance.now();
    for (const { write, begunAt } of group) {
      this.latency.observe(now - begunAt);
      this.#release(write);
      this.counts.requests++;
      this.counts.bytes += write.bytes;
      write.written();
    }
    this.#letIn();
  }

  /** The next group; what has become invalid is rejected on the way. */
  #takeGroup(): Waiting[] {
    const group: Waiting[] = [];
    let bytes = 0;
    let at = 0;
    for (; at < this.#waiting.length; at++) {
      const waiting = this.#waiting[at]!;
      const { write } = waiting;
      if (!write.isValid) {
        const stale = new StoreError('STORE_STALE', 'a commit before this one failed');
        this.#reject([waiting], stale);
        continue;
      }
      if (group.length > 0 && bytes + write.bytes > this.#limits.batchBytes) break;
      bytes += write.bytes;
      group.push(waiting);
    }
    this.#waiting = at === this.#waiting.length ? [] : this.#waiting.slice(at);
    return group;
  }

  #refuse(refusals: readonly Waiting[], error: unknown): void {
    this.counts.refused += refusals.length;
    const refused =
      error instanceof StoreError && error.code === 'STORE_CLOSED'
        ? error
        : new StoreError('STORE_UNAVAILABLE', 'the disk does not take writes', error);
    this.#reject(refusals, refused);
  }

  #reject(rejected: readonly Waiting[], error: StoreError): void {
    for (const { write } of rejected) {
      this.#release(write);
      write.failed(error);
    }
    this.#letIn();
  }

  #release(write: Write): void {
    this.#pending--;
    this.#bytes -= write.bytes;
  }

  /** Once for each batch: whoever is let in comes only when this turn of the loop is over. */
  #letIn(): void {
    if (this.#patient.length === 0 || !this.isRoomy) return;
    const free = this.#limits.pendingBytes / 2 - this.#bytes;
    const count = this.#pending === 0 ? Math.max(1, free / pieceBytes) : free / pieceBytes;
    for (const resolve of this.#patient.splice(0, Math.floor(count))) resolve();
  }

  #letAllIn(): void {
    for (const resolve of this.#patient.splice(0)) resolve();
  }

  /** Takes nothing more in and waits for what was taken. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#letAllIn();
    await this.#running;
  }

  /** Rejects everything as the end of the process would: nobody learns what became of it. */
  kill(): void {
    this.#closed = true;
    this.#letAllIn();
    const lost = [...this.#group.splice(0), ...this.#waiting.splice(0)];
    this.#group = [];
    this.#reject(lost, new StoreError('STORE_CLOSED', 'the process of the store died'));
  }
}

/** What one who waits comes with. */
const pieceBytes = 131_072;

function merge(group: readonly Waiting[]): Operation[] {
  const operations: Operation[] = [];
  for (const { write } of group) {
    for (const operation of write.operations) operations.push(operation);
  }
  return operations;
}

/** Octets of keys and values. */
export function sizeOf(operations: readonly Operation[]): number {
  let bytes = 0;
  for (const { key, value } of operations) bytes += key.length + (value?.length ?? 0);
  return bytes;
}
