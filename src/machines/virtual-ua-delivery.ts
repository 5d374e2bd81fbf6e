/** What a virtual UA says while sessions deliver its message (D-28, D-32, D-33, D-47, D-50). */

import type { Tell } from './effects.js';
import type { Address, PushEvent, SessionEvent, VirtualUaEvent } from './events.js';
import {
  isOverdue,
  leaseOf,
  nextGrace,
  refusal,
  withGrace,
  withLease,
  withNextForm,
  withoutLease,
  type Lease,
} from './lease.js';
import { afterDelivery, payloadForm, senderOf } from './policy.js';
import {
  ask,
  change,
  counted,
  effect,
  type On,
  type Outcome,
  type VirtualUaContext,
} from './virtual-ua-context.js';

export const deliveryGuards = {
  isOfAnother: ask(
    ({ message }, { sender }: On<'invite'>) => sender !== undefined && sender !== senderOf(message),
  ),
  isImported: ask((_context, { imported }: On<'store'>) => imported !== undefined),
  isRead: ask(({ read }) => read),
  /** A push has begun before the client has got the message another way. */
  isPushedInVain: ask(({ read }, { session }: On<'invite'>) => read && session.startsWith('push/')),
  isCarried: ask((_context, { carried }: On<'invite'>) => carried === true),
  isRefused: ask(
    ({ message, doomed }, event: On<'invite'>) =>
      doomed !== undefined || refusal(message, event.media) !== undefined,
  ),
  isLeasedBy: ask(
    ({ leases }, event: On<'invite' | 'bye'>) => leaseOf(leases, event.session) !== undefined,
  ),
  isLeasedByAddressee: ask(
    ({ leases }, event: On<'undelivered'>) => leaseOf(leases, event.to) !== undefined,
  ),
  isSentForReport: ask(
    (context, event: On<'msrp.sent'>) =>
      isSending(context, event) && isSuccess(event) && event.limits.reportGraceMs > 0,
  ),
  isSent: ask((context, event: On<'msrp.sent'>) => isSending(context, event) && isSuccess(event)),
  isRefusedForm: ask(({ leases, message, read }, event: On<'msrp.sent'>) => {
    const lease = leaseOf(leases, event.session);
    if (lease === undefined || event.status !== 415) return false;
    if (read && event.session.startsWith('push/')) return false;
    return payloadForm(message, lease.media, lease.form) !== undefined;
  }),
  isUnsent: ask(
    (context, event: On<'msrp.sent'>) => isSending(context, event) && !isSuccess(event),
  ),
  isDelivered: ask(
    ({ leases }, event: On<'msrp.reported'>) =>
      leaseOf(leases, event.session) !== undefined && isSuccess(event),
  ),
  isReportedFailed: ask(
    ({ leases }, event: On<'msrp.reported'>) =>
      leaseOf(leases, event.session) !== undefined && !isSuccess(event),
  ),
  isGraceOver: ask(
    ({ leases }, event: On<'timer.expired'>) =>
      event.name === 'grace' && leases.some((lease) => isOverdue(lease, event.at)),
  ),
  isExpiryTimer: ask((_context, event: On<'timer.expired'>) => event.name === 'expiry'),
  isExpired: ask(({ expiresAt }, event) => expiresAt !== undefined && expiresAt <= event.at),
  isLeased: ask(({ leases }) => leases.length > 0),
  isDoomed: ask(
    ({ doomed, expiresAt }, event) =>
      doomed !== undefined || (expiresAt !== undefined && expiresAt <= event.at),
  ),
};

// -------------------------------------------------------------------------------- leases

export const addLease = change((context, event: On<'invite'>) => ({
  leases: withLease(context.leases, context.message, event.session, event.media),
}));

export const refuse = effect(
  'tell',
  ({ serial, message }, { session, media, at, limits }: On<'invite'>) =>
    tellSession(session, {
      type: 'ua.failed',
      at,
      serial,
      status: refusal(message, media) ?? 404,
      limits,
    }),
);

export const tellOther = effect('tell', ({ serial }, { session, at, limits }: On<'invite'>) =>
  tellPush(session, { type: 'ua.other', at, serial, limits }),
);

export const tellIntroduction = effect(
  'tell',
  ({ serial, message, receivedAt }, { session, at, limits }: On<'introduce'>) => {
    const what = { at, serial, sender: senderOf(message), message, receivedAt, limits };
    return tellPush(session, { type: 'ua.introduced', ...what });
  },
);

/** There is nothing left to do for this session. */
export const tellDelivered = effect('tell', ({ serial }, { session, at, limits }: On<'invite'>) =>
  tellSession(session, { type: 'ua.departed', at, serial, limits }),
);

export const send = effect(
  'msrp.send',
  (context, { session, limits }: On<'invite' | 'msrp.sent'>) => {
    const lease = leaseOf(context.leases, session);
    const { serial, message, receivedAt } = context;
    if (lease === undefined) return [];
    return {
      type: 'msrp.send',
      session,
      serial,
      form: lease.form,
      receivedAt,
      message,
      successReport: limits.reportGraceMs > 0,
    };
  },
);

