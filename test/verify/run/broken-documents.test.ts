/** Documents and credentials: a server that breaks what a case looks at fails the item of that. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { settingsOf } from '../../../src/config.js';
import { startServer, type Server } from '../../../src/server.js';
import { allCases } from '../../../src/verify/run/cases.js';
import { parseCredentials } from '../../../src/verify/run/credentials.js';
import { describeRun } from '../../../src/verify/run/report.js';
import { runTarget } from '../../../src/verify/run/run.js';
import { runSettings, type RunSettings } from '../../../src/verify/run/settings.js';
import { hostname } from '../../e2e/world.js';
import { relayDatagrams, relayHttp, type HttpChange } from './relay.js';

const directory = mkdtempSync(join(tmpdir(), 'poste-broken-'));
let server: Server;
let guarded: Server;

/** One that trusts everybody, and one that asks for credentials. */
beforeAll(async () => {
  server = await start('open', {});
  const credentials = { alice: { password: 'a' }, bob: { password: 'b' } };
  guarded = await start('guarded', {
    credentials: named(credentials),
    trustedPeers: [],
  });
}, 60_000);

afterAll(async () => {
  await Promise.all([server.stop(0), guarded.stop(0)]);
  rmSync(directory, { recursive: true, force: true });
});

const first = '<history ';
const documents: readonly {
  readonly name: string;
  readonly shownBy: RegExp;
  readonly broken: HttpChange;
  readonly failed: readonly string[];
}[] = [
  {
    name: 'nothing is broken',
    shownBy: /metadata|settings in/,
    broken: { change: (answered) => answered },
    failed: [],
  },
  {
    name: 'the metadata name another message',
    shownBy: /metadata/,
    broken: { change: ({ body, ...more }) => ({ ...more, body: misnamed(body) }) },
    failed: ['S1-META-ADD'],
  },
  {
    name: 'the ETag stays',
    shownBy: /metadata/,
    broken: { change: (answered) => ({ ...answered, etag: '"same"' }) },
    failed: ['S1-META-ADD'],
  },
  {
    name: 'metadata stay when the message is gone',
    shownBy: /metadata/,
    broken: staying(),
    failed: ['S1-META-DEL'],
  },
  {
    name: 'settings are taken and not kept',
    shownBy: /settings in/,
    broken: { isPassed: (method) => method !== 'PUT', change: (answered) => answered },
    failed: ['S8-XCAP'],
  },
];

test.concurrent.each(documents)('documents: $name', { timeout: 120_000 }, async (rule) => {
  const relay = await relayHttp(server.xcap!.port, rule.broken);
  try {
    const xcapRoot = `http://127.0.0.1:${relay.port}/xcap`;
    const { port } = server.sip[0]!;
    await expectFailed({ port, given: { xcapRoot }, ...rule });
  } finally {
    relay.close();
  }
});

const answers: readonly {
  readonly name: string;
  readonly change: (response: string, request: string) => string;
  readonly failed: readonly string[];
}[] = [
  { name: 'nothing is broken', change: (response) => response, failed: [] },
  {
    name: 'a challenge twice for one algorithm',
    change: (response) => response.replace(/^(WWW-Authenticate:.*\r\n)/im, '$1$1'),
    failed: ['AUTH-01'],
  },
  {
    name: 'every password is taken',
    change: (response, request) =>
      request.includes('cnonce="wrong"')
        ? response.replace(/^SIP\/2.0 401/, 'SIP/2.0 200')
        : response,
    failed: ['AUTH-01'],
  },
  {
    name: 'the right password is refused',
    change: (response) => response.replace(/^SIP\/2.0 200/, 'SIP/2.0 500'),
    failed: ['AUTH-01'],
  },
  {
    name: 'the proof is of somebody who does not know the password',
    change: (response) => response.replace(/rspauth="[0-9a-f]{4}/, 'rspauth="0000'),
    failed: ['AUTH-02'],
  },
];

test.concurrent.each(answers)('credentials: $name', { timeout: 120_000 }, async (rule) => {
  const relay = await relayDatagrams(guarded.sip[0]!.port, rule.change);
  try {
    const given = { credentials: parseCredentials('alice:a\nbob:b') };
    await expectFailed({ port: relay.port, given, shownBy: /^digest/, failed: rule.failed });
  } finally {
    relay.close();
  }
});

async function expectFailed(rule: {
  readonly port: number;
  readonly given: Partial<RunSettings>;
  readonly shownBy: RegExp;
  readonly failed: readonly string[];
}): Promise<void> {
  const { port, given, shownBy, failed } = rule;
  const target = { host: '127.0.0.1', port, transport: 'udp' as const };
  const deferred = `sip:Deferred@${hostname}`;
  const settings = runSettings(target, { deferred, timeoutMs: 1500, quietMs: 100, ...given });
  const cases = allCases.filter(({ name }) => shownBy.test(name));
  const report = await runTarget({ settings, paths: [], cases });
  const seen = report.items.filter(({ verdict }) => verdict === 'failed').map(({ id }) => id);
  expect(seen, describeRun(report)).toEqual(failed);
  if (failed.length === 0) expect(report.verdict, describeRun(report)).toBe('passed');
}

function start(name: string, identity: object): Promise<Server> {
  return startServer(
    settingsOf({
      sip: { listen: [{ transport: 'udp', port: 0 }] },
      msrp: { port: 0 },
      xcap: { port: 0 },
      store: { directory: join(directory, name) },
      identity: { hostname, domains: ['example.org'], ...identity },
      log: { level: 'silent' },
    }),
  );
}

function named(users: Record<string, { readonly password: string }>) {
  return Object.fromEntries(
    Object.entries(users).map(([user, given]) => [`sip:${user}@example.org`, given]),
  );
}

/** The number of every Message-ID is another one. */
function misnamed(body: string): string {
  return body.replace(/sip:\d+@/g, (id) => id.replace('sip:', 'sip:9'));
}

/** Whoever has answered with two elements does so again. */
function staying(): HttpChange {
  let kept: string | undefined;
  return {
    change(answered) {
      if (answered.body.split(first).length > 2) kept = answered.body;
      return kept === undefined ? answered : { ...answered, body: kept };
    },
  };
}
