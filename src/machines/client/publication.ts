/** The publication of settings by the client (RFC 3903 4): soft state that is kept alive. */

import { assign, setup } from 'xstate';
import { clientDefinition } from './definition.js';
import { effectsOf, perform, stopTimer } from './effect.js';
import type { PublicationEffect } from './effects.js';
import type { Answered, PublicationEvent, Waits } from './events.js';

export interface PublicationContext {
  /** Seconds asked for. */
  readonly expires: number;
  /** SIP-ETag of the last 2xx; empty: the server knows nothing of ours. */
  readonly etag: string;
  /** It runs out, ms since the epoch. */
  readonly until: number;
  /** The request was mended once: raised after a 423, or without the entity-tag after a 412. */
  readonly mended: boolean;
  readonly waits: Waits;
}

/** What the parameters of an effect are made of. */
interface Scope {
  readonly context: PublicationContext;
  readonly event: PublicationEvent;
}

const noWaits: Waits = { answerMs: 0, bindMs: 0, idleMs: 0, retryMs: 0, farewellMs: 0 };

const effect = effectsOf<PublicationEffect>();

const machine = setup({
  types: { context: {} as PublicationContext, events: {} as PublicationEvent },
  actions: {
    'sip.publish': effect('sip.publish'),
    'publication.lost': effect('publication.lost'),
    'timer.set': effect('timer.set'),
    'timer.cancel': effect('timer.cancel'),
    'call.settled': effect('call.settled'),
    'call.failed': effect('call.failed'),
    begin: assign(({ event }) =>
      event.type === 'publish'
        ? { expires: event.expires, mended: false, waits: event.waits }
        : { mended: false },
    ),
    raise: assign(({ context, event }) =>
      event.type === 'answered'
        ? { expires: event.answer.minExpires ?? context.expires, mended: true }
        : {},
    ),
    forgetEtag: assign({ etag: '', mended: true }),
    keepGrant: assign(({ context, event }) =>
      event.type === 'answered'
        ? {
            etag: event.etag ?? '',
            until: event.at + (event.answer.expires ?? context.expires) * 1000,
            mended: false,
          }
        : {},
    ),
    drop: assign({ etag: '' }),
  },
  guards: {
    isGranted: ({ event }) =>
      event.type === 'answered' && event.answer.status < 300 && event.etag !== undefined,
    isTooBrief: ({ context, event }) =>
      event.type === 'answered' &&
      event.answer.status === 423 &&
      !context.mended &&
      (event.answer.minExpires ?? 0) > context.expires,
    /** RFC 3903 4.4: the server has lost what we published, and is told it anew. */
    isUnknown: ({ context, event }) =>
      event.type === 'answered' && event.answer.status === 412 && !context.mended,
    /** The server has judged; the same again would get the same. */
    isRefused: ({ event }) =>
      event.type === 'answered' && event.answer.status !== 408 && event.answer.status < 500,
    isPublished: ({ context }) => context.etag !== '',
    isTimer: ({ event }, { name }: { readonly name: string }) =>
      event.type === 'timer.expired' && event.name === name,
  },
});

const timer = (name: string) => ({ type: 'isTimer', params: { name } }) as const;

const publish = (kind: 'whole' | 'refresh' | 'removal') =>
  [
    perform('sip.publish', ({ context: { expires, etag } }: Scope) => ({
      expires: kind === 'removal' ? 0 : expires,
      body: kind === 'whole' || (kind === 'refresh' && etag === ''),
      ...(etag !== '' && { etag }),
    })),
    perform('timer.set', ({ context, event }: Scope) => ({
      name: 'answer',
      at: event.at + context.waits.answerMs,
    })),
  ] as const;

const stopWaiting = stopTimer('answer');
const stopAll = [stopTimer('refresh'), stopTimer('retry'), stopTimer('expiry')] as const;

const settle = perform('call.settled', ({ event }: { readonly event: Answered }) => ({
  answer: event.answer,
}));

