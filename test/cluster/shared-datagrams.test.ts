/** A UDP socket that two processes have: one reads, the other sends by it. */

import { fork } from 'node:child_process';
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { SharedDatagrams } from '../../src/transport/sip/shared-datagrams.js';

const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

test('cluster.shards: an answer leaves from the port that was asked, by the other process', async () => {
  const front = await bound();
  const peer = await bound();
  const program = new URL('shared-datagrams-process.mjs', import.meta.url);
  const child = fork(fileURLToPath(program), [], { execArgv: [] });
  closing.push(() => child.kill('SIGKILL'));
  await once(child, 'message');
  child.send('take', front);
  await once(child, 'message');
  // Everything is read here, nothing in the process that only sends.
  const read: string[] = [];
  front.on('message', (bytes) => read.push(bytes.toString()));
  for (let n = 0; n < 50; n++) {
    peer.send(`ask ${n}`, front.address().port, '127.0.0.1');
    if (read.length <= n) await once(front, 'message');
  }
  expect(read).toHaveLength(50);
  child.send({ to: peer.address().port });
  const [bytes, source] = (await once(peer, 'message')) as [Buffer, { port: number }];
  expect(bytes.toString()).toBe('answer, strays 0');
  expect(source.port).toBe(front.address().port);
});

test('cluster.shards: where reading cannot be stopped, what was read is passed on', async () => {
  const socket = await bound();
  const peer = await bound();
  const hidden = new Proxy(socket, {
    ownKeys: () => [],
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const stray = new Promise<unknown[]>((resolve) => {
    const shared = new SharedDatagrams((...told) => resolve(told));
    shared.add(3, hidden);
    expect(shared.send(4, Buffer.from('x'), '127.0.0.1', 9)).toBe(false);
  });
  peer.send('late', socket.address().port, '127.0.0.1');
  expect(await stray).toEqual([3, Buffer.from('late'), '127.0.0.1', peer.address().port]);
});

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  closing.push(() => socket.close());
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
