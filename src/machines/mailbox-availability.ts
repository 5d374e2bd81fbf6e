/** What a mailbox says when its user comes and goes, and when it pushes (D-40, D-41, D-47). */

import {
  clientTargets,
  contactList,
  earliestExpiry,
  isOfBurst,
  isOutOfOrder,
  isReachable,
  isRegisteredTooBriefly,
  latestTargets,
  rebind,
  unexpired,
} from './binding.js';
import { tell } from './declaration.js';
import type { SipRespond } from './effects.js';
import {
  afterPush,
  ask,
  change,
  effect,
  pushable,
  wantsPush,
  type MailboxContext,
  type On,
} from './mailbox-context.js';
import { pushRetryAt } from './policy.js';
import { noSerials } from './serial-set.js';

type Registered = On<'register.received'>;

export const availabilityGuards = {
  isOutOfOrder: ask(({ bindings }, { register }: Registered) => isOutOfOrder(bindings, register)),
  isOfBurst: ask(
    ({ bindings }, { register, at, limits }: Registered) =>
      isOfBurst(bindings, register, at, limits) &&
      isReachable(rebind(bindings, register, at, limits), at),
  ),
  isTooBrief: ask((_context, { register, limits }: Registered) =>
    isRegisteredTooBriefly(register, limits),
  ),
  hasTooManyContacts: ask((context, event: Registered) => {
    const bound = rebound(context, event).length;
    return (
      event.register.by === 'ue' &&
      bound > event.limits.register.contacts &&
      bound > context.bindings.length
    );
  }),
  isQuery: ask(
    (_context, { register }: Registered) => register.contacts.length === 0 && !register.removeAll,
  ),
  staysAvailable: ask((context, event: Registered) =>
    isReachable(rebound(context, event), event.at),
  ),
  isAvailable: ask(({ bindings }, { at }) => isReachable(bindings, at)),
  wantsPush: ask((context, { at, limits }) => wantsPush(context, at, limits)),
  isOutlived: ask(
    ({ bindings }, event: On<'timer.expired'>) =>
      event.name === 'registration' && isReachable(bindings, event.at),
  ),
  isRegistrationTimer: ask((_context, event: On<'timer.expired'>) => event.name === 'registration'),
  isPushTimer: ask((_context, event: On<'timer.expired'>) => event.name === 'push'),
  isRetry: ask(
    (context, event: On<'timer.expired'>) =>
      event.name === 'push' && wantsPush(context, event.at, event.limits),
  ),
  isOtherPush: ask(({ push }, event: On<'push.ended'>) => event.push !== push),
  isPushFailed: ask(
    (context, event: On<'push.ended'>) =>
      event.outcome === 'failed' && pushable(afterPush(context, event)).length > 0,
  ),
  isPushDue: ask((context, event: On<'push.ended'>) =>
    wantsPush(afterPush(context, event), event.at, event.limits),
  ),
  isPushAddressee: ask(
    ({ push }, event: On<'undelivered'>) => push !== undefined && event.to === `push/${push}`,
  ),
};

export const forgetClientChange = {
  push: undefined,
  retryAt: undefined,
  failures: 0,
  untaken: noSerials,
} as const;

export const availabilityChanges = {
  /** A registration is a new chance for what the client did not take before (D-47). */
  bindContacts: change((context, event: Registered) => {
    const bindings = rebound(context, event);
    return { bindings, registrationAt: earliestExpiry(bindings), untaken: noSerials };
  }),
  /** The same registration for another identity. */
  rebindContacts: change((context, event: Registered) => {
    const bindings = rebound(context, event);
    return { bindings, registrationAt: earliestExpiry(bindings) };
  }),
  dropExpired: change(({ bindings }, { at }) => {
    const left = unexpired(bindings, at);
    return { bindings: left, registrationAt: earliestExpiry(left) };
  }),
  beginPush: change(({ number }, { at, limits }) => ({
    push: number,
    renewed: false,
    number: number + 1,
    retryAt: at + limits.push.retryMs,
  })),
  endPush: change((context, event: On<'push.ended'>) => {
    const { push, untaken } = afterPush(context, event);
    return { push, untaken, failures: 0 };
  }),
  failPush: change((context, event: On<'push.ended'>) => {
    const { push, untaken } = afterPush(context, event);
    const { at, limits } = event;
    const retryAt = pushRetryAt(at, context.failures, limits);
    return { push, untaken, failures: context.failures + 1, retryAt };
  }),
  postponeRetry: change((_context, { at, limits }) => ({ retryAt: at + limits.push.retryMs })),
  endRetry: change(() => ({ retryAt: undefined })),
  renewChance: change(() => ({ renewed: true })),
  losePush: change(() => ({ push: undefined })),
  forgetClient: change(() => forgetClientChange),
};

