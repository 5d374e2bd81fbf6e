/** A stop in good order: nothing new, what is pending ends, what was written leaves. */

import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { setImmediate as nextRound } from 'node:timers/promises';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { RecordingHandler } from '../../../src/testing/sip-peer.js';
import { authority, certificate } from './certificates.js';
import { message, openEndpoint } from './fixture.js';

async function start() {
  const opened = openEndpoint({
    listeners: [
      { transport: 'tls', host: '127.0.0.1', port: 0 },
      { transport: 'tcp', host: '127.0.0.1', port: 0 },
    ],
    tls: certificate('server'),
  });
  const handler = new RecordingHandler();
  await opened.endpoint.start(handler);
  return { ...opened, handler };
}

test.each(['tls', 'tcp'] as const)(
  'by %s: a pending request is answered, then the connection ends; new ones are refused',
  async (transport) => {
    const { endpoint, handler } = await start();
    const { port } = endpoint.addresses.find((one) => one.transport === transport)!;
    const isSecure = transport === 'tls';
    const socket = isSecure
      ? connect({ port, host: '127.0.0.1', ca: authority })
      : connectTcp(port, '127.0.0.1');
    await once(socket, isSecure ? 'secureConnect' : 'connect');
    const via = `SIP/2.0/${transport.toUpperCase()} 127.0.0.1:5;branch=z9hG4bK`;
    socket.write(message(`${via}1`));
    const { received } = await handler.next('request');

    const stopped = endpoint.stop(60_000);
    const late = connectTcp(port, '127.0.0.1');
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');

    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    const ended = once(socket, 'end');
    const body = Buffer.alloc(500_000, 'x');
    endpoint.respond(received.transaction, { status: 200, headers: [], body });
    // The transaction absorbs retransmissions on datagrams only: nothing else is waited for.
    await stopped;
    await ended;
    expect(text).toMatch(/^SIP\/2\.0 200 /);
    expect(text).toHaveLength(text.indexOf('\r\n\r\n') + 4 + body.length);
    socket.destroy();
  },
);

test('a peer that does not read cannot hold up the end', async () => {
  const { endpoint, handler, clock } = await start();
  const { port } = endpoint.addresses[1]!;
  const socket = connectTcp(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.pause().on('error', () => undefined);
  for (let n = 0; n < 6; n++) {
    const via = `SIP/2.0/TCP 127.0.0.1:5;branch=z9hG4bK${n}`;
    socket.write(message(via).replace('n1', `n${n}`));
    const { received } = await handler.next('request');
    const body = Buffer.alloc(1_000_000, 'x');
    endpoint.respond(received.transaction, { status: 200, headers: [], body });
  }
  const begun = clock.now();
  let isOver = false;
  const stopped = endpoint.stop(60_000).then(() => (isOver = true));
  while (!isOver) {
    clock.advance(100);
    await nextRound();
  }
  await stopped;
  expect(clock.now() - begun).toBeLessThan(10_000);
  expect(endpoint.counters()['connections']).toBe(0);
  socket.destroy();
});

test('connections that have not come to speak end with the rest', async () => {
  const { endpoint } = await start();
  const half = connectTcp(endpoint.addresses[0]!.port, '127.0.0.1');
  await once(half, 'connect');
  const closed = new Promise((resolve) => half.once('close', resolve));
  half.on('error', () => undefined).resume();
  await endpoint.stop(0);
  await closed;
});
