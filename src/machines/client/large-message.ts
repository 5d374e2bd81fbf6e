/** A large message on its way to the server (D-15, D-16): INVITE, one message over MSRP, BYE. */

import { assign, setup } from 'xstate';
import { clientDefinition } from './definition.js';
import { effectsOf, perform, stopTimer } from './effect.js';
import type { LargeMessageEffect, SessionEnd } from './effects.js';
import type { Answered, LargeMessageEvent, MsrpPeerFacts, Waits } from './events.js';

export interface LargeMessageContext {
  readonly size: number;
  readonly waits: Waits;
}

/** What the parameters of an effect are made of. */
interface Scope {
  readonly context: LargeMessageContext;
  readonly event: LargeMessageEvent;
}

type ByeReceived = Extract<LargeMessageEvent, { type: 'bye.received' }>;
type Opened = Extract<LargeMessageEvent, { type: 'answered' }>;
type Outcome = Extract<LargeMessageEvent, { type: 'msrp.sent' | 'msrp.reported' }>;

const effect = effectsOf<LargeMessageEffect>();
const noWaits: Waits = { answerMs: 0, bindMs: 0, idleMs: 0, retryMs: 0, farewellMs: 0 };

/** The message is not sent: it is larger than the server takes (RFC 4975 8.6). */
const tooLarge = 413;

const machine = setup({
  types: { context: {} as LargeMessageContext, events: {} as LargeMessageEvent },
  actions: {
    'sip.invite': effect('sip.invite'),
    'sip.respond': effect('sip.respond'),
    'sip.bye': effect('sip.bye'),
    'sip.forget': effect('sip.forget'),
    'msrp.connect': effect('msrp.connect'),
    'msrp.send': effect('msrp.send'),
    'msrp.release': effect('msrp.release'),
    'message.settled': effect('message.settled'),
    'session.ended': effect('session.ended'),
    'timer.set': effect('timer.set'),
    'timer.cancel': effect('timer.cancel'),
    'call.settled': effect('call.settled'),
    'call.failed': effect('call.failed'),
    begin: assign(({ event }) =>
      event.type === 'submit' ? { size: event.size, waits: event.waits } : {},
    ),
  },
  guards: {
    isTooLarge: ({ context, event }) =>
      event.type === 'answered' &&
      event.answer.status < 300 &&
      context.size > (event.peer?.maxSize ?? Number.MAX_SAFE_INTEGER),
    isOpened: ({ event }) =>
      event.type === 'answered' && event.answer.status < 300 && event.peer !== undefined,
    isUnusable: ({ event }) => event.type === 'answered' && event.answer.status < 300,
    isTaken: ({ event }) => event.type === 'msrp.sent' && event.status === 200,
    isTimer: ({ event }, { name }: { readonly name: string }) =>
      event.type === 'timer.expired' && event.name === name,
  },
});

const timer = (name: string) => ({ type: 'isTimer', params: { name } }) as const;

const wait = (name: 'answer' | 'bind' | 'idle' | 'farewell' | 'report') =>
  perform('timer.set', ({ context: { waits }, event }: Scope) => ({
    name,
    at:
      event.at +
      {
        answer: waits.answerMs,
        bind: waits.bindMs,
        idle: waits.idleMs,
        report: waits.idleMs,
        farewell: waits.farewellMs,
      }[name],
  }));

const bye = { type: 'sip.bye', params: { type: 'sip.bye' } } as const;
const forget = { type: 'sip.forget', params: { type: 'sip.forget' } } as const;
const release = { type: 'msrp.release', params: { type: 'msrp.release' } } as const;
const ended = (end: SessionEnd) =>
  ({ type: 'session.ended', params: { type: 'session.ended', end } }) as const;

const settle = perform('call.settled', ({ event }: { readonly event: Answered }) => ({
  answer: event.answer,
}));

const fail = perform('call.failed', ({ event }: Scope) => ({
  cause: event.type === 'failed' ? event.cause : ('timeout' as const),
}));

const withdrawn = {
  type: 'call.failed',
  params: { type: 'call.failed', cause: 'withdrawn' },
} as const;

const settled = (status: number, reported: boolean) =>
  ({
    type: 'message.settled',
    params: { type: 'message.settled', status, reported },
  }) as const;

const told = perform('message.settled', ({ event }: { readonly event: Outcome }) => ({
  status: event.status,
  reported: event.type === 'msrp.reported',
}));

const respondToBye = perform('sip.respond', ({ event }: { readonly event: ByeReceived }) => ({
  transaction: event.transaction,
  status: 200,
}));

