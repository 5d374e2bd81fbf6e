/** The mailbox: storing, availability, push, subscriptions and retrievals. */

import { describe, expect, test } from 'vitest';
import { mailbox } from '../../src/machines/index.js';
import type { MailboxEvent } from '../../src/machines/events.js';
import { sameAtRest } from '../../src/machines/index.js';
import type { MailboxContext } from '../../src/machines/mailbox-context.js';
import { ActorUnderTest } from './actor.js';
import { limits, noPush, noon, pager, register, retrieval, subscribe } from './facts.js';

const block = { from: 100, to: 101 };

function message(over: Partial<Extract<MailboxEvent, { type: 'message.received' }>> = {}) {
  const event = {
    type: 'message.received',
    at: noon,
    transaction: 't1',
    duplicate: false,
  } as const;
  return { ...event, message: pager, limits, block, ...over };
}

function registered(over: Partial<typeof register> = {}, at = noon, given = limits) {
  const facts = { ...register, ...over };
  return {
    type: 'register.received',
    at,
    transaction: 't2',
    register: facts,
    limits: given,
  } as const;
}

const gone = (serial: number) =>
  ({ type: 'message.gone', at: noon, serial, message: pager, limits }) as const;
const ended = (push: number, outcome: 'done' | 'failed', failed: readonly number[] = []) =>
  ({ type: 'push.ended', at: noon, push, outcome, failed, limits }) as const;
const timer = (name: 'registration' | 'push', at: number) =>
  ({ type: 'timer.expired', at, name, limits }) as const;
const lost = { type: 'session.lost', at: noon, limits } as const;

function bob() {
  return new ActorUnderTest(mailbox);
}

function context(actor: ActorUnderTest): MailboxContext {
  return actor.snapshot.context as MailboxContext;
}

describe('storing', () => {
  test('S4-202: a message is stored by its virtual UA, then accepted', () => {
    const actor = bob().on(message());
    expect(actor.said).toEqual(['serials.take', 'ua/100 store', 'respond 202']);
    expect(context(actor).counts['Pager-Message'].new).toBe(1);
  });

  test('S1-MSGID-NEXT: ids follow each other, a block is taken when the own one is used up', () => {
    const actor = bob().on(message(), message());
    expect(actor.said).toEqual(['ua/101 store', 'respond 202']);
    actor.on(message({ block: { from: 102, to: 110 } }));
    expect(actor.effects[0]).toEqual({ type: 'serials.take', from: 102, to: 110 });
    expect(actor.said[1]).toBe('ua/102 store');
    expect(context(actor).stored).toEqual([100, 102]);
  });

  test.each([
    ['D-18: a duplicate is accepted again', { duplicate: true }, 202],
    ['U16: transient content is declined', { message: { ...pager, transient: true } }, 603],
    ['D-23: Expires 0 is declined', { message: { ...pager, expires: 0 } }, 603],
    ['quota of octets', { message: { ...pager, size: 100_001 } }, 603],
  ])('%s, and nothing is stored', (_name, over, status) => {
    const actor = bob().on(message(over));
    expect(actor.said).toEqual([`respond ${status}`]);
    expect(mailbox.rest(actor.snapshot)).toBeUndefined();
  });

  test('S4-603-PM: the quota of messages is reached, not passed', () => {
    const two = { ...limits, quota: { messages: 2, octets: 1e6 } };
    const actor = bob().on(message({ limits: two }), message({ limits: two }));
    expect(actor.said).toContain('respond 202');
    actor.on(message({ limits: two }));
    expect(actor.find('sip.respond')).toMatchObject({ status: 603, warning: 'Mailbox is full' });
    actor.on(gone(100), message({ limits: two, block: { from: 102, to: 103 } }));
    expect(actor.said).toContain('respond 202');
  });

  test('a message that is gone twice is counted once', () => {
    const actor = bob().on(message(), gone(100), gone(100));
    expect(context(actor)).toMatchObject({ stored: [], octets: 0 });
    expect(context(actor).counts['Pager-Message'].new).toBe(0);
  });

  test('D-44: a message that was read is old, and gone from the old ones', () => {
    const read = { ...gone(100), type: 'message.read' } as const;
    const actor = bob().on(message(), read, read);
    expect(context(actor).counts['Pager-Message']).toMatchObject({ new: 0, old: 1 });
    actor.on(gone(100));
    expect(context(actor).counts['Pager-Message']).toMatchObject({ new: 0, old: 0 });
  });
});

