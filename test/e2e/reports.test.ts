/** Reports to senders on the wire (RFC 5438, D-17, D-30). */

import { expect, test } from 'vitest';
import { responseTo } from '../../src/testing/sip-peer.js';
import { ManualClock } from '../../src/testing/clock.js';
import type { HeaderField } from '../../src/wire/sip/message.js';
import { asking, cpimHeader, expectNothing, nextReport, niaAt } from './imdn-scene.js';
import { hostname, withServer } from './sip-scene.js';
import type { SipScene } from './sip-scene.js';
import { openUnrepeatedPeer } from './unrepeated-peer.js';

const account = 'tomas@example.org';

async function deleteAll({ world }: SipScene): Promise<void> {
  const { accounts } = world.server;
  const histories = await accounts.histories(account, { limit: 100 });
  await accounts.deleteMessages(
    account,
    histories.map(({ serial }) => serial),
  );
}

test('S4-NOTE2, D-17, IMDN-01: who asked for processing hears once that it is stored', () =>
  withServer(async (scene) => {
    const nia = niaAt(scene);
    scene.send(asking(scene, { id: 'Qm8x', wants: 'processing, negative-delivery' }));
    const { message } = await scene.arrival();
    expect(message).toMatchObject({ kind: 'response', status: 202 });
    const report = await nextReport(scene);
    const { request, imdn } = report;
    expect(imdn).toMatchObject({
      messageId: 'Qm8x',
      dateTime: '2026-11-20T09:00:00Z',
      notification: 'processing',
      status: 'stored',
      recipientUri: 'sip:tomas@example.org',
    });
    expect(imdn).not.toHaveProperty('originalRecipientUri');
    // IMDN-03: from the recipient to the sender, with an id of its own, asking for nothing.
    expect(request.uri).toBe(nia);
    expect(request.header('To')).toBe(`<${nia}>`);
    expect(request.header('From')).toContain('<sip:tomas@example.org>');
    expect(request.header('Contact')).toBeUndefined();
    expect(cpimHeader(report, 'To')).toBe(`<${nia}>`);
    expect(cpimHeader(report, 'imdn.Message-ID')).toMatch(/^[A-Za-z0-9]{11,}$/);
    expect(cpimHeader(report, 'imdn.Disposition-Notification')).toBeUndefined();
    expect(report.cpim.contentHeaders).toContainEqual(['Content-Disposition', 'notification']);
    await expectNothing(scene);
  }));

test('IMDN-05: the Message-IDs of reports are drawn anew each, at least 64 bits of chance', () =>
  withServer(async (scene) => {
    const drawn: string[] = [];
    for (const id of ['aa', 'ab', 'ac', 'ad']) {
      scene.send(asking(scene, { id, wants: 'processing' }));
      expect((await scene.arrival()).message).toMatchObject({ kind: 'response', status: 202 });
      drawn.push(cpimHeader(await nextReport(scene), 'imdn.Message-ID')!);
    }
    // 11 characters of 62 are 65 bits; what two of them share by chance is short.
    for (const [at, id] of drawn.entries()) {
      expect(id).toMatch(/^[A-Za-z0-9]{11,}$/);
      for (const other of drawn.slice(at + 1)) expect(other.slice(0, 5)).not.toBe(id.slice(0, 5));
    }
  }));

test('D-17: unasked, nobody is told that a message is stored', () =>
  withServer(async (scene) => {
    expect((await scene.ask(asking(scene, { id: 'a' }))).status).toBe(202);
    expect((await scene.ask(asking(scene, { id: 'b', wants: 'display' }))).status).toBe(202);
    await expectNothing(scene);
  }));

test('D-30, S1-DEL-USER, U29: reportOnUserDelete decides what the sender hears', async () => {
  for (const wish of ['failed', 'forbidden', 'none'] as const) {
    await withServer(
      async (scene) => {
        expect((await scene.ask(asking(scene, { id: wish }))).status).toBe(202);
        await deleteAll(scene);
        if (wish !== 'none') {
          const { imdn } = await nextReport(scene);
          expect(imdn).toMatchObject({ messageId: wish, notification: 'delivery', status: wish });
        }
        await expectNothing(scene);
      },
      { reportOnUserDelete: wish },
    );
  }
});

test('IMDN-02, IMDN-04: nothing for reports, for anonymous senders, nor after a refusal', () =>
  withServer(
    async (scene) => {
      const wants = 'processing, negative-delivery';
      const anonymous = 'sip:anonymous@anonymous.invalid';
      const loop = asking(scene, { id: 'loop', wants, inner: 'message/imdn+xml' });
      expect((await scene.ask(loop)).status).toBe(202);
      const inCpim = asking(scene, { id: 'cpim', wants, from: anonymous });
      expect((await scene.ask(inCpim)).status).toBe(202);
      const sketch = { from: `<${anonymous}>;tag=a` };
      expect((await scene.ask(asking(scene, { id: 'sip', wants, sketch }))).status).toBe(202);
      // The mailbox is full.
      const declined = await scene.ask(asking(scene, { id: 'full', wants }));
      expect(declined.status).toBe(603);
      await deleteAll(scene);
      await expectNothing(scene);
    },
    { quota: { messages: 3 } },
  ));

