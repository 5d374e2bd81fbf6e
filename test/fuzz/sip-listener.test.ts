/** Fuzzing of the SIP listeners of a real server, over UDP and TCP. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startHostileServer } from '../torture/server.js';
import type { HostileServer, Place } from '../torture/server.js';
import { sipCases } from '../torture/sip-cases.js';
import { readCorpus } from './corpus.js';
import type { Draw } from './draw.js';
import { fuzzTimeoutMs } from './duration.js';
import { fuzzLive } from './live.js';
import { withContentLength } from './mutate.js';
import { sipSeeds } from './seeds.js';
import { sipWords } from './words.js';

let hostile: HostileServer;

beforeAll(async () => {
  hostile = await startHostileServer({
    // Short timers and small bounds: what is pending shows in memory only when it leaks.
    sip: { timers: { t1: 20, t2: 40, t4: 50 }, transactions: 2_000, connections: 64 },
    bounds: { accounts: 64, queue: 500, digests: 100 },
    limits: { quota: { messages: 20, octets: 1_000_000 }, push: { default: false } },
  });
});

afterAll(() => hostile.stop());

test('TP-07: changed SIP on the listeners', { timeout: fuzzTimeoutMs }, async () => {
  const sentBy = '127.0.0.1:9';
  const filled = sipCases().map((given) => given.bytes({ sentBy, token: 'r4nd0m', user: 'tomas' }));
  const corpus = [...filled, ...sipSeeds(), ...readCorpus('sip'), ...readCorpus('sip-stream')];
  expect(corpus.length).toBeGreaterThan(100);
  await fuzzLive(
    {
      name: 'SIP listeners',
      material: { corpus, words: sipWords },
      mend: withContentLength,
      async send(inputs, draw) {
        const fresh = inputs.map((input) => renamed(input, draw));
        await (draw.once(2) ? datagrams(hostile.udp, fresh) : streams(hostile.tcp, fresh, draw));
      },
    },
    hostile,
  );
});

/** Another transaction and call every time, or most inputs would be retransmissions. */
function renamed(input: Buffer, draw: Draw): Buffer {
  if (draw.once(5)) return input;
  const token = draw
    .below(2 ** 31)
    .toString(36)
    .padStart(6, '0')
    .slice(0, 6);
  return Buffer.from(input.toString('latin1').replaceAll('r4nd0m', token), 'latin1');
}

async function datagrams(to: Place, inputs: readonly Buffer[]): Promise<void> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  for (const input of inputs) {
    await new Promise((resolve) => socket.send(input, to.port, to.address, resolve));
  }
  socket.close();
}

/** Some inputs behind each other on one connection, cut anywhere. */
async function streams(to: Place, inputs: readonly Buffer[], draw: Draw): Promise<void> {
  for (let from = 0; from < inputs.length;) {
    const count = 1 + draw.below(6);
    await stream(to, Buffer.concat(inputs.slice(from, from + count)), draw);
    from += count;
  }
}

async function stream(to: Place, bytes: Buffer, draw: Draw): Promise<void> {
  const socket = connect(to.port, to.address);
  socket.setNoDelay(true);
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.on('error', () => socket.destroy());
  socket.resume();
  await Promise.race([once(socket, 'connect').catch(() => undefined), closed]);
  for (let at = 0; at < bytes.length;) {
    const size = 1 + draw.below(draw.once(3) ? 40 : 4_000);
    if (!socket.destroyed) socket.write(bytes.subarray(at, at + size));
    at += size;
  }
  if (draw.once(4)) socket.destroy();
  else socket.end();
  await closed;
}
