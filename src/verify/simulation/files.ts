/** The spool of a simulated client: without power only what was synced, and under its name, stays. */

import type { FilesPort, OpenFile } from '../../ports.js';
import type { SeededRandom } from '../virtual-clock.js';
import { DiskError } from './disk.js';

interface Kept {
  octets: Buffer;
  /** What a loss of power leaves of it. */
  durable: Buffer;
  /** Its name is in the directory, whatever happens. */
  isNamed: boolean;
}

export class SimulatedFiles implements FilesPort {
  readonly #files = new Map<string, Kept>();
  readonly #random: SeededRandom;
  readonly #isFull: () => boolean;

  constructor(random: SeededRandom, isFull: () => boolean) {
    this.#random = random;
    this.#isFull = isFull;
  }

  get paths(): readonly string[] {
    return [...this.#files.keys()];
  }

  /** What the file has; undefined: there is none. */
  octetsOf(path: string): Buffer | undefined {
    return this.#files.get(path)?.octets;
  }

  /** What is left for the next process. */
  crash(how: 'process' | 'power'): void {
    if (how === 'process') return;
    for (const [path, file] of this.#files) {
      if (file.isNamed) file.octets = file.durable;
      else this.#files.delete(path);
    }
  }

  create(path: string): Promise<OpenFile> {
    if (this.#files.has(path)) return Promise.reject(new Error(`EEXIST ${path}`));
    const file: Kept = { octets: Buffer.alloc(0), durable: Buffer.alloc(0), isNamed: false };
    this.#files.set(path, file);
    return Promise.resolve({
      write: (octets, at) => this.#write(file, octets, at),
      read: (at, length) => Promise.resolve(Buffer.from(file.octets.subarray(at, at + length))),
      sync: () => {
        file.durable = file.octets;
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    });
  }

  remove(path: string): Promise<void> {
    this.#files.delete(path);
    return Promise.resolve();
  }

  syncDirectoryOf(): Promise<void> {
    for (const file of this.#files.values()) file.isNamed = true;
    return Promise.resolve();
  }

  /** As much as there is room for: a disk that fills up takes a part, then refuses. */
  #write(file: Kept, octets: Buffer, at: number): Promise<number> {
    if (this.#isFull()) return Promise.reject(new DiskError('ENOSPC'));
    const isCut = octets.length > 1 && this.#random.chance(0.02);
    const length = isCut ? 1 + this.#random.below(octets.length - 1) : octets.length;
    const grown = Buffer.alloc(Math.max(file.octets.length, at + length));
    file.octets.copy(grown);
    octets.copy(grown, at, 0, length);
    file.octets = grown;
    return Promise.resolve(length);
  }
}
