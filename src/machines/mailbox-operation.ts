/** What a mailbox says to its operator: pause, flush, requeue (U25). */

import { recount } from './counts.js';
import { tell } from './declaration.js';
import { loseClient } from './mailbox-availability.js';
import { ask, change, effect, kept, wantsPush, type On } from './mailbox-context.js';
import { tellSubscriptions } from './mailbox-storage.js';
import { hasSerial, noSerials, removeSerial } from './serial-set.js';

type Requested = On<'push.requested'>;
type Requeued = On<'requeue.requested'>;
type Unread = On<'message.unread'>;
type Operated = Requested | Requeued | On<'delivery.paused' | 'delivery.resumed'>;

export const operationGuards = {
  isPaused: ask(({ paused }) => paused),
  /** Also with what the client has not taken in this registration. */
  wantsPushAgain: ask((context, { at, limits }: Requested) =>
    wantsPush({ ...context, untaken: noSerials }, at, limits),
  ),
  isKept: ask((context, { serial }: Requeued) => hasSerial(kept(context), serial)),
  isKeptAsOld: ask(
    (context, { serial }: Requeued) =>
      hasSerial(context.old, serial) && hasSerial(kept(context), serial),
  ),
  isOld: ask(({ old }, { serial }: Unread) => hasSerial(old, serial)),
};

export const operationChanges = {
  offerAgain: change(() => ({ untaken: noSerials, failures: 0 })),
  pause: change(() => ({ paused: true, vacated: false })),
  resume: change(() => ({ paused: false })),
  countNew: change(({ old, untaken, counts }, { serial, message }: Unread) => ({
    old: removeSerial(old, serial),
    untaken: removeSerial(untaken, serial),
    counts: recount(recount(counts, message, 'old', -1), message, 'new', 1),
  })),
};

function answer(status: number) {
  return effect('sip.respond', (_context, { transaction }: Operated) => ({
    type: 'sip.respond',
    transaction,
    status,
  }));
}

const paused = { guard: 'isPaused', actions: answer(409) } as const;

/** By state of the mailbox. */
export const pushEvents = {
  offline: [paused, { actions: answer(480) }],
  /** What the push under way leaves behind is offered again by the next one. */
  pushing: { actions: ['offerAgain', answer(202)] },
  available: [
    paused,
    {
      guard: 'wantsPushAgain',
      actions: ['offerAgain', answer(202)],
      target: '#mailbox.judging',
    },
    { actions: answer(204) },
  ],
} as const;

/** The virtual UA knows what it is to the counts. */
const tellRequeue = effect('tell', (_context, { serial, at, limits }: Requeued) =>
  tell(`ua/${serial}`, { type: 'requeue', at, limits }),
);

const tellCounts = effect('tell', (context, { at, limits }: Unread) =>
  tellSubscriptions(context, { type: 'counts.changed', at, counts: context.counts, limits }),
);

export const countUnread = ['countNew', tellCounts] as const;

/** The push under way takes the message along. */
export const tellRequeued = effect('tell', ({ push }, { at, serial, limits }: Unread) =>
  push === undefined ? [] : tell(`push/${push}`, { type: 'message.added', at, serial, limits }),
);

/**
 * A pause ends the push under way: what it has not delivered stays and keeps its Message-ID. What
 * the user asks for is served all the same, and so are storing, expiry and reports.
 */
export const operationEvents = {
  'delivery.paused': {
    actions: [...loseClient, 'pause', answer(200)],
    target: '#mailbox.judging',
  },
  'delivery.resumed': [
    { guard: 'isPaused', actions: ['resume', answer(200)], target: '#mailbox.judging' },
    { actions: answer(200) },
  ],
  'requeue.requested': [
    { guard: 'isKeptAsOld', actions: [tellRequeue, answer(202)] },
    { guard: 'isKept', actions: answer(204) },
    { actions: answer(404) },
  ],
} as const;
