/** What a mailbox says when messages come and go (S1 12.4.2.3, S4, D-10 to D-24). */

import { recount } from './counts.js';
import { tell } from './declaration.js';
import type { Tell } from './effects.js';
import type { EventFor, Limits } from './events.js';
import { expiryOf, isExpired } from './policy.js';
import { addSerial, countSerials, hasSerial, removeSerial } from './serial-set.js';
import { ask, change, effect, type MailboxContext, type On } from './mailbox-context.js';
import { forwarding, tellStored } from './mailbox-forward.js';

/** A large message that is there as a whole. */
export type Recorded = On<'message.recorded'>;
type Received = On<'message.received'> | Recorded;

export const storageGuards = {
  isDuplicate: ask((_context, { duplicate }: Received) => duplicate),
  isTransient: ask((_context, { message }: Received) => message.transient),
  isExpired: ask((_context, { message, at, limits }: Received) => isExpired(message, at, limits)),
  isFull: ask((context, { message, limits }: Received) => isFull(context, message.size, limits)),
  isStored: ask(({ stored }, { serial }: On<'message.gone'>) => hasSerial(stored, serial)),
  isNew: ask(
    ({ stored, old }, { serial }: On<'message.read'>) =>
      hasSerial(stored, serial) && !hasSerial(old, serial),
  ),
};

/** Whether there is no room for a message of that size. */
export function isFull(
  { stored, octets }: MailboxContext,
  size: number,
  { quota }: Limits,
): boolean {
  return countSerials(stored) >= quota.messages || octets + size > quota.octets;
}

export const storageChanges = {
  countMessage: change(
    ({ block, stored, counts, octets }, { message, block: offered }: Received) => {
      const serial = block.next > block.end ? offered.from : block.next;
      return {
        block: { next: serial + 1, end: block.next > block.end ? offered.to : block.end },
        stored: addSerial(stored, serial),
        counts: recount(counts, message, 'new', 1),
        octets: octets + message.size,
      };
    },
  ),
  discountMessage: change(
    (
      { stored, old, untaken, deleting, postponed, counts, octets },
      { serial, message }: On<'message.gone'>,
    ) => ({
      stored: removeSerial(stored, serial),
      deleting: removeSerial(deleting, serial),
      postponed: removeSerial(postponed, serial),
      old: removeSerial(old, serial),
      untaken: removeSerial(untaken, serial),
      counts: recount(counts, message, hasSerial(old, serial) ? 'old' : 'new', -1),
      octets: Math.max(0, octets - message.size),
    }),
  ),
  countOld: change(({ old, counts }, { serial, message }: On<'message.read'>) => ({
    old: addSerial(old, serial),
    counts: recount(recount(counts, message, 'new', -1), message, 'old', 1),
  })),
};

/** The block rule: its own serials first, so that ids follow each other within a mailbox (D-02). */
const takeSerials = effect('serials.take', ({ block }, { block: offered }: Received) =>
  block.next > block.end ? [{ type: 'serials.take', from: offered.from, to: offered.to }] : [],
);

/** A message that was passed on in vain came when it came. */
const tellStore = effect('tell', (context, event: Received) => {
  const { message, limits } = event;
  const deferred = event.type === 'message.received' ? event.deferred : undefined;
  const at = deferred?.receivedAt ?? event.at;
  const serial = lastSerial(context);
  const expiresAt = expiryOf(message, at, limits);
  return tell(`ua/${serial}`, { type: 'store', at, serial, message, expiresAt, limits });
});

const tellAdded = effect('tell', (context, { at, message, limits }: Received) => {
  if (context.subscriptions.length === 0) return [];
  const { from, to, subject, urgent, date = at } = message;
  const serial = lastSerial(context);
  const added = { serial, from, to, ...(subject !== undefined && { subject }), date, urgent };
  return tellSubscriptions(context, {
    type: 'counts.changed',
    at,
    counts: context.counts,
    added,
    limits,
  });
});

const tellCounts = effect('tell', (context, { at, limits }: On<'message.gone' | 'message.read'>) =>
  tellSubscriptions(context, { type: 'counts.changed', at, counts: context.counts, limits }),
);

/** The push under way takes the message along. */
export const tellMessageAdded = effect('tell', (context, { at, limits }: Received) =>
  context.push === undefined
    ? []
    : tell(`push/${context.push}`, {
        type: 'message.added',
        at,
        serial: lastSerial(context),
        limits,
      }),
);

const accepted = effect('sip.respond', (_context, { transaction }: Received) => ({
  type: 'sip.respond',
  transaction,
  status: 202,
}));

/** S4: what is not stored is declined (D-11). */
function declined(warning: string) {
  return effect('sip.respond', (_context, { transaction }: Received) => ({
    type: 'sip.respond',
    transaction,
    status: 603,
    reason: 'Declined',
    warning,
  }));
}

/** U17: the sender is told what it is, and when it may be worth another try. */
const declinedAsFull = effect('sip.respond', (_context, { transaction, limits }: Received) => ({
  type: 'sip.respond',
  transaction,
  status: 603,
  reason: 'Declined',
  warning: 'Mailbox is full',
  cause: 'Mailbox is full',
  retryAfter: limits.quota.retryAfter ?? 3_600,
}));

/** What keeps a message out of the mailbox, first that holds. */
const declines = [
  { guard: 'isTransient', actions: declined('Content is not stored') }, // U16
  { guard: 'isExpired', actions: declined('Message has expired') }, // D-23
  { guard: 'isFull', actions: declinedAsFull },
] as const;

const knownAlready = { guard: 'isDuplicate', actions: accepted } as const; // D-18

export const refusals = [knownAlready, ...declines] as const;

/** The same where the user is available: what can be passed on is not stored yet. */
export const refusalsWhenAvailable = [knownAlready, ...forwarding, ...declines] as const;

/** What comes before the answer, and what behind it. */
export const keepingSteps = {
  store: [takeSerials, 'countMessage', tellStore],
  announce: [tellAdded],
} as const;

/** S1 12.4.2.3: stored by its virtual UA, then accepted (D-10), then told of (MWI-06). */
export const keepMessage = [
  ...keepingSteps.store,
  accepted,
  ...keepingSteps.announce,
  tellStored,
] as const;

export const dropMessage = {
  guard: 'isStored',
  actions: ['discountMessage', tellCounts],
} as const;

export const ageMessage = { guard: 'isNew', actions: ['countOld', tellCounts] } as const;

type CountsChanged = Extract<EventFor<'subscription/0'>, { type: 'counts.changed' }>;

export function tellSubscriptions({ subscriptions }: MailboxContext, event: CountsChanged): Tell[] {
  return subscriptions.map((number) => tell(`subscription/${number}`, event));
}

/** The serial that `countMessage` has just given. */
function lastSerial({ block }: MailboxContext): number {
  return block.next - 1;
}
