import { afterEach, describe, expect, test } from 'vitest';
import { startWorld } from '../../e2e/world.js';
import type { World } from '../../e2e/world.js';
import { canCapture, startCapture } from './capture.js';
import type { Capture } from './capture.js';

describe.skipIf(!canCapture)('tshark (skipped where it is missing or may not capture)', () => {
  let world: World;
  let capture: Capture;

  afterEach(async () => {
    await capture.discard();
    await world.end();
  });

  test.each(['udp', 'tcp'] as const)(
    'finds nothing to object to in SIP, SDP and MSRP over %s',
    async (transport) => {
      world = await startWorld({}, transport);
      const sip = world.server.sip.map(({ port }) => port);
      capture = await startCapture({ sip, msrp: [world.server.msrp.port], mark: sip[0]! });
      await mainJob(world);
      await capture.end();
      for (const protocol of ['sip', 'sdp', 'msrp']) {
        expect(await capture.frames(protocol), `${protocol} was captured`).toBeGreaterThan(0);
      }
      expect(await capture.objections()).toEqual([]);
    },
  );
});

/** The binary body has no NUL: tshark reads bodies as text and objects to what stands behind one. */
async function mainJob(world: World): Promise<void> {
  const alice = await world.client('alice');
  await alice.send('sip:bob@example.org', 'one', { subject: 'First' });
  await alice.send('sip:bob@example.org', Buffer.from([1, 2, 255]), {
    contentType: 'application/octet-stream',
  });
  const bob = await world.client('bob');
  const states = bob.watch();
  await states.next();
  expect((await bob.retrieve()).count).toBe(2);
  const deliveries = bob.deliveries();
  await bob.register();
  await alice.send('sip:bob@example.org', 'three');
  await deliveries.next();
  await bob.unregister();
  await states.return?.();
  await Promise.all([alice.stop(), bob.stop()]);
}
