/** How retrievals end before their time, and beside a push, over the wire: every lease is released. */

import { expect, test } from 'vitest';
import type { PolicyPort, PolicyVerdict } from '../../src/ports.js';
import { ManualClock } from '../../src/testing/clock.js';
import {
  bind,
  confirm,
  expectRequest,
  invitation,
  retrieve,
  storeMessages,
} from './retrieval-scene.js';
import { push, withServer } from './sip-scene.js';

const noPush = { push: { default: false } };

test('SIP-07: CANCEL before the answer: 487, no session, and the messages are there for the next one', async () => {
  let decide: (verdict: PolicyVerdict) => void = () => undefined;
  let holds = true;
  const policy: PolicyPort = {
    judge: ({ operation }) =>
      operation === 'store' || !holds
        ? { allowed: true }
        : new Promise((resolve) => (decide = resolve)),
  };
  await withServer(
    async (scene) => {
      await storeMessages(scene, 1);
      const asked = { ...invitation(scene), branch: 'cancelled', callId: 'cancelled' };
      scene.send(asked);
      expect((await scene.peer.arrivals.next()).message).toMatchObject({ status: 100 });
      scene.send({ ...asked, method: 'CANCEL', headers: [], body: '' });
      const statuses = [await scene.arrival(), await scene.arrival()].map(({ message }) =>
        message.kind === 'response' ? message.status : message.method,
      );
      expect(statuses.sort()).toEqual([200, 487]);
      scene.send({ method: 'ACK', uri: asked.uri, branch: 'cancelled', callId: 'cancelled' });
      holds = false;
      decide({ allowed: true });
      const retrieval = await retrieve(scene);
      const msrp = await bind(retrieval);
      expect(await confirm(msrp, 0)).toContain('message 1');
      await expectRequest(scene, 'BYE');
      expect(await scene.world.server.counted()).toMatchObject({ 'actors.cancelled': 1 });
      msrp.socket.destroy();
    },
    noPush,
    'udp',
    {},
    { policy },
  );
});

test('ST-02: a session that nobody refreshes ends with BYE, and its messages come again', async () => {
  const clock = new ManualClock();
  await withServer(
    async (scene) => {
      await storeMessages(scene, 1);
      const headers = [
        ['Supported', 'timer'],
        ['Session-Expires', '90;refresher=uac'],
      ] as const;
      const retrieval = await retrieve(scene, { headers });
      expect(retrieval.accepted.header('Session-Expires')).toBe('90;refresher=uac');
      const msrp = await bind(retrieval);
      // Answered, but not reported: the session holds the message.
      const { head, body } = await msrp.request(0);
      msrp.answer(head, 200);
      expect(body.toString()).toContain('message 1');
      clock.advance(59_000);
      expect(scene.peer.arrivals.length).toBe(0);
      clock.advance(2_000);
      await expectRequest(scene, 'BYE');
      msrp.socket.destroy();
      const again = await retrieve(scene, { callId: 'again' });
      const second = await bind(again);
      expect(await confirm(second, 0)).toContain('message 1');
      await expectRequest(scene, 'BYE');
      second.socket.destroy();
    },
    { ...noPush, retrieval: { waitMs: 600_000 }, reportGraceMs: 600_000 },
    'udp',
    {},
    { clock },
  );
});

test('D-50, D-47: what a push has in hand can be retrieved beside it, and is gone once; the rest is not pushed', () =>
  withServer(
    async (scene) => {
      await storeMessages(scene, 2);
      const { invite } = await push(scene);
      const pushed = await bind({ accepted: invite } as never);
      const { body: first } = await pushed.request(0);
      expect(first.toString()).toContain('message 1');
      const retrieval = await retrieve(scene);
      const fetched = await bind(retrieval);
      for (const [index, body] of ['message 1', 'message 2', 'hi'].entries()) {
        expect(await confirm(fetched, index)).toContain(body);
      }
      await expectRequest(scene, 'BYE');
      await confirm(pushed, 0);
      await expectRequest(scene, 'BYE');
      const { accounts } = scene.world.server;
      expect(await accounts.histories('tomas@example.org', { limit: 9 })).toEqual([]);
      for (const { socket } of [pushed, fetched]) socket.destroy();
    },
    { push: { window: 1 }, retrieval: { after: 'delete' } },
  ));
