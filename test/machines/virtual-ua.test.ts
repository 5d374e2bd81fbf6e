/** The virtual UA: expiry, leases, delivery and deletion of one message. */

import { describe, expect, test } from 'vitest';
import type { VirtualUaEvent } from '../../src/machines/events.js';
import { sameAtRest, virtualUa } from '../../src/machines/index.js';
import { ActorUnderTest } from './actor.js';
import { large, limits, media, noneAccepted, noon, pager, reported, without } from './facts.js';

const expiresAt = noon + 60_000;

type Store = Extract<VirtualUaEvent, { type: 'store' }>;

function store(over: Partial<Store> = {}): Store {
  return { type: 'store', at: noon, serial: 7, message: pager, expiresAt, limits, ...over };
}

const push = 'push/1' as const;
const focus = 'focus/2' as const;
const at = noon + 1000;
const invite = (session: 'push/1' | 'focus/2', given = media) =>
  ({ type: 'invite', at, session, media: given, limits }) as const;
const bye = (session: 'push/1' | 'focus/2', when = at) =>
  ({ type: 'bye', at: when, session, limits }) as const;
const sent = (session: 'push/1' | 'focus/2', status = 200, given = limits) =>
  ({ type: 'msrp.sent', at, session, status, limits: given }) as const;
const report = (session: 'push/1' | 'focus/2', status = 200) =>
  ({ type: 'msrp.reported', at, session, status, limits }) as const;
const timer = (name: 'expiry' | 'grace', when: number) =>
  ({ type: 'timer.expired', at: when, name, limits }) as const;
const remove = { type: 'delete', at, limits } as const;
const noReports = { ...limits, reportGraceMs: 0 };

/** S1-DEL-ORDER: storage, (report), metadata; then our own. */
const erased = [
  'message.delete',
  'history.delete',
  'timer.cancel expiry',
  'mailbox message.gone',
  'stop',
];
const erasedWithReport = [erased[0], 'report failed', ...erased.slice(1)];

function ua(...events: readonly VirtualUaEvent[]) {
  return new ActorUnderTest(virtualUa).on(...events);
}

describe('birth', () => {
  test('IMSpec-DMT-S-001: content, expiry and metadata in one turn', () => {
    const actor = ua(store());
    expect(actor.said).toEqual(['message.put', 'timer.set expiry', 'history.put']);
    expect(actor.find('timer.set')).toMatchObject({ at: expiresAt, durable: true });
    expect(actor.state).toBe('stored');
  });

  test('D-26: what does not expire has no timer and no expiry in its metadata', () => {
    const forever = without(store(), 'expiresAt');
    const actor = ua(forever);
    expect(actor.said).toEqual(['message.put', 'history.put']);
    expect(actor.find('history.put')).not.toHaveProperty('expiresAt');
    expect(actor.on(remove).said).not.toContain('timer.cancel expiry');
  });

  test('S4-NOTE2: processing was asked for: one report that it is stored', () => {
    expect(ua(store({ message: reported })).said).toContain('report stored');
    const anonymous = { ...reported, from: 'sip:anonymous@anonymous.invalid' };
    expect(ua(store({ message: anonymous })).said).not.toContain('report stored');
  });
});

describe('deletion', () => {
  test('S1-DEL-EXPIRY, S1-DEL-ORDER: storage, report, metadata', () => {
    const actor = ua(store({ message: reported }), timer('expiry', expiresAt));
    expect(actor.said).toEqual(erasedWithReport);
    expect(actor.state).toBe('gone');
  });

  test('S1-DEL-USER: the same by the hand of the owner, unless reports are off', () => {
    expect(ua(store({ message: reported }), remove).said).toEqual(erasedWithReport);
    const silent = { ...remove, limits: { ...limits, reportOnUserDelete: 'none' as const } };
    expect(ua(store({ message: reported }), silent).said).toEqual(erased);
  });

  test('D-30: no report when none was asked for, nor after a delivery', () => {
    expect(ua(store(), remove).said).toEqual(erased);
    const read = ua(store({ message: reported }), invite(focus), sent(focus, 200, noReports));
    expect(read.on(remove).said).toEqual(erased);
  });

  test('a timer that runs out early is set again', () => {
    expect(ua(store(), timer('expiry', expiresAt - 1)).said).toEqual(['timer.set expiry']);
    expect(ua(store(), timer('grace', noon)).handled).toBe(false);
  });

  test('a restart finds what is past', () => {
    const lost = { type: 'session.lost', at: expiresAt, limits } as const;
    expect(ua(store(), lost).said).toEqual(erased);
    expect(ua(store(), { ...lost, at: noon }).state).toBe('stored');
  });
});

