/** Watches the store and the wire of the server: what leaves the store, and what is sent after it. */

import { messageAtRest } from '../ledger.js';
import type { SimulationLedger } from '../simulation-ledger.js';
import { idOf } from './wire-message.js';
import type { Change, StorePort, TraceEntry } from '../../ports.js';

export interface WitnessParts {
  readonly ledger: SimulationLedger;
  readonly now: () => number;
  /** The latest that the clock of the server could say. */
  readonly latest: () => number;
  /** What a breach throws ends the simulation. */
  readonly guarded: (call: () => void) => void;
}

/** A message of the store, from its commit to the commit that ends it. */
interface Kept {
  readonly id: string;
  readonly since: number;
  expiresAt: number | undefined;
  /** Since when the store says that the user has it. */
  leftAt: number | undefined;
}

/** Serials of which a commit says that their users have them, or that they are gone. */
function leavingIn(change: Change): number[] {
  const read = change.puts.filter(({ key, value }) => key[0] === 'ua' && messageAtRest(value).read);
  return [...read.map(({ key }) => key), ...change.deletes]
    .filter((key) => key[0] === 'ua')
    .map((key) => key[1]);
}

interface PushSession {
  /** When its INVITE left first. */
  readonly begunAt: number;
  /** The highest serial that was sent, and all of them. */
  highest: number;
  readonly sent: Set<number>;
}

/** Sessions that are remembered. */
const sessionsMax = 10_000;

export class WireWitness {
  readonly #parts: WitnessParts;
  /** Messages by the Message-IDs that their senders have drawn. */
  readonly #drawn = new Map<string, Pick<Kept, 'id' | 'since'>>();
  readonly #kept = new Map<number, Kept>();
  /** Messages of which a commit that ends them has failed, until one succeeds. */
  readonly #unwritten = new Set<string>();
  /** By the MSRP URI of the server. */
  readonly #sessions = new Map<string, PushSession>();

  constructor(parts: WitnessParts) {
    this.#parts = parts;
  }

  /** Remembers nothing of messages that are older. */
  forget(ageMs: number): void {
    const before = this.#parts.now() - ageMs;
    forgetBefore(this.#kept, before);
    forgetBefore(this.#drawn, before);
  }

  /** The message whose sender wants to hear of it under that Message-ID (RFC 5438). */
  sentAs(drawn: string): string | undefined {
    return this.#drawn.get(drawn)?.id;
  }

  /** Whether the server has tried in vain to write down that the user has it. */
  isUnwritten(id: string): boolean {
    return this.#unwritten.has(id);
  }

  watch(store: StorePort): StorePort {
    return new Proxy(store, {
      get: (target, name) => {
        if (name === 'commit') {
          return (account: string, version: number, change: Change) =>
            this.#commit(target, account, version, change);
        }
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  /** What the server sends: pushes in order, and none of what the user is known to have. */
  sent({ direction, protocol, bytes }: TraceEntry): void {
    if (direction !== 'out') return;
    if (protocol === 'sip') this.#invited(bytes);
    else if (protocol === 'msrp' && bytes.includes(' SEND\r\n'))
      this.#parts.guarded(() => this.#send(bytes));
  }

  /** The server goes on as if nobody looked. */
  #commit(store: StorePort, account: string, version: number, change: Change): Promise<number> {
    // Also of a commit whose outcome nobody learns.
    for (const { serial, content } of change.keeps) {
      // A number is given again when nothing was written under it.
      this.#kept.delete(serial);
      if (typeof content !== 'string') this.#know(serial, content);
    }
    const committed = store.commit(account, version, change);
    const note = async (): Promise<void> => {
      await committed;
      for (const { serial, content } of change.keeps) {
        if (typeof content === 'string') await this.#keep(store, account, serial);
      }
      this.#parts.guarded(() => this.#judge(change));
    };
    committed.catch(() => this.#failed(change));
    // What was not written is nothing to look at.
    note().catch(() => undefined);
    return committed;
  }

  #failed(change: Change): void {
    for (const serial of leavingIn(change)) {
      const kept = this.#kept.get(serial);
      if (kept) this.#unwritten.add(kept.id);
    }
  }

  async #keep(store: StorePort, account: string, serial: number): Promise<void> {
    const content = await store.content(account, serial);
    if (content) this.#know(serial, await content.read(0, content.size));
  }

  #know(serial: number, octets: Buffer): void {
    const id = idOf(octets);
    if (id === undefined) return;
    const drawn = /imdn\.Message-ID: *(\S+)/i.exec(octets.toString('latin1'))?.[1];
    const since = this.#parts.now();
    if (drawn !== undefined) this.#drawn.set(drawn, { id, since });
    this.#kept.set(serial, { id, since, expiresAt: undefined, leftAt: undefined });
  }

  #judge(change: Change): void {
    for (const { key, value } of change.puts) {
      if (key[0] !== 'ua') continue;
      const kept = this.#kept.get(key[1]);
      const { read, expiresAt } = messageAtRest(value);
      if (!kept) continue;
      kept.expiresAt = expiresAt;
      if (read) this.#left(kept, 'read');
    }
    for (const key of change.deletes) {
      if (key[0] !== 'ua') continue;
      const kept = this.#kept.get(key[1]);
      if (kept) this.#left(kept, 'gone');
    }
  }

  /** Only what the user has got, or what has expired, leaves the store. */
  #left(kept: Kept, how: 'read' | 'gone'): void {
    const { ledger, now, latest } = this.#parts;
    const { id, expiresAt } = kept;
    this.#unwritten.delete(id);
    kept.leftAt ??= now();
    const message = ledger.messages.get(id);
    const isOver = how === 'gone' && (expiresAt ?? Infinity) <= latest();
    // What its user has said of it may have been lost on the way.
    if (message && !isOver) message.confirmed ||= message.taken > 0;
    if (!message || message.taken > 0 || isOver) return;
    ledger.breach('end', `${id} is ${how} in the store, and its user has not said to have it`);
  }

  #invited(bytes: Buffer): void {
    if (!bytes.subarray(0, 7).equals(invite)) return;
    const path = /\r\na=path:(\S+)/.exec(bytes.toString('latin1'))?.[1];
    if (path === undefined || this.#sessions.has(path)) return;
    if (this.#sessions.size >= sessionsMax) {
      this.#sessions.delete(this.#sessions.keys().next().value!);
    }
    this.#sessions.set(path, { begunAt: this.#parts.now(), highest: 0, sent: new Set() });
  }

  #send(bytes: Buffer): void {
    const { ledger } = this.#parts;
    const text = bytes.toString('latin1');
    const session = this.#sessions.get(/\r\nFrom-Path: (\S+)/.exec(text)?.[1] ?? '');
    const serial = Number(/\r\nMessage-ID: \D*(\d+)/.exec(text)?.[1]);
    const kept = this.#kept.get(serial);
    if (!session || !kept) return;
    if (kept.leftAt !== undefined && kept.leftAt < session.begunAt) {
      ledger.breach('twice', `${kept.id} is pushed although its user is known to have it`);
    }
    if (session.sent.has(serial)) return;
    session.sent.add(serial);
    if (serial < session.highest) {
      ledger.breach('order', `${kept.id} is pushed behind one that came later`);
    }
    session.highest = serial;
  }
}

/** Messages stand in the order in which they were first known. */
function forgetBefore(known: Map<unknown, Pick<Kept, 'since'>>, before: number): void {
  for (const [key, { since }] of known) {
    if (since > before) return;
    known.delete(key);
  }
}

const invite = Buffer.from('INVITE ');
