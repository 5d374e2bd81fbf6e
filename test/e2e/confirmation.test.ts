/** What confirms a delivery, and what happens meanwhile, octet by octet (D-28, D-33). */

import { expect, test } from 'vitest';
import { ManualClock } from '../../src/testing/clock.js';
import type { RawPeer } from '../transport/msrp/raw-peer.js';
import { asking, expectNothing, nextReport } from './imdn-scene.js';
import { bind, clientPath, expectRequest, retrieve, storeMessages } from './retrieval-scene.js';
import { withServer, type SipScene } from './sip-scene.js';

const account = 'tomas@example.org';
const noPush = { push: { default: false } };

/** The SEND with that index is answered 200, and nothing else is said of it. */
async function taken(peer: RawPeer, index: number) {
  const send = await peer.request(index);
  peer.answer(send.head, 200);
  return send;
}

function report(peer: RawPeer, { head, body }: Awaited<ReturnType<typeof taken>>, status: number) {
  peer.write(
    `MSRP report01 REPORT\r\nTo-Path: ${head.fromPath.join(' ')}\r\nFrom-Path: ${clientPath}\r\n` +
      `Message-ID: ${head.messageId}\r\nByte-Range: 1-${body.length}/${body.length}\r\n` +
      `Status: 000 ${status} Told\r\n-------report01$\r\n`,
  );
}

async function unread({ world }: SipScene): Promise<readonly number[]> {
  const { messages, unread: left } = await world.server.accounts.summary(account);
  return [messages, left];
}

let fences = 0;

/** Everything that has reached the server has been dealt with. */
async function settled(scene: SipScene, peer: RawPeer): Promise<void> {
  const fence = `fence${++fences}`;
  peer.write(
    `MSRP ${fence} SEND\r\nTo-Path: ${(await peer.request(0)).head.fromPath.join(' ')}\r\n` +
      `From-Path: ${clientPath}\r\nMessage-ID: ${fence}\r\nByte-Range: 1-0/0\r\n-------${fence}$\r\n`,
  );
  expect(await peer.status(fence)).toBe(200);
  await expectNothing(scene);
}

test('D-33: 200 and REPORT together confirm a delivery, either alone does not at once', async () => {
  const clock = new ManualClock();
  await withServer(
    async (scene) => {
      await storeMessages(scene, 1);
      const peer = await bind(await retrieve(scene));
      const send = await taken(peer, 0);
      expect(send.head.headers).toContainEqual(['Success-Report', 'yes']);
      await settled(scene, peer);
      expect(await unread(scene)).toEqual([1, 1]);
      report(peer, send, 200);
      await expectRequest(scene, 'BYE');
      expect(await unread(scene)).toEqual([1, 0]);
      peer.socket.destroy();
    },
    noPush,
    'udp',
    {},
    { clock },
  );
});

test('D-33: a REPORT that never comes is waited for thirty seconds, not for ever', async () => {
  const clock = new ManualClock();
  await withServer(
    async (scene) => {
      await storeMessages(scene, 1);
      const peer = await bind(await retrieve(scene));
      await taken(peer, 0);
      await settled(scene, peer);
      clock.advance(29_999);
      await settled(scene, peer);
      expect(await unread(scene)).toEqual([1, 1]);
      clock.advance(1);
      await expectRequest(scene, 'BYE');
      expect(await unread(scene)).toEqual([1, 0]);
      peer.socket.destroy();
    },
    noPush,
    'udp',
    {},
    { clock },
  );
});

test('D-33: a REPORT of failure behind a 200 leaves the message new', () =>
  withServer(async (scene) => {
    await storeMessages(scene, 1);
    const peer = await bind(await retrieve(scene));
    report(peer, await taken(peer, 0), 403);
    await expectRequest(scene, 'BYE');
    expect(await unread(scene)).toEqual([1, 1]);
    peer.socket.destroy();
  }, noPush));

test('D-33: without a grace nobody is asked for a REPORT, and the 200 is enough', () =>
  withServer(
    async (scene) => {
      await storeMessages(scene, 1);
      const peer = await bind(await retrieve(scene));
      const { head } = await taken(peer, 0);
      expect(head.headers.map(([name]) => name)).not.toContain('Success-Report');
      await expectRequest(scene, 'BYE');
      expect(await unread(scene)).toEqual([1, 0]);
      peer.socket.destroy();
    },
    { ...noPush, reportGraceMs: 0 },
  ));

test.each([
  ['is delivered, and nobody is told that it was not', true],
  ['breaks off: it goes, and the sender is told', false],
])('D-28: what expires while it is being delivered stays until that %s', async (_name, done) => {
  const clock = new ManualClock();
  await withServer(
    async (scene) => {
      const headers = [['Expires', '10']] as const;
      expect((await scene.ask(asking(scene, { id: 'leased', headers }))).status).toBe(202);
      const peer = await bind(await retrieve(scene));
      const send = await peer.request(0);
      clock.advance(10_001);
      await expectNothing(scene, clock);
      // It is past its time and still there, for it is on its way.
      expect(await unread(scene)).toEqual([1, 1]);
      if (done) {
        peer.answer(send.head, 200);
        report(peer, send, 200);
        await expectRequest(scene, 'BYE');
      } else {
        peer.socket.destroy();
        await expectRequest(scene, 'BYE');
        const { imdn } = await nextReport(scene, { clock });
        expect(imdn).toMatchObject({ messageId: 'leased', status: 'failed' });
      }
      await expectNothing(scene, clock);
      expect(await unread(scene)).toEqual([0, 0]);
      peer.socket.destroy();
    },
    noPush,
    'udp',
    {},
    { clock },
  );
});