describe('U11: taken by the user after it was kept', () => {
  const taken = { type: 'taken', at: noon, limits } as const;

  test('goes, and nobody hears that it was not delivered', () => {
    expect(ua(store({ message: reported }), taken).said).toEqual(erased);
  });

  test('a session has it: it goes with that, and after a restart it is known as delivered', () => {
    const actor = ua(store({ message: reported }), invite(push), taken);
    expect(actor.said).toEqual(['mailbox message.read', 'mailbox deletion.postponed']);
    const again = virtualUa.revive(virtualUa.rest(actor.snapshot)!);
    expect(new ActorUnderTest(virtualUa, again).on(invite(push)).said).toEqual([
      `${push} ua.departed`,
    ]);
    expect(new ActorUnderTest(virtualUa, again).on(remove).said).toEqual(erased);
    expect(actor.on({ type: 'bye', at: noon, session: push, limits }).said).toEqual(erased);
  });
});

describe('leases', () => {
  test('S3-VUA-SEND: an invited virtual UA sends in the form the client accepts', () => {
    const actor = ua(store(), invite(push));
    expect(actor.effects).toMatchObject([
      { type: 'msrp.send', session: push, form: 'message/sipfrag', successReport: true },
    ]);
    expect(actor.state).toBe('leased');
  });

  test('D-48: no form, or too large: the session hears why and the message stays', () => {
    const refused = ua(store(), invite(push, noneAccepted));
    expect(refused.effects).toMatchObject([{ to: push, event: { status: 488, serial: 7 } }]);
    const small = { ...media, maxSize: 99 };
    expect(ua(store(), invite(push, small)).effects).toMatchObject([{ event: { status: 413 } }]);
    expect(refused.state).toBe('stored');
    const other = ua(store(), invite(push), invite(focus, noneAccepted));
    expect(other.effects).toMatchObject([{ to: focus, event: { status: 488 } }]);
  });

  test('D-47: 415 brings the next form, then the end of the lease', () => {
    const any = { acceptTypes: ['*'], acceptWrappedTypes: [] };
    const actor = ua(store(), invite(push, any), sent(push, 415));
    expect(actor.effects).toMatchObject([{ type: 'msrp.send', form: 'message/sip' }]);
    actor.on(sent(push, 415));
    expect(actor.effects).toMatchObject([{ form: 'message/cpim' }]);
    actor.on(sent(push, 415));
    expect(actor.effects).toMatchObject([{ event: { type: 'ua.failed', status: 415 } }]);
    expect(actor.state).toBe('stored');
  });

  test('D-33: a 200 waits for the REPORT, but not for ever', () => {
    const actor = ua(store(), invite(push), sent(push));
    expect(actor.effects).toMatchObject([{ name: 'grace', at: at + 30_000, durable: false }]);
    expect(actor.on(sent(push, 500)).handled).toBe(false);
    expect(actor.on(report(push)).said).toEqual(['push/1 ua.departed', ...erased]);
    const silent = ua(store(), invite(push), sent(push), timer('grace', at + 30_000));
    expect(silent.said).toEqual(['push/1 ua.departed', ...erased]);
  });

  test('without Success-Report the 200 is enough; a REPORT may be first', () => {
    expect(ua(store(), invite(push), sent(push, 200, noReports)).state).toBe('gone');
    expect(ua(store(), invite(push), report(push)).state).toBe('gone');
  });

  test('D-32: after a retrieval the message is kept and old', () => {
    const actor = ua(store(), invite(focus), sent(focus), report(focus));
    expect(actor.said).toEqual(['focus/2 ua.departed', 'mailbox message.read']);
    expect(actor.state).toBe('stored');
    actor.on(invite(focus), report(focus));
    expect(actor.said).toEqual(['focus/2 ua.departed']);
  });

  test.each([408, 413, 500])('a failure %i ends the lease, not the message', (status) => {
    const actor = ua(store(), invite(push), sent(push, status));
    expect(actor.effects).toMatchObject([{ to: push, event: { type: 'ua.failed', status } }]);
    expect(actor.state).toBe('stored');
    const late = ua(store(), invite(push), sent(push), report(push, status));
    expect(late.effects).toMatchObject([{ event: { type: 'ua.failed', status } }]);
  });

  test('D-50: two sessions at once; the first to delete waits for the other', () => {
    const actor = ua(store(), invite(push), invite(focus), report(push));
    expect(actor.said).toEqual(['push/1 ua.departed', 'mailbox message.read']);
    expect(actor.state).toBe('leased');
    expect(actor.on(bye(focus)).said).toEqual(erased);
  });

  test('U25, D-50: requeued while another session has it, it stays and is pushed again', () => {
    const actor = ua(store(), invite(push), invite(focus), sent(push), report(push));
    actor.on({ type: 'requeue', at, limits });
    expect(actor.on(invite('push/1')).said).toContain('msrp.send');
    expect(actor.on(bye(push), bye(focus)).state).toBe('stored');
  });

  test('D-50: one grace for each session', () => {
    const actor = ua(store(), invite(push), invite(focus), sent(focus));
    actor.on({ ...sent(push), at: at + 5000 }, timer('grace', at + 30_000));
    expect(actor.said).toEqual(['focus/2 ua.departed', 'mailbox message.read', 'timer.set grace']);
    expect(actor.on(timer('grace', at + 35_000)).state).toBe('gone');
  });

  test('D-28: what expires while leased goes when the last lease ends', () => {
    const actor = ua(store(), invite(push), timer('expiry', expiresAt));
    expect(actor.effects).toMatchObject([{ type: 'timer.set', at: expiresAt + 32_000 }]);
    expect(actor.state).toBe('leased');
    expect(actor.on(bye(push, expiresAt)).said).toEqual(erased);
  });

  test('a message deleted while leased goes when the lease ends, and takes no other', () => {
    const actor = ua(store({ message: reported }), invite(push), remove, invite(focus));
    expect(actor.effects).toMatchObject([{ to: focus, event: { status: 404 } }]);
    expect(actor.on(bye(push)).said).toEqual(erasedWithReport);
  });

  test('a session that is gone holds nothing', () => {
    const lost = { type: 'session.lost', at, limits } as const;
    const absent = { type: 'undelivered', at, to: push, limits } as const;
    expect(ua(store(), invite(push), lost).state).toBe('stored');
    expect(ua(store(), invite(push), absent).state).toBe('stored');
    expect(ua(store(), invite(push), bye(focus)).handled).toBe(false);
    expect(ua(store(), invite(push), invite(push)).said).toEqual([]);
    expect(ua(store(), sent(push)).handled).toBe(false);
    expect(ua(store(), invite(push), sent(focus)).handled).toBe(false);
  });
});

