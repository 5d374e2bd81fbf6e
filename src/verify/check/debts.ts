/** Everything that an account owes, as a value. Of what a session sends only the next is due. */

import type { Address } from '../../machines/events.js';
import type { Owed } from './owed.js';

/** Messages of a session, in the order in which they are to be sent. */
interface Line {
  readonly all: readonly Owed[];
  /** How many of them were sent. */
  readonly sent: number;
  /** When the last of them was: the next one has its time from then on. */
  readonly since: number;
}

export class Debts {
  readonly #others: readonly Owed[];
  readonly #lines: ReadonlyMap<Address, Line>;
  /** What may be seen next, in any order. */
  readonly due: readonly Owed[];

  constructor(others: readonly Owed[] = [], lines: ReadonlyMap<Address, Line> = new Map()) {
    this.#others = others;
    this.#lines = lines;
    this.due = lines.size === 0 ? others : [...others, ...firstOf(lines)];
  }

  with(more: readonly Owed[]): Debts {
    const sends = more.filter(isSend);
    if (sends.length === 0) return new Debts([...this.#others, ...more], this.#lines);
    const lines = new Map(this.#lines);
    for (const session of new Set(sends.map(sessionOf))) {
      const added = sends.filter((owed) => sessionOf(owed) === session);
      const line = lines.get(session);
      lines.set(session, {
        all: [...leftOf(line), ...added],
        ...{ sent: 0, since: line?.since ?? -Infinity },
      });
    }
    const others = more.filter((owed) => !isSend(owed));
    return new Debts([...this.#others, ...others], lines);
  }

  /** Without one that was due, and seen at that time. */
  without(done: Owed, at: number): Debts {
    if (!isSend(done)) {
      return new Debts(
        this.#others.filter((owed) => owed !== done),
        this.#lines,
      );
    }
    const session = sessionOf(done);
    const { all, sent } = this.#lines.get(session)!;
    const lines = new Map(this.#lines);
    if (sent + 1 === all.length) lines.delete(session);
    else lines.set(session, { all, sent: sent + 1, since: at });
    return new Debts(this.#others, lines);
  }

  filter(stays: (owed: Owed) => boolean): Debts {
    const lines = new Map<Address, Line>();
    for (const [session, line] of this.#lines) {
      const all = leftOf(line).filter(stays);
      if (all.length > 0) lines.set(session, { ...line, all, sent: 0 });
    }
    return new Debts(this.#others.filter(stays), lines);
  }

  /** What was to be sent in the session is not owed any more. */
  withoutSession(session: Address): Debts {
    if (!this.#lines.has(session)) return this;
    const lines = new Map(this.#lines);
    lines.delete(session);
    return new Debts(this.#others, lines);
  }
}

function isSend({ effect }: Owed): boolean {
  return effect.type === 'msrp.send';
}

function sessionOf({ effect, by }: Owed): Address {
  return effect.type === 'msrp.send' ? effect.session : by;
}

function leftOf(line: Line | undefined): readonly Owed[] {
  return line === undefined ? [] : line.all.slice(line.sent);
}

function* firstOf(lines: ReadonlyMap<Address, Line>): Generator<Owed> {
  for (const { all, sent, since } of lines.values()) {
    const next = all[sent]!;
    const { at, until } = next;
    yield until === undefined || since <= at ? next : { ...next, until: since + until - at };
  }
}
