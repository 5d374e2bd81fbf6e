/** More than can be done: refused in time, fairly, within a bound of memory, without an echo. */

import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ManualClock } from '../../src/testing/clock.js';
import { openSipPeer } from '../../src/testing/sip-peer.js';
import { residentBytes } from '../e2e/large-process.js';
import { storeMessages, tomas } from '../e2e/retrieval-scene.js';
import { caughtUp, settled, withServer as withScene } from '../e2e/sip-scene.js';
import { startServerProcess } from '../server-process.js';
import type { ServerProcess } from '../server-process.js';
import { Disk, missing } from './disk.js';
import { note } from './fault-log.js';
import { copyOf, inspect } from './inspection.js';
import type { Look } from './inspection.js';

/** Ten minutes: FLOOD_SECONDS=600. */
const floodSeconds = Number(process.env['FLOOD_SECONDS'] ?? 4);
const mebibyte = 1_048_576;
/**
 * What a server of these settings may take, whatever comes: the flood keeps about 120 MiB of the
 * heap in use, and V8 lets old garbage lie for as long as it comes so fast.
 */
const ceiling = 640 * mebibyte;
/** RFC 3261 17.1.1.1. */
const t1 = 500;

interface Scene {
  readonly server: ServerProcess;
  readonly disk: Disk | undefined;
  /** A bare UDP peer that counts what comes. */
  readonly peer: Peer;
  /** Stops the server and reads its store. */
  look(): Promise<Look>;
}

async function withServer(
  settings: readonly string[],
  play: (scene: Scene) => Promise<void>,
  hasDisk = false,
): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'poste-overload-'));
  const directory = join(root, 'store');
  const config = join(root, 'poste.yaml');
  const identity = 'identity: { hostname: store.example.org, domains: [example.org] }';
  writeFileSync(config, [identity, 'log: { level: silent }', ...settings, ''].join('\n'));
  const disk = hasDisk ? new Disk(directory) : undefined;
  const args = ['--config', config];
  const server = await startServerProcess({ directory, args, ...(disk && { env: disk.env }) });
  const peer = await Peer.open(server.sipPort);
  const look = async (): Promise<Look> => {
    await server.end('SIGKILL');
    return inspect(copyOf(directory));
  };
  try {
    await play({ server, disk, peer, look });
  } finally {
    await server.end('SIGKILL');
    peer.close();
    disk?.end();
    rmSync(root, { recursive: true, force: true });
  }
}

class Peer {
  /** Final answers by Call-ID; retransmissions count. */
  readonly answers = new Map<string, { status: number; retryAfter: boolean; count: number }>();
  readonly #socket: Socket;
  readonly #port: number;
  #next = 1;
  #heard = (): void => undefined;

  private constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    socket.on('message', (bytes) => this.#take(bytes.toString('latin1')));
  }