describe('at rest', () => {
  test('a lease is no part of it', () => {
    const actor = ua(store());
    const before = virtualUa.rest(actor.snapshot);
    actor.on(invite(push), sent(push));
    expect(sameAtRest(before, virtualUa.rest(actor.snapshot))).toBe(true);
    expect(virtualUa.rest(actor.on(report(push)).snapshot)).toBeUndefined();
  });

  test('D-43: a large message keeps its class', () => {
    const actor = ua(store({ message: large }));
    const again = new ActorUnderTest(virtualUa);
    again.snapshot = virtualUa.revive(virtualUa.rest(actor.snapshot)!);
    const told = again.on(remove).find('tell');
    expect(told).toMatchObject({
      event: { message: { class: 'Multimedia-Message', urgent: false, size: 100 } },
    });
    const atRest = virtualUa.rest(actor.snapshot)!;
    expect(() => virtualUa.revive({ ...atRest, schema: 0 })).toThrow('MACHINE_SCHEMA_UNKNOWN');
  });
});

describe('a message that the client has got another way', () => {
  const fetched = [store(), invite(focus), sent(focus, 200, noReports)] as const;

  test('D-50: a push under way passes over it', () => {
    const actor = ua(...fetched, invite(push));
    expect(actor.said).toEqual(['push/1 ua.departed']);
    expect(actor.state).toBe('stored');
    expect(ua(...fetched, invite(focus)).said).toContain('msrp.send');
  });

  test('D-50: a push passes over it while another session has it', () => {
    const actor = ua(...fetched, invite(focus), invite(push));
    expect(actor.said).toEqual(['push/1 ua.departed']);
    expect(actor.on(bye(focus)).state).toBe('stored');
  });

  test('D-47, D-50: after 415 a push does not offer it in another form', () => {
    const wide = { acceptTypes: ['*'], acceptWrappedTypes: [] };
    const both = [store(), invite(focus), invite(push, wide)] as const;
    expect(ua(...both, sent(push, 415)).said).toEqual(['msrp.send']);
    const late = ua(...both, sent(focus, 200, noReports), sent(push, 415));
    expect(late.said).toEqual(['push/1 ua.failed']);
  });
});
