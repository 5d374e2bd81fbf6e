/**
 * What a mailbox says when messages are to be deleted for good (D-31): it accepts at once, and
 * their virtual UAs are told batch by batch, so that the largest mailbox costs nobody else (U14).
 */

import { tell } from './declaration.js';
import type { Limits } from './facts.js';
import { ask, change, effect, kept, type MailboxContext, type On } from './mailbox-context.js';
import {
  addSerial,
  difference,
  firstSerials,
  intersection,
  noSerials,
  serialSet,
  union,
} from './serial-set.js';

type Requested = On<'deletion.requested'>;
type Postponed = On<'deletion.postponed'>;

export const deletionGuards = {
  isNothingThere: ask(
    (context, { serials }: Requested) => intersection(serials, kept(context)).length === 0,
  ),
  isDeleting: ask(({ deletionAt }) => deletionAt !== undefined),
  isDeletionTimer: ask((_context, event: On<'timer.expired'>) => event.name === 'deletion'),
};

export const deletionChanges = {
  /** From here on nobody is given these messages, whenever their turn comes. */
  addDeletion: change((context, { serials }: Requested) => ({
    deleting: union(context.deleting, intersection(serials, kept(context))),
  })),
  takeBatch: change((context, { at, limits }) => {
    const deleting = difference(context.deleting, serialSet(batch(context, limits)));
    return { deleting, deletionAt: nextBatchAt({ ...context, deleting }, at, limits) };
  }),
  /** D-28: a session has the message; told again later, in case the process ends before it. */
  putOff: change(({ postponed, deletionAt }, { serial, at, limits }: Postponed) => ({
    postponed: addSerial(postponed, serial),
    deletionAt: deletionAt ?? at + limits.retrieval.waitMs,
  })),
  /** A new round, when all others have been told. */
  retryPostponed: change(({ deleting, postponed }) =>
    deleting.length > 0 ? {} : { deleting: postponed, postponed: noSerials },
  ),
};

function nextBatchAt(
  { deleting, postponed }: MailboxContext,
  at: number,
  limits: Limits,
): number | undefined {
  if (deleting.length > 0) return at;
  return postponed.length > 0 ? at + limits.retrieval.waitMs : undefined;
}

function batch({ deleting }: MailboxContext, limits: Limits): number[] {
  return firstSerials(deleting, limits.deletion.batch);
}

const tellDelete = effect('tell', (context, { at, limits }) =>
  batch(context, limits).map((serial) =>
    tell(`ua/${serial}`, { type: 'delete', at, ...(context.moved && { silent: true }), limits }),
  ),
);

const setDeletion = effect('timer.set', ({ deletionAt: at }) =>
  at === undefined ? [] : { type: 'timer.set', name: 'deletion', at, durable: true },
);

function answer(status: number) {
  return effect('sip.respond', (_context, { transaction }: Requested) => ({
    type: 'sip.respond',
    transaction,
    status,
  }));
}

export const deleteBatch = [tellDelete, 'takeBatch', setDeletion] as const;

export const deletionEvents = {
  'deletion.requested': [
    { guard: 'isNothingThere', actions: answer(404) }, // D-03: foreign or unknown, no difference
    { guard: 'isDeleting', actions: ['addDeletion', answer(202)] },
    { actions: ['addDeletion', ...deleteBatch, answer(202)] },
  ],
  'deletion.postponed': [
    { guard: 'isDeleting', actions: 'putOff' },
    { actions: ['putOff', setDeletion] },
  ],
} as const;

export const continueDeletion = {
  guard: 'isDeletionTimer',
  actions: ['retryPostponed', ...deleteBatch],
} as const;
