/** A served user: all accounts that explain what was seen so far, and what it contradicts. */

import type { ActorSnapshot } from '../../machines/index.js';
import type { Observed } from '../capture/observed.js';
import type { Assumption, Course } from './assumption.js';
import { accountsAfter, describeBefore, type Before } from './before.js';
import { clause, type ClauseId } from './clause.js';
import { afterHidden, withDueTimers } from './hidden-input.js';
import { describeOwed, type Owed } from './owed.js';
import { TrackedAccount, type Input } from './tracked-account.js';
import type { JudgedUser, Violation } from './verdict.js';

/** Explanations that are kept: beyond them the ones with most against them go. */
const accountsMax = 128;
const describedMax = 12;

/** Something seen on the wire that the account has to have done. */
export interface Expected {
  readonly observed: Observed;
  readonly what: string;
  readonly clause: ClauseId;
  /** Whether it is this; what else is said with it comes back as the account after it. */
  match(owed: Owed, account: TrackedAccount): boolean;
  /** What need not come any more once it has. */
  readonly supersedes?: (owed: Owed, done: Owed) => boolean;
  after?(account: TrackedAccount, done: Owed): TrackedAccount;
  /** Hidden inputs cannot have led to it. */
  readonly directly?: boolean;
  /** Another clause, by what the accounts know of it. */
  blame?(accounts: readonly TrackedAccount[]): ClauseId | undefined;
  /** What might have been before the trace to explain it. */
  excuse?(accounts: readonly TrackedAccount[], before: Before): Before | undefined;
}

/** Something that was said of an account, by whoever reads its store. */
export interface Said {
  readonly observed: Observed;
  /** The account that goes on, with what it has learnt. */
  agreement(account: TrackedAccount): TrackedAccount | Differing;
}

export interface Differing {
  readonly clause: ClauseId;
  readonly found: string;
  /** So many of the messages that are told of are not known: they may have come before the trace. */
  readonly unknown: number;
}

/** A violation, and what before the trace would make it none. */
export interface Breach {
  readonly violation: Violation;
  readonly excuse: Before | undefined;
}

export class UserFlow {
  readonly user: string;
  readonly #before: Before;
  readonly breaches: Breach[] = [];
  #accounts: readonly TrackedAccount[];
  #messages = 0;
  readonly #seen = new Map<number, Observed>();
  readonly #course: Course;

  /** `at`: when its trace begins; `window`: messages that a session has under way at most. */
  constructor(
    user: string,
    before: Before,
    under: readonly Assumption[],
    { at, window }: { readonly at: number; readonly window: number },
  ) {
    this.user = user;
    this.#before = before;
    this.#course = { turns: 0, window };
    this.#accounts = accountsAfter(before, under, { at, course: this.#course });
  }

