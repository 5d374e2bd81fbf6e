/** The mailbox while others depend on it: what a pause, a removal or an import tells them. */

import { describe, expect, test } from 'vitest';
import { mailbox } from '../../src/machines/index.js';
import type { Limits, MailboxEvent } from '../../src/machines/events.js';
import type { MailboxContext } from '../../src/machines/mailbox-context.js';
import { ActorUnderTest } from './actor.js';
import { limits, noPush, noon, pager, register, subscribe } from './facts.js';

const slow: Limits = { ...limits, deletion: { batch: 1, removalMs: 1000 } };
const of = { at: noon, limits, transaction: 't' } as const;

function message(from: number, given: Limits = limits): MailboxEvent {
  const block = { from, to: from };
  return {
    ...of,
    type: 'message.received',
    duplicate: false,
    message: pager,
    block,
    limits: given,
  };
}

const registered: MailboxEvent = { ...of, type: 'register.received', register };
const subscribed: MailboxEvent = { ...of, type: 'subscribe.received', subscribe };
const paused: MailboxEvent = { ...of, type: 'delivery.paused' };
const resumed: MailboxEvent = { ...of, type: 'delivery.resumed' };
const removed: MailboxEvent = { ...of, type: 'account.removed', limits: slow };
const published: MailboxEvent = {
  ...of,
  type: 'settings.published',
  publish: { etag: 'e1', settings: { offlineDelivery: true }, expires: 100 },
};

/** The user is registered and subscribed, and the message is being pushed. */
function pushing(): ActorUnderTest {
  return new ActorUnderTest(mailbox).on(registered, subscribed, message(100));
}

function context(actor: ActorUnderTest): MailboxContext {
  return actor.snapshot.context as MailboxContext;
}

const failed = (actor: ActorUnderTest): MailboxEvent => ({
  ...of,
  type: 'push.ended',
  push: context(actor).push!,
  outcome: 'failed',
  failed: [],
});
const read: MailboxEvent = { ...of, type: 'message.read', serial: 100, message: pager };
const unread: MailboxEvent = { ...of, type: 'message.unread', serial: 100, message: pager };

/** What is said last, and subscriptions, push, bindings and new messages behind it. */
const scenarios: Record<
  string,
  { when: () => ActorUnderTest; says: string[]; state: unknown; left: unknown }
