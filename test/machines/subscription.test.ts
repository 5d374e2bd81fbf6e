/** The message-waiting subscription: NOTIFYs, throttle, refreshes and ends. */

import { describe, expect, test } from 'vitest';
import type { SubscriptionEvent } from '../../src/machines/events.js';
import { noMessages, recount } from '../../src/machines/counts.js';
import type { AtRest } from '../../src/machines/index.js';
import type { DialogFacts } from '../../src/machines/facts.js';
import { sameAtRest, subscription } from '../../src/machines/index.js';
import { ActorUnderTest } from './actor.js';
import { dialog, limits, noon, pager, subscribe, without } from './facts.js';

const one = recount(noMessages, pager, 'new', 1);

function born(over: Partial<typeof subscribe> = {}): SubscriptionEvent {
  return {
    type: 'subscribe.received',
    at: noon,
    transaction: 't1',
    subscription: 3,
    subscribe: { ...subscribe, ...over },
    counts: noMessages,
    limits,
  };
}

const block = (serial: number) =>
  ({ serial, from: 'sip:a@b', to: 'sip:b@b', date: noon, urgent: false }) as const;
const changed = (serial?: number, at = noon) =>
  ({
    type: 'counts.changed',
    at,
    counts: one,
    ...(serial !== undefined && { added: block(serial) }),
    limits,
  }) as const;
const answered = (status = 200) => ({ type: 'notify.answered', at: noon, status, limits }) as const;
const unanswered = { type: 'notify.failed', at: noon, limits } as const;
const throttle = { type: 'timer.expired', at: noon + 1000, name: 'throttle', limits } as const;
const expiry = (at: number) => ({ type: 'timer.expired', at, name: 'expiry', limits }) as const;
const lost = { type: 'session.lost', at: noon, limits } as const;
const refresh = (cseq: number, expires?: number, over: Partial<typeof dialog> = {}) =>
  ({
    type: 'refresh.received',
    at: noon + 5000,
    transaction: 't2',
    dialog: { ...dialog, remoteCseq: cseq, ...over },
    ...(expires !== undefined && { expires }),
    limits,
  }) as const;

function watching(...events: readonly SubscriptionEvent[]) {
  return new ActorUnderTest(subscription).on(...events);
}

const idle = [born(), answered(), throttle] as const;

describe('IMSpec-DMT-S-002: subscribing', () => {
  test('EVT-01: 200, and a NOTIFY at once, with counts only', () => {
    const actor = watching(born());
    expect(actor.effects).toMatchObject([
      { type: 'timer.set', name: 'expiry', at: noon + 3_600_000, durable: true },
      { type: 'sip.respond', status: 200, expires: 3600, localTag: 'l1', contact: true },
      { type: 'sip.notify', state: 'active', expires: 3600, dialog: { localCseq: 1 }, added: [] },
      { type: 'timer.set', name: 'throttle', durable: false },
    ]);
  });

  test.each([
    ['more than the maximum', { expires: 9000 }, 7200],
    ['less than the default', { expires: 600 }, 600],
  ])('EVT-03: %s is granted as far as we go', (_name, over, expires) => {
    expect(watching(born(over)).find('sip.respond')).toMatchObject({ expires });
  });

  test('MWI-01: without Expires an hour', () => {
    const bare = without(subscribe, 'expires');
    const event = { ...born(), subscribe: bare } as SubscriptionEvent;
    expect(watching(event).find('sip.respond')).toMatchObject({ expires: 3600 });
  });

  test('Expires 0 fetches the counts once', () => {
    const actor = watching(born({ expires: 0 }));
    expect(actor.effects).toMatchObject([
      { status: 200, expires: 0 },
      { type: 'sip.notify', state: 'terminated', reason: 'timeout' },
      { to: 'mailbox', event: { type: 'subscription.ended', subscription: 3 } },
      { type: 'stop' },
    ]);
  });
});

describe('IMSpec-DMT-S-005: notifying', () => {
  test('MWI-03: later ones name what was added since the last', () => {
    const actor = watching(...idle, changed(7));
    expect(actor.find('sip.notify')).toMatchObject({
      added: [{ serial: 7 }],
      counts: one,
      dialog: { localCseq: 2 },
    });
    actor.on(answered(), throttle, changed());
    expect(actor.find('sip.notify')).toMatchObject({ added: [], dialog: { localCseq: 3 } });
  });

  test('MWI-05: changes within a second become one NOTIFY, its blocks bounded', () => {
    const actor = watching(born(), answered(), changed(1), changed(2), changed(3), changed(4));
    expect(actor.said).toEqual([]);
    actor.on(throttle);
    expect(actor.said).toEqual(['sip.notify', 'timer.set throttle']);
    const added = actor.find('sip.notify')!.added.map(({ serial }) => serial);
    expect(added).toEqual([2, 3, 4]);
  });

  test('one NOTIFY is under way at a time', () => {
    const actor = watching(born(), throttle, changed(1));
    expect(actor.said).toEqual([]);
    expect(actor.on(answered()).said).toEqual(['sip.notify', 'timer.set throttle']);
    expect(watching(born(), throttle, answered()).state).toEqual({ active: 'idle' });
  });

  test.each([404, 405, 410, 416, 480, 481, 485, 489, 501, 604])(
    'EVT-05: an answer of %i ends the subscription',
    (status) => {
      const end = ['timer.cancel expiry', 'timer.cancel throttle', 'mailbox subscription.ended'];
      expect(watching(born(), answered(status)).said).toEqual([...end, 'stop']);
      expect(watching(born(), throttle, answered(status)).state).toBe('ended');
      expect(watching(...idle, answered(status)).state).toBe('ended');
    },
  );

  test('no answer ends it; other refusals do not', () => {
    expect(watching(born(), unanswered).state).toBe('ended');
    expect(watching(born(), answered(500)).state).toEqual({ active: 'throttled' });
  });
});