  /**
   * An input: each account goes on with every alternative that it has a transition for, and stays
   * as it is where nothing happens is one of them.
   */
  feed(
    observed: Observed,
    alternatives: (account: TrackedAccount) => readonly (Omit<Input, 'number'> | undefined)[],
  ): void {
    this.advance(observed);
    this.#note(observed);
    const { number } = observed;
    const next = this.#accounts.flatMap((account) =>
      alternatives(account).flatMap((input) => {
        const after = input === undefined ? [] : account.take({ ...input, number });
        return after.length === 0 ? [account] : after;
      }),
    );
    this.#accounts = [...new Set(next)].slice(0, accountsMax);
  }

  /** Whether some account has done it. */
  expect(expected: Expected): boolean {
    const { observed } = expected;
    this.advance(observed);
    this.#note(observed);
    const next = this.#accounts.flatMap((account) => explained(account, expected));
    if (next.length > 0) {
      this.#accounts = next.slice(0, accountsMax);
      return true;
    }
    const found = `${expected.what} is not explained`;
    const id = expected.blame?.(this.#accounts) ?? expected.clause;
    const excuse = expected.excuse?.(this.#accounts, this.#before);
    this.#violate(observed, id, found, excuse);
    return false;
  }

  /** Accounts with which it does not agree are given up; whether any is left. */
  agree(said: Said): boolean {
    const { observed } = said;
    this.advance(observed);
    this.#note(observed);
    const next: TrackedAccount[] = [];
    let differing: Differing | undefined;
    for (const account of this.#accounts) {
      const found = said.agreement(account);
      if (found instanceof TrackedAccount) next.push(found);
      else differing ??= found;
    }
    if (next.length > 0 || differing === undefined) this.#accounts = next;
    else {
      const { clause: id, found, unknown } = differing;
      const before = this.#before;
      const excuse = unknown > 0 ? { ...before, fresh: before.fresh + unknown } : undefined;
      this.#violate(observed, id, found, excuse);
    }
    return next.length > 0;
  }

  /** Drops what was owed, such as where it was answered in another way. */
  forgive(isForgiven: (owed: Owed) => boolean): void {
    this.#accounts = this.#accounts.map((account) =>
      account.debts.due.some(isForgiven)
        ? account.withDebts(account.debts.filter((owed) => !isForgiven(owed)))
        : account,
    );
  }

  /** Time passes until this message: timers run out, and what is still owed is missing. */
  advance({ at, number }: Observed): void {
    this.#accounts = this.#accounts.flatMap((account) => withDueTimers(account, at, number));
    const isLate = ({ until }: Owed): boolean => until !== undefined && until < at;
    const inTime = this.#accounts.filter(({ debts }) => !debts.due.some(isLate));
    if (inTime.length > 0) {
      this.#accounts = inTime;
      return;
    }
    const late = this.#accounts
      .flatMap(({ debts }) => debts.due.filter(isLate))
      .reduce((first, owed) => (owed.number < first.number ? owed : first));
    const cause = this.#seen.get(late.number);
    if (cause) {
      this.#violate(cause, missing(late), `${describeOwed(late)} is missing`);
    }
    this.forgive(isLate);
  }

  judged(): JudgedUser {
    const { user } = this;
    const states = describeStates(this.#accounts);
    const assumed = describeBefore(this.#before);
    return { user, messages: this.#messages, states, assumed, turns: this.#course.turns };
  }

  get accounts(): readonly TrackedAccount[] {
    return this.#accounts;
  }

  #note(observed: Observed): void {
    this.#messages++;
    this.#seen.set(observed.number, observed);
  }

  #violate(
    { number, at, source, target }: Observed,
    id: ClauseId,
    found: string,
    excuse?: Before,
  ): void {
    const accounts = this.#accounts;
    const allowed = unique(accounts.flatMap(({ debts }) => debts.due.map(describeOwed))).slice(
      0,
      describedMax,
    );
    const states = describeStates(accounts);
    const of = { number, at, source, target, by: 'server' as const, user: this.user };
    const violation = { ...of, clause: clause(id), found, states, allowed };
    this.breaches.push({ violation, excuse });
  }
}

/** The nearest accounts that owe it, without that debt: one for each assumption at most. */
function explained(account: TrackedAccount, expected: Expected): TrackedAccount[] {
  const { at, number } = expected.observed;
  const open = new Set(account.assumptions);
  const found: TrackedAccount[] = [];
  const candidates = expected.directly ? [account] : afterHidden(account, at, number);
  for (const candidate of candidates) {
    if (!candidate.assumptions.some((one) => open.has(one))) continue;
    const done = candidate.debts.due.find((owed) => expected.match(owed, candidate));
    if (done === undefined) continue;
    const { supersedes } = expected;
    const left = candidate.debts.without(done, at);
    const next = candidate.withDebts(
      supersedes ? left.filter((other) => !supersedes(other, done)) : left,
    );
    found.push(expected.after?.(next, done) ?? next);
    for (const one of candidate.assumptions) open.delete(one);
    if (open.size === 0) break;
  }
  return found;
}

function missing({ effect, by }: Owed): ClauseId {
  switch (effect.type) {
    case 'sip.invite':
      return 'IMSpec-DMT-S-004';
    case 'sip.bye':
      return by.startsWith('push/') ? 'S2-PUSH-FLOW' : 'D-73';
    case 'msrp.send':
      return 'IMSpec-DMT-S-012';
    case 'msrp.confirm':
      return 'D-16';
    case 'sip.notify':
      return effect.dialog.localCseq <= 1 ? 'EVT-01' : 'MWI-06';
    default:
      return 'TX-01';
  }
}

function describeStates(accounts: readonly TrackedAccount[]): string[] {
  return unique(
    accounts.flatMap(({ actors, uas }) =>
      actors.size === 0
        ? ['no account']
        : [...actors, ...firstOf(uas.entries(), describedMax)].map(
            ([address, { snapshot }]) => `${address} ${stateName(snapshot.value)}`,
          ),
    ),
  ).slice(0, describedMax);
}

function stateName(value: ActorSnapshot['value']): string {
  if (typeof value === 'string') return value;
  return Object.entries(value as Record<string, ActorSnapshot['value']>)
    .map(([name, inner]) => `${name}.${stateName(inner)}`)
    .join(' ');
}

function firstOf<T>(values: Iterable<T>, max: number): T[] {
  const first: T[] = [];
  for (const value of values) {
    if (first.length >= max) break;
    first.push(value);
  }
  return first;
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
