/** The life of a message and of a call, from the trace of a real server. */

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SaxesParser } from 'saxes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTraceFile, type TraceFile } from '../../src/cli/trace-file.js';
import { ladderCommand, whyCommand } from '../../src/cli/why.js';
import {
  callOf,
  ladderSvg,
  ladderText,
  lineTrace,
  readTrace,
  whyOf,
  type Ladder,
  type TraceRecord,
} from '../../src/verify/index.js';
import type { Trace, TraceEntry, TurnEntry, TurnTrace } from '../../src/ports.js';
import { startWorld, type World } from '../e2e/world.js';
import { expectInOrder, spoken } from './spoken.js';

const body = 'a secret of Alice';
let world: World;
let directory: string;
let file: string;
let trace: TraceFile;
let callId: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'poste-trace-'));
  file = join(directory, 'trace.ndjson');
  trace = openTraceFile(file, 10_000_000, (error) => expect.fail(String(error)));
  let ended = (): void => undefined;
  const isOver = new Promise<void>((resolve) => (ended = resolve));
  const lines = lineTrace((line) => trace.write(line), false);
  const parts: Trace & TurnTrace = {
    record: (entry: TraceEntry | TurnEntry) => {
      lines.record(entry as TraceEntry & TurnEntry);
      if ('told' in entry && entry.told.some(({ event }) => event.type === 'push.ended')) ended();
    },
  };
  world = await startWorld({}, 'udp', {}, { trace: parts, turns: parts });
  const alice = await world.client('alice');
  ({ callId } = await alice.send('sip:bob@example.org', body));
  const bob = await world.client('bob', { onDelivery: () => undefined });
  await bob.register();
  await isOver;
});

afterAll(async () => {
  await world.end();
  trace.close();
  rmSync(directory, { recursive: true, force: true });
});

test('why tells the life of a message across SIP, turns and MSRP, while the server runs', async () => {
  const text = await spoken(whyCommand, ['sip:1@store.example.org', '--file', file]);
  expectInOrder(text, [
    'MESSAGE sip:bob@example.org',
    'message.received',
    'store 1',
    '202 Accepted (MESSAGE)',
    'INVITE sip:bob@',
    'ua/1',
    'MSRP SEND',
    'MSRP 200',
    'message.gone 1',
    'BYE',
  ]);
});

test('a ladder tells a call, as text, SVG and JSON', async () => {
  const text = await spoken(ladderCommand, [callId, '--file', file]);
  expectInOrder(text, ['MESSAGE sip:bob@', 'message.received', '202 Accepted (MESSAGE)']);
  expect(text).not.toContain('INVITE');
  const said = await spoken(ladderCommand, [callId, '--file', file, '--format', 'json']);
  const json = JSON.parse(said) as Ladder;
  expect(json.participants).toContain('server');
  const svg = await spoken(ladderCommand, [callId, '--file', file, '--format', 'svg']);
  let lines = 0;
  const parser = new SaxesParser({ xmlns: true });
  parser.on('opentag', ({ local }) => (lines += local === 'line' ? 1 : 0));
  parser.write(svg).close();
  expect(lines).toBe(json.rungs.length + json.participants.length);
});

test('a call that is not in the trace is told to be nowhere', async () => {
  const text = await spoken(ladderCommand, ['nowhere@example.org', '--file', file]);
  expect(text).toContain('nothing in the trace');
});

test('bodies are left out of the trace', () => {
  const text = readFileSync(file, 'utf8');
  expect(text).toContain('MESSAGE sip:bob@example.org');
  expect(text).not.toContain('secret');
});

test('hashed users are told apart and not named', () => {
  const lines: string[] = [];
  const hashing = lineTrace((line) => lines.push(line), true);
  const entry = (user: string): TraceEntry => ({
    ...{ at: 1, protocol: 'sip', direction: 'in', transport: 'udp' },
    ...{ local: '127.0.0.1:5060', remote: '127.0.0.1:5070' },
    bytes: Buffer.from(`MESSAGE sip:${user}@example.org SIP/2.0\r\nCall-ID: c\r\n\r\nsecret`),
  });
  for (const user of ['alice', 'bob', 'alice']) hashing.record(entry(user) as never);
  hashing.record({ account: 'bob@example.org', at: 2, told: [] } as never);
  expect(lines.join('')).not.toMatch(/alice|bob|secret/);
  expect(lines[0]).toBe(lines[2]);
  expect(lines[0]).not.toBe(lines[1]);
});

test('lines that are cut off or of others are counted, not believed', () => {
  const { records, unreadable } = readTrace('{"kind":"turn","at":1\nnull\n7\n{"at":1}\n\n');
  expect(records).toEqual([]);
  expect(unreadable).toBe(4);
});

test('a trace file begins anew at its bound and keeps the one before', () => {
  const path = join(directory, 'small.ndjson');
  const small = openTraceFile(path, 100, (error) => expect.fail(String(error)));
  for (let i = 0; i < 50; i++) small.write(`${JSON.stringify({ i })}\n`);
  small.close();
  expect(statSync(path).size).toBeLessThanOrEqual(100);
  expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(100);
  expect(readFileSync(path, 'utf8')).toContain('{"i":49}');
});

test('what a peer writes does not break the picture', () => {
  const head = 'OPTIONS <script>&\u0007 SIP/2.0\r\nCall-ID: x\r\n';
  const ladder = callOf(
    [{ kind: 'sip', at: 1, direction: 'in', local: 'a:1', remote: 'b:2', head }],
    'x',
  );
  expect(ladderSvg(ladder)).not.toContain('<script>');
  expect(ladderText(ladder)).not.toContain('\u0007');
});

test('what happens within a millisecond stands in the order of the trace', () => {
  const wire = { kind: 'sip', at: 1, local: '192.0.2.1:5060', remote: '192.0.2.9:5060' } as const;
  const call = 'CSeq: 1 MESSAGE\r\nCall-ID: c1\r\n';
  const told = [
    { to: 'mailbox', type: 'message.received', callId: 'c1', serial: 7 },
    { by: 'mailbox', to: 'ua/7', type: 'store', callId: 'c1', serial: 7 },
  ];
  const records: TraceRecord[] = [
    { ...wire, direction: 'in', head: `MESSAGE sip:bob@example.org SIP/2.0\r\n${call}` },
    { kind: 'turn', at: 1, account: 'bob@example.org', told },
    { ...wire, direction: 'out', head: `SIP/2.0 202 Accepted\r\n${call}` },
  ];
  const expected = [
    ...['MESSAGE sip:bob@example.org', 'message.received 7'],
    ...['store 7', '202 Accepted (MESSAGE)'],
  ];
  for (const { rungs } of [whyOf(records, '7'), callOf(records, 'c1')]) {
    expect(rungs.map(({ label }) => label)).toEqual(expected);
  }
});
