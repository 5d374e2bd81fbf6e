/** Message waiting at the wire, rule by rule (RFC 3842, RFC 6665; EVT-01 to -06, MWI-01 to -07). */

import { expect, test } from 'vitest';
import type { SettingsInput } from '../../src/config.js';
import { ManualClock } from '../../src/testing/clock.js';
import { responseTo } from '../../src/testing/sip-peer.js';
import { parseMessageSummary } from '../../src/wire/message-summary.js';
import type { HeaderField, SipRequest, SipResponse } from '../../src/wire/sip/message.js';
import { expectRequest, storeMessages, tomas } from './retrieval-scene.js';
import { contactOf, withServer, type Sketch, type SipScene } from './sip-scene.js';
import { serialsOf } from './world.js';

const quick: SettingsInput['limits'] = {
  push: { default: false },
  subscribe: { throttleMs: 1 },
};

function subscription(scene: SipScene, more: Partial<Sketch> = {}): Sketch {
  return {
    method: 'SUBSCRIBE',
    uri: tomas,
    callId: 'mwi',
    ...more,
    headers: [contactOf(scene), ['Event', 'message-summary'], ...(more.headers ?? [])],
  };
}

/** Subscribes, and answers the first NOTIFY. */
async function subscribe(scene: SipScene, more: Partial<Sketch> = {}) {
  const accepted = await scene.ask(subscription(scene, more));
  expect(accepted.status).toBe(200);
  const notify = await expectRequest(scene, 'NOTIFY');
  const uri = /<([^>]+)>/.exec(accepted.header('Contact')!)![1]!;
  return { accepted, notify, inside: { uri, to: accepted.header('To')! } };
}

function cseqOf(notify: SipRequest): number {
  return Number.parseInt(notify.header('CSeq')!, 10);
}

function summary(notify: SipRequest) {
  return parseMessageSummary(notify.body);
}

test('IMSpec-DMT-S-002, EVT-01, MWI-01, MWI-02, MWI-03: 200, and a NOTIFY at once with counts and nothing else', () =>
  withServer(async (scene) => {
    await storeMessages(scene, 2);
    const { accepted, notify } = await subscribe(scene);
    expect(accepted.header('Expires')).toBe('3600');
    expect(notify.header('Event')).toBe('message-summary');
    expect(notify.header('Content-Type')).toBe('application/simple-message-summary');
    expect(notify.header('Subscription-State')).toBe('active;expires=3600');
    expect(notify.body.toString()).toBe(
      [
        'Messages-Waiting: yes',
        'Message-Account: sip:tomas@example.org',
        'Pager-Message: 2/0 (0/0)',
        'Multimedia-Message: 0/0 (0/0)',
        '',
      ].join('\r\n'),
    );
  }, quick));

test('EVT-01: Expires: 0 polls: one NOTIFY, which ends it', () =>
  withServer(async (scene) => {
    const polled = await scene.ask(subscription(scene, { headers: [['Expires', '0']] }));
    expect([polled.status, polled.header('Expires')]).toEqual([200, '0']);
    const notify = await expectRequest(scene, 'NOTIFY');
    expect(notify.header('Subscription-State')).toBe('terminated;reason=timeout');
  }, quick));

test.each([
  ['EVT-02: another package', { headers: [] }, 'presence', 489],
  ['EVT-02: no package at all', { headers: [] }, undefined, 489],
  ['EVT-02, D-45: another identity', { identity: '<sip:nia@example.org>' }, 'message-summary', 403],
  ['EVT-02: no identity', { identity: undefined }, 'message-summary', 403],
  ['D-45: nobody who is served', { uri: 'sip:x@elsewhere.example' }, 'message-summary', 404],
  ['MWI-01: another body', { headers: [['Accept', 'text/plain']] }, 'message-summary', 406],
  ['EVT-03: too brief', { headers: [['Expires', '10']] }, 'message-summary', 423],
  ['SIP-03: an option', { headers: [['Require', 'x-future']] }, 'message-summary', 420],
] as const)('IMSpec-DMT-S-002: %s is refused', (_name, more, event, status) =>
  withServer(async (scene) => {
    const { headers = [], ...rest } = more as { headers?: readonly HeaderField[] };
    const refused: SipResponse = await scene.ask({
      ...{ method: 'SUBSCRIBE', uri: tomas, ...rest },
      headers: [
        contactOf(scene),
        ...(event === undefined ? [] : [['Event', event] as const]),
        ...headers,
      ],
    });
    expect(refused.status).toBe(status);
    if (status === 489) expect(refused.header('Allow-Events')).toBe('message-summary');
    if (status === 423) expect(refused.header('Min-Expires')).toBe('60');
    if (status === 406) expect(refused.header('Accept')).toContain('simple-message-summary');
    if (status === 403) expect(refused.header('Warning')).toContain('127 Service not authorised');
  }, quick),
);

test('EVT-03: the time granted is never longer than what was asked for, nor than the maximum', () =>
  withServer(async (scene) => {
    for (const [asked, granted] of [
      ['100', '100'],
      ['999999999', '86400'],
    ] as const) {
      const { accepted } = await subscribe(scene, {
        callId: asked,
        headers: [['Expires', asked]],
      });
      expect(accepted.header('Expires')).toBe(granted);
    }
  }, quick));

