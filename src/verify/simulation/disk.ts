/** A disk in memory that holds one log: what was not synced is lost in a crash, or torn. */

import type { Clock } from '../../ports.js';
import type { SeededRandom } from '../virtual-clock.js';

export type DiskFault = 'disk-full' | 'disk-sync' | 'slow-disk' | 'torn-write';

export class DiskError extends Error {
  readonly code: 'ENOSPC' | 'EIO';

  constructor(code: 'ENOSPC' | 'EIO') {
    super(code);
    this.code = code;
  }
}

/** How long something else may fill the disk. */
const fullMs = 150_000;
const fullMax = 600_000;

export interface DiskFigures {
  writes: number;
  /** Times that it was full for a while. */
  fullTimes: number;
  /** Writes for which there was no room. */
  full: number;
  failedSyncs: number;
  /** Writes that a crash has cut. */
  torn: number;
  /** Writes that nobody was told of, and that were there after the crash. */
  survived: number;
  /** Writes that a crash has taken. */
  dropped: number;
}

export interface DiskParts {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly fails: (kind: DiskFault, probability: number) => boolean;
}

export class SimulatedDisk {
  readonly figures: DiskFigures = {
    ...{ writes: 0, fullTimes: 0, full: 0, failedSyncs: 0, torn: 0, survived: 0, dropped: 0 },
  };
  readonly #parts: DiskParts;
  #durable: Buffer[] = [];
  /** Written, and not synced yet. */
  #cached: Buffer | undefined;
  /** Something else has all its room until then. */
  #fullUntil = 0;
  #heard: (() => void) | undefined;

  constructor(parts: DiskParts) {
    this.#parts = parts;
  }

  /** What the log holds for whoever reads it; the cache of the system is part of it. */
  read(): Buffer {
    return Buffer.concat(this.#cached ? [...this.#durable, this.#cached] : this.#durable);
  }

  /** What the log holds behind everything that is durable. */
  get unsynced(): Buffer {
    return this.#cached ?? Buffer.alloc(0);
  }

  /** Makes so much of it durable, and cuts the log behind it. */
  keep(length: number): void {
    if (length > 0) this.#durable.push(this.unsynced.subarray(0, length));
    this.#cached = undefined;
  }

  /** A disk that holds what this one would after a loss of power. */
  copy(): SimulatedDisk {
    const copy = new SimulatedDisk({ ...this.#parts, fails: () => false });
    copy.replace(Buffer.concat(this.#durable));
    return copy;
  }

  /** Takes the place of the whole log, all or nothing. */
  replace(log: Buffer): void {
    this.#durable = [log];
    this.#cached = undefined;
  }

  /** There is room again, whoever had taken it. */
  clear(): void {
    this.#fullUntil = 0;
  }

  /** Appends and syncs; rejects with DiskError, and then what is in the log is not known. */
  async append(octets: Buffer): Promise<void> {
    const { random, fails } = this.#parts;
    this.figures.writes++;
    if (this.#isFull()) {
      this.figures.full++;
      this.#cached = octets.subarray(0, random.below(octets.length));
      await this.#wait(1);
      throw new DiskError('ENOSPC');
    }
    this.#cached = octets;
    this.#tellOfWrite();
    const usual = 1 + random.below(8);
    await this.#wait(fails('slow-disk', 0.002) ? usual + random.exponential(2_000) : usual);
    // A crash has taken it, or another process has opened the log.
    if (this.#cached !== octets) throw new DiskError('EIO');
    if (fails('disk-sync', 0.001)) {
      this.figures.failedSyncs++;
      throw new DiskError('EIO');
    }
    this.#durable.push(octets);
    this.#cached = undefined;
  }

  /** Calls while the next write is on its way. */
  duringNextWrite(call: () => void): void {
    this.#heard = call;
  }

  /** The machine, or the process: what the system had taken from a process is still written. */
  crash(how: 'process' | 'power'): void {
    const { random, fails } = this.#parts;
    const cached = this.#cached;
    this.#cached = undefined;
    if (!cached || cached.length === 0) return;
    if (how === 'process' || random.chance(0.3)) {
      this.figures.survived++;
      this.#durable.push(cached);
    } else if (fails('torn-write', 0.7)) {
      this.figures.torn++;
      this.#durable.push(cached.subarray(0, random.below(cached.length)));
    } else this.figures.dropped++;
  }

  #tellOfWrite(): void {
    const heard = this.#heard;
    this.#heard = undefined;
    if (heard) this.#parts.clock.after(0, heard);
  }

  /** For one write, or for minutes. */
  #isFull(): boolean {
    const { clock, random, fails } = this.#parts;
    if (clock.now() < this.#fullUntil) return true;
    if (!fails('disk-full', 0.001)) return false;
    if (random.chance(0.5)) {
      this.figures.fullTimes++;
      this.#fullUntil = clock.now() + Math.min(random.exponential(fullMs), fullMax);
    }
    return true;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#parts.clock.after(ms, resolve));
  }
}
