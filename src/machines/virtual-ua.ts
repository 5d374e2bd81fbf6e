/**
 * The virtual UA: the SIP user agent that *is* a deferred message, at rest and in a conference
 * (S3 11.3.1.1.1). It is gone when the message is.
 */

import { setup } from 'xstate';
import { declarations, effectActions, type On as EventOn } from './declaration.js';
import type { Effect, Tell } from './effects.js';
import type {
  Address,
  CountedFacts,
  MessageFacts,
  SessionEvent,
  VirtualUaEvent,
} from './events.js';
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
import { afterDelivery, payloadForm } from './policy.js';
import { unborn, type ActorSnapshot, type AtRest, type Definition } from './step.js';

export interface VirtualUaContext {
  readonly serial: number;
  readonly message: MessageFacts;
  readonly receivedAt: number;
  readonly expiresAt: number | undefined;
  /** When the expiry timer is set for. */
  readonly timerAt: number | undefined;
  /** Delivered and kept: an old message (D-44). */
  readonly read: boolean;
  readonly leases: readonly Lease[];
  /** Why the message goes when the last lease has ended. */
  readonly doomed: 'delivered' | 'user' | undefined;
}

type On<Type extends VirtualUaEvent['type']> = EventOn<VirtualUaEvent, Type>;
type Outcome = On<'msrp.sent' | 'msrp.reported'>;

const { ask, change, effect } = declarations<VirtualUaContext, VirtualUaEvent>();

// --------------------------------------------------------------------------------- birth

const keepFacts = change((_context, event: On<'store'>) => ({
  serial: event.serial,
  message: event.message,
  receivedAt: event.at,
  expiresAt: event.expiresAt,
  timerAt: event.expiresAt,
  read: false,
  leases: [],
  doomed: undefined,
}));

const putMessage = effect('message.put', ({ serial }) => ({ type: 'message.put', serial }));

const setExpiry = effect('timer.set', ({ timerAt }) =>
  timerAt === undefined ? [] : [{ type: 'timer.set', name: 'expiry', at: timerAt, durable: true }],
);

const putHistory = effect('history.put', ({ serial, message, receivedAt, expiresAt }) => ({
  type: 'history.put',
  serial,
  message,
  receivedAt,
  ...(expiresAt !== undefined && { expiresAt }),
}));

/** D-17: the sender hears that the message is stored if it asked for processing reports. */
const reportStored = effect('report.send', (context) => report(context, 'stored'));

// -------------------------------------------------------------------------------- leases

const addLease = change((context, event: On<'invite'>) => ({
  leases: withLease(context.leases, context.message, event.session, event.media),
}));

const refuse = effect('tell', ({ serial, message }, { session, media, at, limits }: On<'invite'>) =>
  tellSession(session, {
    type: 'ua.failed',
    at,
    serial,
    status: refusal(message, media) ?? 404,
    limits,
  }),
);

const send = effect('msrp.send', (context, { session, limits }: On<'invite' | 'msrp.sent'>) => {
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
});

const tryNextForm = change((context, event: On<'msrp.sent'>) => ({
  leases: withNextForm(context.leases, context.message, event.session),
}));

const awaitReport = change((context, { session, at, limits }: On<'msrp.sent'>) => ({
  leases: withGrace(context.leases, session, at, limits),
}));

const setGrace = effect('timer.set', ({ leases }) => {
  const at = nextGrace(leases);
  return at === undefined ? [] : [{ type: 'timer.set', name: 'grace', at, durable: false }];
});

const endLease = change((context, event: On<'bye'> | Outcome) => ({
  leases: withoutLease(context.leases, event.session),
}));

const dropAddressee = change((context, event: On<'undelivered'>) => ({
  leases: withoutLease(context.leases, event.to),
}));

const endLeases = change(() => ({ leases: [] }));

const tellFailed = effect('tell', ({ serial }, { session, at, status, limits }: Outcome) =>
  tellSession(session, { type: 'ua.failed', at, serial, status, limits }),
);

// ------------------------------------------------------------------------------- outcome

