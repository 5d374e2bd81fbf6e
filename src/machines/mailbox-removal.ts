/**
 * What a mailbox says when its account is taken away: whoever is given the name next inherits
 * nothing. Messages go batch by batch, then what the store remembers of them, and the row last, so
 * that a removal that was accepted is carried through whenever the process ends.
 */

import { tell } from './declaration.js';
import {
  cancelRegistration,
  cancelRetry,
  forgetClientChange,
  tellWithdraw,
} from './mailbox-availability.js';
import { deleteBatch } from './mailbox-deletion.js';
import {
  ask,
  change,
  effect,
  emptyMailbox,
  isVacant,
  kept,
  type MailboxContext,
  type On,
} from './mailbox-context.js';
import { cancelPublication } from './mailbox-settings.js';
import { union } from './serial-set.js';

type Removed = On<'account.removed'>;
type Expired = On<'timer.expired'>;

export const removalGuards = {
  isRemovalTimer: ask((_context, event: Expired) => event.name === 'removal'),
  isVacant: ask((context, event: Expired) => event.name === 'removal' && isVacant(context)),
  isInUse: ask((context, event: Expired) => event.name === 'removal' && isInUse(context)),
  isVacated: ask((context) => context.removalAt !== undefined && isVacant(context)),
};

/** Somebody of that name is served again. */
function isInUse(context: MailboxContext): boolean {
  return kept(context).length > 0 || !isVacant({ ...context, stored: [] });
}

export const removalChanges = {
  beginRemoval: change((context, { at, moved }: Removed) => ({
    ...forgetClientChange,
    paused: false,
    moved: moved === true,
    bindings: [],
    registrationAt: undefined,
    publications: [],
    publicationAt: undefined,
    settings: {},
    deleting: union(context.deleting, kept(context)),
    removalAt: at,
  })),
  /** Again at once while messages are being deleted, later while anything else is left. */
  continueRemoval: change(({ deleting }, { at, limits }) => ({
    removalAt: deleting.length > 0 ? at : at + limits.deletion.removalMs,
  })),
  endRemoval: change(() => ({ removalAt: undefined, moved: false })),
  vacate: change(() => ({
    block: emptyMailbox.block,
    removalAt: undefined,
    moved: false,
    vacated: true,
  })),
};

const setRemoval = effect('timer.set', ({ removalAt: at }) =>
  at === undefined ? [] : { type: 'timer.set', name: 'removal', at, durable: true },
);

const cancelRemoval = effect('timer.cancel', ({ removalAt: at }) =>
  at === undefined ? [] : { type: 'timer.cancel', name: 'removal', at, durable: true },
);

const forget = effect('account.forget', () => ({ type: 'account.forget' }));

/** EVT-04: there is nothing to subscribe to any more. */
const tellWithdrawn = effect('tell', ({ subscriptions }, { at, limits }: Removed) =>
  subscriptions.map((number) =>
    tell(`subscription/${number}`, {
      type: 'subscription.withdrawn',
      at,
      reason: 'noresource',
      limits,
    }),
  ),
);

const accepted = effect('sip.respond', (_context, { transaction }: Removed) => ({
  type: 'sip.respond',
  transaction,
  status: 202,
}));

const begin = [
  ...[tellWithdraw, cancelRetry, cancelRegistration, cancelPublication, cancelRemoval],
  ...(['beginRemoval', tellWithdrawn, setRemoval] as const),
] as const;

export const removalEvents = {
  'account.removed': [
    { guard: 'isDeleting', actions: [...begin, accepted], target: '#mailbox.offline' },
    { actions: [...begin, ...deleteBatch, accepted], target: '#mailbox.offline' },
  ],
  'account.forgotten': { guard: 'isVacated', actions: [cancelRemoval, 'vacate'] },
} as const;

export const continueRemoval = [
  { guard: 'isVacant', actions: [forget, 'continueRemoval', setRemoval] },
  { guard: 'isInUse', actions: 'endRemoval' },
  { guard: 'isRemovalTimer', actions: ['continueRemoval', setRemoval] },
] as const;
