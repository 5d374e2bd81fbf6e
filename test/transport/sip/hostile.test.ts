/** Hostile input: damaged messages never break the endpoint or what it keeps. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { requestOf } from '../../../src/testing/sip-peer.js';
import { dial, until, withScene, type Scene } from './fixture.js';

/** A small generator with a seed, so that a failure can be repeated. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function damaged(bytes: Buffer, draw: (below: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  for (let times = 1 + draw(3); times > 0; times--) {
    const at = draw(copy.length);
    const kind = draw(4);
    if (kind === 0) copy[at] = draw(256);
    else if (kind === 1) copy.fill(0x2c, at, at + draw(4));
    else if (kind === 2) return copy.subarray(0, at);
    else copy.copy(copy, draw(copy.length), at, at + draw(40));
  }
  return copy;
}

/** Answers every request with 486 until the one with that Call-ID comes. */
async function answerUntil(scene: Scene, callId: string): Promise<void> {
  for (;;) {
    const told = await scene.handler.told.next();
    if (told.kind !== 'request') continue;
    const { request, transaction } = told.received;
    scene.endpoint.respond(transaction, { status: 486, headers: [] });
    if (request.header('Call-ID') === callId) return;
  }
}

test.each([1, 2, 3, 4])('damaged datagrams, seed %i: served on, tables empty in the end', (seed) =>
  withScene('udp', {}, async (scene) => {
    const draw = generator(seed);
    // A 400 repeats the damaged From: a bare socket takes it, the peer would not.
    const hostile = createSocket('udp4').bind(0, '127.0.0.1');
    await once(hostile, 'listening');
    const source = {
      transport: 'udp',
      address: '127.0.0.1',
      port: hostile.address().port,
    } as const;
    const to = scene.endpoint.addresses[0]!;
    for (let n = 0; n < 300; n++) {
      const method = ['MESSAGE', 'INVITE', 'CANCEL', 'ACK', 'BYE', 'INFO'][draw(6)]!;
      const cseq = 1 + draw(9);
      const tags = draw(2) === 0 ? {} : { toTag: `t${draw(3)}` };
      const sketch = { method, branch: `b${draw(90)}`, callId: `c${draw(20)}`, cseq, ...tags };
      const bytes = requestOf(source, sketch);
      hostile.send(draw(5) === 0 ? bytes : damaged(bytes, draw), to.port, to.address);
    }
    const last = { method: 'OPTIONS', branch: 'last', callId: 'last' };
    hostile.send(requestOf(source, last), to.port, to.address);
    await answerUntil(scene, 'last');
    hostile.close();
    expect(scene.endpoint.counters()['malformed']).toBeGreaterThan(0);
    scene.clock.advance(600_000);
    const { serverTransactions, dialogs, timers, pendingInvites } = scene.endpoint.counters();
    expect({ serverTransactions, dialogs, timers, pendingInvites }).toEqual({
      serverTransactions: 0,
      dialogs: 0,
      timers: 0,
      pendingInvites: 0,
    });
    expect(scene.lines.filter(({ level }) => level === 'error')).toEqual([]);
  }),
);

test.each([5, 6])('damaged streams, seed %i: the connection ends or goes on', (seed) =>
  withScene('tcp', {}, async (scene) => {
    const draw = generator(seed);
    for (let n = 0; n < 40; n++) {
      const socket = await dial(scene);
      socket.on('error', () => undefined);
      socket.resume();
      const sketch = { method: 'MESSAGE', branch: `b${n}`, callId: `c${n}` };
      socket.write(damaged(requestOf(scene.peer, sketch), draw));
      socket.end();
      await once(socket, 'close');
    }
    await until(() => scene.endpoint.counters()['connections'] === 0);
    scene.send({ method: 'OPTIONS', branch: 'last', callId: 'last' });
    await answerUntil(scene, 'last');
    expect((await scene.peer.nextResponse()).status).toBe(486);
  }),
);
