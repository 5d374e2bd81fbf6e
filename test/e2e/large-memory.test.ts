/**
 * A large message in and out of a server process in constant memory. `LARGE_MB` sets its size:
 * `LARGE_MB=1024 npx vitest run test/e2e/large-memory.test.ts` after `npm run build`.
 */

import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { peakDuring, residentBytes, startLargeProcess } from './large-process.js';
import { generated, LargePeer, sha256Of } from './large-peer.js';

const megabytes = Number(process.env['LARGE_MB'] ?? 256);
const mebi = 1024 ** 2;
/** What may come on top of the memory of the idle server, whatever the size of the message. */
const growthMax = 160 * mebi;

// Memory is read where Linux tells it.
test.runIf(existsSync('/proc/self/status'))(
  `IMSpec-DMT-S-012: ${megabytes} MB go in and out in constant memory, equal by hash`,
  { timeout: 60_000 + megabytes * 1_500 },
  async () => {
    const running = await startLargeProcess();
    const { pid, sipPort } = running.server;
    const nia = await LargePeer.open('nia', { sipPort });
    const tomas = await LargePeer.open('tomas', { sipPort });
    try {
      const content = generated(megabytes * mebi);
      // A small one first, so that everything that is loaded once has been.
      await bring(nia, 'warm1', mebi);
      const idle = residentBytes(pid);
      const began = performance.now();
      const whenIn = await peakDuring(pid, () => bring(nia, 'large1', content.size));
      const taken = performance.now();
      const digests: string[] = [];
      const whenOut = await peakDuring(pid, async () => {
        await tomas.inviteToRetrieve('application/octet-stream');
        await tomas.next('connected');
        for (let n = 0; n < 2; n++) digests.push((await tomas.next('received')).sha256);
        await tomas.answer('BYE');
      });
      const given = performance.now();
      expect(digests[1]).toBe(await sha256Of(content));
      const show = (bytes: number) => `${Math.round(bytes / mebi)} MB`;
      console.info(
        `${megabytes} MB; anonymous memory idle ${show(idle)}, at most ${show(whenIn)} in, ` +
          `${show(whenOut)} out; ${Math.round((taken - began) / 1000)} s in, ` +
          `${Math.round((given - taken) / 1000)} s out`,
      );
      expect(whenIn - idle).toBeLessThan(growthMax);
      expect(whenOut - idle).toBeLessThan(growthMax);
    } finally {
      await nia.close();
      await tomas.close();
      await running.end();
    }
  },
);

async function bring(nia: LargePeer, messageId: string, size: number): Promise<void> {
  const dialog = await nia.inviteToSend('tomas');
  expect(dialog.response.status).toBe(200);
  await nia.next('connected');
  nia.send(dialog.owner, messageId, generated(size));
  expect(await nia.next('sent')).toMatchObject({ status: 200 });
  await nia.next('reported');
  expect(await dialog.bye()).toBe(200);
}
