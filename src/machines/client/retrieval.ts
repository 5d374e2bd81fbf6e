/** The retrieval of stored messages (IMSpec-DMT-C-002, -003): one session, ended by either side. */

import { assign, setup } from 'xstate';
import { clientDefinition } from './definition.js';
import { effectsOf, perform, stopTimer } from './effect.js';
import type { RetrievalEffect, SessionEnd } from './effects.js';
import type { Answered, MsrpPeerFacts, RetrievalEvent, Waits } from './events.js';

export interface RetrievalContext {
  readonly waits: Waits;
}

/** What the parameters of an effect are made of. */
interface Scope {
  readonly context: RetrievalContext;
  readonly event: RetrievalEvent;
}

type Retrieve = Extract<RetrievalEvent, { type: 'retrieve' }>;
type ByeReceived = Extract<RetrievalEvent, { type: 'bye.received' }>;
type Opened = Extract<RetrievalEvent, { type: 'answered' }>;

const effect = effectsOf<RetrievalEffect>();
const noWaits: Waits = { answerMs: 0, bindMs: 0, idleMs: 0, retryMs: 0, farewellMs: 0 };

const machine = setup({
  types: { context: {} as RetrievalContext, events: {} as RetrievalEvent },
  actions: {
    'sip.invite': effect('sip.invite'),
    'sip.respond': effect('sip.respond'),
    'sip.bye': effect('sip.bye'),
    'sip.forget': effect('sip.forget'),
    'msrp.connect': effect('msrp.connect'),
    'msrp.release': effect('msrp.release'),
    'session.ended': effect('session.ended'),
    'timer.set': effect('timer.set'),
    'timer.cancel': effect('timer.cancel'),
    'call.settled': effect('call.settled'),
    'call.failed': effect('call.failed'),
    begin: assign(({ event }) => (event.type === 'retrieve' ? { waits: event.waits } : {})),
  },
  guards: {
    isOpened: ({ event }) =>
      event.type === 'answered' && event.answer.status < 300 && event.peer !== undefined,
    isUnusable: ({ event }) => event.type === 'answered' && event.answer.status < 300,
    isTimer: ({ event }, { name }: { readonly name: string }) =>
      event.type === 'timer.expired' && event.name === name,
  },
});

const timer = (name: string) => ({ type: 'isTimer', params: { name } }) as const;

const wait = (name: 'answer' | 'bind' | 'idle' | 'farewell') =>
  perform('timer.set', ({ context: { waits }, event }: Scope) => ({
    name,
    at:
      event.at +
      {
        answer: waits.answerMs,
        bind: waits.bindMs,
        idle: waits.idleMs,
        farewell: waits.farewellMs,
      }[name],
  }));

const bye = { type: 'sip.bye', params: { type: 'sip.bye' } } as const;
const forget = { type: 'sip.forget', params: { type: 'sip.forget' } } as const;
const release = { type: 'msrp.release', params: { type: 'msrp.release' } } as const;
const ended = (end: SessionEnd) =>
  ({ type: 'session.ended', params: { type: 'session.ended', end } }) as const;

/** The server ends the session when everything has been sent (D-73). */
const endedByServer = [
  perform('sip.respond', ({ event }: { readonly event: ByeReceived }) => ({
    transaction: event.transaction,
    status: 200,
  })),
  forget,
  release,
  perform('session.ended', ({ event }: { readonly event: ByeReceived }) => ({
    end: 'server' as const,
    ...(event.reason !== undefined && { reason: event.reason }),
  })),
] as const;

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

/** We end the session: the outcome is told at once, the answer to BYE is only waited for. */
const endWith = (end: SessionEnd) =>
  ({ target: '#retrieval.closing', actions: [bye, release, ended(end)] }) as const;

const inviting = machine.createStateConfig({
  entry: wait('answer'),
  exit: stopTimer('answer'),
  on: {
    answered: [
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
    'bye.received': {
      target: 'done',
      actions: perform('sip.respond', ({ event }: { readonly event: ByeReceived }) => ({
        transaction: event.transaction,
        status: 200,
      })),
    },
    'timer.expired': { guard: timer('farewell'), target: 'done', actions: forget },
  },
});

export const retrieval = clientDefinition<RetrievalEvent, RetrievalEffect>(
  machine.createMachine({
    id: 'retrieval',
    context: { waits: noWaits },
    initial: 'idle',
    states: {
      idle: {
        on: {
          retrieve: {
            target: 'inviting',
            actions: [
              'begin',
              perform('sip.invite', ({ event }: { readonly event: Retrieve }) =>
                event.ids === undefined ? {} : { ids: event.ids },
              ),
            ],
          },
        },
      },
      inviting,
      cancelling,
      binding,
      receiving,
      closing,
      done: {},
    },
  }),
);

function peerOf(event: Opened): MsrpPeerFacts {
  return event.peer ?? { path: [], active: false };
}
