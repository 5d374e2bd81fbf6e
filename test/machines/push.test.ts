/** The push session: S2 step by step, and everything that can go wrong. */

import { describe, expect, test } from 'vitest';
import type { MsrpSdpFacts } from '../../src/machines/facts.js';
import type { PushEvent } from '../../src/machines/events.js';
import { push } from '../../src/machines/index.js';
import { ActorUnderTest } from './actor.js';
import { limits, noon, offer, path, without } from './facts.js';

const target = { uri: 'sip:bob@192.0.2.1', route: ['<sip:edge.example.org;lr>'] };
const at = noon;
const start = (serials: readonly number[] = [1, 3]) =>
  ({ type: 'start', at, push: 4, targets: [target], serials, limits }) as const;
const answered = (status = 200, answer: MsrpSdpFacts | undefined = offer): PushEvent => ({
  type: 'invite.answered',
  at,
  status,
  ...(answer && { answer }),
  limits,
});
const simple = <Type extends string>(type: Type) => ({ type, at, limits }) as const;
const connected = simple('msrp.connected');
const bye = { type: 'bye.received', at, transaction: 't9', limits } as const;
const departed = (serial: number) => ({ type: 'ua.departed', at, serial, limits }) as const;
const failed = (serial: number, status = 488) =>
  ({ type: 'ua.failed', at, serial, status, limits }) as const;
const absent = (serial: number) =>
  ({ type: 'undelivered', at, to: `ua/${serial}`, limits }) as const;
const added = (serial: number) => ({ type: 'message.added', at, serial, limits }) as const;
const wait = { type: 'timer.expired', at, name: 'wait', limits } as const;

function pushing(...events: readonly PushEvent[]) {
  return new ActorUnderTest(push).on(...events);
}

/** The end as the mailbox hears it. */
function outcome(actor: ActorUnderTest) {
  const told = actor.effects.find((effect) => effect.type === 'tell' && effect.to === 'mailbox');
  return told?.type === 'tell' ? told.event : undefined;
}

const sending = [start(), answered(), connected] as const;

describe('S2-PUSH-FLOW', () => {
  test('INVITE, MSRP, a SEND for each message in order, BYE', () => {
    const actor = pushing(start());
    expect(actor.effects).toMatchObject([{ type: 'sip.invite', target }, { name: 'wait' }]);
    actor.on(answered());
    expect(actor.effects[0]).toEqual({
      ...{ type: 'msrp.connect', path, active: false, acceptTypes: ['*'] },
    });
    actor.on(connected);
    expect(actor.said).toEqual(['timer.cancel wait', 'ua/1 invite', 'ua/2 invite']);
    expect(actor.effects[1]).toMatchObject({ event: { session: 'push/4', media: {} } });
    expect(actor.on(departed(1)).said).toEqual(['ua/3 invite']);
    expect(actor.on(departed(2)).said).toEqual([]);
    expect(actor.on(departed(3)).said).toEqual(['sip.bye', 'timer.set wait']);
    actor.on(simple('bye.answered'));
    expect(actor.said).toEqual(['timer.cancel wait', 'msrp.release', 'mailbox push.ended', 'stop']);
    expect(outcome(actor)).toMatchObject({ push: 4, outcome: 'done', failed: [] });
  });

  test('RFC 4145: we connect unless the client does', () => {
    for (const [setup, active] of [
      ['active', false],
      ['passive', true],
    ] as const) {
      const actor = pushing(start(), answered(200, { ...offer, setup }));
      expect(actor.find('msrp.connect')).toMatchObject({ active });
    }
    const bare = without(offer, 'setup');
    expect(pushing(start(), answered(200, bare)).find('msrp.connect')).toMatchObject({
      active: true,
    });
  });

  test('a client may bind before its 200 arrives', () => {
    const actor = pushing(start(), connected, answered());
    expect(actor.said).toEqual(['msrp.connect', 'timer.cancel wait', 'ua/1 invite', 'ua/2 invite']);
  });

  test('a message stored meanwhile goes in the same session', () => {
    const actor = pushing(start([1, 1]), added(5), answered(), connected);
    expect(actor.said).toEqual(['timer.cancel wait', 'ua/1 invite', 'ua/5 invite']);
    expect(actor.on(departed(1), added(6)).said).toEqual(['ua/6 invite']);
  });
});

describe('one bad message never blocks the rest', () => {
  test('refused and absent ones are passed over, and reported at the end', () => {
    const actor = pushing(...sending, failed(1), absent(2));
    expect(actor.on(departed(3)).said).toContain('sip.bye');
    actor.on(simple('bye.answered'));
    expect(outcome(actor)).toMatchObject({ outcome: 'done', failed: [1, 2] });
  });

  test('all of them refused: still a BYE', () => {
    const actor = pushing(...sending, failed(1), failed(2), failed(3));
    expect(actor.said).toContain('sip.bye');
    expect(outcome(actor.on(simple('bye.answered')))).toMatchObject({ failed: [1, 3] });
  });

  test('a failure of the moment is tried again after the back-off', () => {
    const actor = pushing(...sending, failed(1, 408), departed(2), departed(3));
    expect(outcome(actor.on(simple('bye.answered')))).toMatchObject({
      outcome: 'failed',
      failed: [],
    });
  });

  test('news of a message that was not invited changes nothing', () => {
    const actor = pushing(...sending, absent(9), departed(9));
    expect(actor.state).toEqual({ running: 'sending' });
    expect(actor.snapshot.context).toMatchObject({ delivered: 0, invited: [1, 2] });
    const other = { ...absent(1), to: 'mailbox' } as const;
    expect(actor.on(other).snapshot.context).toMatchObject({ invited: [1, 2] });
  });
});

