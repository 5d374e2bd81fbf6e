/** What a mailbox keeps in mind: nothing in it grows with the number of messages. */

import { clientTarget, type Binding } from './binding.js';
import { noMessages } from './counts.js';
import { declarations, type On as EventOn } from './declaration.js';
import type { MailboxEvent } from './events.js';
import type { Counts, Limits } from './facts.js';
import { difference, noSerials, union, type SerialSet } from './serial-set.js';

export interface MailboxContext {
  /** The serials it may hand out: the next one, and the last. */
  readonly block: { readonly next: number; readonly end: number };
  readonly stored: SerialSet;
  /** Of those, the ones delivered and kept (D-44). */
  readonly old: SerialSet;
  readonly counts: Counts;
  readonly octets: number;
  readonly bindings: readonly Binding[];
  /** When the timer `registration` is set for. */
  readonly registrationAt: number | undefined;
  /** Pushes that failed in a row. */
  readonly failures: number;
  /** When the timer `push` is set for: in back-off, and beside a push in case the process ends. */
  readonly retryAt: number | undefined;
  readonly subscriptions: readonly number[];
  /** The next number of a session or subscription; never used twice. */
  readonly number: number;
  /** The push under way; volatile, as the two below. */
  readonly push: number | undefined;
  readonly foci: readonly number[];
  /** Messages that the client did not take in this registration (D-47). */
  readonly untaken: SerialSet;
}

export const emptyMailbox: MailboxContext = {
  block: { next: 1, end: 0 },
  stored: noSerials,
  old: noSerials,
  counts: noMessages,
  octets: 0,
  bindings: [],
  registrationAt: undefined,
  failures: 0,
  retryAt: undefined,
  subscriptions: [],
  number: 1,
  push: undefined,
  foci: [],
  untaken: noSerials,
};

export type On<Type extends MailboxEvent['type']> = EventOn<MailboxEvent, Type>;

export const { ask, change, effect } = declarations<MailboxContext, MailboxEvent>();

/** New messages that this registration has not been offered in vain. */
export function pushable({ stored, old, untaken }: MailboxContext): SerialSet {
  return difference(difference(stored, old), untaken);
}

/** D-41: there is something to push, somewhere to push it to, and the user wants it. */
export function wantsPush(context: MailboxContext, at: number, limits: Limits): boolean {
  if (!limits.push.default || pushable(context).length === 0) return false;
  return clientTarget(context.bindings, at) !== undefined;
}

/** The context when this push is over. */
export function afterPush(context: MailboxContext, event: On<'push.ended'>): MailboxContext {
  return { ...context, push: undefined, untaken: union(context.untaken, event.failed) };
}
