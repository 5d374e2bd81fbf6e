/** The focus: the checks in their order, and the conference with the virtual UAs. */

import { describe, expect, test } from 'vitest';
import type { FocusEvent } from '../../src/machines/events.js';
import type { RetrievalFacts } from '../../src/machines/facts.js';
import { focus } from '../../src/machines/index.js';
import { retrievalChecks } from '../../src/machines/policy.js';
import { ActorUnderTest } from './actor.js';
import { limits, noon, offer, path, retrieval, without } from './facts.js';

const at = noon;
type Requested = Extract<FocusEvent, { type: 'retrieval.requested' }>;

function requested(over: Partial<Requested> = {}, facts: Partial<RetrievalFacts> = {}): Requested {
  return {
    type: 'retrieval.requested',
    at,
    transaction: 't1',
    focus: 2,
    retrieval: { ...retrieval, ...facts },
    pushActive: false,
    busy: false,
    serials: [1, 3],
    limits,
    ...over,
  };
}

const simple = <Type extends string>(type: Type) => ({ type, at, limits }) as const;
const ack = simple('ack.received');
const connected = simple('msrp.connected');
const bye = { type: 'bye.received', at, transaction: 't9', limits } as const;
const departed = (serial: number) => ({ type: 'ua.departed', at, serial, limits }) as const;
const failed = (serial: number) =>
  ({ type: 'ua.failed', at, serial, status: 488, limits }) as const;
const absent = (serial: number) =>
  ({ type: 'undelivered', at, to: `ua/${serial}`, limits }) as const;
const reinvite = (over: object = {}) =>
  ({ type: 'reinvite.received', at, transaction: 't5', list: false, limits, ...over }) as const;
const wait = { type: 'timer.expired', at, name: 'wait', limits } as const;

function retrieving(...events: readonly FocusEvent[]) {
  return new ActorUnderTest(focus).on(...events);
}

const conversing = [requested(), ack, connected] as const;
const over = ['msrp.release', 'mailbox retrieval.ended', 'stop'];

/** What fails each check of D-60, by its place. */
const failures: readonly ((event: Requested) => Requested)[] = [
  (event) => ({ ...event, retrieval: { ...event.retrieval, accepts: false } }),
  (event) => ({ ...event, retrieval: { ...event.retrieval, authorised: false } }),
  (event) => ({ ...event, retrieval: { ...event.retrieval, forbidden: 'suspended' } }),
  (event) => ({ ...event, retrieval: { ...event.retrieval, owned: false } }),
  (event) => ({
    ...event,
    retrieval: { ...event.retrieval, offer: { ...offer, direction: 'sendrecv' } },
  }),
  (event) => ({ ...event, pushActive: true }),
  (event) => ({ ...event, retrieval: { ...event.retrieval, hasAccount: false } }),
];

const answers = [
  { status: 403, warning: 'Accept-Contact lacks +g.oma.sip-im' },
  { status: 403, warning: '127 Service not authorised' },
  { status: 403, warning: 'Policy: suspended' },
  { status: 404 },
  { status: 403, warning: 'SDP is not recvonly' },
  { status: 403, warning: 'Policy: messages are pushed' },
  { status: 403, warning: '127 Service not authorised' },
];

const pairs = failures.flatMap((_first, i) =>
  failures.slice(i + 1).map((_second, j) => ({ first: i, second: i + 1 + j })),
);

describe('IMSpec-DMT-S-007: checks on the request (D-60)', () => {
  test('there are six and that of the account, which make twenty-one pairs', () => {
    expect(retrievalChecks).toHaveLength(7);
    expect(pairs).toHaveLength(21);
  });

  test.each(failures.map((fail, place) => ({ fail, place })))(
    'check $place alone decides',
    ({ fail, place }) => {
      const actor = retrieving(fail(requested()));
      expect(actor.effects[0]).toEqual({
        type: 'sip.respond',
        transaction: 't1',
        ...answers[place],
      });
      expect(actor.said.slice(1)).toEqual(['mailbox retrieval.ended', 'stop']);
    },
  );

  test.each(pairs)('check $first comes before check $second', ({ first, second }) => {
    const actor = retrieving(failures[second]!(failures[first]!(requested())));
    expect(actor.effects[0]).toEqual({ type: 'sip.respond', transaction: 't1', ...answers[first] });
  });

  test('IMSpec-DMT-S-010: refused, and neither an MSRP session nor a lease is made', () => {
    const actor = retrieving(failures[1]!(requested({ busy: true, serials: [] })));
    expect(actor.said).toEqual(['respond 403', 'mailbox retrieval.ended', 'stop']);
    expect(actor.state).toBe('refused');
  });

  test('D-65: no m=message line at all is refused the same way', () => {
    const bare = without(retrieval, 'offer');
    expect(retrieving(requested({ retrieval: bare })).effects[0]).toMatchObject(answers[4]!);
  });

  test.each([
    ['D-70: a list that names nothing', { serials: [] }, { serials: [], foreign: [] }, 400],
    ['D-68: a list of unknown ones', { serials: [] }, { serials: [8, 9], foreign: [] }, 404],
    [
      'LIST-06: a list of foreign URIs',
      { serials: [] },
      { serials: [], foreign: ['sip:x@y'] },
      404,
    ],
    ['too many at a time', { busy: true }, undefined, 486],
  ])('%s', (_name, given, list, status) => {
    const actor = retrieving(requested(given, list && { list }));
    expect(actor.said).toEqual([`respond ${status}`, 'mailbox retrieval.ended', 'stop']);
  });
});

