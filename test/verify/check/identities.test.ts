/** Users who are addressed by a number: whose it is, real captures tell, or whoever judges them. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { verifyCheckCommand } from '../../../src/cli/verify-check.js';
import { checkTrace, type CheckOptions } from '../../../src/verify/check/check.js';
import type { Observed } from '../../../src/verify/capture/observed.js';
import { writePcap } from '../../../src/verify/capture/write.js';
import { answerTo, edit, find, invite, line, said, withoutExchange } from './mutate.js';
import { recorded, type Stage } from './recorded.js';

const number = 'tel:+1-202-555-0147';
const bob = 'sip:bob@example.org';
const known: CheckOptions = { identities: new Map([[number, bob]]) };

let trace: readonly Observed[];

/** Sent to a number, pushed to the user whose it is. */
async function called({ ask, client, until }: Stage): Promise<void> {
  const message = { method: 'MESSAGE', headers: [['Content-Type', 'text/plain']] as const };
  const toNumber = { ...message, uri: 'tel:+12025550147', callId: 'to-number', branch: 'number' };
  expect((await ask({ ...toNumber, body: 'by number' })).status).toBe(202);
  const toUser = { ...message, uri: bob, callId: 'to-user', branch: 'user' };
  expect((await ask({ ...toUser, body: 'by name' })).status).toBe(202);
  const user = await client('bob', { onDelivery: () => undefined });
  expect((await user.register()).status).toBe(200);
  await until((lines) => {
    const ended = lines.findIndex((one) => one.startsWith('BYE'));
    return ended >= 0 && lines.slice(ended).some((one) => one.startsWith('SIP/2.0 200'));
  });
}

beforeAll(async () => {
  const identity = { aliases: { 'tel:+12025550147': bob } };
  trace = await recorded(called, {}, { identity });
});

function judged(messages: readonly Observed[], options: CheckOptions = {}) {
  const { violations, users } = checkTrace(
    { messages, remarks: [] },
    { fromStart: true, ...options },
  );
  return { violations, users: users.map(({ user }) => user) };
}

test('a number that is given: both messages are of one user, in the order in which they came', () => {
  expect(judged(trace, known)).toEqual({ violations: [], users: ['bob@example.org'] });
});

test('P-Associated-URI in the answer to the REGISTER tells whose the number is', () => {
  const told = `P-Associated-URI: <${bob}>, <tel:+12025550147>\r\n`;
  const granted = edit(answerTo(200, 'REGISTER'), said(/^Call-ID:/m, `${told}Call-ID:`));
  const { messages } = granted(trace);
  expect(judged(messages)).toEqual({ violations: [], users: ['bob@example.org'] });
});

test('where nothing tells, what is delivered does', () => {
  expect(judged(trace)).toEqual({ violations: [], users: ['bob@example.org'] });
});

test('IMSpec-DMT-S-004: what was sent to the number is owed to the user', () => {
  const push = find(trace, invite);
  const register = find(trace, line(/^REGISTER /));
  const answer = find(trace, answerTo(200, 'REGISTER'));
  const isOfPush = ({ number: at }: Observed): boolean =>
    at > answer.number && at < trace.length - 1;
  const only = withoutExchange(trace, find(trace, line(/^MESSAGE sip:bob/)));
  const messages = only.filter((one) => !isOfPush(one));
  expect(messages).not.toContain(push);
  const settings = { pushes: true };
  const { violations } = judged(messages, { ...known, settings });
  expect(violations.map(({ clause: { id }, number: at }) => [id, at])).toEqual([
    ['IMSpec-DMT-S-004', register.number],
  ]);
  // Of a number that is nobody's nothing is owed to anybody.
  expect(judged(messages, { settings }).violations).toEqual([]);
});

test('IMSpec-DMT-S-009: what was sent to another AoR is not taken for an alias', () => {
  const other = /^MESSAGE tel:\+12025550147/;
  const { messages } = edit(line(other), said(other, 'MESSAGE sip:carol@example.org'))(trace);
  const ids = judged(messages).violations.map(({ clause: { id } }) => id);
  expect(ids).toContain('IMSpec-DMT-S-009');
});

test('--identity takes the number as it is written', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'poste-identities-'));
  let text = '';
  try {
    const file = join(directory, 'trace.pcap');
    writeFileSync(file, writePcap(trace));
    const command = verifyCheckCommand((more) => (text += more));
    const options = ['--from-start', '--identity', `${number}=${bob}`];
    await command.parseAsync([file, ...options], { from: 'user' });
    expect([process.exitCode, text]).toEqual([0, expect.stringMatching(/conforms\n$/)]);
    expect(text).not.toContain('+12025550147');
  } finally {
    process.exitCode = 0;
    rmSync(directory, { recursive: true, force: true });
  }
});