test('IMDN-04: the report goes to the topmost IMDN-Record-Route, and names the route', async () => {
  const relay = await openUnrepeatedPeer();
  try {
    await withServer(async (scene) => {
      const route = `sip:relay@127.0.0.1:${relay.port}`;
      const cpimHeaders = [
        `imdn.IMDN-Record-Route: <${route}>`,
        'imdn.IMDN-Record-Route: <sip:second@example.com>',
        'imdn.Original-To: <sip:list@example.com>',
      ];
      scene.send(asking(scene, { id: 'routed', wants: 'processing', cpimHeaders }));
      const { message, reply } = await relay.arrivals.next();
      if (message.kind !== 'request') throw new Error('no request');
      reply(responseTo(message, 200, { tag: 'relay' }));
      expect(message.uri).toBe(route);
      expect(message.header('To')).toBe(`<${niaAt(scene)}>`);
      const text = message.body.toString();
      const routes = [...text.matchAll(/^imdn\.IMDN-Route: <(.*)>\r$/gm)].map(([, uri]) => uri);
      expect(routes).toEqual([route, 'sip:second@example.com']);
      expect(text).toContain('<original-recipient-uri>sip:list@example.com<');
      expect((await scene.arrival()).message).toMatchObject({ status: 202 });
    });
  } finally {
    await relay.close();
  }
});

test('MSG-07: never two reports in flight to one URI, though the sender is slow', () =>
  withServer(async (scene) => {
    const ids = ['a', 'b', 'c', 'd'];
    for (const id of ids) expect((await scene.ask(asking(scene, { id }))).status).toBe(202);
    await deleteAll(scene);
    const heard: string[] = [];
    for (const id of ids) {
      const { request, reply } = await scene.request();
      expect(request.body.toString()).toContain(`<message-id>${id}</message-id>`);
      scene.send({ method: 'OPTIONS', uri: 'sip:tomas@example.org' });
      // While it is not answered, only its own retransmission may come.
      for (let answered = false; !answered;) {
        const { message } = await scene.arrival();
        if (message.kind === 'response') answered = true;
        else expect(message.header('Call-ID')).toBe(request.header('Call-ID'));
      }
      heard.push(id);
      reply(responseTo(request, 200, { tag: 'peer' }));
    }
    expect(heard).toEqual(ids);
  }));

test('MSG-08: a report has at most 1300 octets: it goes without what it can spare, or not at all', () => {
  const identity = { domains: ['example.org'], hostname };
  return withServer(
    async (scene) => {
      const nia = niaAt(scene);
      const sizes: number[] = [];
      for (let length = 0; length <= 60; length += 20) {
        const to = `sip:tomas${'x'.repeat(length)}@example.org`;
        const cpimHeaders = [`imdn.Original-To: <sip:${'y'.repeat(length)}z@example.org>`];
        scene.send(asking(scene, { id: `long${length}`, wants: 'processing', to, cpimHeaders }));
        expect((await scene.arrival()).message).toMatchObject({ status: 202 });
        const { request } = await nextReport(scene);
        expect(request.uri).toBe(nia);
        sizes.push(request.bytes.length);
      }
      expect(Math.max(...sizes)).toBeLessThanOrEqual(1_300);
      const to = `sip:${'x'.repeat(1_000)}@example.org`;
      scene.send(asking(scene, { id: 'huge', wants: 'processing', to }));
      expect((await scene.arrival()).message).toMatchObject({ status: 202 });
      await expectNothing(scene);
      await expect
        .poll(() => scene.world.server.counted())
        .toMatchObject({ 'actors.reports.oversized': 1, 'actors.outbox.dead': 1 });
    },
    {},
    'udp',
    { identity },
  );
});

test('S1-DEL-ORDER, D-29, U29: a report that failed for the moment is sent again, the same, across a restart', () => {
  const clock = new ManualClock();
  return withServer(
    async (scene) => {
      const headers: HeaderField[] = [['Expires', '60']];
      expect((await scene.ask(asking(scene, { id: 'again', headers }))).status).toBe(202);
      clock.advance(60_000);
      const first = await nextReport(scene, { clock, status: 480 });
      await expectNothing(scene, clock);
      await scene.world.restart();
      clock.advance(40_000); // Woken for its outbox.
      const second = await nextReport(scene, { clock });
      expect(second.request.body.equals(first.request.body)).toBe(true);
      expect(second.request.header('Call-ID')).toBe(first.request.header('Call-ID'));
      await expectNothing(scene, clock);
      clock.advance(1_000_000);
      await expectNothing(scene, clock);
    },
    {},
    'udp',
    {},
    { clock },
  );
});