const endedByServer = [
  respondToBye,
  forget,
  release,
  perform('session.ended', ({ event }: { readonly event: ByeReceived }) => ({
    end: 'server' as const,
    ...(event.reason !== undefined && { reason: event.reason }),
  })),
] as const;

/** We end the session: the outcome is told at once, the answer to BYE is only waited for. */
const endWith = (end: SessionEnd) =>
  ({ target: '#large-message.closing', actions: [bye, release, ended(end)] }) as const;

const inviting = machine.createStateConfig({
  entry: wait('answer'),
  exit: stopTimer('answer'),
  on: {
    answered: [
      {
        guard: 'isTooLarge',
        target: 'closing',
        actions: [settle, bye, release, settled(tooLarge, false)],
      },
      {
        guard: 'isOpened',
        target: 'binding',
        actions: [
          settle,
          perform('msrp.connect', ({ event }: { readonly event: Opened }) => peerOf(event)),
        ],
      },
      {
        guard: 'isUnusable',
        target: 'closing',
        actions: [settle, bye, release, ended('no-media')],
      },
      { target: 'done', actions: [settle, release] },
    ],
    failed: { target: 'done', actions: [fail, release] },
    'timer.expired': { guard: timer('answer'), target: 'cancelling', actions: [bye, fail] },
    withdraw: { target: 'cancelling', actions: [bye, withdrawn] },
  },
});

/** CANCEL is on its way; a 200 may cross it, and then the session is ended (RFC 3261 9.1, 15). */
const cancelling = machine.createStateConfig({
  entry: wait('farewell'),
  exit: stopTimer('farewell'),
  on: {
    answered: [
      { guard: 'isUnusable', target: 'closing', actions: [bye, release] },
      { target: 'done', actions: release },
    ],
    failed: { target: 'done', actions: release },
    'timer.expired': { guard: timer('farewell'), target: 'done', actions: [forget, release] },
  },
});

const binding = machine.createStateConfig({
  entry: wait('bind'),
  exit: stopTimer('bind'),
  on: {
    'msrp.connected': {
      target: 'sending',
      actions: { type: 'msrp.send', params: { type: 'msrp.send' } },
    },
    'msrp.lost': endWith('lost'),
    'bye.received': { target: 'done', actions: endedByServer },
    'timer.expired': { guard: timer('bind'), ...endWith('unbound') },
    withdraw: endWith('withdrawn'),
  },
});

const sending = machine.createStateConfig({
  entry: wait('idle'),
  exit: stopTimer('idle'),
  on: {
    progress: { actions: wait('idle') },
    'msrp.sent': [
      { guard: 'isTaken', target: 'awaitingReport' },
      { target: 'closing', actions: [bye, release, told] },
    ],
    'msrp.reported': { target: 'closing', actions: [bye, release, told] },
    'msrp.lost': endWith('lost'),
    'bye.received': { target: 'done', actions: endedByServer },
    'timer.expired': { guard: timer('idle'), ...endWith('idle') },
    withdraw: endWith('withdrawn'),
  },
});

/** Every hop has answered 200; behind a relay only the REPORT speaks for the server (D-33). */
const awaitingReport = machine.createStateConfig({
  entry: wait('report'),
  exit: stopTimer('report'),
  on: {
    'msrp.reported': { target: 'closing', actions: [bye, release, told] },
    'msrp.lost': { target: 'closing', actions: [bye, release, settled(200, false)] },
    'bye.received': {
      target: 'done',
      actions: [respondToBye, forget, release, settled(200, false)],
    },
    'timer.expired': {
      guard: timer('report'),
      target: 'closing',
      actions: [bye, release, settled(200, false)],
    },
    withdraw: { target: 'closing', actions: [bye, release, settled(200, false)] },
  },
});

/** Our BYE is on its way; that of the server may cross it. */
const closing = machine.createStateConfig({
  entry: wait('farewell'),
  exit: stopTimer('farewell'),
  on: {
    answered: 'done',
    failed: 'done',
    'bye.received': { target: 'done', actions: respondToBye },
    'timer.expired': { guard: timer('farewell'), target: 'done', actions: forget },
  },
});

export const largeMessage = clientDefinition<LargeMessageEvent, LargeMessageEffect>(
  machine.createMachine({
    id: 'large-message',
    context: { size: 0, waits: noWaits },
    initial: 'idle',
    states: {
      idle: {
        on: {
          submit: {
            target: 'inviting',
            actions: ['begin', { type: 'sip.invite', params: { type: 'sip.invite' } }],
          },
        },
      },
      inviting,
      cancelling,
      binding,
      sending,
      awaitingReport,
      closing,
      done: {},
    },
  }),
);

function peerOf({ peer }: Opened): MsrpPeerFacts {
  return { path: peer?.path ?? [], active: peer?.active ?? false };
}
