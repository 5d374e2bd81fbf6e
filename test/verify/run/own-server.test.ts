/** The tester against our own server, over real sockets. */

import { expect, test } from 'vitest';
import { paths } from '../../../src/verify/run/paths.js';
import { describeRun } from '../../../src/verify/run/report.js';
import { runTarget } from '../../../src/verify/run/run.js';
import { runSettings } from '../../../src/verify/run/settings.js';
import { hostname, startWorld } from '../../e2e/world.js';

test.each(['udp', 'tcp'] as const)(
  'our server fails nothing over %s',
  async (transport) => {
    const world = await startWorld();
    try {
      const { port } = world.server.sip.find((address) => address.transport === transport)!;
      const settings = runSettings(
        { host: '127.0.0.1', port, transport },
        { deferred: `sip:Deferred@${hostname}` },
      );
      const report = await runTarget({ settings, paths });
      expect(report.paths, describeRun(report)).toEqual({ played: 3, stopped: 0, left: 0 });
      expect(report.items.filter(({ verdict }) => verdict === 'failed')).toEqual([]);
    } finally {
      await world.end();
    }
  },
  30_000,
);
