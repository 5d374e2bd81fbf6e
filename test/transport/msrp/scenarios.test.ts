/** Malformed and odd MSRP, sent to a real endpoint over a socket: one case per vector file. */

import { readFileSync, readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RawPeer, startEndpoint } from './raw-peer.js';
import type { Running } from './raw-peer.js';

type Step =
  | readonly ['send', string]
  | readonly ['bytes', string]
  | readonly ['close', string]
  | readonly ['pause', number]
  | readonly ['expect', string, readonly string[]];

interface Scenario {
  readonly steps: readonly Step[];
  /** How many messages may have been completed in the end. */
  readonly stored: readonly number[];
  readonly content: string | null;
  readonly note: string;
}

const folder = new URL('../../vectors/msrp-scenarios/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

let running: Running;

beforeEach(async () => {
  running = await startEndpoint();
});

afterEach(async () => {
  await running.endpoint.stop(0);
});

test('there are scenarios', () => {
  expect(files.length).toBe(41);
});

test.each(files)('MSRP-09: %s', async (file) => {
  const scenario = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Scenario;
  const { endpoint, recorder, log } = running;
  const to = endpoint.reserve('mailbox');
  endpoint.connect('mailbox', { path: ['msrp://127.0.0.1:9/peer;tcp'], active: false });
  const peer = await RawPeer.to(endpoint);

  for (const step of scenario.steps) {
    if (step[0] === 'send') peer.write(fill(step[1], to));
    else if (step[0] === 'bytes') for (const octet of fill(step[1], to)) peer.write(octet);
    else if (step[0] === 'pause') await settle();
    else if (step[0] === 'close') await hangUp(peer);
    else if (step[0] === 'expect')
      expect(await outcome(peer, step[1], step[2]), scenario.note).toBeOneOf([...step[2]]);
  }

  await settle();
  expect(recorder.bodies.length, scenario.note).toBeOneOf([...scenario.stored]);
  if (scenario.content !== null && recorder.bodies.length > 0) {
    expect(recorder.bodies.map(String)).toEqual([scenario.content]);
  }
  for (const line of log.lines) {
    expect(line.code).toMatch(/^MSRP_[A-Z_]+$/);
    expect(line.text).not.toMatch(/hello|BBBB|aaaa|\n/);
  }
  expect(log.lines.length).toBeLessThanOrEqual(2);
});

function fill(text: string, to: string): string {
  return text
    .replaceAll('{TO}', to)
    .replaceAll('{FROM}', 'msrp://127.0.0.1:9/peer;tcp')
    .replaceAll(/\{B:(\d+)\}/g, (_match, count: string) => 'B'.repeat(Number(count)));
}

async function outcome(peer: RawPeer, id: string, accepted: readonly string[]): Promise<string> {
  if (accepted.includes('none')) await settle();
  else await peer.status(id);
  const status = peer.statusNow(id);
  if (status !== undefined) return String(status);
  return peer.isClosed && accepted.includes('closed') ? 'closed' : 'none';
}

/** Closes the peer's side and waits until the endpoint has noticed. */
async function hangUp(peer: RawPeer): Promise<void> {
  peer.socket.end();
  await peer.closed();
}

/** Two exchanges on connections of their own: whatever was sent before has been read by then. */
async function settle(): Promise<void> {
  const { endpoint } = running;
  for (const id of ['probe0001', 'probe0002']) {
    const owner = `probe ${id} ${running.recorder.heard.length}`;
    const to = endpoint.reserve(owner);
    const probe = await RawPeer.to(endpoint);
    const paths = `To-Path: ${to}\r\nFrom-Path: msrp://127.0.0.1:9/probe;tcp\r\n`;
    probe.write(`MSRP ${id} SEND\r\n${paths}Message-ID: ${id}\r\n-------${id}$\r\n`);
    expect(await probe.status(id)).toBe(200);
    endpoint.release(owner);
    probe.socket.destroy();
  }
}
