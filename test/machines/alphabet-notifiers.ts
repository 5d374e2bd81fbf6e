/** The events that notifiers may meet in some state, and those of whoever watches a conference. */

import { noUsers } from '../../src/machines/conference-state.js';
import { noMessages } from '../../src/machines/counts.js';
import type { ConferenceEvent, FocusEvent, SubscriptionEvent } from '../../src/machines/events.js';
import type { ActorSnapshot } from '../../src/machines/index.js';
import { dialog, limits, subscribe, watch } from './facts.js';

export function watches(at: number): readonly FocusEvent[] {
  const watched = {
    type: 'conference.requested',
    at,
    limits,
    transaction: 't',
    conference: 5,
    subscribe: watch,
  } as const;
  const inside = { ...watch, inside: true };
  return [
    watched,
    { ...watched, conference: 6, subscribe: inside },
    { ...watched, conference: 6, subscribe: { ...inside, expires: 0 } },
    { type: 'conference.left', at, limits, conference: 5 },
    { type: 'conference.left', at, limits, conference: 6 },
  ];
}

export function conferenceEvents(_snapshot: ActorSnapshot, at: number): readonly ConferenceEvent[] {
  const of = { at, limits };
  const state = { client: 'connected', roster: noUsers, foreign: [], count: 2 } as const;
  const moved = { ...state, roster: { ...noUsers, departed: [1, 9] } };
  const born = {
    ...of,
    type: 'subscribe.received',
    transaction: 't',
    conference: 5,
    focus: 2,
    subscribe: watch,
    state: { ...state, foreign: ['sip:x@y'], roster: { ...noUsers, pending: [1, 9] } },
  } as const;
  const refresh = { ...of, type: 'refresh.received', transaction: 't' } as const;
  const later = { ...dialog, remoteCseq: at };
  return [
    born,
    { ...born, subscribe: { ...watch, expires: 0 } },
    { ...born, subscribe: { ...watch, inside: true } },
    { ...refresh, dialog: later },
    { ...refresh, dialog: later, expires: 0 },
    { ...refresh, dialog: later, expires: 1 },
    { ...refresh, dialog: { ...later, remoteCseq: 0 } },
    { ...refresh, dialog: { ...later, callId: 'other' } },
    { ...of, type: 'conference.changed', state },
    { ...of, type: 'conference.changed', state: moved },
    { ...of, type: 'conference.over', state: { ...moved, client: 'disconnected' } },
    { ...of, type: 'notify.answered', status: 200 },
    { ...of, type: 'notify.answered', status: 481 },
    { ...of, type: 'notify.failed' },
    { ...of, type: 'subscription.withdrawn', reason: 'probation', retryAfter: 30 },
    { ...of, type: 'timer.expired', name: 'throttle' },
    { ...of, type: 'timer.expired', name: 'expiry' },
    { ...of, type: 'timer.expired', name: 'expiry', at: at + 100_000_000 },
  ];
}

export function subscriptionEvents(
  _snapshot: ActorSnapshot,
  at: number,
): readonly SubscriptionEvent[] {
  const of = { at, limits };
  const born = { ...of, type: 'subscribe.received', transaction: 't', subscription: 1 } as const;
  const refresh = { ...of, type: 'refresh.received', transaction: 't' } as const;
  const later = { ...dialog, remoteCseq: at };
  const added = { serial: 7, from: 'sip:a@b', to: 'sip:b@b', date: at, urgent: false };
  return [
    { ...born, subscribe, counts: noMessages },
    { ...born, subscribe: { ...subscribe, expires: 0 }, counts: noMessages },
    { ...refresh, dialog: later },
    { ...refresh, dialog: later, expires: 0 },
    { ...refresh, dialog: later, expires: 1 },
    { ...refresh, dialog: { ...later, remoteCseq: 0 } },
    { ...refresh, dialog: { ...later, callId: 'other' } },
    { ...of, type: 'counts.changed', counts: noMessages },
    { ...of, type: 'counts.changed', counts: noMessages, added },
    { ...of, type: 'notify.answered', status: 200 },
    { ...of, type: 'notify.answered', status: 481 },
    { ...of, type: 'notify.failed' },
    { ...of, type: 'timer.expired', name: 'throttle' },
    { ...of, type: 'timer.expired', name: 'expiry' },
    { ...of, type: 'timer.expired', name: 'expiry', at: at + 100_000_000 },
    { ...of, type: 'subscription.withdrawn', reason: 'deactivated' },
    { ...of, type: 'subscription.superseded', dialog },
    { ...of, type: 'subscription.superseded', dialog: { ...dialog, callId: 'other' } },
    { ...of, type: 'session.lost' },
  ];
}
