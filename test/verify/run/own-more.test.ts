/** The tester against our own server with documents, credentials, TLS, and an S-CSCF. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { settingsOf, type SettingsInput } from '../../../src/config.js';
import { startServer, type Server } from '../../../src/server.js';
import { allCases } from '../../../src/verify/run/cases.js';
import { parseCredentials } from '../../../src/verify/run/credentials.js';
import type { Path } from '../../../src/verify/run/play.js';
import { describeRun } from '../../../src/verify/run/report.js';
import { runTarget, type RunReport } from '../../../src/verify/run/run.js';
import { runSettings, type RunSettings } from '../../../src/verify/run/settings.js';
import { hostname } from '../../e2e/world.js';

const paths: readonly Path[] = [
  [
    { do: 'submit', message: 0, kind: 'reports' },
    { do: 'register', client: 'im' },
    { do: 'accept', role: 'active' },
    { do: 'take' },
  ],
  [
    { do: 'subscribe' },
    { do: 'submit', message: 0, kind: 'plain' },
    { do: 'retrieve', faults: [] },
    { do: 'take' },
    { do: 'unsubscribe' },
  ],
];

const vector = (name: string): string =>
  fileURLToPath(new URL(`../../vectors/tls/${name}`, import.meta.url));

/** What the tester says of a server with those settings. */
async function judge(
  transport: 'udp' | 'tcp' | 'tls',
  more: SettingsInput,
  given: (server: Server) => Partial<RunSettings>,
  names: RegExp,
): Promise<RunReport> {
  const directory = mkdtempSync(join(tmpdir(), 'poste-judged-'));
  const listen = transport === 'tls' ? [] : [{ transport: 'tcp' as const, port: 0 }];
  const server = await startServer(
    settingsOf({
      ...more,
      sip: { listen: [{ transport, port: 0 }, ...listen], ...more.sip },
      msrp: { port: 0 },
      store: { directory: join(directory, 'store') },
      identity: { hostname, domains: ['example.org'], ...more.identity },
      log: { level: 'silent' },
    }),
  );
  try {
    const target = { host: '127.0.0.1', port: server.sip[0]!.port, transport };
    const deferred = `sip:Deferred@${hostname}`;
    const settings = runSettings(target, { timeoutMs: 30_000, deferred, ...given(server) });
    const cases = allCases.filter(({ name }) => names.test(name));
    return await runTarget({ settings, paths, cases });
  } finally {
    await server.stop(0);
    rmSync(directory, { recursive: true, force: true });
  }
}

function expectPassed(report: RunReport, ...ids: readonly string[]): void {
  const text = describeRun(report);
  expect(report.verdict, text).toBe('passed');
  for (const id of ids) {
    expect(report.items.find((item) => item.id === id)?.verdict, text).toBe('passed');
  }
}

test.concurrent(
  'S1-META-ADD, S1-META-DEL: documents of the XDMS',
  async () => {
    const root = (server: Server) => ({ xcapRoot: `http://127.0.0.1:${server.xcap!.port}/xcap` });
    const report = await judge('udp', { xcap: { port: 0 } }, root, /metadata|settings in/);
    expectPassed(report, 'S1-META-ADD', 'S1-META-DEL', 'S8-XCAP');
  },
  120_000,
);

test.concurrent(
  'AUTH-01, AUTH-02: a server that asks everybody for credentials',
  async () => {
    const users = ['alice', ...Array.from({ length: 6 }, (_, i) => `user${i}`)];
    const known = users.map((user) => [`sip:${user}@example.org`, { password: `${user} secret` }]);
    const credentials = Object.fromEntries(known) as Record<string, { password: string }>;
    const given = {
      // Reports that are not seen are waited for to the end.
      timeoutMs: 8_000,
      credentials: parseCredentials(users.map((user) => `${user}:${user} secret`).join('\n')),
    };
    const more = { identity: { credentials, trustedPeers: [] } };
    const report = await judge('udp', more, () => given, /digest|a large message is pushed/);
    const verdicts = new Map(report.items.map(({ id, verdict }) => [id as string, verdict]));
    for (const id of ['AUTH-01', 'AUTH-02', 'IMSpec-DMT-S-004', 'IMSpec-DMT-S-012']) {
      expect(verdicts.get(id), describeRun(report)).toBe('passed');
    }
    // Where a sender with an account gets his reports is not seen, and no fault.
    expect([...verdicts.values()], describeRun(report)).not.toContain('failed');
  },
  120_000,
);

test.concurrent(
  'TP-01: a target over TLS',
  async () => {
    const tls = { certificate: vector('server.pem'), key: vector('server.key') };
    const ca = readFileSync(vector('authority.pem'), 'utf8');
    const report = await judge('tls', { sip: { tls } }, () => ({ ca }), /large message is/);
    expectPassed(report, 'IMSpec-DMT-S-001', 'IMSpec-DMT-S-004', 'IMSpec-DMT-S-012');
  },
  120_000,
);

test.concurrent(
  'TPR-01: a server that takes the REGISTER of an S-CSCF alone',
  async () => {
    const more = { identity: { registrar: false } };
    const given = { registration: 'third-party' } as const;
    expectPassed(await judge('udp', more, () => given, /is pushed/), 'IMSpec-DMT-S-004');
    const brief = { timeoutMs: 1000 };
    const plain = await judge('udp', more, () => brief, /is pushed/);
    expect(plain.verdict, describeRun(plain)).not.toBe('passed');
  },
  120_000,
);
