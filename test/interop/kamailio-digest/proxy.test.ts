import { afterEach, describe, expect, test } from 'vitest';
import { World, credentials } from '../../e2e/identity-world.js';
import { isInstalled } from '../../server-process.js';
import { startProxy } from './kamailio.js';
import type { Kamailio } from '../kamailio.js';

describe.skipIf(!isInstalled('kamailio'))(
  'Kamailio that challenges (skipped where kamailio is not installed)',
  () => {
    let world: World;
    let proxy: Kamailio;
    afterEach(async () => {
      await world.end();
      await proxy.stop();
    });

    test.each(['SHA-256', 'MD5'] as const)(
      'SIP-22, AUTH-01: a proxy with %s and the server behind it both get their proof',
      async (algorithm) => {
        world = await new World({ credentials }).start();
        proxy = await startProxy(world.place('tcp').port, algorithm);
        const server = { host: '127.0.0.1', port: proxy.port, transport: 'tcp' as const };
        const proof = { password: 'zanzibar', md5: algorithm === 'MD5' };
        const bob = await world.client('bob', { server, credentials: proof });
        expect((await bob.send('sip:bob@example.org', 'hello')).status).toBe(202);
        const { status, messages } = await bob.retrieve();
        expect(status).toBe(200);
        expect(messages.map(({ body }) => body.toString())).toEqual(['hello']);
        expect((await bob.register()).status).toBe(200);
        expect(world.counters()['actors.authentication.proven']).toBeGreaterThanOrEqual(2);
        const eve = await world.client('bob', {
          server,
          credentials: { ...proof, password: 'wrong' },
        });
        expect((await eve.register()).status).toBe(407);
        expect((await eve.send('sip:bob@example.org', 'hello')).status).toBe(407);
      },
    );
  },
);