function rebound({ bindings }: MailboxContext, { register, at, limits }: Registered) {
  return rebind(bindings, register, at, limits);
}

const listed = respondToUser(({ bindings }, { at }) => ({
  status: 200,
  contacts: contactList(bindings, at),
}));

/** An S-CSCF has been answered already (TPR-03). */
function respondToUser(
  make: (context: MailboxContext, event: Registered) => Omit<SipRespond, 'type' | 'transaction'>,
) {
  return effect('sip.respond', (context, event: Registered) => {
    if (event.register.by === 'scscf') return [];
    return { type: 'sip.respond', transaction: event.transaction, ...make(context, event) };
  });
}

/** RFC 3261 10.3 in its order: brevity, order of requests, then what is asked for. */
export const registerRefusals = [
  {
    guard: 'isTooBrief',
    actions: respondToUser((_context, { limits }) => ({
      status: 423,
      minExpires: limits.register.min,
    })),
  },
  {
    guard: 'isOutOfOrder',
    actions: respondToUser(() => ({ status: 500 })),
  },
  {
    guard: 'hasTooManyContacts',
    actions: respondToUser(() => ({ status: 403, warning: 'Too many contacts' })),
  },
  { guard: 'isQuery', actions: listed },
] as const;

const setRegistration = effect('timer.set', ({ registrationAt: at }) =>
  at === undefined ? [] : { type: 'timer.set', name: 'registration', at, durable: true },
);

export const cancelRegistration = effect('timer.cancel', ({ registrationAt: at }) =>
  at === undefined ? [] : { type: 'timer.cancel', name: 'registration', at, durable: true },
);

const setRetry = effect('timer.set', ({ retryAt: at }) =>
  at === undefined ? [] : { type: 'timer.set', name: 'push', at, durable: true },
);

export const cancelRetry = effect('timer.cancel', ({ retryAt: at }) =>
  at === undefined ? [] : { type: 'timer.cancel', name: 'push', at, durable: true },
);

/** U3: a registration brings the push to the client that has made it. */
const tellStart = effect('tell', (context, { type, at, limits }) => {
  const { push, bindings } = context;
  if (push === undefined) return [];
  const isRegistration = type === 'register.received';
  const targets = isRegistration ? latestTargets(bindings, at) : clientTargets(bindings, at);
  const serials = pushable(context);
  return tell(`push/${push}`, { type: 'start', at, push, targets, serials, limits });
});

export const tellWithdraw = effect('tell', ({ push }, { at, limits }) =>
  push === undefined ? [] : tell(`push/${push}`, { type: 'withdraw', at, limits }),
);

export const bindContacts = [cancelRegistration, 'bindContacts', setRegistration, listed] as const;

/** TPR-05: no new chance for what the client did not take, and no further push. */
export const rebindInBurst = {
  guard: 'isOfBurst',
  actions: [cancelRegistration, 'rebindContacts', setRegistration],
} as const;

export const expireBindings = [cancelRegistration, 'dropExpired', setRegistration] as const;

export const startPush = [cancelRetry, 'beginPush', setRetry, tellStart] as const;

/** Behind a push that went well, with more to do. */
export const pushAgain = ['endPush', ...startPush] as const;

export const backOff = [cancelRetry, 'failPush', setRetry] as const;

export const rearmRetry = [cancelRetry, 'postponeRetry', setRetry] as const;

export const rest = ['endPush', cancelRetry, 'endRetry'] as const;

export const endRetry = [cancelRetry, 'endRetry'] as const;

/** The user is not reached any more. */
export const loseClient = [tellWithdraw, cancelRetry, 'forgetClient'] as const;
