/** Disks that fail: full, broken, read-only, slow. What was acknowledged stays, and it goes on. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SipResponse } from '../../src/wire/sip/message.js';
import { startServerProcess } from '../server-process.js';
import type { ServerProcess } from '../server-process.js';
import { Disk, errno, missing } from './disk.js';
import { copyOf, inspect } from './inspection.js';
import { emptyTally, Ledger } from './ledger.js';
import { Sender } from './sender.js';

interface Scene {
  readonly disk: Disk;
  readonly ledger: Ledger;
  readonly server: ServerProcess;
  /** Sends one message to one of a few users; undefined: there was no answer. */
  send(size?: number): Promise<SipResponse | undefined>;
  /** Sends until the answer has this status. */
  sendUntil(status: number): Promise<SipResponse>;
}

async function withDisk(play: (scene: Scene) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'poste-disk-'));
  const directory = join(root, 'store');
  const disk = new Disk(directory);
  const args = ['--log-level', 'silent'];
  const server = await startServerProcess({ directory, args, env: disk.env });
  const ledger = new Ledger(emptyTally());
  const sender = await Sender.open(ledger, 'udp', server.sipPort);
  let number = 0;
  const send = (size = 400): Promise<SipResponse | undefined> => {
    const user = `user${number % 5}`;
    const common = { expiresAt: undefined, wantsReports: false };
    return sender.message(ledger.send({ number: ++number, user, size, ...common }));
  };
  const sendUntil = async (status: number): Promise<SipResponse> => {
    for (;;) {
      const response = await send();
      if (response?.status === status) return response;
    }
  };
  try {
    await play({ disk, ledger, server, send, sendUntil });
    await server.end('SIGKILL');
    ledger.check(await inspect(copyOf(directory)));
    expect(ledger.violations).toEqual([]);
    expect(ledger.tally.acknowledged).toBeGreaterThan(20);
  } finally {
    await server.end('SIGKILL');
    await sender.close();
    disk.end();
    rmSync(root, { recursive: true, force: true });
  }
}

async function fill({ send }: Scene): Promise<void> {
  for (let count = 0; count < 20; count++) expect((await send())?.status).toBe(202);
}

/** D-16: whoever may try again is told when. */
function expectRefusal(response: SipResponse): void {
  expect(response.status).toBe(503);
  expect(Number(response.header('Retry-After'))).toBeGreaterThan(0);
}

test.skipIf(missing)(
  'U1: no room: 503 with Retry-After, nothing acknowledged is lost, goes on by itself',
  () =>
    withDisk(async (scene) => {
      await fill(scene);
      for (let round = 0; round < 3; round++) {
        scene.disk.octets(3_000 + round * 517);
        expectRefusal(await scene.sendUntil(503));
        scene.disk.octets(undefined);
        await scene.sendUntil(202);
        await fill(scene);
      }
    }),
);

test.skipIf(missing)('U1: a disk that cannot sync: nothing is acknowledged until it can', () =>
  withDisk(async (scene) => {
    await fill(scene);
    scene.disk.set('syncError', errno.EIO);
    const before = scene.ledger.tally.acknowledged;
    for (let count = 0; count < 30; count++) expectRefusal((await scene.send())!);
    expect(scene.ledger.tally.acknowledged).toBe(before);
    scene.disk.set('syncError', 0);
    await scene.sendUntil(202);
    await fill(scene);
  }),
);

test.skipIf(missing)(
  'U1: a file system that became read-only: refused, and taken when it is not',
  () =>
    withDisk(async (scene) => {
      await fill(scene);
      scene.disk.set('writeError', errno.EROFS);
      for (let count = 0; count < 30; count++) expectRefusal((await scene.send())!);
      scene.disk.set('writeError', 0);
      await scene.sendUntil(202);
      await fill(scene);
    }),
);
