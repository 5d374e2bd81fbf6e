/**
 * The virtual UA: the SIP user agent that *is* a deferred message, at rest and in a conference
 * (S3 11.3.1.1.1). It is gone when the message is.
 */

import { setup } from 'xstate';
import { effectActions } from './declaration.js';
import type { VirtualUaEvent } from './events.js';
import {
  addLease,
  awaitReport,
  deliveryGuards,
  dropAddressee,
  endLease,
  endLeases,
  markDelivered,
  markDoomed,
  markTaken,
  postpone,
  refuse,
  send,
  setGrace,
  tellAnswered,
  tellDelivered,
  tellDeparted,
  tellFailed,
  tellIntroduction,
  tellOther,
  tellPostponed,
  tellRead,
  tryNextForm,
} from './virtual-ua-delivery.js';
import { erase } from './virtual-ua-deletion.js';
import {
  change,
  counted,
  effect,
  report,
  type On,
  type VirtualUaContext,
} from './virtual-ua-context.js';
import { snapshotAt, unborn, type ActorSnapshot, type AtRest, type Definition } from './step.js';

// --------------------------------------------------------------------------------- birth

const keepFacts = change((_context, event: On<'store'>) => {
  const { serial, message, at, expiresAt, imported } = event;
  const facts: VirtualUaContext = {
    serial,
    message,
    receivedAt: at,
    expiresAt,
    timerAt: expiresAt,
    read: imported?.read ?? false,
    leases: [],
    doomed: undefined,
  };
  return imported?.bye ? { ...facts, bye: imported.bye } : facts;
});

/** U25: delivered once, and to be delivered once more; it goes no longer for having been delivered. */
const forgetDelivery = change(() => ({ read: false, doomed: undefined }));

const tellUnread = effect('tell', ({ serial, message }, { at, limits }: On<'requeue'>) => ({
  type: 'tell',
  to: 'mailbox',
  event: { type: 'message.unread', at, serial, message: counted(message), limits },
}));

const requeue = { guard: 'isRead', actions: ['forgetDelivery', tellUnread] } as const;

const keepBye = change((_context, { fields }: On<'session.closed'>) => ({ bye: fields }));

const putMessage = effect('message.put', ({ serial }) => ({ type: 'message.put', serial }));

const setExpiry = effect('timer.set', ({ timerAt }) =>
  timerAt === undefined ? [] : [{ type: 'timer.set', name: 'expiry', at: timerAt, durable: true }],
);

const putHistory = effect('history.put', ({ serial, message, receivedAt, expiresAt }) =>
  expiresAt === undefined
    ? { type: 'history.put', serial, message, receivedAt }
    : { type: 'history.put', serial, message, receivedAt, expiresAt },
);

/** D-17: the sender hears that the message is stored if it asked for processing reports. */
const reportStored = effect('report.send', (context) => report(context, 'stored'));

// -------------------------------------------------------------------------------- machine

const virtualUaSetup = setup({
  types: { context: {} as VirtualUaContext, events: {} as VirtualUaEvent },
  actions: {
    ...effectActions,
    keepFacts,
    keepBye,
    forgetDelivery,
    addLease,
    tryNextForm,
    awaitReport,
    endLease,
    dropAddressee,
    endLeases,
    markDelivered,
    markDoomed,
    markTaken,
    postpone,
  },
  guards: deliveryGuards,
});

const stored = virtualUaSetup.createStateConfig({
  on: {
    invite: [
      { guard: 'isOfAnother', actions: tellOther },
      { guard: 'isExpired', actions: [refuse, ...erase], target: 'gone' }, // U12: never late
      { guard: 'isPushedInVain', actions: tellDelivered },
      { guard: 'isRefused', actions: refuse },
      { guard: 'isCarried', actions: 'addLease', target: 'leased' },
      { actions: ['addLease', tellAnswered, send], target: 'leased' },
    ],
    introduce: { actions: tellIntroduction },
    requeue,
    'session.closed': { actions: 'keepBye' },
    delete: { actions: erase, target: 'gone' },
    taken: { actions: ['markTaken', ...erase], target: 'gone' },
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
      { guard: 'isOfAnother', actions: tellOther },
      { guard: 'isPushedInVain', actions: tellDelivered },
      { guard: 'isRefused', actions: refuse },
      { guard: 'isCarried', actions: 'addLease' },
      { actions: ['addLease', tellAnswered, send] },
    ],
    introduce: { actions: tellIntroduction },
    requeue,
    'session.closed': { actions: 'keepBye' },
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
    delete: { actions: ['markDoomed', tellPostponed] },
    taken: { actions: [tellRead, 'markTaken', tellPostponed] },
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
        store: [
          {
            guard: 'isImported',
            actions: ['keepFacts', putMessage, setExpiry, putHistory],
            target: 'stored',
          },
          {
            actions: ['keepFacts', putMessage, setExpiry, putHistory, reportStored],
            target: 'stored',
          },
        ],
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
  const { serial, message, receivedAt, expiresAt, timerAt, read, bye } = context;
  const rest = { serial, message, receivedAt, expiresAt, timerAt, read };
  return { schema, state: 'stored', context: bye ? { ...rest, bye } : rest };
}

function revive(atRest: AtRest): ActorSnapshot {
  if (atRest.schema !== schema) throw new Error(`MACHINE_SCHEMA_UNKNOWN: ua ${atRest.schema}`);
  const atRestContext = atRest.context as unknown as Omit<VirtualUaContext, 'leases' | 'doomed'>;
  const { serial, message, receivedAt, expiresAt, timerAt, read, bye } = atRestContext;
  return snapshotAt(machine, 'stored', {
    serial,
    message,
    receivedAt,
    expiresAt: expiresAt ?? undefined,
    timerAt: timerAt ?? undefined,
    read,
    ...(bye && { bye }),
    leases: [],
    doomed: undefined,
  } satisfies VirtualUaContext);
}
