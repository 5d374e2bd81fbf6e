/** The push of stored messages to the client: UAS of the server's INVITE (D-47). */

import { assign, setup } from 'xstate';
import { clientDefinition } from './definition.js';
import { effectsOf, perform, stopTimer } from './effect.js';
import type { DeliveryEffect, SessionEnd } from './effects.js';
import type { DeliveryEvent, Waits } from './events.js';

export interface DeliveryContext {
  readonly waits: Waits;
}

/** What the parameters of an effect are made of. */
interface Scope {
  readonly context: DeliveryContext;
  readonly event: DeliveryEvent;
}

type Invited = Extract<DeliveryEvent, { type: 'invite.received' }>;
type ByeReceived = Extract<DeliveryEvent, { type: 'bye.received' }>;

const effect = effectsOf<DeliveryEffect>();
const noWaits: Waits = { answerMs: 0, bindMs: 0, idleMs: 0, retryMs: 0, farewellMs: 0 };

const machine = setup({
  types: { context: {} as DeliveryContext, events: {} as DeliveryEvent },
  actions: {
    'sip.accept': effect('sip.accept'),
    'sip.respond': effect('sip.respond'),
    'sip.bye': effect('sip.bye'),
    'sip.forget': effect('sip.forget'),
    'msrp.connect': effect('msrp.connect'),
    'msrp.release': effect('msrp.release'),
    'session.ended': effect('session.ended'),
    'timer.set': effect('timer.set'),
    'timer.cancel': effect('timer.cancel'),
    begin: assign(({ event }) => (event.type === 'invite.received' ? { waits: event.waits } : {})),
  },
  guards: {
    isUnwilling: ({ event }) => event.type === 'invite.received' && !event.willing,
    isBusy: ({ event }) => event.type === 'invite.received' && event.busy,
    hasNoMedia: ({ event }) => event.type === 'invite.received' && event.peer === undefined,
    isTimer: ({ event }, { name }: { readonly name: string }) =>
      event.type === 'timer.expired' && event.name === name,
  },
});

const timer = (name: string) => ({ type: 'isTimer', params: { name } }) as const;

const wait = (name: 'bind' | 'idle' | 'farewell') =>
  perform('timer.set', ({ context: { waits }, event }: Scope) => ({
    name,
    at: event.at + { bind: waits.bindMs, idle: waits.idleMs, farewell: waits.farewellMs }[name],
  }));

const refuse = (status: number) =>
  ({
    target: 'done',
    actions: perform('sip.respond', ({ event }: { readonly event: Invited }) => ({
      transaction: event.transaction,
      status,
    })),
  }) as const;

const accept = [
  'begin',
  perform('sip.accept', ({ event }: { readonly event: Invited }) => ({
    transaction: event.transaction,
    active: event.peer?.active ?? true,
  })),
  // RFC 4975 5.4: the active endpoint may connect as soon as its answer is on its way.
  perform('msrp.connect', ({ event }: { readonly event: Invited }) => ({
    path: event.peer?.path ?? [],
    active: event.peer?.active ?? true,
  })),
] as const;

const respondToBye = perform('sip.respond', ({ event }: { readonly event: ByeReceived }) => ({
  transaction: event.transaction,
  status: 200,
}));

const bye = { type: 'sip.bye', params: { type: 'sip.bye' } } as const;
const forget = { type: 'sip.forget', params: { type: 'sip.forget' } } as const;
const release = { type: 'msrp.release', params: { type: 'msrp.release' } } as const;
const ended = (end: SessionEnd) =>
  ({ type: 'session.ended', params: { type: 'session.ended', end } }) as const;

const endedByServer = [
  respondToBye,
  forget,
  release,
  perform('session.ended', ({ event }: { readonly event: ByeReceived }) => ({
    end: 'server' as const,
    ...(event.reason !== undefined && { reason: event.reason }),
  })),
] as const;

const endWith = (end: SessionEnd) =>
  ({ target: '#delivery.closing', actions: [bye, release, ended(end)] }) as const;

/** 64*T1 without ACK: the transport has sent BYE by itself (RFC 3261 13.3.1.4). */
const unacknowledged = {
  target: '#delivery.done',
  actions: [release, ended('unacknowledged')],
} as const;

const binding = machine.createStateConfig({
  entry: wait('bind'),
  exit: stopTimer('bind'),
  on: {
    acknowledged: {},
    unacknowledged,
    'msrp.connected': 'receiving',
    'msrp.lost': endWith('lost'),
    'bye.received': { target: 'done', actions: endedByServer },
    'timer.expired': { guard: timer('bind'), ...endWith('unbound') },
    withdraw: endWith('withdrawn'),
  },
});

const receiving = machine.createStateConfig({
  entry: wait('idle'),
  exit: stopTimer('idle'),
  on: {
    acknowledged: {},
    unacknowledged,
    progress: { actions: wait('idle') },
    overflow: endWith('overflow'),
    'msrp.lost': endWith('lost'),
    'bye.received': { target: 'done', actions: endedByServer },
    'timer.expired': { guard: timer('idle'), ...endWith('idle') },
    withdraw: endWith('withdrawn'),
  },
});

/** Our BYE is on its way; that of the server may cross it. */
const closing = machine.createStateConfig({
  entry: wait('farewell'),
  exit: stopTimer('farewell'),
  on: {
    answered: 'done',
    failed: 'done',
    unacknowledged: 'done',
    'bye.received': { target: 'done', actions: respondToBye },
    'timer.expired': { guard: timer('farewell'), target: 'done', actions: forget },
  },
});

export const delivery = clientDefinition<DeliveryEvent, DeliveryEffect>(
  machine.createMachine({
    id: 'delivery',
    context: { waits: noWaits },
    initial: 'idle',
    states: {
      idle: {
        on: {
          'invite.received': [
            { guard: 'isUnwilling', ...refuse(480) },
            { guard: 'isBusy', ...refuse(486) },
            { guard: 'hasNoMedia', ...refuse(488) },
            { target: 'binding', actions: accept },
          ],
        },
      },
      binding,
      receiving,
      closing,
      done: {},
    },
  }),
);