/** The virtual INVITE is accepted; the focus tells those who watch the conference. */
export const tellAnswered = effect('tell', ({ serial }, { session, at, limits }: On<'invite'>) =>
  session.startsWith('focus/')
    ? tellSession(session, { type: 'ua.answered', at, serial, limits })
    : [],
);

export const tryNextForm = change((context, event: On<'msrp.sent'>) => ({
  leases: withNextForm(context.leases, context.message, event.session),
}));

export const awaitReport = change((context, { session, at, limits }: On<'msrp.sent'>) => ({
  leases: withGrace(context.leases, session, at, limits),
}));

export const setGrace = effect('timer.set', ({ leases }) => {
  const at = nextGrace(leases);
  return at === undefined ? [] : [{ type: 'timer.set', name: 'grace', at, durable: false }];
});

export const endLease = change((context, event: On<'bye'> | Outcome) => ({
  leases: withoutLease(context.leases, event.session),
}));

export const dropAddressee = change((context, event: On<'undelivered'>) => ({
  leases: withoutLease(context.leases, event.to),
}));

export const endLeases = change(() => ({ leases: [] }));

export const tellFailed = effect('tell', ({ serial }, { session, at, status, limits }: Outcome) =>
  tellSession(session, { type: 'ua.failed', at, serial, status, limits }),
);

// ------------------------------------------------------------------------------- outcome

type Confirming = Outcome | On<'timer.expired' | 'taken'>;

export const tellDeparted = effect('tell', (context, event: Outcome | On<'timer.expired'>) => {
  const { at, limits } = event;
  return delivered(context, event).map(({ session }) =>
    tellSession(session, { type: 'ua.departed', at, serial: context.serial, limits }),
  );
});

/** Counted as old, unless the message goes in this very turn. */
export const tellRead = effect('tell', (context, event: Confirming) => {
  const { at, limits } = event;
  const { serial, message, leases, read } = context;
  const last = delivered(context, event).length === leases.length;
  if (read || (last && isDoomedBy(context, event))) return [];
  return {
    type: 'tell',
    to: 'mailbox',
    event: { type: 'message.read', at, serial, message: counted(message), limits },
  };
});

export const markDelivered = change((context, event: Outcome | On<'timer.expired'>) => {
  const done = delivered(context, event);
  return {
    read: true,
    doomed: isDoomedBy(context, event) ? (context.doomed ?? 'delivered') : undefined,
    leases: context.leases.filter((lease) => !done.includes(lease)),
  };
});

/** The mailbox keeps in mind that it goes, for leases do not outlive the process. */
export const tellPostponed = effect(
  'tell',
  ({ serial }, { at, limits }: On<'delete' | 'taken'>) => ({
    type: 'tell',
    to: 'mailbox',
    event: { type: 'deletion.postponed', at, serial, limits },
  }),
);

/** It was delivered, so that nobody is told that it was not (D-30), nor after a restart. */
export const markTaken = change(() => ({ read: true, doomed: 'delivered' as const }));

export const markDoomed = change((_context, { silent }: On<'delete'>) => ({
  doomed: silent ? ('delivered' as const) : ('user' as const),
}));

/** D-28: a leased message does not expire; the timer stays, in case the process ends meanwhile. */
export const postpone = change((_context, event: On<'timer.expired'>) => ({
  timerAt: event.at + event.limits.retrieval.waitMs,
}));

// ------------------------------------------------------------------------------- questions

function isSuccess(event: Outcome): boolean {
  return event.status >= 200 && event.status < 300;
}

/** The session holds a lease and has not been answered yet. */
function isSending({ leases }: VirtualUaContext, event: On<'msrp.sent'>): boolean {
  const lease = leaseOf(leases, event.session);
  return lease !== undefined && lease.graceAt === undefined;
}

/** The leases whose delivery this event confirms (D-33). */
function delivered({ leases }: VirtualUaContext, event: VirtualUaEvent): readonly Lease[] {
  if (event.type === 'timer.expired') return leases.filter((lease) => isOverdue(lease, event.at));
  if (event.type !== 'msrp.sent' && event.type !== 'msrp.reported') return [];
  return leases.filter((lease) => lease.session === event.session);
}

/** Whether the message goes after this delivery (D-32). */
function isDoomedBy(context: VirtualUaContext, event: Confirming): boolean {
  if (context.doomed !== undefined) return true;
  return delivered(context, event).some(
    ({ session }) => afterDelivery(session, event.limits) === 'delete',
  );
}

/** Only pushes are for one sender. */
function tellPush(session: Address, event: PushEvent): Tell {
  return { type: 'tell', to: session as `push/${number}`, event };
}

/** Only sessions hold leases, so that the address is one of theirs. */
function tellSession(session: Address, event: SessionEvent): Tell {
  return { type: 'tell', to: session as `push/${number}`, event };
}