> = {
  'EVT-04: a removal ends the push, the registration and the subscriptions, and begins to delete': {
    when: () => pushing().on(removed),
    says: [
      'push/2 withdraw',
      'timer.cancel push',
      'timer.cancel registration',
      'subscription/1 subscription.withdrawn',
      'timer.set removal',
      'ua/100 delete',
      'respond 202',
    ],
    state: 'offline',
    left: [[1], undefined, 0, 1],
  },
  'a removal takes the retry and what was published along': {
    when: () => {
      const actor = pushing().on(published);
      return actor.on(failed(actor), removed);
    },
    says: [
      'timer.cancel push',
      'timer.cancel registration',
      'timer.cancel publication',
      'subscription/1 subscription.withdrawn',
      'timer.set removal',
      'ua/100 delete',
      'respond 202',
    ],
    state: 'offline',
    left: [[1], undefined, 0, 1],
  },
  'U14: a removal that is asked for again begins anew, and deletes one batch at a time': {
    when: () =>
      new ActorUnderTest(mailbox).on(
        message(100, noPush),
        message(101, noPush),
        registered,
        removed,
        { ...removed, at: noon + 10 },
      ),
    says: ['timer.cancel removal', 'timer.set removal', 'respond 202'],
    state: 'offline',
    left: [[], undefined, 0, 2],
  },
  'a removal while messages are being deleted waits for the next batch': {
    when: () =>
      new ActorUnderTest(mailbox).on(
        registered,
        message(100, noPush),
        message(101, noPush),
        subscribed,
        published,
        { ...of, type: 'deletion.requested', serials: [100, 101], foreign: [], limits: slow },
        removed,
      ),
    says: [
      'timer.cancel registration',
      'timer.cancel publication',
      'subscription/1 subscription.withdrawn',
      'timer.set removal',
      'respond 202',
    ],
    state: 'offline',
    left: [[1], undefined, 0, 2],
  },
  'nothing is forgotten of an account that nobody has removed': {
    when: () => new ActorUnderTest(mailbox).on(registered, { ...of, type: 'account.forgotten' }),
    says: [],
    state: { available: 'idle' },
    left: [[], undefined, 1, 0],
  },
  'U25: a pause withdraws the push, and nothing is pushed until it is over': {
    when: () => pushing().on(paused),
    says: ['push/2 withdraw', 'timer.cancel push', 'respond 200'],
    state: { available: 'idle' },
    left: [[1], undefined, 1, 1],
  },
  'a pause ends the wait for the next attempt': {
    when: () => {
      const actor = pushing();
      return actor.on(failed(actor), paused);
    },
    says: ['timer.cancel push', 'respond 200'],
    state: { available: 'idle' },
    left: [[1], undefined, 1, 1],
  },
  'a message that comes in a pause is stored only': {
    when: () => pushing().on(paused, message(101)),
    says: ['serials.take', 'ua/101 store', 'respond 202', 'subscription/1 counts.changed'],
    state: { available: 'idle' },
    left: [[1], undefined, 1, 2],
  },
  'U25: the end of a pause pushes what is there': {
    when: () => pushing().on(paused, resumed),
    says: ['respond 200', 'timer.set push', 'push/3 start'],
    state: { available: 'pushing' },
    left: [[1], 3, 1, 1],
  },
  'the end of a pause that there was not changes nothing': {
    when: () => pushing().on(resumed),
    says: ['respond 200'],
    state: { available: 'pushing' },
    left: [[1], 2, 1, 1],
  },
  'a message read elsewhere changes the counts that subscribers have': {
    when: () => pushing().on(read),
    says: ['subscription/1 counts.changed'],
    state: { available: 'pushing' },
    left: [[1], 2, 1, 0],
  },
  'what is new again joins the push under way, and changes the counts': {
    when: () => pushing().on(read, unread),
    says: ['subscription/1 counts.changed', 'push/2 message.added'],
    state: { available: 'pushing' },
    left: [[1], 2, 1, 1],
  },
  'what was new all the time is not counted again': {
    when: () => pushing().on(unread),
    says: [],
    state: { available: 'pushing' },
    left: [[1], 2, 1, 1],
  },
  'offline, what is new again changes the counts only': {
    when: () => new ActorUnderTest(mailbox).on(subscribed, message(100, noPush), read, unread),
    says: ['subscription/1 counts.changed'],
    state: 'offline',
    left: [[1], undefined, 0, 1],
  },
  'a message that comes during a push joins it; its serial is of a block of its own': {
    when: () => pushing().on(message(101)),
    says: [
      'serials.take',
      'ua/101 store',
      'respond 202',
      'subscription/1 counts.changed',
      'push/2 message.added',
    ],
    state: { available: 'pushing' },
    left: [[1], 2, 1, 2],
  },
  'offline, subscribers hear of a message that is stored': {
    when: () => new ActorUnderTest(mailbox).on(subscribed, message(100)),
    says: ['serials.take', 'ua/100 store', 'respond 202', 'subscription/1 counts.changed'],
    state: 'offline',
    left: [[1], undefined, 0, 1],
  },
  'an imported message joins the push, and subscribers hear of it': {
    when: () =>
      pushing().on({
        ...of,
        type: 'message.imported',
        message: pager,
        imported: { message: pager, receivedAt: noon, read: false },
        duplicate: false,
        block: { from: 101, to: 101 },
      }),
    says: [
      'serials.take',
      'ua/101 store',
      'respond 202',
      'subscription/1 counts.changed',
      'push/2 message.added',
    ],
    state: { available: 'pushing' },
    left: [[1], 2, 1, 2],
  },
  'offline, subscribers hear of an imported message': {
    when: () =>
      new ActorUnderTest(mailbox).on(subscribed, {
        ...of,
        type: 'message.imported',
        message: pager,
        imported: { message: pager, receivedAt: noon, read: false },
        duplicate: false,
        block: { from: 101, to: 101 },
      }),
    says: ['serials.take', 'ua/101 store', 'respond 202', 'subscription/1 counts.changed'],
    state: 'offline',
    left: [[1], undefined, 0, 1],
  },
  'the last registration runs out: the push is withdrawn': {
    when: () =>
      pushing().on({ ...of, type: 'timer.expired', name: 'registration', at: noon + 3_600_000 }),
    says: ['timer.cancel registration', 'push/2 withdraw', 'timer.cancel push'],
    state: 'offline',
    left: [[1], undefined, 0, 1],
  },
  'a lost session ends the push until its next attempt; the subscription stands': {
    when: () => pushing().on({ ...of, type: 'session.lost' }),
    says: [],
    state: { available: 'backoff' },
    left: [[1], undefined, 1, 1],
  },
  'a subscription that is not there is forgotten, the push goes on': {
    when: () => {
      const actor = pushing();
      return actor.on({
        ...of,
        type: 'undelivered',
        to: `subscription/${context(actor).subscriptions[0]!}`,
      });
    },
    says: [],
    state: { available: 'pushing' },
    left: [[], 2, 1, 1],
  },
};

describe.each(Object.entries(scenarios))('%s', (_name, { when, says, state, left }) => {
  test('says so, and is left so', () => {
    const actor = when();
    expect([actor.said, actor.state]).toEqual([says, state]);
    const { subscriptions, push, bindings, counts } = context(actor);
    expect([subscriptions, push, bindings.length, counts['Pager-Message'].new]).toEqual(left);
  });
});
