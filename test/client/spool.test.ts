/** The spool of the client: what was told to be safe outlives disks that fill up and power that fails. */

import { expect, test } from 'vitest';
import { SpooledInbound } from '../../src/client/spool.js';
import { SimulatedFiles } from '../../src/verify/simulation/files.js';
import { SeededRandom } from '../../src/verify/virtual-clock.js';
import type { DeliveredMessage } from '../../src/client/im-client.js';
import type { FilesPort } from '../../src/ports.js';

const octets = Buffer.from('the night train leaves at nine ').subarray(0, 31);
const total = octets.length;

function spooled(files: FilesPort, take: (message: DeliveredMessage) => boolean = () => true) {
  const owner = { isKnown: () => false, remember: () => undefined, freeSpool: () => undefined };
  const consumer = {
    progress: () => undefined,
    take: (message: DeliveredMessage) => Promise.resolve(take(message)),
  };
  const incoming = { messageId: 'd7', contentType: 'text/plain', headers: [], total };
  const place = { files, directory: '/spool', name: 'one.message' };
  return new SpooledInbound(owner, incoming, consumer, place);
}

test('U1: a message in the spool is there after a loss of power, from before it is taken', async () => {
  const files = new SimulatedFiles(new SeededRandom(1), () => false);
  let left: Buffer | undefined;
  const inbound = spooled(files, ({ spooled: file }) => {
    // The answer to the server may leave from here on.
    files.crash('power');
    left = files.octetsOf(file!.path);
    return true;
  });
  await inbound.write(0, octets);
  expect(await inbound.complete(total)).toBe(200);
  expect(left?.equals(octets)).toBe(true);
});

test('U1: a write that took a part of the octets is followed by the rest', async () => {
  const files = new SimulatedFiles(new SeededRandom(1), () => false);
  const few: FilesPort = {
    create: async (path) => {
      const file = await files.create(path);
      return { ...file, write: (part, at) => file.write(part.subarray(0, 2), at) };
    },
    remove: (path) => files.remove(path),
    syncDirectoryOf: () => files.syncDirectoryOf(),
  };
  const inbound = spooled(few);
  await inbound.write(0, octets);
  expect(await inbound.complete(total)).toBe(200);
  expect(files.octetsOf('/spool/one.message')?.equals(octets)).toBe(true);
});

test.each([
  ['refuses what is written', () => Promise.reject(new Error('ENOSPC'))],
  ['takes nothing of it', () => Promise.resolve(0)],
])('U1: a disk that %s leaves the message with the server', async (_name, write) => {
  const files = new SimulatedFiles(new SeededRandom(1), () => false);
  const full: FilesPort = {
    create: async (path) => ({ ...(await files.create(path)), write }),
    remove: (path) => files.remove(path),
    syncDirectoryOf: () => files.syncDirectoryOf(),
  };
  const inbound = spooled(full);
  await expect(inbound.write(0, octets)).rejects.toThrow();
  inbound.abort();
  await expect.poll(() => files.paths).toEqual([]);
});
