import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verifyCheckCommand } from '../../../src/cli/verify-check.js';
import type { Observed } from '../../../src/verify/capture/observed.js';
import { writePcap, writePcapng } from '../../../src/verify/capture/write.js';
import type { Verdict } from '../../../src/verify/check/verdict.js';
import { mutations } from './mutations.js';
import { plays } from './plays.js';
import { recorded } from './recorded.js';

let directory: string;
let push: readonly Observed[];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'poste-check-'));
  push = await recorded(plays['push']!.play);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Said {
  readonly text: string;
  readonly complaint: string;
  readonly exitCode: number;
}

async function check(octets: Buffer | undefined, ...options: readonly string[]): Promise<Said> {
  const path = join(directory, 'trace');
  rmSync(path, { force: true });
  if (octets) writeFileSync(path, octets);
  let text = '';
  let complaint = '';
  const command = verifyCheckCommand(
    (more) => (text += more),
    (more) => (complaint += more),
  );
  await command.parseAsync([path, ...options], { from: 'user' });
  const exitCode = Number(process.exitCode);
  process.exitCode = 0;
  return { text, complaint, exitCode };
}

test('a capture that conforms: 0, and what was judged', async () => {
  for (const write of [writePcap, writePcapng]) {
    const { text, exitCode } = await check(write(push), '--from-start');
    expect(exitCode, text).toBe(0);
    expect(text).toContain('bob@example.org: 2');
    expect(text).toContain('not judged: 1 OPTIONS to the server');
    expect(text).toMatch(/conforms\n$/);
  }
});

test('a capture that violates: 1, the message, the state, what was allowed and the clause', async () => {
  const { messages, at } = mutations.find(({ name }) => name === 'swap two SENDs')!.mutate(push);
  const { text, exitCode } = await check(writePcap(messages));
  expect(exitCode).toBe(1);
  expect(text).toContain('SEND of the message of Call-ID');
  expect(text).toContain('clause: D-72');
  expect(text).toContain('push/1 running.sending');
  expect(text).toMatch(/allowed: SEND of the message of Call-ID/);
  const json = JSON.parse((await check(writePcap(messages), '--json')).text) as Verdict;
  expect(json.conforms).toBe(false);
  expect(json.violations[0]!.at).toBe(messages.find(({ number }) => number === at)!.at);
});

test('a capture that begins in the middle says so', async () => {
  const { text, exitCode } = await check(writePcap(push.slice(8)));
  expect(exitCode, text).toBe(0);
  expect(text).toContain('before the trace: ');
});

test('what cannot be judged: 2', async () => {
  expect((await check(undefined)).exitCode).toBe(2);
  const broken = await check(Buffer.from('this is no capture'));
  expect([broken.exitCode, broken.complaint]).toEqual([2, expect.stringContaining('CAPTURE_FORM')]);
  const silent = await check(writePcap([]));
  expect(silent.exitCode).toBe(2);
});

test('settings that cannot be used are named, and so is an identity of nobody: 2', async () => {
  const settings = join(directory, 'poste.yaml');
  writeFileSync(settings, 'nonsense');
  const wrong = await check(writePcap(push), '--settings', settings);
  expect(wrong.complaint.startsWith(`${settings}: CONFIG_INVALID: `)).toBe(true);
  const nobody = await check(writePcap(push), '--identity', 'nonsense');
  expect(nobody.complaint).toContain('VERIFY_IDENTITY: nonsense is no alias=user');
  expect([wrong.exitCode, nobody.exitCode]).toEqual([2, 2]);
});
