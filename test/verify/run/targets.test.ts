/** Targets by IPv6, by a name, over TCP alone; and names that lead nowhere. */

import { lookup } from 'node:dns/promises';
import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { verifyRunCommand } from '../../../src/cli/verify-run.js';
import { settingsOf } from '../../../src/config.js';
import { startServer, type Server } from '../../../src/server.js';
import { allCases } from '../../../src/verify/run/cases.js';
import type { Path } from '../../../src/verify/run/play.js';
import { describeRun } from '../../../src/verify/run/report.js';
import { runTarget } from '../../../src/verify/run/run.js';
import { parseTarget, runSettings } from '../../../src/verify/run/settings.js';
import { hostname } from '../../e2e/world.js';

const paths: readonly Path[] = [
  [
    { do: 'submit', message: 0, kind: 'reports' },
    { do: 'register', client: 'im' },
    { do: 'accept', role: 'passive' },
    { do: 'take' },
  ],
  [
    { do: 'subscribe' },
    { do: 'submit', message: 0, kind: 'plain' },
    { do: 'retrieve', faults: [] },
    { do: 'take' },
  ],
];

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
);

/** A server that listens there and nowhere else, and what the tester says of it. */
async function expectPassed(
  host: string,
  transports: readonly ('udp' | 'tcp')[],
  targetOf: (server: Server) => string,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'poste-target-'));
  const server = await startServer(
    settingsOf({
      sip: { listen: transports.map((transport) => ({ transport, host, port: 0 })) },
      msrp: { host, port: 0 },
      store: { directory: join(directory, 'store') },
      identity: { hostname, domains: ['example.org'] },
      log: { level: 'silent' },
    }),
  );
  try {
    const given = { timeoutMs: 30_000, deferred: `sip:Deferred@${hostname}` };
    const settings = runSettings(parseTarget(targetOf(server)), given);
    const cases = allCases.filter(({ name }) => name === 'a large message is pushed');
    const report = await runTarget({ settings, paths, cases });
    const text = describeRun(report);
    expect(report.verdict, text).toBe('passed');
    expect(report.paths, text).toEqual({ played: 3, stopped: 0, left: 0 });
  } finally {
    await server.stop(0);
    rmSync(directory, { recursive: true, force: true });
  }
}

test.skipIf(!hasIpv6)(
  'a target by its IPv6 address (skipped where there is no ::1)',
  () => expectPassed('::1', ['udp', 'tcp'], ({ sip }) => `sip:[::1]:${sip[0]!.port}`),
  120_000,
);

test('a target by its name', async () => {
  const { address } = await lookup('localhost');
  await expectPassed(address, ['udp', 'tcp'], ({ sip }) => `sip:localhost:${sip[0]!.port}`);
}, 120_000);

test(
  'a target over TCP and nothing else',
  () =>
    expectPassed('127.0.0.1', ['tcp'], ({ sip }) => {
      return `sip:127.0.0.1:${sip[0]!.port};transport=tcp`;
    }),
  120_000,
);

test('a name that leads nowhere: exit code 2, and the error as JSON', async () => {
  const written: string[] = [];
  process.exitCode = undefined;
  const command = verifyRunCommand((text) => written.push(text));
  await command.parseAsync(['--target', 'sip:nowhere.invalid', '--json'], { from: 'user' });
  const code = process.exitCode;
  process.exitCode = undefined;
  expect(code).toBe(2);
  expect(JSON.parse(written.join(''))).toMatchObject({ code: 'VERIFY_UNREACHABLE' });
}, 120_000);
