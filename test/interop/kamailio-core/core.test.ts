import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DeliveredMessage, MessageWaiting } from '../../../src/client/im-client.js';
import { isInstalled } from '../../server-process.js';
import { canCapture, startCapture } from '../tshark/capture.js';
import { startPhone } from './baresip.js';
import { startCore, type Core } from './core.js';

/** Text, nothing, every octet, and what looks like a multipart and an end of MSRP. */
const bodies = [
  Buffer.from('Grüße aus Köln'),
  Buffer.alloc(0),
  Buffer.from(Array.from({ length: 256 }, (_, octet) => octet)),
  Buffer.from('--b\r\nContent-Type: text/plain\r\n\r\n-------a$\r\n--b--\r\n'),
  randomBytes(12_000),
];

describe.skipIf(!isInstalled('kamailio'))(
  'Kamailio as SIP/IP core (skipped where kamailio is not installed)',
  () => {
    let core: Core;
    beforeEach(async () => {
      core = await startCore();
    });
    afterEach(() => core.stop());

    async function store(): Promise<void> {
      const alice = await core.client('alice');
      for (const body of bodies) {
        const contentType = 'application/octet-stream';
        const { status } = await alice.send('sip:bob@example.org', body, { contentType });
        expect(status, core.kamailio.log()).toBe(202);
      }
    }

    test('S4-202, U4: what comes for an offline user is retrieved through it, octet by octet', async () => {
      await store();
      const bob = await core.client('bob');
      const { status, messages, ended } = await bob.retrieve();
      expect(status, core.kamailio.log()).toBe(200);
      expect(ended).toBe('server');
      expect(messages.map(hex)).toEqual(bodies.map((body) => body.toString('hex')));
      for (const message of messages) expect(message.from).toContain('sip:alice@example.org');
      // Stored with the identity that the core asserts, and along the route that it gave.
      const [request] = core.wire.requests('in', 'MESSAGE');
      expect(request!.header('P-Asserted-Identity')).toBe('<sip:alice@example.org>');
      expect(request!.header('Route')).toMatch(/;lr>, <sip:[^>]+;lr;odi=[^>]+>$/);
      const some = await bob.retrieve({ ids: [2, 5].map((n) => `sip:${n}@store.example.org`) });
      expect(some.messages.map(hex)).toEqual([hex(messages[1]!), hex(messages[4]!)]);
    });

    test('S2-PUSH-FLOW, TPR-01, TPR-02, U3, U22: its third-party REGISTER is answered by a push', async () => {
      await store();
      const bob = await core.client('bob');
      const deliveries = bob.deliveries();
      expect((await bob.register()).status).toBe(200);
      const pushed: DeliveredMessage[] = [];
      while (pushed.length < bodies.length) pushed.push((await deliveries.next()).value!);
      expect(pushed.map(hex)).toEqual(bodies.map((body) => body.toString('hex')));
      const [register] = core.wire.requests('in', 'REGISTER');
      expect(register!.header('Content-Type')).toBe('message/sip');
      expect(register!.header('From')).toContain(`<sip:127.0.0.1:${core.ports[1]!}`);
      expect(register!.header('To')).toContain('<sip:bob@example.org>');
      const [answer] = core.wire.responses('out', 'REGISTER');
      expect(answer).toMatchObject({ status: 200 });
      expect(answer!.header('Expires')).toBe(register!.header('Expires'));
      const [invite, ...more] = core.wire.requests('out', 'INVITE');
      expect(more).toEqual([]);
      expect(invite!.uri).toBe('sip:bob@example.org');
      expect(invite!.header('Route')).toContain(`127.0.0.1:${core.ports[1]!}`);
      await nothingWaits(core);
    });

    test('TPR-04: who has de-registered at the core is written to in the store', async () => {
      const bob = await core.client('bob');
      await bob.register();
      expect((await bob.unregister()).status).toBe(200);
      const alice = await core.client('alice');
      expect((await alice.send('sip:bob@example.org', 'later')).status).toBe(202);
      const { messages } = await bob.retrieve();
      expect(messages.map(({ body }) => body.toString())).toEqual(['later']);
      const registers = core.wire.requests('in', 'REGISTER');
      expect(registers.map((one) => one.header('Expires'))).toEqual(['3600', '0']);
      expect(core.wire.requests('out', 'INVITE')).toEqual([]);
    });

    test('IMSpec-DMT-S-002, -005: message waiting is notified through it', async () => {
      const bob = await core.client('bob');
      const states = bob.watch();
      expect(await next(states)).toMatchObject({ waiting: false });
      const alice = await core.client('alice');
      await alice.send('sip:bob@example.org', 'hello', { subject: 'Keys' });
      const told = await next(states);
      expect(told).toMatchObject({ waiting: true, account: 'sip:bob@example.org' });
      expect(told.messages.map((block) => new Map(block).get('Subject'))).toEqual(['Keys']);
      await states.return?.();
      const last = core.wire.requests('out', 'NOTIFY').at(-1)!;
      expect(last.header('Subscription-State')).toBe('terminated;reason=timeout');
      // The core has recorded itself twice: towards the user agent and towards the server.
      expect(last.list('Route')).toHaveLength(2);
    });

    test.skipIf(!isInstalled('baresip'))(
      'MWI-01, MWI-02, EVT-01: baresip shows what waits (skipped where baresip is not installed)',
      async () => {
        const phone = await startPhone('bob', core.ports[0]!);
        try {
          expect(await phone.summaries.next()).toMatch(
            /^Messages-Waiting: no\r\nMessage-Account: sip:bob@example\.org\r\n/,
          );
          const alice = await core.client('alice');
          expect((await alice.send('sip:bob@example.org', 'hello')).status).toBe(202);
          const told = await phone.summaries.next();
          expect(told).toMatch(/^Messages-Waiting: yes\r\n/);
          expect(told).toContain('\r\nPager-Message: 1/0 (0/0)\r\n');
          const bob = await core.client('bob');
          expect((await bob.retrieve()).count).toBe(1);
          expect(await phone.summaries.next()).toContain('\r\nPager-Message: 0/1 (0/0)\r\n');
          expect(phone.output()).toContain('----- MWI for sip:bob@example.org -----');
          // The last one is told before it is answered.
          const answers = core.wire.responses('in', 'NOTIFY').map(({ status }) => status);
          expect(answers.length).toBeGreaterThanOrEqual(2);
          expect(new Set(answers)).toEqual(new Set([200]));
        } finally {
          await phone.stop();
        }
      },
    );

    test.skipIf(!canCapture)(
      'tshark objects to nothing in the whole job (skipped where it may not capture)',
      async () => {
        const [gm, isc, sip, msrp] = core.ports;
        const capture = await startCapture({ sip: [gm!, isc!, sip!], msrp: [msrp!], mark: gm! });
        try {
          const alice = await core.client('alice');
          const bob = await core.client('bob');
          const states = bob.watch();
          await next(states);
          // No NUL in them: tshark reads bodies as text and objects to what stands behind one.
          const texts = ['one', 'Grüße', 'x'.repeat(9_000)];
          for (const text of texts) await alice.send('sip:bob@example.org', text);
          expect((await bob.retrieve({ ids: ['2@store.example.org'] })).count).toBe(1);
          const deliveries = bob.deliveries();
          await bob.register();
          // What was retrieved is old.
          for (const text of ['one', texts[2]]) {
            expect((await deliveries.next()).value!.body.toString()).toBe(text);
          }
          while ((await next(states)).classes[0]!.new > 0);
          await bob.unregister();
          await states.return?.();
          await Promise.all([alice.stop(), bob.stop()]);
          await capture.end();
          for (const protocol of ['sip', 'sdp', 'msrp', 'xml']) {
            expect(await capture.frames(protocol), protocol).toBeGreaterThan(0);
          }
          expect(await capture.objections()).toEqual([]);
        } finally {
          await capture.discard();
        }
      },
    );

    test('PAI-01: whoever claims to be another is who the core says', async () => {
      await store();
      const eve = await core.client('eve', { identity: 'asserted' });
      const foreign = await eve.retrieve({ ids: ['sip:1@store.example.org'] });
      expect(foreign.status).toBe(404);
      expect((await eve.retrieve()).count).toBe(0);
    });
  },
);

function hex({ body }: DeliveredMessage): string {
  return body.toString('hex');
}

async function next(states: AsyncIterableIterator<MessageWaiting>): Promise<MessageWaiting> {
  const { value } = (await states.next()) as { value: MessageWaiting };
  return value;
}

/** Waits until message waiting says so: the last delivery is confirmed. */
async function nothingWaits(core: Core): Promise<void> {
  const watcher = await core.client('bob');
  for await (const state of watcher.watch()) if (!state.waiting) return;
}