test('D-45, MWI-02: at the URI of the store the identity decides whose mailbox it is', () =>
  withServer(async (scene) => {
    await storeMessages(scene, 1);
    const uri = 'sip:Deferred@store.example.org';
    const { notify } = await subscribe(scene, { uri });
    expect(summary(notify)).toMatchObject({ waiting: true, account: tomas });
    const other = await subscribe(scene, { uri, identity: '<sip:klara@example.org>', callId: 'k' });
    expect(summary(other.notify)).toMatchObject({
      waiting: false,
      account: 'sip:klara@example.org',
    });
  }, quick));

test('EVT-04, EVT-06, MWI-06, DLG-02: refresh, its NOTIFY, a lower CSeq, and the end', () =>
  withServer(async (scene) => {
    const { inside } = await subscribe(scene, { headers: [['Expires', '600']] });
    const refresh = (cseq: number, expires: string) =>
      subscription(scene, { ...inside, cseq, headers: [['Expires', expires]] });
    const shorter = await scene.ask(refresh(3, '300'));
    expect([shorter.status, shorter.header('Expires')]).toEqual([200, '300']);
    const second = await expectRequest(scene, 'NOTIFY');
    expect(cseqOf(second)).toBe(2);
    expect(second.header('Subscription-State')).toMatch(/^active;expires=(300|299)$/);
    expect((await scene.ask(refresh(2, '300'))).status).toBe(500);
    expect((await scene.ask(refresh(4, '0'))).status).toBe(200);
    const last = await expectRequest(scene, 'NOTIFY');
    expect(last.header('Subscription-State')).toBe('terminated;reason=timeout');
    expect((await scene.ask(refresh(5, '300'))).status).toBe(481);
  }, quick));

test.each([404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604])(
  'EVT-05: %i to a NOTIFY ends the subscription',
  (status) =>
    withServer(async (scene) => {
      const accepted = await scene.ask(subscription(scene));
      const uri = /<([^>]+)>/.exec(accepted.header('Contact')!)![1]!;
      const { request, reply } = await scene.request();
      reply(responseTo(request, status));
      const inside = { uri, to: accepted.header('To')! };
      for (let cseq = 2; ; cseq++) {
        const answer = await scene.ask(subscription(scene, { ...inside, cseq }));
        if (answer.status === 481) break;
        // The answer to the NOTIFY is on its way.
        expect(answer.status).toBe(200);
      }
    }, quick),
);

test('EVT-05: 500 to a NOTIFY leaves the subscription as it is', () =>
  withServer(async (scene) => {
    scene.send(subscription(scene));
    expect((await scene.arrival()).message).toMatchObject({ status: 200 });
    const { request, reply } = await scene.request();
    reply(responseTo(request, 500));
    await storeMessages(scene, 1);
    expect(summary(await expectRequest(scene, 'NOTIFY')).waiting).toBe(true);
  }, quick));

test('IMSpec-DMT-S-005, MWI-03, MWI-04, MWI-07: later NOTIFYs tell of added messages, each once', () =>
  withServer(async (scene) => {
    await storeMessages(scene, 1);
    const { notify } = await subscribe(scene);
    expect(summary(notify).headers).toEqual([]);
    const seen: string[] = [];
    for (const subject of ['two', 'three']) {
      const headers = [
        ['Content-Type', 'text/plain'],
        ['Subject', subject],
        ['Priority', 'urgent'],
      ] as const;
      scene.send({ method: 'MESSAGE', uri: tomas, headers, body: 'x' });
      for (let left = 2; left > 0; left--) {
        const { message, reply } = await scene.arrival();
        if (message.kind === 'response') continue;
        reply(responseTo(message, 200));
        const told = summary(message);
        expect(told.classes[0]).toMatchObject({ old: 0 });
        for (const block of told.headers) seen.push(Object.fromEntries(block)['Message-ID']!);
        expect(Object.fromEntries(told.headers[0]!)).toMatchObject({
          Subject: subject,
          Priority: 'urgent',
        });
      }
    }
    const serials = await serialsOf(scene.world);
    expect(serials).toHaveLength(3);
    expect(seen).toEqual(serials.slice(1).map((serial) => `${serial}@store.example.org`));
  }, quick));

test('MWI-05: changes within a second are one NOTIFY', async () => {
  const clock = new ManualClock();
  await withServer(
    async (scene) => {
      const { notify } = await subscribe(scene);
      expect(summary(notify).waiting).toBe(false);
      await storeMessages(scene, 5);
      clock.advance(999);
      const poll = subscription(scene, { callId: 'poll', headers: [['Expires', '0']] });
      expect((await scene.ask(poll)).status).toBe(200);
      expect((await expectRequest(scene, 'NOTIFY')).header('Call-ID')).toBe('poll');
      clock.advance(1);
      const merged = await expectRequest(scene, 'NOTIFY');
      expect([merged.header('Call-ID'), cseqOf(merged)]).toEqual(['mwi', 2]);
      expect(summary(merged).classes[0]).toMatchObject({ new: 5 });
      expect(summary(merged).headers).toHaveLength(5);
    },
    { push: { default: false } },
    'udp',
    {},
    { clock },
  );
});

