/** What a mailbox says to its operator (U25). */

import { ask, change, effect, wantsPush, type On } from './mailbox-context.js';
import { noSerials } from './serial-set.js';

type Requested = On<'push.requested'>;

export const operationGuards = {
  /** Also with what the client has not taken in this registration. */
  wantsPushAgain: ask((context, { at, limits }: Requested) =>
    wantsPush({ ...context, untaken: noSerials }, at, limits),
  ),
};

export const operationChanges = {
  offerAgain: change(() => ({ untaken: noSerials, failures: 0 })),
};

function answer(status: number) {
  return effect('sip.respond', (_context, { transaction }: Requested) => ({
    type: 'sip.respond',
    transaction,
    status,
  }));
}

/** By state of the mailbox. */
export const pushEvents = {
  offline: { actions: answer(480) },
  /** What the push under way leaves behind is offered again by the next one. */
  pushing: { actions: ['offerAgain', answer(202)] },
  available: [
    {
      guard: 'wantsPushAgain',
      actions: ['offerAgain', answer(202)],
      target: '#mailbox.judging',
    },
    { actions: answer(204) },
  ],
} as const;
