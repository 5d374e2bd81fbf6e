/** A bounded queue between the network and a consumer that iterates. */

import type { Clock } from '../ports.js';

interface Taker<Item> {
  resolve(result: IteratorResult<Item, undefined>): void;
  reject(error: Error): void;
}

interface Giver<Item> {
  readonly item: Item;
  readonly settle: (taken: boolean) => void;
}

/** Items come out in the order in which they came in. */
export class Arrivals<Item> {
  readonly #capacity: number;
  readonly #items: Item[] = [];
  readonly #takers: Taker<Item>[] = [];
  readonly #givers = new Set<Giver<Item>>();
  #closed = false;
  #error: Error | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Resolves with true when the item has its place, with false after `waitMs` without room. */
  offer(item: Item, clock: Clock, waitMs: number): Promise<boolean> {
    if (this.#closed) return Promise.resolve(false);
    const taker = this.#takers.shift();
    if (taker) {
      taker.resolve({ value: item, done: false });
      return Promise.resolve(true);
    }
    if (this.#items.length < this.#capacity) {
      this.#items.push(item);
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const cancel = clock.after(waitMs, () => giver.settle(false));
      const giver: Giver<Item> = {
        item,
        settle: (taken) => {
          cancel();
          this.#givers.delete(giver);
          resolve(taken);
        },
      };
      this.#givers.add(giver);
    });
  }

  /** Puts the item in; the oldest one goes when there is no room. */
  push(item: Item): void {
    if (this.#closed) return;
    const taker = this.#takers.shift();
    if (taker) {
      taker.resolve({ value: item, done: false });
      return;
    }
    if (this.#items.length === this.#capacity) this.#items.shift();
    this.#items.push(item);
  }

  take(): Promise<IteratorResult<Item, undefined>> {
    const item = this.#items.shift();
    if (item !== undefined) {
      this.#refill();
      return Promise.resolve({ value: item, done: false });
    }
    const error = this.#error;
    if (error) {
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#closed) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => this.#takers.push({ resolve, reject }));
  }

  /** What is in the queue can still be taken; then the error is thrown once, or the end is told. */
  close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const giver of [...this.#givers]) giver.settle(false);
    const [first, ...others] = this.#takers.splice(0);
    if (first && error) first.reject(error);
    else {
      first?.resolve({ value: undefined, done: true });
      this.#error = error;
    }
    for (const taker of others) taker.resolve({ value: undefined, done: true });
  }

  /** Iterates until it is closed; `onReturn` is called when the consumer leaves the loop. */
  iterate(onReturn: () => void | Promise<void>): AsyncIterableIterator<Item, undefined> {
    const next = (): Promise<IteratorResult<Item, undefined>> => this.take();
    const leave = async (): Promise<IteratorResult<Item, undefined>> => {
      await onReturn();
      return { value: undefined, done: true };
    };
    const iterator: AsyncIterableIterator<Item, undefined> = {
      next,
      return: leave,
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  #refill(): void {
    const [giver] = this.#givers;
    if (!giver) return;
    this.#items.push(giver.item);
    giver.settle(true);
  }
}