test('EVT-04: a subscription that runs out is told so', async () => {
  const clock = new ManualClock();
  await withServer(
    async (scene) => {
      await subscribe(scene, { headers: [['Expires', '60']] });
      // The answer to the first NOTIFY is in front of this one.
      await scene.ask({ method: 'OPTIONS', uri: tomas });
      clock.advance(60_001);
      const last = await expectRequest(scene, 'NOTIFY');
      expect(last.header('Subscription-State')).toBe('terminated;reason=timeout');
    },
    { push: { default: false } },
    'udp',
    {},
    { clock },
  );
});

test('U23: subscriptions of a user are bounded, and the same dialog is replaced', () =>
  withServer(
    async (scene) => {
      for (let again = 1; again <= 5; again++) await subscribe(scene, { cseq: again });
      await subscribe(scene, { callId: 'second' });
      expect((await scene.ask(subscription(scene, { callId: 'third' }))).status).toBe(503);
      scene.send({
        method: 'MESSAGE',
        uri: tomas,
        body: 'x',
        headers: [['Content-Type', 'text/plain']],
      });
      const callIds: string[] = [];
      while (callIds.length < 2) {
        const { message, reply } = await scene.arrival();
        if (message.kind === 'response') continue;
        reply(responseTo(message, 200));
        callIds.push(message.header('Call-ID')!);
      }
      expect(callIds.sort()).toEqual(['mwi', 'second']);
    },
    { ...quick, subscribe: { throttleMs: 1, count: 2 } },
  ));

test('U23: the dialog outlives the server, and the CSeq rises', () =>
  withServer(async (scene) => {
    const { notify } = await subscribe(scene);
    let last = cseqOf(notify);
    for (let round = 0; round < 3; round++) {
      await scene.world.restart();
      scene.send({
        method: 'MESSAGE',
        uri: tomas,
        body: 'x',
        headers: [['Content-Type', 'text/plain']],
      });
      for (let isTold = false; !isTold;) {
        const { message, reply } = await scene.arrival();
        if (message.kind === 'response') continue;
        reply(responseTo(message, 200));
        expect(cseqOf(message)).toBeGreaterThan(last);
        last = cseqOf(message);
        isTold = summary(message).classes[0]!.new === round + 1;
      }
    }
  }, quick));

test('EVT-04: a server that stops for good says when to come again', () =>
  withServer(
    async (scene) => {
      await subscribe(scene);
      const stopped = scene.world.server.stop(1000);
      const last = await expectRequest(scene, 'NOTIFY');
      expect(last.header('Subscription-State')).toBe('terminated;reason=probation;retry-after=30');
      await stopped;
    },
    quick,
    'udp',
    { messageWaiting: { onStop: 'probation', retryAfter: 30 } },
  ));

test('D-43, MWI-03: classes and header fields are as configured', () =>
  withServer(
    async (scene) => {
      const { notify } = await subscribe(scene);
      expect(notify.body.toString()).toContain('\r\nVoice-Message: 0/0 (0/0)\r\n');
      expect(notify.body.toString()).not.toContain('Pager-Message');
      scene.send({
        method: 'MESSAGE',
        uri: tomas,
        body: 'x',
        headers: [['Content-Type', 'text/plain']],
      });
      for (;;) {
        const { message } = await scene.arrival();
        if (message.kind === 'response') continue;
        const [serial] = await serialsOf(scene.world);
        expect(summary(message).headers).toEqual([[['Message-ID', `${serial}@store.example.org`]]]);
        expect(summary(message).classes).toEqual([
          { name: 'Voice-Message', new: 1, old: 0, newUrgent: 0, oldUrgent: 0 },
        ]);
        return;
      }
    },
    quick,
    'udp',
    {
      messageWaiting: {
        classes: { pager: 'Voice-Message', large: 'Voice-Message' },
        headers: ['Message-ID'],
      },
    },
  ));

test('D-46: who is registered and has not subscribed is told nothing, whatever happens', () =>
  withServer(
    async (scene) => {
      const register: Sketch = {
        method: 'REGISTER',
        uri: 'sip:example.org',
        to: `<${tomas}>`,
        callId: 'register',
        headers: [contactOf(scene), ['Expires', '600']],
      };
      // `ask` takes nothing but a response: a NOTIFY or MESSAGE in between would fail it.
      expect((await scene.ask(register)).status).toBe(200);
      await storeMessages(scene, 2);
      expect((await scene.ask({ ...register, cseq: 2 })).status).toBe(200);
      await scene.world.server.accounts.deleteMessages('tomas@example.org', [1, 2]);
      expect((await scene.ask({ method: 'OPTIONS', uri: tomas })).status).toBe(200);
      expect((await scene.ask({ method: 'OPTIONS', uri: tomas })).status).toBe(200);
      expect(scene.peer.arrivals.length).toBe(0);
    },
    { ...quick, forward: { mode: 'off' } },
  ));
