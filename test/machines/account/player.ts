/** Plays paths through the production account on a store: the same inputs, the same time. */

import type { AccountEvent, Limits } from '../../../src/machines/events.js';
import { Account } from '../../../src/actors/account.js';
import type { AccountWorld, Input } from '../../../src/actors/account-world.js';
import { Admission, admissionLimits } from '../../../src/actors/admission.js';
import { createCounters } from '../../../src/actors/counters.js';
import { Budget } from '../../../src/actors/held-messages.js';
import { Pace } from '../../../src/actors/pace.js';
import { defaultBounds } from '../../../src/actors/options.js';
import { Serials } from '../../../src/actors/serials.js';
import type { Row, RowKind, StorePort } from '../../../src/ports.js';
import { CountingRandom, ManualClock } from '../../../src/testing/clock.js';
import { noon } from '../facts.js';
import { blockSize, duplicateMs, durableTimers, type Composite } from './composite.js';
import { isIdle, type Given } from './inputs.js';

const payload = Buffer.from('hi');
const kinds: readonly RowKind[] = ['actor', 'ua', 'timer', 'outbox', 'seen'];
const all = 10_000;

type Of<Kind extends Input['kind']> = Extract<Input, { readonly kind: Kind }>;

export class Player {
  readonly id: string;
  readonly #store: WatchedStore;
  readonly #clock = new ManualClock(noon);
  readonly #world: AccountWorld;
  readonly #errors: unknown[] = [];
  #account: Account;

  private constructor(id: string, store: WatchedStore, serials: Serials, limits: Limits) {
    this.id = id;
    this.#store = store;
    const error = (fields: object): void => void this.#errors.push(fields);
    const silent = (): void => undefined;
    this.#world = {
      ...{ clock: this.#clock, random: new CountingRandom(), limits, serials },
      log: { debug: silent, info: silent, warn: error, error },
      bounds: { ...defaultBounds, duplicateMs },
      counters: createCounters(),
      performer: { perform: silent, refuse: silent, abandon: silent },
      admission: new Admission(admissionLimits, this.#clock),
      pace: new Pace(32),
      forwardOctets: new Budget(1_000_000),
      bridges: new Budget(100),
      externalXdms: true,
      limitsOf: (_account, base) => base,
      deliver: () => Promise.resolve('done'),
      wakeAt: silent,
    };
    this.#account = new Account(id, this.#world, store);
  }

  /** Each path has serials of its own, from one on. */
  static async begin(id: string, store: StorePort, limits: Limits): Promise<Player> {
    const serials = new Serials({ store, hostname: id, nodeBlock: 64, accountBlock: blockSize });
    await serials.ready();
    return new Player(id, watched(store), serials, limits);
  }

  /** `before`: the account of the model, which knows what time passes to. */
  async give(input: Given, before: Composite): Promise<void> {
    switch (input.type) {
      case 'time':
        await this.#passTime(before);
        break;
      case 'restart':
        this.#account.end();
        await this.#load();
        break;
      case 'passivate':
        // The model says that it may.
        if (!isIdle(before) || !this.#account.isIdle) throw new Error(`${this.id} is not idle`);
        this.#account.passivate();
        await this.#load();
        break;
      case 'event':
        this.#account.submit({ kind: 'event', to: input.to, event: input.event });
        break;
      case 'bring':
        this.#account.submit(await this.#brought(input.event));
    }
    await this.#quiet();
    if (this.#errors.length > 0)
      throw new Error(JSON.stringify(this.#errors), { cause: this.#errors[0] });
  }

  rows(): Promise<Row[]> {
    return rowsOf(this.#store, this.id);
  }

  /** Serials of the messages whose octets are there. */
  async contents(serials: Iterable<number>): Promise<number[]> {
    const found: number[] = [];
    for (const serial of serials) {
      if (await this.#store.content(this.id, serial)) found.push(serial);
    }
    return found;
  }

  end(): void {
    this.#account.end();
  }

  async #load(): Promise<void> {
    this.#account = new Account(this.id, this.#world, this.#store);
    await this.#wake();
  }

  async #wake(): Promise<void> {
    await new Promise<void>((done) => {
      this.#account.submit({ kind: 'wake', done: () => done() });
    });
  }

  /** Timers in memory fire by the clock; those of the store when the account is woken. */
  async #passTime(before: Composite): Promise<void> {
    const volatile = [...before.timers.values()].map(({ at }) => at);
    const first = Math.min(...volatile);
    const durable = durableTimers(before)[0]?.at ?? Infinity;
    const at = Math.min(first, durable);
    this.#clock.advance(Math.max(0, at - this.#clock.now()));
    if (durable < first) await this.#wake();
  }

  async #brought(event: AccountEvent): Promise<Input> {
    const at = this.#clock.now();
    const sender = { identity: 'sip:alice@example.org' } as never;
    switch (event.type) {
      case 'message.received':
        return { kind: 'message', event, payload, sender } satisfies Of<'message'>;
      case 'invitation.received':
        return { kind: 'invitation', event, octets: payload, sender, asked: {} };
      case 'message.imported':
        return { kind: 'imported', event, payload };
      case 'message.recorded': {
        const upload = await this.#store.upload(this.id);
        await upload.write(0, payload);
        await upload.finish(payload.length);
        return { kind: 'recorded', event, payload: upload.id, begunAt: at };
      }
      default:
        throw new Error(`${event.type} brings nothing`);
    }
  }

  /** What was decided is durable, what follows from that has been decided, nobody asks the store. */
  async #quiet(): Promise<void> {
    let before: number;
    do {
      before = this.#store.calls;
      await this.#account.settled();
      await new Promise((resolve) => setImmediate(resolve));
    } while (this.#store.pending > 0 || this.#store.calls !== before);
  }
}

/** A store, and how much it is asked. */
interface WatchedStore extends StorePort {
  readonly calls: number;
  readonly pending: number;
}

function watched(store: StorePort): WatchedStore {
  const count = { calls: 0, pending: 0 };
  const counting = <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) => {
    return (...args: Args): Promise<Result> => {
      count.calls++;
      count.pending++;
      return call(...args).finally(() => count.pending--);
    };
  };
  return {
    ...store,
    load: counting((...args) => store.load(...args)),
    scan: counting((...args) => store.scan(...args)),
    get: counting((...args) => store.get(...args)),
    commit: counting((...args) => store.commit(...args)),
    get calls() {
      return count.calls;
    },
    get pending() {
      return count.pending;
    },
  };
}

/** Every row of an account. */
export async function rowsOf(store: StorePort, account: string): Promise<Row[]> {
  const found: Row[] = [];
  for (const kind of kinds) found.push(...(await store.scan(account, { kind, limit: all })));
  return found;
}

/** Rows as they are compared, in an order of their own. */
export function comparable(rows: Iterable<Row>): string[] {
  return [...rows].map(({ key, value }) => `${key.join(' ')} ${JSON.stringify(value)}`).sort();
}
