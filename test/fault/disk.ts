/** A disk that fails at will, and one whose power is cut: `disk.c` in front of libc. */

import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInstalled } from '../server-process.js';
import type { Draw } from './random.js';

const source = fileURLToPath(new URL('disk.c', import.meta.url));

/** Why there is no such disk here; undefined: there is. */
export const missing = ((): string | undefined => {
  if (process.platform !== 'linux') return 'LD_PRELOAD is for Linux';
  return isInstalled('cc') ? undefined : 'cc is not installed';
})();

let built: string | undefined;
/** Disks that use it. */
let users = 0;

/** The shared library, built for all disks that are there at a time. */
function library(): string {
  if (built !== undefined) return built;
  const directory = mkdtempSync(join(tmpdir(), 'poste-disk-'));
  const path = join(directory, 'disk.so');
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC'];
  const made = spawnSync('cc', [...flags, '-o', path, source, '-ldl', '-lpthread']);
  if (made.status !== 0) throw new Error(`cc: ${made.stderr.toString()}`);
  built = path;
  return path;
}

/** The last one takes it away. */
function leave(): void {
  users--;
  if (users > 0 || built === undefined) return;
  rmSync(dirname(built), { recursive: true, force: true });
  built = undefined;
}

/** Places in the control block of `disk.c`. */
const places = {
  ...{ octets: 0, writeError: 8, syncError: 12, syncMs: 16, syncLies: 20, steps: 24 },
} as const;

/** What stands in errno. */
export const errno = { EIO: 5, EROFS: 30 } as const;

/**
 * What the power cut leaves of octets that were not synced: nothing; some of them, the last record
 * torn; their length, but zeros from some place on, as file systems do that write lengths first.
 */
export type Cut = 'nothing' | 'torn' | 'zeros';

export class Disk {
  readonly directory: string;
  readonly #root: string;
  readonly #control: number;

  /** For a store in this directory, which is not there yet. */
  constructor(directory: string) {
    users++;
    this.directory = directory;
    this.#root = `${directory}.disk`;
    mkdirSync(join(this.#root, 'saved'), { recursive: true });
    writeFileSync(join(this.#root, 'control'), Buffer.alloc(32));
    this.#control = openSync(join(this.#root, 'control'), 'r+');
    this.octets(undefined);
  }

  get env(): Record<string, string> {
    return {
      LD_PRELOAD: library(),
      FAULT_DISK_DIRECTORY: this.directory,
      FAULT_DISK_JOURNAL: join(this.#root, 'journal'),
      FAULT_DISK_SAVED: join(this.#root, 'saved'),
      FAULT_DISK_CONTROL: join(this.#root, 'control'),
    };
  }

  /** Octets that may still be written. */
  octets(room: number | undefined): void {
    const octets = Buffer.alloc(8);
    octets.writeBigInt64LE(BigInt(room ?? -1));
    writeSync(this.#control, octets, 0, 8, places.octets);
  }

  set(name: Exclude<keyof typeof places, 'octets'>, value: number): void {
    const octets = Buffer.alloc(4);
    octets.writeInt32LE(value);
    writeSync(this.#control, octets, 0, 4, places[name]);
  }

  /**
   * Makes of the files what a power cut leaves, and begins a new journal. Changes of names are kept
   * in their order up to some place behind the last sync of anything; behind it they are undone.
   */
  cut(how: Cut, draw: Draw): { readonly octets: number; readonly names: number } {
    const { sizes, undone } = this.#read(how === 'nothing' ? undefined : draw);
    for (const change of undone.reverse()) this.#undo(change);
    let lost = 0;
    for (const name of this.#files()) {
      if (!isCut(name)) continue;
      lost += this.#shorten(name, sizes.get(name) ?? 0, how, draw);
    }
    this.settle();
    return { octets: lost, names: undone.length };
  }

  /** Everything is durable as it stands: also what somebody has written who does not know of this. */
  settle(): void {
    const lines = this.#files().map(
      (name) => `S ${name} ${statSync(join(this.directory, name)).size}\n`,
    );
    rmSync(join(this.#root, 'saved'), { recursive: true });
    mkdirSync(join(this.#root, 'saved'));
    writeFileSync(join(this.#root, 'journal'), lines.join(''));
  }

  /** Whether octets were written that a power cut would lose, whatever else is being written. */
  get isBehind(): boolean {
    const { sizes } = this.#read(undefined);
    return this.#files().some((name) => {
      if (!isCut(name)) return false;
      const status = statSync(join(this.directory, name), { throwIfNoEntry: false });
      return (status?.size ?? 0) > (sizes.get(name) ?? 0);
    });
  }

  /** Steps that are left before the process dies. */
  get steps(): number {
    return readFileSync(join(this.#root, 'control')).readInt32LE(places.steps);
  }

  /** What was done to names, and made durable, line by line. */
  journal(): string[] {
    return readFileSync(join(this.#root, 'journal'), 'utf8').split('\n');
  }

  end(): void {
    closeSync(this.#control);
    rmSync(this.#root, { recursive: true, force: true });
    leave();
  }

  #read(draw: Draw | undefined): { sizes: Map<string, number>; undone: string[][] } {
    const sizes = new Map<string, number>();
    let pending: string[][] = [];
    const keep = (changes: readonly string[][]): void => {
      for (const [kind, from = '', to = ''] of changes) {
        if (kind !== 'R') continue;
        sizes.set(to, sizes.get(from) ?? 0);
        sizes.delete(from);
      }
    };
    const path = join(this.#root, 'journal');
    const journal = existsSync(path) ? readFileSync(path, 'utf8') : '';
    for (const line of journal.split('\n')) {
      const words = line.split(' ');
      const [kind, name = '', more = ''] = words;
      if (kind === 'S' || kind === 'D') {
        keep(pending);
        pending = [];
        if (kind === 'S') sizes.set(name, Number(more));
      } else if (line !== '') pending.push(words);
    }
    const kept = draw ? draw(pending.length + 1) : 0;
    keep(pending.slice(0, kept));
    return { sizes, undone: pending.slice(kept) };
  }

  /** Those of the store, and of the contents in it. */
  #files(): string[] {
    const contents = join(this.directory, 'contents');
    const inner = existsSync(contents) ? readdirSync(contents) : [];
    const outer = readdirSync(this.directory, { withFileTypes: true });
    const names = outer.flatMap((entry) => (entry.isFile() ? [entry.name] : []));
    return [...names, ...inner.map((name) => join('contents', name))];
  }

  #undo([kind, name = '', more = '', number = '']: readonly string[]): void {
    const at = (file: string): string => join(this.directory, file);
    const saved = (file: string): string => join(this.#root, 'saved', file);
    if (kind === 'C') rmSync(at(name), { force: true, recursive: true });
    else if (kind === 'U' && more !== '0') renameSync(saved(more), at(name));
    else if (kind === 'R') {
      renameSync(at(more), at(name));
      if (number !== '0') renameSync(saved(number), at(more));
    }
  }

  #shorten(name: string, synced: number, how: Cut, draw: Draw): number {
    const path = join(this.directory, name);
    const { size } = statSync(path);
    if (size <= synced) return 0;
    const kept = how === 'nothing' ? synced : synced + draw(size - synced);
    const file = openSync(path, 'r+');
    ftruncateSync(file, kept);
    if (how === 'zeros') ftruncateSync(file, size);
    closeSync(file);
    return size - kept;
  }
}

/** Locks hold nothing, and LevelDB's LOG is for people. */
function isCut(name: string): boolean {
  return name !== 'LOCK' && !name.startsWith('LOG');
}
