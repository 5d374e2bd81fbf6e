/** The quick start of the README, command by command, as somebody has it in a terminal. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mainPath, startServerProcess, type ServerProcess } from '../server-process.js';

let directory: string;
let server: ServerProcess;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'poste-start-'));
  server = await startServerProcess({ directory });
});
afterEach(async () => {
  await server.end('SIGTERM');
  rmSync(directory, { recursive: true, force: true });
});

/** Six processes, one after the other; five minutes are what a reader has. */
const slow = { timeout: 300_000 };

/** The commands of "Run it" behind the start of the server. */
function commands(): string[] {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const chapter = readme.split('\n## Run it\n')[1]!.split('\n## ')[0]!;
  const lines = chapter.split('\n').map((line) => line.trim());
  return lines.filter((line) => line.startsWith('node dist/main.js client '));
}

/** On whatever port is free; nothing else of it is altered. */
async function run(line: string): Promise<{ readonly code: number | null; readonly out: string }> {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
  const args = [...words.slice(2), '--server', `127.0.0.1:${server.sipPort}`];
  const child = spawn(process.execPath, [mainPath, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  await once(child, 'close');
  return { code: child.exitCode, out };
}

test('U30: send, watch, retrieve and push of the README do what it says', slow, async () => {
  const [send, watch, retrieve, again, push, ...others] = commands();
  expect(others).toEqual([]);
  const accepted = { code: 0, out: '202 Accepted\n' };
  expect(await run(send!)).toEqual(accepted);
  const watched = await run(watch!);
  expect(watched.out).toContain('messages waiting\n  Pager-Message: 1 new,');
  const retrieved = await run(retrieve!);
  expect(retrieved.out).toMatch(/^sip:alice@example\.org, .*\n {2}Hello Bob\n1 message\n$/);
  expect(await run(again!)).toEqual(accepted);
  const pushed = await run(push!);
  // What was retrieved is old and stays; what was pushed is the other one alone.
  expect(pushed.out).toMatch(/^registered .*\nsip:alice@example\.org, .*\n {2}Still there\?\n$/);
  expect([watched.code, retrieved.code, pushed.code]).toEqual([0, 0, 0]);
});
