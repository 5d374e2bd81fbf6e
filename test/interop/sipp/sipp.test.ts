import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, existsSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isInstalled, mainPath, startServerProcess } from '../../server-process.js';
import type { ServerProcess } from '../../server-process.js';

const run = promisify(execFile);
const messages = Number(process.env['SIPP_MESSAGES'] ?? 1000);
const rate = 2000;
/** ms; the client syncs every message to its disk before it confirms it. */
const patience = 120_000 + 60 * messages;
const scenario = fileURLToPath(new URL('store.xml', import.meta.url));
const body = /^id=(\d+); The quick brown fox jumps over the lazy dog\. Grüße aus Köln\.(\r\n)?$/;

let directory: string;
let server: ServerProcess;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'poste-sipp-'));
  server = await startServerProcess({ directory: join(directory, 'store') });
});

afterEach(async () => {
  await server.end('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

describe.skipIf(!isInstalled('sipp'))(
  'SIPp as sender (skipped where sipp is not installed)',
  () => {
    test.each(['UDP', 'TCP'] as const)(
      `IMSpec-DMT-S-001: ${messages} messages over %s are stored once each, byte for byte`,
      { timeout: patience },
      async (transport) => {
        const acknowledged = await store(transport);
        expect(acknowledged).toHaveLength(messages);
        expect(await retrieve()).toEqual(acknowledged);
      },
    );

    test(
      'U6: after kill -9 in the middle every message with a 202 is there, none twice',
      { timeout: patience },
      async () => {
        const sending = store('UDP');
        await some(() => acknowledgedSoFar().length > messages / 4);
        await server.end('SIGKILL');
        const { sipPort, msrpPort } = server;
        server = await startServerProcess({
          directory: join(directory, 'store'),
          sipPort,
          msrpPort,
        });
        const acknowledged = await sending;
        expect(acknowledged).toHaveLength(messages);
        expect(await retrieve()).toEqual(acknowledged);
      },
    );
  },
);

/** Sends all messages; the sorted numbers of those that saw a 202. */
async function store(transport: 'UDP' | 'TCP'): Promise<number[]> {
  const args = ['-sf', scenario, '-m', String(messages), '-r', String(rate), '-l', '256'];
  const log = ['-trace_logs', '-log_file', join(directory, 'acknowledged')];
  const socket = ['-t', transport === 'UDP' ? 'u1' : 't1', '-i', '127.0.0.1'];
  const quiet = ['-nostdin', '-timeout', `${patience / 2000}s`, ...socket];
  await run('sipp', [`127.0.0.1:${server.sipPort}`, ...args, ...log, ...quiet], {
    cwd: directory,
    maxBuffer: 1 << 28,
  });
  return acknowledgedSoFar();
}

function acknowledgedSoFar(): number[] {
  const path = join(directory, 'acknowledged');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').split('\n').filter(Boolean).map(Number).sort(byNumber);
}

/** Fetches everything with the command of the client; the sorted numbers of the messages. */
async function retrieve(): Promise<number[]> {
  const output = join(directory, 'retrieved');
  const address = ['--server', `127.0.0.1:${server.sipPort}`, '--user', 'sip:bob@example.org'];
  await run(process.execPath, [mainPath, 'client', 'retrieve', ...address, '--output', output], {
    maxBuffer: 1 << 28,
  });
  return readdirSync(output)
    .map((name) => {
      const found = body.exec(readFileSync(join(output, name), 'utf8'));
      expect(found, name).not.toBeNull();
      return Number(found![1]);
    })
    .sort(byNumber);
}

/** Waits until `condition` holds; looks again whenever SIPp has written. */
async function some(condition: () => boolean): Promise<void> {
  for await (const _ of watch(directory)) if (condition()) return;
}

const byNumber = (a: number, b: number): number => a - b;