const fail = perform('call.failed', ({ event }: Scope) => ({
  cause: event.type === 'failed' ? event.cause : ('timeout' as const),
}));

const lose = perform('publication.lost', ({ event }: Scope) =>
  event.type === 'answered' ? { status: event.answer.status } : {},
);

/** Refreshed well before it runs out: at half of the time. */
const schedule = [
  'keepGrant',
  perform('timer.set', ({ context, event }: Scope) => ({
    name: 'refresh',
    at: event.at + (context.until - event.at) / 2,
  })),
  perform('timer.set', ({ context }: Scope) => ({ name: 'expiry', at: context.until })),
] as const;

const retry = perform('timer.set', ({ context, event }: Scope) => ({
  name: 'retry',
  at: event.at + context.waits.retryMs,
}));

const publishing = machine.createStateConfig({
  exit: stopWaiting,
  on: {
    answered: [
      { guard: 'isGranted', target: 'published', actions: [...schedule, settle] },
      {
        guard: 'isTooBrief',
        target: 'publishing',
        reenter: true,
        actions: ['raise', ...publish('whole')],
      },
      {
        guard: 'isUnknown',
        target: 'publishing',
        reenter: true,
        actions: ['forgetEtag', ...publish('whole')],
      },
      { target: 'idle', actions: ['drop', ...stopAll, settle] },
    ],
    failed: { target: 'idle', actions: ['drop', ...stopAll, fail] },
    'timer.expired': [
      { guard: timer('answer'), target: 'idle', actions: ['drop', ...stopAll, fail] },
    ],
  },
});

const published = machine.createStateConfig({
  on: {
    publish: {
      target: 'publishing',
      actions: ['begin', ...stopAll, ...publish('whole')],
    },
    unpublish: { target: 'removing', actions: ['begin', ...stopAll, ...publish('removal')] },
    'timer.expired': [
      { guard: timer('refresh'), target: 'refreshing', actions: publish('refresh') },
      { guard: timer('retry'), target: 'refreshing', actions: publish('refresh') },
      { guard: timer('expiry'), target: 'idle', actions: ['drop', ...stopAll, lose] },
    ],
  },
});

/** Nobody waits for the outcome: what fails is tried again until the publication runs out. */
const refreshing = machine.createStateConfig({
  exit: stopWaiting,
  on: {
    answered: [
      { guard: 'isGranted', target: 'published', actions: schedule },
      {
        guard: 'isUnknown',
        target: 'refreshing',
        reenter: true,
        actions: ['forgetEtag', ...publish('refresh')],
      },
      { guard: 'isRefused', target: 'idle', actions: ['drop', ...stopAll, lose] },
      { target: 'published', actions: retry },
    ],
    failed: { target: 'published', actions: retry },
    'timer.expired': [
      { guard: timer('answer'), target: 'published', actions: retry },
      { guard: timer('expiry'), target: 'idle', actions: ['drop', ...stopAll, lose] },
    ],
    publish: { target: 'publishing', actions: ['begin', ...stopAll, ...publish('whole')] },
    unpublish: { target: 'removing', actions: ['begin', ...stopAll, ...publish('removal')] },
  },
});

const removing = machine.createStateConfig({
  exit: stopWaiting,
  on: {
    answered: { target: 'idle', actions: ['drop', settle] },
    failed: { target: 'idle', actions: ['drop', fail] },
    'timer.expired': { guard: timer('answer'), target: 'idle', actions: ['drop', fail] },
  },
});

export const publication = clientDefinition<PublicationEvent, PublicationEffect>(
  machine.createMachine({
    id: 'publication',
    context: { expires: 0, etag: '', until: 0, mended: false, waits: noWaits },
    initial: 'idle',
    states: {
      idle: { on: { publish: { target: 'publishing', actions: ['begin', ...publish('whole')] } } },
      publishing,
      published,
      refreshing,
      removing,
    },
  }),
);
