/** A push by sender, as the profile `rcs-standfw` wants it (1.6): the machines of push and UA. */

import { describe, expect, test } from 'vitest';
import type { MessageFacts } from '../../src/machines/facts.js';
import type { PushEvent } from '../../src/machines/events.js';
import { push, virtualUa } from '../../src/machines/index.js';
import { payloadForm } from '../../src/machines/policy.js';
import { ActorUnderTest } from './actor.js';
import { large, limits as plain, media, noon, offer, pager, senderProfile } from './facts.js';

const at = noon;
const limits = { ...plain, profile: senderProfile };
const of = { at, limits };
const target = { uri: 'sip:bob@192.0.2.1', route: [] };
const sender = 'sip:alice@example.org';
const start = (serials: readonly number[] = [1, 3]) =>
  ({ ...of, type: 'start', push: 4, targets: [target], serials }) as const;
const introduced = (message: MessageFacts = pager, serial = 1) =>
  ({ ...of, type: 'ua.introduced', serial, sender, message, receivedAt: noon }) as const;
const answered = { ...of, type: 'invite.answered', status: 200, answer: offer } as const;
const connected = { ...of, type: 'msrp.connected' } as const;
const other = (serial: number) => ({ ...of, type: 'ua.other', serial }) as const;
const departed = (serial: number) => ({ ...of, type: 'ua.departed', serial }) as const;
const absent = (serial: number) => ({ ...of, type: 'undelivered', to: `ua/${serial}` }) as const;

function pushing(...events: readonly PushEvent[]) {
  return new ActorUnderTest(push).on(...events);
}

function outcome(actor: ActorUnderTest) {
  const told = actor.effects.find((effect) => effect.type === 'tell' && effect.to === 'mailbox');
  return told?.type === 'tell' ? told.event : undefined;
}

describe('U18: the session', () => {
  test('the oldest message is asked first, and the INVITE brings it', () => {
    const actor = pushing(start());
    expect(actor.said).toEqual(['timer.set wait', 'ua/1 introduce']);
    actor.on(introduced());
    expect(actor.said).toEqual(['ua/1 invite', 'sip.invite']);
    expect(actor.effects).toMatchObject([
      { event: { type: 'invite', carried: true, sender } },
      { type: 'sip.invite', target, first: { serial: 1, carried: true, message: pager } },
    ]);
  });

  test('a 2xx is the answer to the message in it; the others follow for the same sender', () => {
    const actor = pushing(start(), introduced(), answered);
    expect(actor.said).toEqual(
      expect.arrayContaining(['ua/1 msrp.sent', 'ua/1 msrp.reported', 'msrp.connect']),
    );
    actor.on(departed(1), connected);
    expect(actor.said).toEqual(['timer.cancel wait', 'ua/2 invite', 'ua/3 invite']);
    expect(actor.effects[1]).toMatchObject({ event: { type: 'invite', sender } });
    expect(actor.on(departed(2), other(3)).said).toContain('sip.bye');
    const ended = outcome(actor.on({ ...of, type: 'bye.answered' }));
    // The mailbox finds the other one among what is to be pushed.
    expect(ended).toMatchObject({ outcome: 'done', failed: [] });
  });

  test('a session passes over a bounded number of messages of others', () => {
    const actor = pushing(start([1, 100]), introduced(), answered, departed(1), connected);
    expect(actor.on(other(2)).said).toEqual(['ua/4 invite']);
    expect(actor.on(other(3)).said).toEqual([]);
    expect(actor.on(other(4)).said).toContain('sip.bye');
  });

  test.each([
    ['a report', { ...pager, notification: true as const }],
    ['a large message', large],
    ['a message above the bound', { ...pager, size: senderProfile.carryMax + 1 }],
  ])('%s comes over MSRP, not in the INVITE', (_name, message) => {
    const actor = pushing(start(), introduced(message));
    expect(actor.effects).toMatchObject([{ type: 'sip.invite', first: { carried: false } }]);
    actor.on(answered, connected);
    expect(actor.said).toEqual(['timer.cancel wait', 'ua/1 invite', 'ua/2 invite']);
  });

  test('a message that is not there any more is passed over; without any there is no INVITE', () => {
    const actor = pushing(start([1, 2]), absent(1));
    expect(actor.said).toEqual(['ua/2 introduce']);
    expect(actor.on(absent(2)).said).toContain('sip.bye');
    expect(outcome(actor.on({ ...of, type: 'bye.answered' }))).toMatchObject({
      ...{ outcome: 'done', failed: [1, 2] },
    });
  });

  test('a refused INVITE gives the message back', () => {
    const actor = pushing(start(), introduced(), { ...answered, status: 486 });
    expect(actor.said).toEqual(
      expect.arrayContaining(['ua/1 bye', 'mailbox push.ended', 'msrp.release']),
    );
    expect(outcome(actor)).toMatchObject({ outcome: 'failed', failed: [] });
  });

  test('a message that cannot be read ends this session only', () => {
    const failed = { ...of, type: 'ua.failed', serial: 1, status: 400 } as const;
    const actor = pushing(start(), introduced(), failed);
    expect(outcome(actor.on({ ...of, type: 'bye.answered' }))).toMatchObject({
      ...{ outcome: 'done', failed: [1, 1] },
    });
  });
});

describe('U18: the virtual UA', () => {
  const session = 'push/4' as const;
  const stored = () =>
    new ActorUnderTest(virtualUa).on({ ...of, type: 'store', serial: 7, message: pager });
  const invite = { ...of, type: 'invite', session, media } as const;

  test('it says whose message it is', () => {
    const actor = stored().on({ ...of, type: 'introduce', session });
    expect(actor.effects).toMatchObject([
      { to: session, event: { type: 'ua.introduced', serial: 7, sender, receivedAt: noon } },
    ]);
    expect(actor.state).toBe('stored');
  });

  test('it is not for a session of somebody else', () => {
    const actor = stored().on({ ...invite, sender: 'sip:nia@example.com' });
    expect(actor.effects).toMatchObject([{ to: session, event: { type: 'ua.other', serial: 7 } }]);
    expect(actor.state).toBe('stored');
  });

  test('in an INVITE it is leased, and delivered by the answer', () => {
    const actor = stored().on({ ...invite, sender, carried: true });
    expect([actor.said, actor.state]).toEqual([[], 'leased']);
    const answer = { ...of, session, status: 200 } as const;
    actor.on({ ...answer, type: 'msrp.sent' }, { ...answer, type: 'msrp.reported' });
    expect(actor.said).toContain('push/4 ua.departed');
  });

  test('reports of others are a sender of their own', () => {
    const message = { ...pager, notification: true as const };
    const actor = new ActorUnderTest(virtualUa).on({ ...of, type: 'store', serial: 7, message });
    actor.on({ ...invite, sender });
    expect(actor.effects).toMatchObject([{ event: { type: 'ua.other' } }]);
  });
});

test('U18: the order of the forms is that of the profile', () => {
  const any = { acceptTypes: ['*'], acceptWrappedTypes: [] };
  expect(payloadForm(pager, any)).toBe('message/sipfrag');
  expect(payloadForm(pager, { ...any, forms: senderProfile.forms })).toBe('message/cpim');
});
