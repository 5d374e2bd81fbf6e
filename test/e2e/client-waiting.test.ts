import { setImmediate as immediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createImClient, type ImClient } from '../../src/client/connect.js';
import type { MessageWaiting } from '../../src/client/im-client.js';
import { ManualClock } from '../../src/testing/clock.js';
import { openSipPeer, responseTo, type SipPeer } from '../../src/testing/sip-peer.js';
import type { SipRequest, SipResponse } from '../../src/wire/sip/message.js';
import { serialiseRequest } from '../../src/wire/sip/serialise.js';
import { WireLog } from './wire-log.js';
import { startWorld, type World } from './world.js';

const type = 'application/simple-message-summary';

describe('message waiting of the IM client, from the server', () => {
  let world: World;
  let wire: WireLog;
  beforeEach(async () => {
    world = await startWorld();
    wire = new WireLog();
  });
  afterEach(() => world.end());

  test('IMSpec-DMO-C-010: it subscribes, refreshes at half of the time, and leaves', async () => {
    const clock = new ManualClock(Date.now());
    const bob = await world.client('bob', { clock, trace: wire });
    const states = bob.watch({ expires: 600 });
    await next(states);
    const [first] = wire.requests('out', 'SUBSCRIBE');
    expect(first!.uri).toBe('sip:bob@example.org');
    expect(first!.header('Event')).toBe('message-summary');
    expect(first!.header('Accept')).toBe(type);
    expect(first!.header('Expires')).toBe('600');
    expect(wire.responses('in', 'SUBSCRIBE')[0]!.header('Expires')).toBe('600');
    clock.advance(299_000);
    expect(wire.requests('out', 'SUBSCRIBE')).toHaveLength(1);
    clock.advance(1_000);
    await next(states);
    const refresh = wire.requests('out', 'SUBSCRIBE')[1]!;
    expect(refresh.header('Call-ID')).toBe(first!.header('Call-ID'));
    expect(refresh.header('To')).toMatch(/;tag=/);
    expect(refresh.header('Expires')).toBe('600');
    expect(cseqOf(refresh)).toBe(cseqOf(first!) + 1);
    await states.return?.();
    const last = wire.requests('out', 'SUBSCRIBE')[2]!;
    expect(last.header('Expires')).toBe('0');
    expect(last.header('Call-ID')).toBe(first!.header('Call-ID'));
    const farewell = wire.requests('in', 'NOTIFY').at(-1)!;
    expect(farewell.header('Subscription-State')).toBe('terminated;reason=timeout');
  });

  test('IMSpec-DMT-C-001, MWI-03, MWI-07: every NOTIFY is answered 200, its content is told', async () => {
    const bob = await world.client('bob', { trace: wire });
    const states = bob.watch();
    expect(await next(states)).toMatchObject({ waiting: false, messages: [] });
    const alice = await world.client('alice');
    await alice.send('sip:bob@example.org', 'hello', { subject: 'Keys', urgent: true });
    const told = await next(states);
    expect(told).toMatchObject({
      waiting: true,
      account: 'sip:bob@example.org',
      classes: [{ class: 'Pager-Message', new: 1, old: 0, newUrgent: 1, oldUrgent: 0 }, {}],
    });
    expect(told.messages.map((block) => new Map(block).get('Subject'))).toEqual(['Keys']);
    await states.return?.();
    const notified = wire.requests('in', 'NOTIFY');
    const answers = wire.responses('out', 'NOTIFY');
    expect(notified.length).toBeGreaterThanOrEqual(3);
    expect(answers.map(({ status }) => status)).toEqual(notified.map(() => 200));
    const branches = (messages: readonly (SipRequest | SipResponse)[]) =>
      messages.map((message) => /branch=([^;]+)/.exec(message.header('Via')!)![1]);
    expect(branches(answers)).toEqual(branches(notified));
  });
});