describe('IMSpec-DMT-S-003: availability', () => {
  test.each([
    ['registered with the tag', { im: true as const }, true],
    ['registered without it', { im: false as const }, false],
    ['registered with unknown capabilities', { im: 'unknown' as const }, true],
    ['Expires 0', { expires: 0 }, false],
  ])('%s', (_name, over, available) => {
    const contacts = [{ ...register.contacts[0]!, ...over }];
    const actor = bob().on(message(), registered({ contacts }));
    expect(actor.said.includes('push/1 start')).toBe(available);
    expect(actor.state === 'offline').toBe(!available);
  });

  test('is over when the last binding has expired', () => {
    const actor = bob().on(registered());
    expect(actor.said).toEqual(['timer.set registration', 'respond 200']);
    expect(actor.state).toEqual({ available: 'idle' });
    actor.on(timer('registration', noon + 3_600_000));
    expect(actor.state).toBe('offline');
  });

  test('goes on with another binding, whose expiry is waited for next', () => {
    const second = [{ ...register.contacts[0]!, uri: 'sip:bob@192.0.2.2', expires: 7200 }];
    const actor = bob().on(registered(), registered({ contacts: second, callId: 'r2' }));
    actor.on(timer('registration', noon + 3_600_000));
    expect(actor.state).toEqual({ available: 'idle' });
    expect(actor.find('timer.set')).toMatchObject({ at: noon + 7_200_000, durable: true });
  });

  test('RFC 3261 10.3: order, brevity, bounds and queries', () => {
    const actor = bob().on(registered({ cseq: 5 }));
    expect(actor.on(registered({ cseq: 5 })).said).toEqual(['respond 500']);
    const brief = [{ ...register.contacts[0]!, expires: 59 }];
    expect(actor.on(registered({ contacts: brief, cseq: 6 })).effects[0]).toMatchObject({
      status: 423,
      minExpires: 60,
    });
    const many = [2, 3, 4].map((n) => ({ ...register.contacts[0]!, uri: `sip:bob@192.0.2.${n}` }));
    expect(actor.on(registered({ contacts: many, cseq: 6 })).said).toEqual(['respond 403']);
    expect(actor.on(registered({ contacts: [], cseq: 6 })).effects[0]).toMatchObject({
      status: 200,
      contacts: [{ uri: 'sip:bob@192.0.2.1', expires: 3600 }],
    });
    actor.on(registered({ contacts: [], cseq: 6, removeAll: true }));
    expect(actor.find('sip.respond')).toMatchObject({ status: 200, contacts: [] });
    expect(actor.state).toBe('offline');
  });

  test('what the S-CSCF says replaces what it has said', () => {
    const contact = { uri: 'sip:scscf@example.org', expires: 30, im: true, q: 1 };
    const actor = bob().on(registered({ by: 'scscf', contacts: [contact] }));
    expect(actor.state).toEqual({ available: 'idle' });
    const other = { ...contact, uri: 'sip:scscf2@example.org', im: false };
    actor.on(registered({ by: 'scscf', contacts: [other], callId: 'r2' }));
    expect(actor.state).toBe('offline');
    expect(context(actor).bindings).toHaveLength(1);
  });
});

