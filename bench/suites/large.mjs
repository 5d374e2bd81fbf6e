/** Large messages in and out, against the same octets framed as MSRP and only counted. */

import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { createImClient } from '../../dist/client/connect.js';
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
    results.push({ framed, ...(await throughServer(bench, size)) });
  }
  const name = `${size / mebi} MB`;
  const one = (what, unit, better, of) =>
    bench.figure({
      ...{ who: 'ours', name: `${name} ${what}`, unit, better },
      ...{ loss: 0, values: results.map(of) },
    });
  const rate = (of) => (result) => size / 1e6 / of(result);
  one(
    'framed copy, nothing kept',
    'MB/s',
    'more',
    rate(({ framed }) => framed),
  );
  one(
    'in',
    'MB/s',
    'more',
    rate(({ taken }) => taken),
  );
  one('in, part of the framed copy', '%', 'more', ({ framed, taken }) => (framed / taken) * 100);
  one(
    'out',
    'MB/s',
    'more',
    rate(({ given }) => given),
  );
  one('out, part of the framed copy', '%', 'more', ({ framed, given }) => (framed / given) * 100);
  one('peak of the server', 'MB resident', 'less', ({ peak }) => peak / mebi);
}

/** Seconds for the octets in chunks of 64 KiB with head and end-line, over loopback. */
async function framedCopy(size) {
  let received = 0;
  const server = net.createServer((socket) => {
    socket.on('data', (data) => (received += data.length));
    socket.on('end', () => socket.end('.'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = net.connect({ port: server.address().port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const body = Buffer.alloc(chunk, 66);
  const began = performance.now();
  for (let sent = 0, number = 0; sent < size; sent += chunk, number++) {
    const id = `t${number.toString(36).padStart(7, '0')}`;
    const head =
      `MSRP ${id} SEND\r\nTo-Path: msrp://127.0.0.1:2855/abc;tcp\r\n` +
      `From-Path: msrp://127.0.0.1:2856/def;tcp\r\nMessage-ID: 12345\r\n` +
      `Byte-Range: ${sent + 1}-${sent + chunk}/${size}\r\n` +
      `Content-Type: application/octet-stream\r\n\r\n`;
    socket.cork();
    socket.write(head, 'latin1');
    socket.write(body);
    const flows = socket.write(`\r\n-------${id}+\r\n`, 'latin1');
    socket.uncork();
    if (!flows) await once(socket, 'drain');
  }
  socket.end();
  await once(socket, 'data');
  const seconds = (performance.now() - began) / 1000;
  socket.destroy();
  server.close();
  if (received < size) throw new Error(`${received} of ${size} octets were copied`);
  return seconds;
}

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
    let began = performance.now();
    const { status } = await alice.sendLarge('sip:bob@example.test', content, {
      contentType: 'application/octet-stream',
    });
    const taken = (performance.now() - began) / 1000;
    if (status !== 200) throw new Error(`the large message was answered ${status}`);
    began = performance.now();
    const { messages } = await bob.retrieve();
    const given = (performance.now() - began) / 1000;
    await checkedAll(messages, size);
    return { taken, given, peak };
  } finally {
    clearInterval(look);
    await alice.stop();
    await bob.stop();
    await closeAll(servers);
  }
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