describe('IMSpec-DMT-S-004: a failed push leaves the messages and ends', () => {
  test.each([486, 480, 603, 488, 408])('refused with %i', (status) => {
    const actor = pushing(start(), answered(status, undefined));
    expect(actor.said).toEqual(['timer.cancel wait', 'msrp.release', 'mailbox push.ended', 'stop']);
    expect(outcome(actor)).toMatchObject({ outcome: 'failed' });
  });

  test('no answer at all', () => {
    expect(outcome(pushing(start(), simple('invite.failed')))).toMatchObject({ outcome: 'failed' });
  });

  test.each([
    ['no SDP', { ...offer, path: [] }],
    ['inactive', { ...offer, direction: 'inactive' as const }],
  ])('an answer that is of no use (%s) is ended with BYE', (_name, answer) => {
    const actor = pushing(start(), answered(200, answer));
    expect(actor.said).toContain('sip.bye');
    expect(outcome(actor.on(simple('bye.answered')))).toMatchObject({ outcome: 'failed' });
  });

  test('SDP-05: holdconn in an answer is ignored: the offerer connects', () => {
    const held = { ...offer, setup: 'holdconn' as const };
    const actor = pushing(start(), answered(200, held));
    expect(actor.find('msrp.connect')).toMatchObject({ active: true });
  });

  test.each([
    ['inviting', [start()]],
    ['binding', [start(), answered()]],
  ])('waiting too long while %s ends it', (_name, events) => {
    expect(pushing(...events, wait).said).toContain('sip.bye');
  });

  test.each([
    ['inviting', [start()], []],
    ['binding', [start(), answered()], []],
    ['sending', [...sending], ['ua/1 bye', 'ua/2 bye']],
  ])('BYE and loss while %s release every lease', (_name, events, released) => {
    const byClient = pushing(...events, bye);
    expect(byClient.said).toEqual(
      expect.arrayContaining([...released, 'respond 200', 'sip.forget']),
    );
    expect(outcome(byClient)).toMatchObject({ outcome: 'failed' });
    const actor = pushing(...events, simple('msrp.lost'));
    expect(actor.said.slice(0, released.length + 1)).toEqual([...released, 'sip.bye']);
    expect(outcome(actor.on(simple('bye.answered')))).toMatchObject({ outcome: 'failed' });
  });

  test.each([
    ['inviting', [start()]],
    ['binding', [start(), answered()]],
  ])('withdrawal while %s ends it', (_name, events) => {
    const actor = pushing(...events, simple('withdraw'));
    expect(actor.said[0]).toBe('sip.bye');
    expect(outcome(actor.on(simple('bye.answered')))).toMatchObject({ outcome: 'failed' });
  });

  const reinvite = (over: object = {}) =>
    ({ type: 'reinvite.received', at, transaction: 't5', list: false, limits, ...over }) as const;

  test('DLG-04: an offer in the dialog may change nothing', () => {
    const actor = pushing(...sending);
    expect(actor.on(reinvite()).effects).toMatchObject([
      { type: 'sip.accept', transaction: 't5', active: false },
    ]);
    expect(actor.on(reinvite({ offer })).said).toEqual(['sip.accept']);
    for (const setup of ['actpass', 'holdconn']) {
      expect(actor.on(reinvite({ offer: { ...offer, setup } })).said).toEqual(['sip.accept']);
    }
    for (const other of [
      { ...offer, direction: 'sendonly' },
      { ...offer, direction: 'inactive' },
      { ...offer, path: ['msrp://client.example.org:2855/s2;tcp'] },
      { ...offer, setup: 'passive' },
    ]) {
      expect(actor.on(reinvite({ offer: other })).said).toEqual(['respond 488']);
    }
    expect(actor.on(reinvite({ list: true })).said).toEqual(['respond 488']);
    expect(actor.on(departed(1)).said).toEqual(['ua/3 invite']);
    expect(pushing(...sending, simple('msrp.lost'), reinvite()).said).toEqual(['respond 481']);
    const active = pushing(start(), answered(200, { ...offer, setup: 'passive' }), connected);
    expect(active.on(reinvite({ offer: { ...offer, setup: 'passive' } })).effects).toMatchObject([
      { type: 'sip.accept', active: true },
    ]);
  });

  test('U11: what is in flight when the user leaves may still be confirmed', () => {
    const actor = pushing(...sending, simple('withdraw'), added(5), simple('withdraw'));
    expect(actor.said).toEqual([]);
    expect(actor.on(departed(1)).said).toEqual([]);
    expect(actor.on(departed(2)).said).toContain('sip.bye');
    expect(pushing(...sending, simple('withdraw'), failed(1), absent(2)).said).toContain('sip.bye');
    const slow = pushing(...sending, simple('withdraw'), departed(1), wait);
    expect(slow.said.slice(0, 2)).toEqual(['ua/2 bye', 'sip.bye']);
  });

  test('a BYE that crosses ours is answered; one that is never answered is given up', () => {
    const closing = [...sending, simple('msrp.lost')] as const;
    expect(pushing(...closing, bye).said).toEqual([
      'respond 200',
      'sip.forget',
      'timer.cancel wait',
      'msrp.release',
      'mailbox push.ended',
      'stop',
    ]);
    expect(pushing(...closing, wait).said).toContain('mailbox push.ended');
  });
});

test('nothing of it is stored', () => {
  expect(push.rest(pushing(...sending).snapshot)).toBeUndefined();
  expect(() => push.revive({ schema: 1, state: 'x', context: {} })).toThrow('MACHINE_NOT_STORED');
});