describe('IMSpec-DMT-S-004: push', () => {
  test('exactly one push after the REGISTER, with every new message', () => {
    const actor = bob().on(message(), message(), registered());
    expect(actor.said).toEqual([
      'timer.set registration',
      'respond 200',
      'timer.set push',
      'push/1 start',
    ]);
    expect(actor.effects[3]).toMatchObject({
      event: { targets: [{ uri: 'sip:bob@192.0.2.1', route: register.path }], serials: [100, 101] },
    });
    expect(actor.on(registered({ cseq: 2 })).said).not.toContain('push/2 start');
  });

  test('D-41: a message stored while the user is available is pushed, or joins the push', () => {
    const actor = bob().on(registered(), message());
    expect(actor.said.slice(-3)).toEqual(['respond 202', 'timer.set push', 'push/1 start']);
    expect(actor.on(message()).said).toEqual([
      'ua/101 store',
      'respond 202',
      'push/1 message.added',
    ]);
  });

  test('IMSpec-DMT-S-008: no push when the setting is off', () => {
    const actor = bob().on(message({ limits: noPush }), registered({}, noon, noPush));
    expect(actor.state).toEqual({ available: 'idle' });
    expect(actor.said).not.toContain('push/1 start');
  });

  test('goes to the binding with the highest q, then to the latest', () => {
    const [contact] = register.contacts;
    const contacts = [
      { ...contact!, uri: 'sip:low@192.0.2.1', q: 0.1 },
      { ...contact!, uri: 'sip:high@192.0.2.2', q: 0.9 },
    ];
    const latest = [{ ...contact!, uri: 'sip:late@192.0.2.3', q: 0.9 }];
    const actor = bob().on(
      registered({ contacts }),
      registered({ contacts: latest, callId: 'r2' }, noon + 1000),
      message({ at: noon + 1000 }),
    );
    expect(actor.effects.at(-1)).toMatchObject({
      event: {
        targets: [
          { uri: 'sip:late@192.0.2.3' },
          { uri: 'sip:high@192.0.2.2' },
          { uri: 'sip:low@192.0.2.1' },
        ],
      },
    });
  });

  test('a failed push is tried again after a growing back-off', () => {
    const actor = bob().on(message(), registered(), ended(1, 'failed'));
    expect(actor.state).toEqual({ available: 'backoff' });
    expect(actor.find('timer.set')).toMatchObject({ name: 'push', at: noon + 1000, durable: true });
    actor.on(timer('push', noon + 1000));
    expect(actor.said).toContain('push/2 start');
    actor.on(ended(2, 'failed'));
    expect(actor.find('timer.set')).toMatchObject({ at: noon + 2000 });
  });

  test('what the client did not take waits for the next registration', () => {
    const actor = bob().on(
      message(),
      message(),
      registered(),
      gone(100),
      ended(1, 'done', [101, 101]),
    );
    expect(actor.state).toEqual({ available: 'idle' });
    expect(actor.said).toEqual(['timer.cancel push']);
    expect(actor.on(registered({ cseq: 2 })).said).toContain('push/2 start');
  });

  test('a message that came while the push was closing has a push of its own', () => {
    const actor = bob().on(message(), registered(), message(), gone(100), ended(1, 'done'));
    expect(actor.said).toContain('push/2 start');
    expect(actor.on(gone(101), ended(1, 'failed')).handled).toBe(true);
    expect(actor.state).toEqual({ available: 'pushing' });
    expect(actor.on(ended(2, 'done')).state).toEqual({ available: 'idle' });
  });

  test('is withdrawn when the user is not registered any more', () => {
    const zero = [{ ...register.contacts[0]!, expires: 0 }];
    const actor = bob().on(message(), registered(), registered({ contacts: zero, cseq: 2 }));
    expect(actor.said).toContain('push/1 withdraw');
    expect(actor.state).toBe('offline');
    expect(actor.on(ended(1, 'failed')).handled).toBe(false);
    const expired = bob().on(message(), registered(), timer('registration', noon + 3_600_000));
    expect(expired.said).toContain('push/1 withdraw');
  });

  test('a push lost with the process is taken up by the timer that stood beside it', () => {
    const before = bob().on(message(), registered());
    const actor = bob();
    actor.snapshot = mailbox.revive(mailbox.rest(before.snapshot)!);
    actor.on(lost, timer('push', noon + 1000));
    expect(actor.said).toContain('push/32 start');
    actor.on(lost);
    expect(actor.state).toEqual({ available: 'backoff' });
  });

  test('the timer is set again while a push goes on', () => {
    const actor = bob().on(message(), registered(), timer('push', noon + 1000));
    expect(actor.said).toEqual(['timer.cancel push', 'timer.set push']);
  });
});

