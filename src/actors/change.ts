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

/** The rest form of a virtual UA; undefined: its row goes. */
type VirtualUaRow = readonly [Address, AtRest | undefined];

const noRows: readonly never[] = [];

export class ChangeBuilder {
  #rows: Map<string, Put> | undefined;
  #virtualUas: VirtualUaRow[] | undefined;
  #keeps: Map<number, Buffer | UploadId> | undefined;
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
    this.#rows ??= new Map();
    this.#rows.set(nameOf(key), { key, value });
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
    this.put(keyOfActor(address), atRest);
    if (address.startsWith('ua/')) (this.#virtualUas ??= []).push([address, atRest]);
  }

  setTimer(at: number, address: Address, name: string): void {
    this.put(['timer', at, `${address} ${name}`], true);
    if (at < this.#earliest) this.#earliest = at;
  }

  cancelTimer(at: number, address: Address, name: string): void {
    this.remove(['timer', at, `${address} ${name}`]);
  }

  keep(serial: number, content: Buffer | UploadId): void {
    this.#keeps ??= new Map();
    this.#keeps.set(serial, content);
  }

  drop(serial: number): void {
    this.#keeps?.delete(serial);
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
    return this.#keeps !== undefined && this.#keeps.size > 0;
  }

  /** Messages that come and go here. */
  get messages(): { readonly stored: number; readonly gone: number } {
    return { stored: this.#keeps?.size ?? 0, gone: this.#drops?.size ?? 0 };
  }

  /** What is written here for virtual UAs, in order: of several rows of one the last counts. */
  virtualUas(): readonly VirtualUaRow[] {
    return this.#virtualUas ?? noRows;
  }

  /** Adds what a later turn changes. */
  merge(later: ChangeBuilder): void {
    for (const key of later.seen) (this.#seen ??= []).push(key);
    if (later.#rows) {
      this.#rows ??= new Map();
      for (const [name, row] of later.#rows) this.#rows.set(name, row);
    }
    for (const row of later.virtualUas()) (this.#virtualUas ??= []).push(row);
    if (later.#keeps) for (const [serial, content] of later.#keeps) this.keep(serial, content);
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
    const keeps: Change['keeps'][number][] = [];
    if (this.#keeps) for (const [serial, content] of this.#keeps) keeps.push({ serial, content });
    const drops = this.#drops ? [...this.#drops] : noRows;
    const change = { puts, deletes, keeps, drops };
    return this.#wakeAt === undefined ? change : { ...change, wakeAt: this.#wakeAt };
  }
}

/** A virtual UA has a row of its own kind; every other actor is loaded with the account. */
export function keyOfActor(address: Address): RowKey {
  return address.startsWith('ua/') ? ['ua', Number(address.slice(3))] : ['actor', address];
}

function nameOf(key: RowKey): string {
  return key.length === 2 ? `${key[0]} ${key[1]}` : `${key[0]} ${key[1]} ${key[2]}`;
}
