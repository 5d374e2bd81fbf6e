/**
 * Large messages in and out, against the same octets framed as MSRP by a process that only counts
 * them, and by one that does the same disk work (`lib/framed-copy.mjs`).
 */

import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { createImClient } from '../../dist/client/connect.js';
import { framedCopy } from '../lib/framed-copy.mjs';
import { newDirectory, usageOf } from '../lib/processes.mjs';
import { closeAll, openAll } from './servers.mjs';

export const about = 'one large message over MSRP: taken to the disk, and given out again';

const mebi = 2 ** 20;
const chunk = 65_536;

export async function run(bench) {
  const size = (bench.megabytes ?? (bench.quick ? 16 : 512)) * mebi;
  const results = [];
  for (let repetition = 1; repetition <= bench.repetitions; repetition++) {
    bench.say(`large, ${size / mebi} MB: ${repetition} of ${bench.repetitions}`);
    const framed = await framedCopy(size);
    const keptIn = await framedCopy(size, 'in');
    const { taken, given, peak } = await throughServer(bench, size);
    const keptOut = await framedCopy(size, 'out');
    results.push({ framed, keptIn, keptOut, taken, given, peak });
  }
  tell(bench, size, results);
}

function tell(bench, size, results) {
  const one = (what, unit, better, of) =>
    bench.figure({
      ...{ who: 'ours', name: `${size / mebi} MB ${what}`, unit, better },
      ...{ loss: 0, values: results.map(of) },
    });
  const rates = [
    ['framed copy, nothing kept', ({ framed }) => framed],
    ['framed copy, kept as it comes in', ({ keptIn }) => keptIn],
    ['framed copy, from disk to disk', ({ keptOut }) => keptOut],
    ['in', ({ taken }) => taken],
    ['out', ({ given }) => given],
  ];
  for (const [what, of] of rates) {
    one(what, 'MB/s', 'more', (result) => size / 1e6 / of(result).seconds);
    one(what, 'CPU s per GiB', 'less', (result) => (of(result).cpu * 2 ** 30) / size);
  }
  const part = (what, of, whole) =>
    one(what, '%', 'more', (result) => (whole(result).seconds / of(result).seconds) * 100);
  part(
    'in, part of the framed copy',
    ({ taken }) => taken,
    ({ framed }) => framed,
  );
  part(
    'in, part of the framed copy that keeps',
    ({ taken }) => taken,
    ({ keptIn }) => keptIn,
  );
  part(
    'out, part of the framed copy',
    ({ given }) => given,
    ({ framed }) => framed,
  );
  part(
    'out, part of the framed copy that keeps',
    ({ given }) => given,
    ({ keptOut }) => keptOut,
  );
  one('peak of the server', 'MB resident', 'less', ({ peak }) => peak / mebi);
}

/** CPU seconds are those of the server alone; the client is in this process. */
async function throughServer(bench, size) {
  const servers = await openAll(bench, { peers: [] });
  const [server] = servers;
  const clientOf = async (user) => {
    const client = createImClient({
      aor: `sip:${user}@example.test`,
      server: { host: '127.0.0.1', port: server.port, transport: 'tcp' },
      identity: 'asserted',
      spool: newDirectory(),
      limits: { spooledBytes: 2 * size },
    });
    await client.start();
    return client;
  };
  let peak = 0;
  const look = setInterval(() => (peak = Math.max(peak, usageOf(server.pids).memory)), 250);
  const alice = await clientOf('alice');
  const bob = await clientOf('bob');
  try {
    const block = Buffer.alloc(chunk, 67);
    const content = {
      size,
      read: (offset, length) => block.subarray(0, Math.min(length, chunk, size - offset)),
    };
    const before = clockOf(server);
    const { status } = await alice.sendLarge('sip:bob@example.test', content, {
      contentType: 'application/octet-stream',
    });
    const between = clockOf(server);
    if (status !== 200) throw new Error(`the large message was answered ${status}`);
    const { messages } = await bob.retrieve();
    const after = clockOf(server);
    await checkedAll(messages, size);
    return { taken: since(before, between), given: since(between, after), peak };
  } finally {
    clearInterval(look);
    await alice.stop();
    await bob.stop();
    await closeAll(servers);
  }
}

function clockOf({ pids }) {
  return { seconds: performance.now() / 1000, cpu: usageOf(pids).cpu };
}

function since(before, after) {
  return { seconds: after.seconds - before.seconds, cpu: after.cpu - before.cpu };
}

/** One message, whole. */
async function checkedAll(messages, size) {
  const [message] = messages;
  if (messages.length !== 1 || !message.spooled) throw new Error('the message did not come out');
  let octets = 0;
  for await (const part of createReadStream(message.spooled.path)) octets += part.length;
  if (octets < size) throw new Error(`${octets} of ${size} octets came out`);
  await rm(message.spooled.path);
}