describe('IMSpec-DMT-S-002: subscriptions', () => {
  const subscribed = (over: Partial<typeof subscribe> = {}) =>
    ({
      type: 'subscribe.received',
      at: noon,
      transaction: 't3',
      subscribe: { ...subscribe, ...over },
      limits,
    }) as const;

  test.each([
    ['EVT-02: another package', { event: 'presence' }, 489],
    ['D-45: another identity', { authorised: false }, 403],
    ['MWI-01: an Accept without our type', { accepts: false }, 406],
    ['EVT-03: too brief', { expires: 59 }, 423],
  ])('%s', (_name, over, status) => {
    expect(bob().on(subscribed(over)).said).toEqual([`respond ${status}`]);
  });

  test('are given numbers, told of counts, bounded, and forgotten when ended', () => {
    const actor = bob().on(subscribed(), subscribed());
    expect(actor.said).toEqual([
      'subscription/1 subscription.superseded',
      'subscription/2 subscribe.received',
    ]);
    expect(actor.on(subscribed()).said).toEqual(['respond 503']);
    expect(actor.on(message()).said.slice(-2)).toEqual([
      'subscription/1 counts.changed',
      'subscription/2 counts.changed',
    ]);
    actor.on({ type: 'subscription.ended', at: noon, subscription: 1, limits }, gone(100));
    expect(actor.said).toEqual(['subscription/2 counts.changed']);
    const to = 'subscription/2' as const;
    actor.on({ type: 'undelivered', at: noon, to, limits });
    expect(context(actor).subscriptions).toEqual([]);
  });
});

describe('retrievals', () => {
  const requested = (over: Partial<typeof retrieval> = {}, given = limits) =>
    ({
      type: 'retrieval.requested',
      at: noon,
      transaction: 't4',
      retrieval: { ...retrieval, ...over },
      limits: given,
    }) as const;

  test('IMSpec-DMT-S-009: the list, as far as it is stored, or everything', () => {
    const actor = bob().on(message(), message(), requested());
    expect(actor.effects).toMatchObject([
      { to: 'focus/1', event: { serials: [100, 101], busy: false, focus: 1 } },
    ]);
    actor.on(requested({ list: { serials: [101, 200], foreign: [] } }));
    expect(actor.effects).toMatchObject([{ to: 'focus/2', event: { serials: [101, 101] } }]);
  });

  test('are bounded, and room is made by each that ends', () => {
    const actor = bob().on(requested(), requested(), requested());
    expect(actor.effects).toMatchObject([{ event: { busy: true } }]);
    const over = (focus: number) => ({ type: 'retrieval.ended', at: noon, focus, limits }) as const;
    actor.on(over(1), over(3), requested());
    expect(actor.effects).toMatchObject([{ event: { busy: false } }]);
    actor.on(lost);
    expect(context(actor).foci).toEqual([]);
  });

  test('D-42: forbidden while messages are pushed, if the operator says so', () => {
    const forbid = {
      ...limits,
      retrieval: { ...limits.retrieval, whenPushActive: 'forbid' as const },
    };
    expect(bob().on(requested({}, forbid)).effects).toMatchObject([
      { event: { pushActive: true } },
    ]);
  });
});

test('a turn that changes nothing is seen as such', () => {
  const actor = bob().on(message());
  const before = mailbox.rest(actor.snapshot);
  actor.on(message({ duplicate: true }), gone(7));
  expect(sameAtRest(before, mailbox.rest(actor.snapshot))).toBe(true);
  actor.on(message());
  expect(sameAtRest(before, mailbox.rest(actor.snapshot))).toBe(false);
});

test('an unknown schema is refused', () => {
  const atRest = mailbox.rest(bob().on(message()).snapshot)!;
  expect(() => mailbox.revive({ ...atRest, schema: 99 })).toThrow('MACHINE_SCHEMA_UNKNOWN');
});

describe('a REGISTER while a push is under way', () => {
  test('D-47: is a new chance for what that push has offered in vain', () => {
    const actor = bob().on(message(), registered(), registered({ cseq: 2 }, noon + 5000));
    actor.on(ended(1, 'done', [100, 100]));
    expect(actor.said).toContain('push/2 start');
    actor.on(ended(2, 'done', [100, 100]));
    expect(actor.state).toEqual({ available: 'idle' });
  });
});
