/** What turns change in the store, merged until it is committed: the last word on a row counts. */

import type { Address } from '../machines/events.js';
import type { AtRest } from '../machines/index.js';
import type { Change, Row, RowKey, UploadId } from '../ports.js';
import type { SeenKey } from './seen-rows.js';

interface Put {
  readonly key: RowKey;
  /** undefined: the row goes. */
  readonly value: unknown;
}

const noRows: readonly never[] = [];

export class ChangeBuilder {
  #rows: Map<string, Put> | undefined;
  #virtualUas: Address[] | undefined;
  #keeps: Change['keeps'][number][] | undefined;
  #drops: Set<number> | undefined;
  #wakeAt: number | null | undefined;
  #earliest = Infinity;
  #seen: SeenKey[] | undefined;

  get isEmpty(): boolean {
    return !this.#rows && !this.#keeps && !this.#drops && this.#wakeAt === undefined;
  }

  /** The earliest durable timer that is set here, Infinity when there is none. */
  get earliestTimer(): number {
    return this.#earliest;
  }

  /** The digests that are remembered here. */
  get seen(): readonly SeenKey[] {
    return this.#seen ?? noRows;
  }

  put(key: RowKey, value: unknown): void {
    this.#put(nameOf(key), key, value);
  }

  #put(name: string, key: RowKey, value: unknown): void {
    this.#rows ??= new Map();
    this.#rows.set(name, { key, value });
  }

  remove(key: RowKey): void {
    this.put(key, undefined);
  }

  remember(receivedAt: number, digest: string): void {
    const key = ['seen', receivedAt, digest] as const;
    this.put(key, true);
    (this.#seen ??= []).push(key);
  }

  /** Writes the rest form of an actor; undefined: its row goes. */
  putActor(address: Address, atRest: AtRest | undefined): void {
    this.#put(address, keyOfActor(address), atRest);
    if (address.startsWith('ua/')) (this.#virtualUas ??= []).push(address);
  }

  setTimer(at: number, address: Address, name: string): void {
    this.put(['timer', at, `${address} ${name}`], true);
    if (at < this.#earliest) this.#earliest = at;
  }

  cancelTimer(at: number, address: Address, name: string): void {
    this.remove(['timer', at, `${address} ${name}`]);
  }

  keep(serial: number, content: Buffer | UploadId): void {
    const kept = { serial, content };
    if (this.#keeps) this.#keeps.push(kept);
    else this.#keeps = [kept];
  }

  drop(serial: number): void {
    // There are no more of these than turns ahead of a commit.
    if (this.#keeps) this.#keeps = this.#keeps.filter((kept) => kept.serial !== serial);
    this.#drops ??= new Set();
    this.#drops.add(serial);
  }

  wake(at: number | null): void {
    this.#wakeAt = at;
  }

  /** Whether the row goes here. */
  removes(key: RowKey): boolean {
    const row = this.#rows?.get(nameOf(key));
    return row !== undefined && row.value === undefined;
  }

  /** Whether a message is stored here. */
  get keepsContent(): boolean {
    return this.#keeps !== undefined && this.#keeps.length > 0;
  }

  /** Messages that come and go here. */
  get messages(): { readonly stored: number; readonly gone: number } {
    return { stored: this.#keeps?.length ?? 0, gone: this.#drops?.size ?? 0 };
  }

  /** The virtual UAs of which something is written here. */
  virtualUas(): readonly Address[] {
    return this.#virtualUas ?? noRows;
  }

  /** The rest form that is written here; undefined inside: its row goes. */
  virtualUa(address: Address): { readonly atRest: AtRest | undefined } | undefined {
    const row = this.#rows?.get(address);
    return row && { atRest: row.value as AtRest | undefined };
  }

  /** Adds what a later turn changes. */
  merge(later: ChangeBuilder): void {
    for (const key of later.seen) (this.#seen ??= []).push(key);
    if (later.#rows) {
      this.#rows ??= new Map();
      for (const [name, row] of later.#rows) this.#rows.set(name, row);
    }
    for (const address of later.virtualUas()) (this.#virtualUas ??= []).push(address);
    if (later.#keeps) for (const { serial, content } of later.#keeps) this.keep(serial, content);
    if (later.#drops) for (const serial of later.#drops) this.drop(serial);
    if (later.#wakeAt !== undefined) this.#wakeAt = later.#wakeAt;
    this.#earliest = Math.min(this.#earliest, later.#earliest);
  }

  build(): Change {
    const puts: Row[] = [];
    const deletes: RowKey[] = [];
    for (const put of this.#rows?.values() ?? noRows) {
      if (put.value === undefined) deletes.push(put.key);
      else puts.push(put);
    }
    const keeps = this.#keeps ?? noRows;
    const drops = this.#drops ? [...this.#drops] : noRows;
    const wakeAt = this.#wakeAt;
    // Written out: a literal behind a spread is defined field by field.
    if (wakeAt === undefined) return { puts, deletes, keeps, drops };
    return { puts, deletes, keeps, drops, wakeAt };
  }
}

/** A virtual UA has a row of its own kind; every other actor is loaded with the account. */
export function keyOfActor(address: Address): RowKey {
  return address.startsWith('ua/') ? ['ua', Number(address.slice(3))] : ['actor', address];
}

/** The rows of actors by their addresses, which are there already as strings. */
function nameOf(key: RowKey): string {
  if (key[0] === 'actor') return key[1];
  if (key[0] === 'ua') return `ua/${key[1]}`;
  return key.length === 2 ? `${key[0]} ${key[1]}` : `${key[0]} ${key[1]} ${key[2]}`;
}