describe('IMSpec-DMT-S-006: the conference', () => {
  test.each([
    ['ACK first', [ack, connected]],
    ['binding first', [connected, ack]],
  ])('S3-FOCUS-ALL: every message in ascending order (%s)', (_name, events) => {
    const actor = retrieving(requested());
    expect(actor.effects.slice(0, 2)).toEqual([
      { type: 'sip.accept', transaction: 't1', active: false },
      { type: 'msrp.connect', path, active: false, acceptTypes: ['*'] },
    ]);
    actor.on(...events);
    expect(actor.said).toEqual(['timer.cancel wait', 'ua/1 invite', 'ua/2 invite']);
    expect(actor.on(departed(1)).said).toEqual(['ua/3 invite']);
    actor.on(departed(2), departed(3));
    expect(actor.effects[0]).toEqual({ type: 'sip.bye' });
    expect(actor.on(simple('bye.answered')).said).toEqual(['timer.cancel wait', ...over]);
    expect(actor.snapshot.context).toMatchObject({ delivered: 3, failed: [] });
  });

  test('S3-FOCUS-LIST, D-68: what is named and not there has failed', () => {
    const list = { serials: [1, 1, 9, 9], foreign: ['sip:other@example.net'] };
    const actor = retrieving(requested({ serials: [1, 1] }, { list }), ack, connected);
    expect(actor.said).toEqual(['timer.cancel wait', 'ua/1 invite']);
    expect(actor.snapshot.context).toMatchObject({
      outcomes: { '404': [9, 9] },
      foreign: ['sip:other@example.net'],
      count: 3,
    });
  });

  test('IMSpec-DMT-S-011: we connect to a client that waits', () => {
    const passive = { ...offer, setup: 'passive' as const };
    expect(retrieving(requested({}, { offer: passive })).effects[0]).toMatchObject({
      active: true,
    });
  });

  test('one bad message never blocks the rest', () => {
    const actor = retrieving(...conversing, failed(1), absent(2), departed(3));
    expect(actor.said).toEqual(['sip.bye', 'timer.set wait']);
    expect(actor.snapshot.context).toMatchObject({ delivered: 1, failed: [1, 2] });
  });

  test('D-69: nothing to retrieve: 200, then BYE that says so', () => {
    const reason = 'SIP;cause=200;text="No deferred messages"';
    const bound = retrieving(requested({ serials: [] }), connected, ack);
    expect(bound.find('sip.bye')).toEqual({ type: 'sip.bye', reason });
    const alone = retrieving(requested({ serials: [] }));
    expect(alone.find('timer.set')).toMatchObject({ at: at + 2000 });
    expect(alone.on(ack, wait).find('sip.bye')).toMatchObject({ reason });
  });

  test('D-74: re-INVITE', () => {
    const actor = retrieving(...conversing);
    expect(actor.on(reinvite({ list: true })).effects).toMatchObject([
      { status: 420, unsupported: 'recipient-list-invite' },
    ]);
    const sendrecv = { ...offer, direction: 'sendrecv' };
    expect(actor.on(reinvite({ offer: sendrecv })).said).toEqual(['respond 488']);
    const moved = { ...offer, path: ['msrp://elsewhere.example.org:2855/s2;tcp'] };
    expect(actor.on(reinvite({ offer: moved })).said).toEqual(['respond 488']);
    expect(actor.on(reinvite({ offer })).said).toEqual(['sip.accept']);
    expect(actor.on(reinvite()).said).toEqual(['sip.accept']);
    expect(actor.on(bye, reinvite()).handled).toBe(false);
    expect(retrieving(...conversing, simple('msrp.lost'), reinvite()).said).toEqual([
      'respond 481',
    ]);
  });
});

describe('from every state every lease is released', () => {
  const states = [
    ['waiting', [requested()], []],
    ['confirmed', [requested(), ack], []],
    ['bound', [requested(), connected], []],
    ['conversing', [...conversing], ['ua/1 bye', 'ua/2 bye']],
  ] as const;

  test.each(states)('%s: BYE, CANCEL, no ACK, loss', (_name, events, released) => {
    const expected = (said: readonly string[], words: readonly string[]) => {
      expect(said.filter((word) => !word.startsWith('timer'))).toEqual(words);
    };
    expected(retrieving(...events, bye).said, [...released, 'respond 200', 'sip.forget', ...over]);
    const cancelled = retrieving(...events, simple('invite.cancelled'));
    expected(cancelled.said, [...released, 'sip.forget', ...over]);
    expected(retrieving(...events, simple('ack.missing')).said, [...released, ...over]);
    const lost = retrieving(...events, simple('msrp.lost'));
    expected(lost.said, [...released, 'sip.bye']);
    expected(lost.on(simple('bye.answered')).said, over);
  });

  test.each(states.slice(1, 3))('%s: it does not wait for ever', (_name, events) => {
    expect(retrieving(...events, wait).said).toContain('sip.bye');
  });

  test('waiting: for the ACK as long as it takes, and from then on not for ever', () => {
    const waiting = retrieving(requested(), wait, wait);
    expect(waiting.said).toEqual(['timer.set wait']);
    expect(waiting.on(ack).on(wait).said).toContain('sip.bye');
  });

  test('while closing', () => {
    const closing = [...conversing, simple('msrp.lost')] as const;
    for (const event of [bye, simple('invite.cancelled'), simple('ack.missing'), wait]) {
      expect(retrieving(...closing, event).state).toBe('ended');
    }
  });
});

test('nothing of it is stored', () => {
  expect(focus.rest(retrieving(...conversing).snapshot)).toBeUndefined();
  expect(() => focus.revive({ schema: 1, state: 'x', context: {} })).toThrow('MACHINE_NOT_STORED');
});
