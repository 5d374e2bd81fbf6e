/** To the next target with a new branch: on 503, time-out and transport error (TP-05, RFC 3263 4.3). */

import { expect, test } from 'vitest';
import {
  openSipPeer,
  RecordingHandler,
  responseTo,
  type SipPeer,
} from '../../../src/testing/sip-peer.js';
import { parseVia } from '../../../src/wire/sip/via.js';
import { freePort } from '../../loopback-port.js';
import { openEndpoint, toPeer, type Opened } from './fixture.js';

interface Scene extends Opened {
  readonly handler: RecordingHandler;
  readonly first: SipPeer;
  readonly second: SipPeer;
}

async function withTargets(play: (scene: Scene) => Promise<void>): Promise<void> {
  const first = await openSipPeer('udp');
  const second = await openSipPeer('udp');
  const resolve = () =>
    Promise.resolve(
      [first, second].map(({ address, port }) => ({ address, port, transport: 'udp' as const })),
    );
  const opened = openEndpoint({ resolve });
  const handler = new RecordingHandler();
  await opened.endpoint.start(handler);
  try {
    await play({ ...opened, handler, first, second });
  } finally {
    await opened.endpoint.stop(0);
    await first.close();
    await second.close();
  }
}

const uri = 'sip:im.example.com';
const outgoing = { ...toPeer({ address: '127.0.0.1', port: 1 }), uri, to: uri };

test.each(['MESSAGE', 'INVITE'])('TP-05: a 503 to %s is not the end', (method) =>
  withTargets(async ({ endpoint, handler, first, second }) => {
    endpoint.request({ ...outgoing, method });
    const one = await first.arrivals.next();
    if (one.message.kind === 'request') one.reply(responseTo(one.message, 503));
    const other = await second.nextRequest();
    const branches = [one.message, other].map((sent) => parseVia(sent.header('Via')!).branch);
    expect(new Set(branches).size).toBe(2);
    for (const name of ['Call-ID', 'CSeq', 'From', 'To']) {
      expect(other.header(name)).toBe(one.message.header(name));
    }
    second.send({ ...endpoint.addresses[0]! }, responseTo(other, method === 'INVITE' ? 486 : 202));
    const told = await handler.next('response');
    expect(told.response.status).toBe(method === 'INVITE' ? 486 : 202);
    expect(handler.told).toHaveLength(0);
  }),
);

test('TP-05: 503 of the last target is the outcome', () =>
  withTargets(async ({ endpoint, handler, first, second }) => {
    endpoint.request({ ...outgoing, method: 'MESSAGE' });
    for (const peer of [first, second]) {
      const { message, reply } = await peer.arrivals.next();
      if (message.kind === 'request') reply(responseTo(message, 503));
    }
    expect((await handler.next('response')).response.status).toBe(503);
  }));

test('TP-05: another refusal ends it at once', () =>
  withTargets(async ({ endpoint, handler, first, second }) => {
    endpoint.request({ ...outgoing, method: 'MESSAGE' });
    const { message, reply } = await first.arrivals.next();
    if (message.kind === 'request') reply(responseTo(message, 500));
    expect((await handler.next('response')).response.status).toBe(500);
    expect(second.arrivals.length).toBe(0);
  }));

test('TP-05: after a time-out the next target is tried, then it is a failure', () =>
  withTargets(async ({ endpoint, handler, first, second, clock }) => {
    endpoint.request({ ...outgoing, method: 'MESSAGE' });
    await first.nextRequest();
    clock.advance(32_000);
    await second.nextRequest();
    expect(handler.told).toHaveLength(0);
    clock.advance(32_000);
    expect((await handler.next('failure')).cause).toBe('timeout');
  }));

test('TP-05: the targets of one request are bounded', async () => {
  const peer = await openSipPeer('udp');
  const target = { address: '127.0.0.1', port: peer.port, transport: 'udp' as const };
  const resolve = () => Array.from({ length: 50 }, () => target);
  const { endpoint, clock } = openEndpoint({ resolve, limits: { targets: 3 } });
  const handler = new RecordingHandler();
  await endpoint.start(handler);
  endpoint.request({ ...outgoing, method: 'MESSAGE' });
  const branches = new Set<string | undefined>();
  for (let n = 1; n <= 3; n++) {
    // Retransmissions have the branch of their target.
    while (branches.size < n) {
      branches.add(parseVia((await peer.nextRequest()).header('Via')!).branch);
    }
    expect(handler.told).toHaveLength(0);
    clock.advance(32_000);
  }
  expect((await handler.next('failure')).cause).toBe('timeout');
  expect(branches.size).toBe(3);
  await endpoint.stop(0);
  await peer.close();
});

test('TP-05: a target that refuses TCP is left for the next', async () => {
  const peer = await openSipPeer('tcp');
  const ports = [await freePort(), peer.port];
  const resolve = () =>
    ports.map((port) => ({ address: peer.address, port, transport: 'tcp' as const }));
  const { endpoint } = openEndpoint({ resolve });
  await endpoint.start(new RecordingHandler());
  endpoint.request({ ...outgoing, method: 'MESSAGE' });
  expect((await peer.nextRequest()).uri).toBe(uri);
  await endpoint.stop(0);
  await peer.close();
});

test('SIP-22: a target that answers 503 with Retry-After is left alone for so long', () =>
  withTargets(async ({ endpoint, handler, first, second, clock }) => {
    const send = (id: string) => endpoint.request({ ...outgoing, id, method: 'MESSAGE' });
    const retryAfter = [['Retry-After', '30 (overloaded)']] as const;
    send('one');
    const one = await first.arrivals.next();
    if (one.message.kind !== 'request') throw new Error('came a response');
    one.reply(responseTo(one.message, 503, { headers: retryAfter }));
    for (const id of ['one', 'two']) {
      if (id === 'two') send(id);
      const other = await second.arrivals.next();
      if (other.message.kind === 'request') other.reply(responseTo(other.message, 200));
      expect((await handler.next('response')).id).toBe(id);
    }
    expect(first.arrivals.length).toBe(0);
    clock.advance(30_000);
    send('three');
    expect((await first.nextRequest()).method).toBe('MESSAGE');
  }));