  static async open(port: number): Promise<Peer> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new Peer(socket, port);
  }

  get address(): string {
    return `sip:nia@127.0.0.1:${this.#socket.address().port}`;
  }

  close(): void {
    this.#socket.close();
  }

  request(method: string, user: string, headers: readonly string[] = [], body = ''): string {
    const id = `${this.#socket.address().port}-${this.#next++}`;
    return [
      `${method} sip:${method === 'REGISTER' ? '' : `${user}@`}example.org SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${this.#socket.address().port};branch=z9hG4bK${id}`,
      'Max-Forwards: 70',
      `From: <${this.address}>;tag=n`,
      `To: <sip:${user}@example.org>`,
      `Call-ID: ${id}`,
      `CSeq: 1 ${method}`,
      `P-Asserted-Identity: <sip:${user}@example.org>`,
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n');
  }

  message(user: string): string {
    return this.request('MESSAGE', user, ['Content-Type: text/plain'], `PR<${this.#next},0>`);
  }

  /** Returns its Call-ID. */
  send(request: string): string {
    this.#socket.send(Buffer.from(request, 'latin1'), this.#port, '127.0.0.1');
    return /^Call-ID: (.*)\r$/m.exec(request)![1]!;
  }

  /** Sends, again after each half second, until there is an answer; its status. */
  async ask(request: string): Promise<number> {
    for (;;) {
      const id = this.send(request);
      await Promise.race([this.#until(id), pause(500)]);
      const answer = this.answers.get(id);
      if (answer) return answer.status;
    }
  }

  async #until(id: string): Promise<void> {
    while (!this.answers.has(id)) await new Promise<void>((resolve) => (this.#heard = resolve));
  }

  #take(text: string): void {
    const status = /^SIP\/2\.0 ([2-6]\d+)/.exec(text);
    if (!status) return;
    const id = /^Call-ID: (.*)\r$/m.exec(text)![1]!;
    const count = (this.answers.get(id)?.count ?? 0) + 1;
    const retryAfter = /^Retry-After: [1-9]/m.test(text);
    this.answers.set(id, { status: Number(status[1]), retryAfter, count });
    this.#heard();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Sends what `make` makes, so many in each 20 ms, until that is so. */
async function flood(isOver: () => boolean, perTick: number, make: () => void): Promise<void> {
  while (!isOver()) {
    for (let sent = 0; sent < perTick; sent++) make();
    await pause(20);
  }
}

function statuses(peer: Peer, ids: readonly string[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const id of ids) {
    const { status = 0 } = peer.answers.get(id) ?? {};
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  return counts;
}

function refusedOf(peer: Peer, ids: readonly string[]): number {
  return statuses(peer, ids).get(503) ?? 0;
}

const isPast = (end: number) => (): boolean => Date.now() >= end;

const admission = (latencyMs: number, rateMin: number): string =>
  `limits: { admission: { latencyMs: ${latencyMs}, rateMin: ${rateMin} } }`;

test.skipIf(missing)(
  'U1: a disk that takes two seconds to sync: 503 with Retry-After, and no queue that grows',
  () =>
    withServer(
      [admission(300, 20)],
      async ({ server, disk, peer, look }) => {
        expect(await peer.ask(peer.message('bob'))).toBe(202);
        disk!.set('syncMs', 2_000);
        const sent: string[] = [];
        const before = residentBytes(server.pid);
        const isRefused = () => refusedOf(peer, sent) >= 300;
        await flood(isRefused, 6, () =>
          sent.push(peer.send(peer.message(`user${sent.length % 20}`))),
        );
        expect(residentBytes(server.pid) - before).toBeLessThan(100 * mebibyte);
        disk!.set('syncMs', 0);
        while ((await peer.ask(peer.message('bob'))) !== 202) await pause(50);
        const counts = statuses(peer, sent);
        expect(counts.get(202)).toBeGreaterThan(0);
        expect([...counts.keys()].filter((status) => ![0, 202, 503].includes(status))).toEqual([]);
        for (const { status, retryAfter } of peer.answers.values()) {
          expect(retryAfter).toBe(status === 503);
        }
        const [accepted = 0, refused = 0] = [counts.get(202), counts.get(503)];
        note('a disk that takes two seconds to sync', { sent: sent.length, accepted, refused });
        const taken = [...peer.answers.values()].filter(({ status }) => status === 202).length;
        const { stored, findings } = await look();
        expect(findings).toEqual([]);
        expect(stored.length).toBeGreaterThanOrEqual(taken);
      },
      true,
    ),
);

test.skipIf(missing)('U9: one mailbox under attack is refused, and the others are served', () =>
  withServer(
    [admission(20, 60)],
    async ({ disk, peer }) => {
      expect(await peer.ask(peer.message('bob'))).toBe(202);
      disk!.set('syncMs', 40);
      const early: string[] = [];
      // Until it is seen that more comes than can be done.
      const isSeen = () => refusedOf(peer, early) > 0;
      await flood(isSeen, 20, () => early.push(peer.send(peer.message('eve'))));
      const attack: string[] = [];
      const others: Promise<number>[] = [];
      const isEnough = () => others.length >= 30 && refusedOf(peer, attack) >= 1_000;
      await flood(isEnough, 20, () => {
        attack.push(peer.send(peer.message('eve')));
        if (attack.length % 100 === 0) {
          others.push(peer.ask(peer.message(`user${others.length % 10}`)));
        }
      });
      disk!.set('syncMs', 0);
      while ((await peer.ask(peer.message('bob'))) !== 202) await pause(50);
      const counts = statuses(peer, attack);
      const refused = counts.get(503) ?? 0;
      // What was lost on its way to a busy machine nobody has judged.
      const judged = attack.length - (counts.get(0) ?? 0);
      const outcomes = await Promise.all(others);
      const served = outcomes.filter((status) => status === 202).length;
      const othersRefused = outcomes.filter((status) => status === 503).length;
      const asked = { attack: attack.length, refused, others: others.length };
      note('one mailbox under attack', { ...asked, served, othersRefused });
      expect(refused).toBeGreaterThan(judged / 2);
      expect(served + othersRefused).toBe(others.length);
      expect(othersRefused / others.length).toBeLessThan(0.1);
    },
    true,
  ),
);

test(
  `U9: ${floodSeconds} s of MESSAGE, REGISTER and MSRP: memory has a ceiling, and it goes on`,
  () =>
    withServer(
      ['sip: { transactions: 20000 }', 'limits: { quota: { messages: 2000 } }'],
      async ({ server, peer }) => {
        let peak = 0;
        const watch = setInterval(() => (peak = Math.max(peak, residentBytes(server.pid))), 100);
        // Whoever writes and never reads.
        const frame = 'MSRP a786hjs2 SEND\r\nTo-Path: msrp://127.0.0.1:9/x;tcp\r\n';
        const rest =
          'From-Path: msrp://127.0.0.1:9/y;tcp\r\nMessage-ID: 1234\r\n-------a786hjs2$\r\n';
        const sockets = Array.from({ length: 20 }, () =>
          connect(server.msrpPort, '127.0.0.1')
            .on('error', () => undefined)
            .pause(),
        );
        let number = 0;
        const end = Date.now() + floodSeconds * 1_000;
        await flood(isPast(end), 60, () => {
          number++;
          const contact = `Contact: <sip:x@127.0.0.1:9;n=${number}>;expires=60`;
          if (number % 3 === 0)
            peer.send(peer.request('REGISTER', `user${number % 999}`, [contact]));
          else peer.send(peer.message(`user${number % 997}`));
          const socket = sockets[number % sockets.length]!;
          if (socket.writable && !socket.writableNeedDrain) socket.write(frame + rest);
        });
        clearInterval(watch);
        for (const socket of sockets) socket.destroy();
        note('a flood of MESSAGE, REGISTER and MSRP', {
          seconds: floodSeconds,
          requests: number,
          answered: peer.answers.size,
          peakMebibytes: Math.round(peak / mebibyte),
        });
        expect(peak).toBeGreaterThan(0);
        expect(peak).toBeLessThan(ceiling);
        while ((await peer.ask(peer.message('quiet'))) !== 202) await pause(50);
      },
    ),
  (floodSeconds + 60) * 1_000,
);

test('TXN-02: a request that comes a thousand times is answered at most as often, and stored once', () =>
  withServer([], async ({ peer, look }) => {
    const request = peer.message('bob');
    let id = '';
    for (let sent = 0; sent < 1_000; sent++) {
      id = peer.send(request);
      if (sent % 50 === 49) await pause(5);
    }
    expect(await peer.ask(request)).toBe(202);
    await peer.ask(peer.message('eve'));
    expect(peer.answers.get(id)!.count).toBeLessThanOrEqual(1_001);
    const { virtualUas } = await look();
    expect(virtualUas.get('bob@example.org')).toHaveLength(1);
  }));

test('TXN-02: a peer that is dead hears a bounded number of repetitions', async () => {
  const clock = new ManualClock();
  await withScene(
    async (scene) => {
      const dead = await openSipPeer('udp');
      const contact = ['Contact', `<sip:tomas@127.0.0.1:${dead.port}>;+g.oma.sip-im`] as const;
      const headers = [contact, ['Event', 'message-summary'] as const];
      expect((await scene.ask({ method: 'SUBSCRIBE', uri: tomas, headers })).status).toBe(200);
      await settled(scene.world);
      for (let passed = 0; passed < 64 * t1; passed += t1) {
        clock.advance(t1);
        await caughtUp(scene.world);
      }
      await settled(scene.world, clock);
      // RFC 3261 17.1.2.2: once, then after 0.5, 1, 2 s, and every 4 s up to 32 s.
      expect(dead.arrivals.length).toBe(11);
      await storeMessages(scene, 5);
      await settled(scene.world, clock);
      // Nobody was there for the first NOTIFY: the subscription is over (RFC 6665 4.2.2).
      expect(dead.arrivals.length).toBe(11);
      await dead.close();
    },
    { push: { default: false }, subscribe: { throttleMs: 1 } },
    'udp',
    {},
    { clock },
  );
});
