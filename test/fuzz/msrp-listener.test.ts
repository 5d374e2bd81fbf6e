/** Fuzzing of the MSRP listener of a real server, inside sessions of retrievals and outside. */

import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRetrieval } from '../torture/retrieval.js';
import { startHostileServer } from '../torture/server.js';
import type { HostileServer } from '../torture/server.js';
import { User } from '../torture/user.js';
import { readCorpus } from './corpus.js';
import type { Draw } from './draw.js';
import { fuzzTimeoutMs } from './duration.js';
import { fuzzLive } from './live.js';
import { scenarioSeeds, vectorSeeds } from './seeds.js';
import { msrpWords } from './words.js';

const aor = 'sip:tomas@example.invalid';
let hostile: HostileServer;

beforeAll(async () => {
  hostile = await startHostileServer({
    sip: { timers: { t1: 20, t2: 40, t4: 50 } },
    msrp: { sessions: 64, connections: 64, bindMs: 500, responseMs: 500, idleMs: 1_000 },
    bounds: { accounts: 64, queue: 500, digests: 100 },
    limits: {
      quota: { messages: 5, octets: 1_000_000 },
      push: { default: false },
      retrieval: { after: 'keep', count: 64 },
    },
  });
  const user = await User.at(hostile.tcp);
  for (let n = 0; n < 3; n++) expect(await user.message(aor)).toBe(202);
  await user.close();
});

afterAll(() => hostile.stop());

test('MSRP-09: changed MSRP on the listener', { timeout: fuzzTimeoutMs }, async () => {
  const corpus = [...vectorSeeds('msrp'), ...scenarioSeeds(), ...readCorpus('msrp')].map(withNames);
  expect(corpus.length).toBeGreaterThan(60);
  await fuzzLive(
    {
      name: 'MSRP listener',
      material: { corpus, words: msrpWords },
      async send(inputs, draw) {
        for (let from = 0; from < inputs.length;) {
          const some = inputs.slice(from, from + 1 + draw.below(5));
          from += some.length;
          await (draw.once(4) ? outside(some, draw) : inside(some, draw));
        }
      },
    },
    hostile,
  );
});

/** Vectors have paths of their own: in a session those of the session stand in their place. */
function withNames(bytes: Buffer): Buffer {
  const text = bytes
    .toString('latin1')
    .replace(/^To-Path: \S+\r$/gm, 'To-Path: {TO}\r')
    .replace(/^From-Path: \S+\r$/gm, 'From-Path: {FROM}\r');
  return Buffer.from(text, 'latin1');
}

async function outside(inputs: readonly Buffer[], draw: Draw): Promise<void> {
  const socket = await open();
  await write(socket, Buffer.concat(inputs), draw);
}

/** Mostly bound by a good SEND before, so that what follows meets a live session. */
async function inside(inputs: readonly Buffer[], draw: Draw): Promise<void> {
  const session = await openRetrieval(hostile.tcp, aor);
  const { to, from } = session;
  const binding =
    `MSRP bind0001 SEND\r\nTo-Path: ${to}\r\nFrom-Path: ${from}\r\n` +
    'Message-ID: bind0001\r\n-------bind0001$\r\n';
  const filled = inputs.map((input) =>
    Buffer.from(
      input.toString('latin1').replaceAll('{TO}', to).replaceAll('{FROM}', from),
      'latin1',
    ),
  );
  const socket = await open();
  if (!draw.once(4)) socket.write(binding);
  await write(socket, Buffer.concat(filled), draw);
  await session.end();
}

async function open(): Promise<Socket> {
  const socket = connect(hostile.msrp.port, '127.0.0.1');
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.resume();
  await once(socket, 'connect');
  return socket;
}

/** Cut anywhere; then the connection is closed, mostly after the server had time to answer. */
async function write(socket: Socket, bytes: Buffer, draw: Draw): Promise<void> {
  const closed = socket.destroyed || new Promise((resolve) => socket.on('close', resolve));
  for (let at = 0; at < bytes.length;) {
    const size = 1 + draw.below(draw.once(3) ? 40 : 4_000);
    if (socket.writable) socket.write(bytes.subarray(at, at + size));
    at += size;
  }
  if (draw.once(4)) socket.destroy();
  else socket.end();
  await closed;
}
