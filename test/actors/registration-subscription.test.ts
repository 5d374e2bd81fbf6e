/** The subscription to registrations in time: refreshed, given up, never asked for in a hurry. */

import { describe, expect, test } from 'vitest';
import { RegistrationSubscription } from '../../src/actors/registration-subscription.js';
import type { Subscribe } from '../../src/actors/registration-subscription.js';
import { CountingRandom, ManualClock } from '../../src/testing/clock.js';
import type { HeaderField, SipRequest, SipResponse } from '../../src/wire/sip/message.js';
import { parseSip } from '../../src/wire/sip/parse.js';
import { serialiseRequest, serialiseResponse } from '../../src/wire/sip/serialise.js';

interface Sent extends Subscribe {
  readonly id: string;
}

function scene() {
  const clock = new ManualClock();
  const sent: Sent[] = [];
  const statuses: number[] = [];
  const ends: { answer?: { readonly status: number }; cause?: string }[] = [];
  const state = { wanted: true };
  const subscription = new RegistrationSubscription({
    ...{ clock, random: new CountingRandom(), localUri: 'sip:Deferred@store.example.org' },
    expires: 3600,
    isWanted: () => state.wanted,
    send: (id, subscribe) => sent.push({ id, ...subscribe }),
    respond: (_transaction, status) => statuses.push(status),
    ended: ({ answer, cause }) =>
      ends.push({ ...(answer && { answer }), ...(cause !== undefined && { cause }) }),
  });
  const common = (): HeaderField[] => {
    const { callId } = sent.at(-1)!;
    return [
      ['Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1'],
      ['Call-ID', callId],
      ['Contact', '<sip:192.0.2.1>'],
    ];
  };
  let cseq = 0;
  return {
    ...{ clock, sent, statuses, ends, state, subscription },
    answer(status: number, fields: readonly HeaderField[] = []): void {
      const { id, localTag, cseq: number } = sent.at(-1)!;
      const headers: HeaderField[] = [
        ...common(),
        ['From', `<sip:Deferred@store.example.org>;tag=${localTag}`],
        ['To', '<sip:bob@example.org>;tag=s'],
        ['CSeq', `${number} SUBSCRIBE`],
        ...fields,
      ];
      const bytes = serialiseResponse({ status, headers });
      subscription.answered(id, parseSip(bytes) as SipResponse);
    },
    notify(subscriptionState: string): void {
      const headers: HeaderField[] = [
        ...common(),
        ['Max-Forwards', '70'],
        ['From', '<sip:bob@example.org>;tag=s'],
        ['To', `<sip:Deferred@store.example.org>;tag=${sent.at(-1)!.localTag}`],
        ['CSeq', `${++cseq} NOTIFY`],
        ['Subscription-State', subscriptionState],
      ];
      const uri = 'sip:reg.bob@store.example.org';
      const bytes = serialiseRequest({ method: 'NOTIFY', uri, headers, body: undefined });
      subscription.notified(parseSip(bytes) as SipRequest, `t${cseq}`);
    },
  };
}

describe('REG-01: a subscription is kept alive', () => {
  test('it is refreshed half-way in its dialog, as long as the user is registered', () => {
    const { subscription, clock, sent, state, ends, answer, notify } = scene();
    subscription.begin();
    answer(200, [['Expires', '600']]);
    notify('active;expires=600');
    clock.advance(300_000);
    expect(sent).toHaveLength(2);
    expect(sent[1]).toMatchObject({ cseq: 2, expires: 3600, dialog: { remoteTag: 's' } });
    answer(200, [['Expires', '600']]);
    state.wanted = false;
    clock.advance(300_000);
    expect(sent[2]).toMatchObject({ cseq: 3, expires: 0 });
    notify('terminated;reason=timeout');
    expect(ends).toEqual([{}]);
    clock.advance(86_400_000);
    expect(sent).toHaveLength(3);
  });

  test('423 is heeded once', () => {
    const { subscription, sent, ends, answer } = scene();
    subscription.begin();
    answer(423, [['Min-Expires', '7200']]);
    expect(sent[1]!.expires).toBe(7200);
    answer(423, [['Min-Expires', '9000']]);
    expect(ends).toMatchObject([{ answer: { status: 423 } }]);
  });

  test('after 481 it begins anew', () => {
    const { subscription, clock, sent, answer } = scene();
    subscription.begin();
    answer(200, [['Expires', '600']]);
    clock.advance(300_000);
    answer(481);
    expect(sent).toHaveLength(3);
    expect(sent[2]!.dialog).toBeUndefined();
    expect(sent[2]!.callId).not.toBe(sent[1]!.callId);
  });
});

describe('REG-01: a peer cannot make us ask without a pause', () => {
  test.each(['0', '1'])('who grants %s seconds is asked again after 15', (expires) => {
    const { subscription, clock, sent, answer } = scene();
    subscription.begin();
    answer(200, [['Expires', expires]]);
    clock.advance(14_999);
    expect(sent).toHaveLength(1);
    clock.advance(1);
    expect(sent).toHaveLength(2);
  });

  test('who grants an age is asked again in time that a timer can wait for', () => {
    const { subscription, clock, sent, answer } = scene();
    subscription.begin();
    answer(200, [['Expires', '4294967295']]);
    clock.advance(302_400_000);
    expect(sent).toHaveLength(2);
  });

  test('who ends every subscription at once is asked again after a minute', () => {
    const { subscription, clock, sent, statuses, answer, notify } = scene();
    subscription.begin();
    answer(200, [['Expires', '600']]);
    notify('terminated;reason=deactivated');
    expect(statuses).toEqual([200]);
    expect(sent).toHaveLength(1);
    clock.advance(60_000);
    expect(sent).toHaveLength(2);
    answer(200, [['Expires', '600']]);
    clock.advance(61_000);
    notify('terminated;reason=deactivated');
    expect(sent).toHaveLength(3);
  });
});

test('REG-01: without an answer it is over, and nothing is left to wake up', () => {
  const { subscription, clock, sent, ends } = scene();
  subscription.begin();
  subscription.failed(sent[0]!.id, 'timeout');
  expect(ends).toEqual([{ cause: 'timeout' }]);
  clock.advance(86_400_000);
  expect(sent).toHaveLength(1);
});