describe('refreshing', () => {
  test('MWI-06: a refresh has its NOTIFY, and a new time', () => {
    const actor = watching(...idle, refresh(2, 600));
    expect(actor.effects).toMatchObject([
      { type: 'timer.cancel', name: 'expiry', at: noon + 3_600_000 },
      { type: 'timer.set', name: 'expiry', at: noon + 605_000 },
      { status: 200, expires: 600 },
      { type: 'sip.notify', expires: 600, dialog: { remoteCseq: 2 } },
      { name: 'throttle' },
    ]);
  });

  test('within the throttle the NOTIFY waits', () => {
    const actor = watching(born(), refresh(2, 600));
    expect(actor.said).not.toContain('sip.notify');
    expect(actor.on(answered(), throttle).said).toContain('sip.notify');
  });

  test.each([
    ['DLG-02: a lower CSeq', refresh(1), 500],
    ['another dialog', refresh(2, 600, { remoteTag: 'x' }), 481],
    ['EVT-03: too brief', refresh(2, 10), 423],
  ])('%s is refused, and the subscription stands', (_name, event, status) => {
    const actor = watching(...idle, event);
    expect(actor.said).toEqual([`respond ${status}`]);
    expect(actor.state).toEqual({ active: 'idle' });
  });

  test('EVT-04: unsubscription and expiry have a last NOTIFY', () => {
    for (const event of [refresh(2, 0), expiry(noon + 3_600_000)]) {
      const actor = watching(...idle, event);
      expect(actor.find('sip.notify')).toMatchObject({ state: 'terminated', reason: 'timeout' });
      expect(actor.said.slice(-2)).toEqual(['mailbox subscription.ended', 'stop']);
    }
    expect(watching(...idle, refresh(2), expiry(noon + 3_600_000)).state).toEqual({
      active: 'sent',
    });
  });
});

describe('restart', () => {
  function revived(atRest: AtRest): ActorUnderTest {
    const after = new ActorUnderTest(subscription);
    after.snapshot = subscription.revive(atRest);
    return after;
  }

  test.each([
    ['under way', [born()]],
    ['unanswered after the throttle', [born(), throttle]],
    ['confirmed', idle],
  ])(
    'U23: the state is told again, with a higher CSeq; the last NOTIFY was %s',
    (_name, events) => {
      const after = revived(subscription.rest(watching(...events).snapshot)!);
      expect(after.on(lost).said).toEqual(['timer.set throttle']);
      expect(after.on(throttle).find('sip.notify')).toMatchObject({ dialog: { localCseq: 65 } });
    },
  );

  test('U23: CSeqs rise over any number of restarts, whatever was sent between them', () => {
    const actor = watching(born());
    let last = 1;
    for (let round = 0; round < 4; round++) {
      for (let sent = 0; sent < round * 70; sent++) {
        const found = actor.on(answered(), changed(sent), throttle).find('sip.notify')!;
        expect(found.dialog.localCseq).toBeGreaterThan(last);
        last = found.dialog.localCseq;
      }
      actor.snapshot = subscription.revive(subscription.rest(actor.snapshot)!);
      const again = actor.on(lost, throttle).find('sip.notify')!;
      expect(again.dialog.localCseq).toBeGreaterThan(last);
      last = again.dialog.localCseq;
    }
  });

  test('a NOTIFY changes nothing at rest, but for every sixty-fourth', () => {
    const actor = watching(born());
    let atRest = subscription.rest(actor.snapshot)!;
    let changes = 0;
    for (let sent = 0; sent < 128; sent++) {
      actor.on(answered(), throttle, refresh(sent + 2));
      const before = subscription.rest(actor.snapshot)!;
      actor.on(answered(), changed(0), throttle);
      const after = subscription.rest(actor.snapshot)!;
      if (after.context['cseq'] !== before.context['cseq']) changes++;
      atRest = after;
    }
    expect(changes).toBeLessThanOrEqual(4);
    expect(sameAtRest(atRest, subscription.rest(revived(atRest).snapshot))).toBe(true);
  });

  test('a row of schema 1 goes on where it was; another one is refused', () => {
    const { context, ...atRest } = subscription.rest(watching(...idle).snapshot)!;
    const { cseq: _, dialog: stored, ...rest } = context;
    const former = { ...(stored as DialogFacts), localCseq: 7 };
    const old = {
      ...atRest,
      schema: 1,
      context: { ...rest, dialog: former, added: [], due: true },
    };
    const actor = revived(old).on(lost, throttle);
    expect(actor.find('sip.notify')).toMatchObject({ dialog: { localCseq: 8 } });
    expect(() => subscription.revive({ ...atRest, context, schema: 3 })).toThrow(
      'MACHINE_SCHEMA_UNKNOWN',
    );
  });

  test('EVT-04: a notifier that withdraws says why, and when to come again', () => {
    const actor = watching(...idle, {
      type: 'subscription.withdrawn',
      at: noon,
      reason: 'probation',
      retryAfter: 30,
      limits,
    });
    expect(actor.find('sip.notify')).toMatchObject({
      state: 'terminated',
      reason: 'probation',
      retryAfter: 30,
    });
    expect(actor.said.slice(-2)).toEqual(['mailbox subscription.ended', 'stop']);
  });
});
