/** What a mailbox keeps in mind: nothing in it grows with the number of messages. */

import { isReachable, type Binding } from './binding.js';
import { noMessages } from './counts.js';
import { declarations, type On as EventOn } from './declaration.js';
import type { MailboxEvent } from './events.js';
import type { Counts, Limits, SettingsFacts } from './facts.js';
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
  /** Messages that are to be deleted and whose turn has not come (D-31). */
  readonly deleting: SerialSet;
  /** Of those that were told, the ones that a session holds. */
  readonly postponed: SerialSet;
  /** When the timer `deletion` is set for. */
  readonly deletionAt: number | undefined;
  /** As provisioned. */
  readonly settings: SettingsFacts;
  /** What the user has published, the latest content last. */
  readonly publications: readonly Publication[];
  /** When the timer `publication` is set for. */
  readonly publicationAt: number | undefined;
  /** When the timer `removal` is set for: the account is being taken away. */
  readonly removalAt: number | undefined;
  /** It was taken away: there is no row unless something new is kept. */
  readonly vacated: boolean;
  /** The account is served elsewhere: it is taken away without a word to anybody. */
  readonly moved: boolean;
  /** The operator has stopped delivery: nothing is pushed or passed on (U25). */
  readonly paused: boolean;
  /** The push under way; volatile, as the four below. */
  readonly push: number | undefined;
  readonly foci: readonly number[];
  readonly recordings: readonly number[];
  /** Requests that are being passed on. */
  readonly forwards: readonly number[];
  /** INVITEs that are being passed on, and the sessions of those that were. */
  readonly bridges: readonly number[];
  /** Messages that the client did not take in this registration (D-47). */
  readonly untaken: SerialSet;
  /** The user has registered anew since the push began. */
  readonly renewed: boolean;
}

/** Settings as soft state (RFC 3903). */
export interface Publication {
  readonly etag: string;
  readonly expiresAt: number;
  /** Absent: it does not say. */
  readonly active?: boolean;
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
  deleting: noSerials,
  postponed: noSerials,
  deletionAt: undefined,
  settings: {},
  publications: [],
  publicationAt: undefined,
  removalAt: undefined,
  vacated: false,
  moved: false,
  paused: false,
  push: undefined,
  foci: [],
  recordings: [],
  forwards: [],
  bridges: [],
  untaken: noSerials,
  renewed: false,
};

export type On<Type extends MailboxEvent['type']> = EventOn<MailboxEvent, Type>;

export const { ask, change, effect } = declarations<MailboxContext, MailboxEvent>(copyOf);

function copyOf(context: MailboxContext): MailboxContext {
  return {
    block: context.block,
    stored: context.stored,
    old: context.old,
    counts: context.counts,
    octets: context.octets,
    bindings: context.bindings,
    registrationAt: context.registrationAt,
    failures: context.failures,
    retryAt: context.retryAt,
    subscriptions: context.subscriptions,
    number: context.number,
    deleting: context.deleting,
    postponed: context.postponed,
    deletionAt: context.deletionAt,
    settings: context.settings,
    publications: context.publications,
    publicationAt: context.publicationAt,
    removalAt: context.removalAt,
    vacated: context.vacated,
    moved: context.moved,
    paused: context.paused,
    push: context.push,
    foci: context.foci,
    recordings: context.recordings,
    forwards: context.forwards,
    bridges: context.bridges,
    untaken: context.untaken,
    renewed: context.renewed,
  };
}

/** New messages that this registration has not been offered in vain. */
export function pushable(context: MailboxContext): SerialSet {
  return difference(difference(kept(context), context.old), context.untaken);
}

/** What is stored and not about to be deleted. */
export function kept({ stored, deleting, postponed }: MailboxContext): SerialSet {
  return difference(difference(stored, deleting), postponed);
}

/** Nothing is kept that would have to be known again. */
export function isVacant(context: MailboxContext): boolean {
  const { stored, bindings, subscriptions, publications, settings, paused } = context;
  if (paused) return false;
  if (settings.offlineDelivery !== undefined || publications.length > 0) return false;
  return stored.length === 0 && bindings.length === 0 && subscriptions.length === 0;
}

/** D-41, whether messages are pushed: published wins over provisioned, that over the default. */
export function deliversOffline(
  { publications, settings }: MailboxContext,
  at: number,
  limits: Limits,
): boolean {
  for (let i = publications.length - 1; i >= 0; i--) {
    const { active, expiresAt } = publications[i]!;
    if (active !== undefined && expiresAt > at) return active;
  }
  return settings.offlineDelivery ?? limits.push.default;
}

/** D-41: there is something to push, somewhere to push it to, and user and operator want it. */
export function wantsPush(context: MailboxContext, at: number, limits: Limits): boolean {
  if (context.paused) return false;
  if (!deliversOffline(context, at, limits) || pushable(context).length === 0) return false;
  return isReachable(context.bindings, at);
}

/** The context when this push is over; what it offered in vain before a REGISTER is offered again. */
export function afterPush(context: MailboxContext, event: On<'push.ended'>): MailboxContext {
  const { untaken, renewed } = context;
  return { ...context, push: undefined, untaken: renewed ? untaken : union(untaken, event.failed) };
}