const tellDeparted = effect('tell', (context, event: Outcome | On<'timer.expired'>) => {
  const { at, limits } = event;
  return delivered(context, event).map(({ session }) =>
    tellSession(session, { type: 'ua.departed', at, serial: context.serial, limits }),
  );
});

/** Counted as old, unless the message goes in this very turn. */
const tellRead = effect('tell', (context, event: Outcome | On<'timer.expired'>) => {
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

const markDelivered = change((context, event: Outcome | On<'timer.expired'>) => {
  const done = delivered(context, event);
  return {
    read: true,
    doomed: isDoomedBy(context, event) ? (context.doomed ?? 'delivered') : undefined,
    leases: context.leases.filter((lease) => !done.includes(lease)),
  };
});

const markDoomed = change(() => ({ doomed: 'user' as const }));

/** D-28: a leased message does not expire; the timer stays, in case the process ends meanwhile. */
const postpone = change((_context, event: On<'timer.expired'>) => ({
  timerAt: event.at + event.limits.retrieval.waitMs,
}));

// ------------------------------------------------------------------------------- deletion

const deleteMessage = effect('message.delete', ({ serial, receivedAt, message }) => ({
  type: 'message.delete',
  serial,
  receivedAt,
  digest: message.digest,
}));

/** D-30: owed only when nothing was delivered and the sender asked for it. */
const reportFailed = effect('report.send', (context, event: VirtualUaEvent) => {
  if (context.read || event.type === 'store') return [];
  const byUser = context.doomed === 'user' || event.type === 'delete';
  if (byUser && event.limits.reportOnUserDelete === 'none') return [];
  return report(context, 'failed');
});

const deleteHistory = effect('history.delete', ({ serial }) => ({
  type: 'history.delete',
  serial,
}));

const cancelExpiry = effect('timer.cancel', ({ timerAt }) =>
  timerAt === undefined
    ? []
    : [{ type: 'timer.cancel', name: 'expiry', at: timerAt, durable: true }],
);

const tellGone = effect('tell', ({ serial, message }, { at, limits }: VirtualUaEvent) => ({
  type: 'tell',
  to: 'mailbox',
  event: { type: 'message.gone', at, serial, message: counted(message), limits },
}));

const stop = effect('stop', () => ({ type: 'stop' }));

/** S1 12.4.2.8 and D-29: storage, report, metadata; then what only we know of. */
const erase = [deleteMessage, reportFailed, deleteHistory, cancelExpiry, tellGone, stop] as const;

// -------------------------------------------------------------------------------- machine

const guards = {
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
  isRefusedForm: ask(({ leases, message }, event: On<'msrp.sent'>) => {
    const lease = leaseOf(leases, event.session);
    if (lease === undefined || event.status !== 415) return false;
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

const virtualUaSetup = setup({
  types: { context: {} as VirtualUaContext, events: {} as VirtualUaEvent },
  actions: {
    ...effectActions,
    keepFacts,
    addLease,
    tryNextForm,
    awaitReport,
    endLease,
    dropAddressee,
    endLeases,
    markDelivered,
    markDoomed,
    postpone,
  },
  guards,
});

const stored = virtualUaSetup.createStateConfig({
  on: {
    invite: [
      { guard: 'isRefused', actions: refuse },
      { actions: ['addLease', send], target: 'leased' },
    ],
    delete: { actions: erase, target: 'gone' },
    'timer.expired': [
      { guard: 'isExpired', actions: erase, target: 'gone' },
      { guard: 'isExpiryTimer', actions: setExpiry },
    ],
    'session.lost': { guard: 'isExpired', actions: erase, target: 'gone' },
  },
});

const leased = virtualUaSetup.createStateConfig({
  on: {
    invite: [
      { guard: 'isLeasedBy' },
      { guard: 'isRefused', actions: refuse },
      { actions: ['addLease', send] },
    ],
    'msrp.sent': [
      { guard: 'isSentForReport', actions: ['awaitReport', setGrace] },
      { guard: 'isSent', actions: [tellDeparted, tellRead, 'markDelivered'], target: 'settling' },
      { guard: 'isRefusedForm', actions: ['tryNextForm', send] },
      { guard: 'isUnsent', actions: [tellFailed, 'endLease'], target: 'settling' },
    ],
    'msrp.reported': [
      {
        guard: 'isDelivered',
        actions: [tellDeparted, tellRead, 'markDelivered'],
        target: 'settling',
      },
      { guard: 'isReportedFailed', actions: [tellFailed, 'endLease'], target: 'settling' },
    ],
    bye: { guard: 'isLeasedBy', actions: 'endLease', target: 'settling' },
    undelivered: { guard: 'isLeasedByAddressee', actions: 'dropAddressee', target: 'settling' },
    'session.lost': { actions: 'endLeases', target: 'settling' },
    delete: { actions: 'markDoomed' },
    'timer.expired': [
      {
        guard: 'isGraceOver',
        actions: [tellDeparted, tellRead, 'markDelivered', setGrace],
        target: 'settling',
      },
      { guard: 'isExpiryTimer', actions: ['postpone', setExpiry] },
    ],
  },
});

const machine = virtualUaSetup.createMachine({
  id: 'virtual-ua',
  // Born by `store`, which sets every field.
  context: {} as VirtualUaContext,
  initial: 'absent',
  states: {
    absent: {
      on: {
        store: {
          actions: ['keepFacts', putMessage, setExpiry, putHistory, reportStored],
          target: 'stored',
        },
      },
    },
    stored,
    leased,
    /** A lease has ended: D-28 is checked when it was the last one. */
    settling: {
      always: [
        { guard: 'isLeased', target: 'leased' },
        { guard: 'isDoomed', actions: erase, target: 'gone' },
        { target: 'stored' },
      ],
    },
    gone: { type: 'final' },
  },
});

/** The virtual UA; leases are volatile, a message at rest is `stored`. */
export const virtualUa: Definition = {
  machine,
  unborn: unborn(machine),
  birth: ['store'],
  rest: restOf,
  revive,
};

const schema = 1;

function restOf(snapshot: ActorSnapshot): AtRest | undefined {
  if (snapshot.value === 'absent' || snapshot.value === 'gone') return undefined;
  const context = snapshot.context as VirtualUaContext;
  const { serial, message, receivedAt, expiresAt, timerAt, read } = context;
  return {
    schema,
    state: 'stored',
    context: { serial, message, receivedAt, expiresAt, timerAt, read },
  };
}

function revive(atRest: AtRest): ActorSnapshot {
  if (atRest.schema !== schema) throw new Error(`MACHINE_SCHEMA_UNKNOWN: ua ${atRest.schema}`);
  const atRestContext = atRest.context as unknown as Omit<VirtualUaContext, 'leases' | 'doomed'>;
  const { serial, message, receivedAt, expiresAt, timerAt, read } = atRestContext;
  return machine.resolveState({
    value: 'stored',
    context: {
      serial,
      message,
      receivedAt,
      expiresAt: expiresAt ?? undefined,
      timerAt: timerAt ?? undefined,
      read,
      leases: [],
      doomed: undefined,
    },
  });
}

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
function isDoomedBy(context: VirtualUaContext, event: Outcome | On<'timer.expired'>): boolean {
  if (context.doomed !== undefined) return true;
  return delivered(context, event).some(
    ({ session }) => afterDelivery(session, event.limits) === 'delete',
  );
}

function counted({ class: messageClass, urgent, size }: MessageFacts): CountedFacts {
  return { class: messageClass, urgent, size };
}

/** A report to the sender; an anonymous one gets none (IMDN-04). */
function report(
  { serial, message }: VirtualUaContext,
  disposition: 'stored' | 'failed',
): readonly Extract<Effect, { type: 'report.send' }>[] {
  const { imdn, from } = message;
  if (imdn === undefined || from.endsWith('@anonymous.invalid')) return [];
  const wanted = disposition === 'stored' ? imdn.processing : imdn.negativeDelivery;
  return wanted ? [{ type: 'report.send', serial, disposition, to: from, imdn }] : [];
}

/** Only sessions hold leases, so that the address is one of theirs. */
function tellSession(session: Address, event: SessionEvent): Tell {
  return { type: 'tell', to: session as `push/${number}`, event };
}
