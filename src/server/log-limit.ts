/** A bound for lines of a log that say the same, as under attack or with a disk that is full. */

import type { Clock } from '../ports.js';

/** Texts that are told apart; the others count together. */
const textsMax = 256;
const windowMs = 1_000;

interface Counted {
  written: number;
  suppressed: number;
}

export class LogLimit {
  readonly #linesPerSecond: number;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #ended: (text: string, suppressed: number) => void;
  /** Texts of the second that runs. */
  readonly #texts = new Map<string, Counted>();

  /** `ended` is told at the end of its second how many lines of a text were not written. */
  constructor(
    linesPerSecond: number,
    clock: Pick<Clock, 'after'>,
    ended: (text: string, suppressed: number) => void,
  ) {
    this.#linesPerSecond = linesPerSecond;
    this.#clock = clock;
    this.#ended = ended;
  }

  /** Whether a line of this text may be written. */
  admits(text: string): boolean {
    const name = this.#texts.has(text) || this.#texts.size < textsMax ? text : 'other lines';
    const counted = this.#texts.get(name) ?? this.#begin(name);
    if (counted.written < this.#linesPerSecond) {
      counted.written++;
      return true;
    }
    counted.suppressed++;
    return false;
  }

  #begin(name: string): Counted {
    const counted = { written: 0, suppressed: 0 };
    this.#texts.set(name, counted);
    this.#clock.after(windowMs, () => {
      this.#texts.delete(name);
      if (counted.suppressed > 0) this.#ended(name, counted.suppressed);
    });
    return counted;
  }
}
