/** The tester against our own server, over real sockets. */

import { expect, test } from 'vitest';
import { allCases } from '../../../src/verify/run/cases.js';
import { planPaths } from '../../../src/verify/run/plan.js';
import { describeRun } from '../../../src/verify/run/report.js';
import { runTarget } from '../../../src/verify/run/run.js';
import { runSettings } from '../../../src/verify/run/settings.js';
import { hostname, startWorld } from '../../e2e/world.js';

const { paths } = planPaths();
/** Nothing that does not come is waited for here: a machine with much else to do takes longer. */
const patient = { timeoutMs: 30_000, deadlineMs: 280_000, parallel: 8 };

test('every path of the machines, played over UDP and TCP: our server meets every item', async () => {
  const world = await startWorld();
  try {
    const reports = await Promise.all(
      (['udp', 'tcp'] as const).map(async (transport) => {
        const { port } = world.server.sip.find((address) => address.transport === transport)!;
        const target = { host: '127.0.0.1', port, transport };
        const deferred = `sip:Deferred@${hostname}`;
        const settings = runSettings(target, { ...patient, deferred });
        return runTarget({ settings, paths, cases: allCases });
      }),
    );
    const given = runSettings({ host: '127.0.0.1', port: 5060, transport: 'udp' });
    const tried = allCases.filter(({ lacks }) => lacks?.(given) === undefined).length;
    for (const report of reports) {
      const text = describeRun(report);
      expect(report.paths, text).toEqual({ played: paths.length + tried, stopped: 0, left: 0 });
      expect(report.verdict, text).toBe('passed');
      const passed = report.items.filter(({ verdict }) => verdict === 'passed');
      expect(passed.length, text).toBe(25);
    }
  } finally {
    await world.end();
  }
}, 300_000);