describe('message waiting of the IM client, from a notifier that is odd', () => {
  let peer: SipPeer;
  let client: ImClient;
  let clock: ManualClock;
  beforeEach(async () => {
    peer = await openSipPeer('udp');
    clock = new ManualClock();
    client = createImClient({
      aor: 'sip:bob@example.org',
      server: { host: '127.0.0.1', port: peer.port, transport: 'udp' },
      clock,
      limits: { graceMs: 1 },
    });
    await client.start();
  });
  afterEach(async () => {
    let isOver = false;
    const stopped = client.stop({ unregister: false }).finally(() => {
      isOver = true;
    });
    while (!isOver) {
      clock.advance(1_000);
      await immediate();
    }
    await stopped;
    await peer.close();
  });

  const accept = (subscribe: SipRequest, expires = 600): void =>
    send(
      responseTo(subscribe, 200, {
        tag: 'notifier',
        headers: [
          ['Contact', `<sip:mwi@127.0.0.1:${peer.port}>`],
          ['Expires', String(expires)],
        ],
      }),
    );
  const send = (bytes: Buffer): void =>
    peer.send({ transport: 'udp', address: '127.0.0.1', port: client.address.port }, bytes);
  const notify = (subscribe: SipRequest, cseq: number, state: string, body?: string): void =>
    send(
      serialiseRequest({
        method: 'NOTIFY',
        uri: /<([^>]+)>/.exec(subscribe.header('Contact')!)![1]!,
        headers: [
          [
            'Via',
            `SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bKn${subscribe.header('Call-ID')!}${cseq}`,
          ],
          ['Max-Forwards', '70'],
          ['From', `${subscribe.header('To')!};tag=notifier`],
          ['To', subscribe.header('From')!],
          ['Call-ID', subscribe.header('Call-ID')!],
          ['CSeq', `${cseq} NOTIFY`],
          ['Contact', `<sip:mwi@127.0.0.1:${peer.port}>`],
          ['Event', 'message-summary'],
          ['Subscription-State', state],
          ...(body === undefined ? [] : [['Content-Type', type] as const]),
        ],
        body: body === undefined ? undefined : Buffer.from(body),
      }),
    );

  test('IMSpec-DMT-C-001: it bears a NOTIFY before the 200, unknown classes and huge counters', async () => {
    const states = client.watch();
    const subscribe = await peer.nextRequest();
    const odd = [
      'messages-waiting: YES',
      'Message-Account: <sip:bob@example.org>',
      'X-Hologram-Message: 99999999999999999999/1 (4294967296/0)',
      'Pager-Message: 1/2',
      '',
      'Subject: Keys',
      'X-Odd: yes',
      '',
      'Subject: More',
      '',
    ];
    notify(subscribe, 1, 'active;expires=600', odd.join('\r\n'));
    expect(await peer.nextResponse()).toMatchObject({ status: 200 });
    expect(await next(states)).toEqual({
      waiting: true,
      account: 'sip:bob@example.org',
      classes: [
        {
          class: 'X-Hologram-Message',
          new: 4_294_967_295,
          old: 1,
          newUrgent: 4_294_967_295,
          oldUrgent: 0,
        },
        { class: 'Pager-Message', new: 1, old: 2 },
      ],
      messages: [
        [
          ['Subject', 'Keys'],
          ['X-Odd', 'yes'],
        ],
        [['Subject', 'More']],
      ],
    });
    accept(subscribe);
    notify(subscribe, 2, 'active;expires=600', 'Messages-Waiting: no\r\n');
    expect(await peer.nextResponse()).toMatchObject({ status: 200 });
    expect(await next(states)).toMatchObject({ waiting: false, classes: [] });
    notify(subscribe, 3, 'active', 'Messages-Waiting: perhaps\r\n');
    expect(await peer.nextResponse()).toMatchObject({ status: 400 });
  });

  test('IMSpec-DMO-C-010: what has lapsed is begun anew with another Call-ID', async () => {
    const states = client.watch({ expires: 600 });
    const first = await peer.nextRequest();
    accept(first);
    notify(first, 1, 'active;expires=600', 'Messages-Waiting: no\r\n');
    await peer.nextResponse();
    await next(states);
    // The refresh finds nobody who knows of it.
    clock.advance(300_000);
    const refresh = await peer.nextRequest();
    expect(refresh.header('Call-ID')).toBe(first.header('Call-ID'));
    send(responseTo(refresh, 481));
    const second = await peer.nextRequest();
    expectNew(second, [first]);
    accept(second);
    // The notifier says that it has run out.
    notify(second, 1, 'terminated;reason=timeout');
    const arrived = [await peer.arrivals.next(), await peer.arrivals.next()];
    const third = arrived.map(({ message }) => message).find((one) => one.kind === 'request')!;
    expectNew(third, [first, second]);
    accept(third);
    notify(third, 1, 'active;expires=600', 'Messages-Waiting: yes\r\n');
    await peer.nextResponse();
    expect(await next(states)).toMatchObject({ waiting: true });
    // Refreshes go unanswered until the time is over.
    clock.advance(300_000);
    expect((await peer.nextRequest()).header('Call-ID')).toBe(third.header('Call-ID'));
    clock.advance(300_000);
    let fourth = await peer.nextRequest();
    while (fourth.header('Call-ID') === third.header('Call-ID')) fourth = await peer.nextRequest();
    expectNew(fourth, [first, second, third]);
  });

  function expectNew(subscribe: SipRequest, before: readonly SipRequest[]): void {
    expect(subscribe.method).toBe('SUBSCRIBE');
    const callIds = before.map((one) => one.header('Call-ID'));
    expect(callIds).not.toContain(subscribe.header('Call-ID'));
    expect(subscribe.header('To')).not.toContain(';tag=');
    expect(subscribe.header('Expires')).toBe('600');
  }
});

async function next(states: AsyncIterableIterator<MessageWaiting>): Promise<MessageWaiting> {
  const { value } = (await states.next()) as { value: MessageWaiting };
  return value;
}

function cseqOf(request: SipRequest): number {
  return Number.parseInt(request.header('CSeq')!, 10);
}
