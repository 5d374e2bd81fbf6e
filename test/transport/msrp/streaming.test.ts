/** Large messages pass through in bounded memory. */

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Content } from '../../../src/ports.js';
import { outgoing, patternBytes } from '../../../src/testing/msrp-recorder.js';
import { startEndpoint } from './raw-peer.js';

const mebibyte = 1_048_576;
const size = 96 * mebibyte + 7;
/** Far below the message, far above the buffers of two sockets. */
const memoryMax = 40 * mebibyte;

test('MSRP-06: 96 MiB stream from a content into a sink in bounded memory', async () => {
  const block = patternBytes(mebibyte);
  const sentHash = createHash('sha256');
  const receivedHash = createHash('sha256');
  let peak = 0;
  const before = buffers();
  const content: Content = {
    size,
    read: async (offset, length) => {
      await Promise.resolve();
      const start = offset % mebibyte;
      const bytes = block.subarray(start, Math.min(start + length, mebibyte));
      const piece = Buffer.from(bytes.subarray(0, size - offset));
      sentHash.update(piece);
      return piece;
    },
  };
  const [alice, bob] = [await startEndpoint(), await startEndpoint()];
  let expected = 0;
  bob.recorder.onReceive = () => ({
    write: async (offset, bytes) => {
      expect(offset).toBe(expected);
      expected += bytes.length;
      receivedHash.update(bytes);
      peak = Math.max(peak, buffers() - before);
      // Slower than the sender now and then, so that it has to wait.
      if (offset % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
    },
    complete: () => 200,
    abort: () => undefined,
  });
  const passive = bob.endpoint.reserve('one');
  bob.endpoint.connect('one', { path: [alice.endpoint.reserve('one')], active: false });
  alice.endpoint.connect('one', { path: [passive], active: true });
  await alice.recorder.hears('connected', 'one');
  alice.endpoint.send(outgoing('one', 'msga', '', { content, successReport: true }));
  await alice.recorder.hears('reported', 'one/sender msga 200');
  expect(expected).toBe(size);
  expect(receivedHash.digest('hex')).toBe(sentHash.digest('hex'));
  expect(peak).toBeLessThan(memoryMax);
  await alice.endpoint.stop(0);
  await bob.endpoint.stop(0);
}, 60_000);

/** Octets in buffers; garbage is counted too, hence the generous bound. */
function buffers(): number {
  const { arrayBuffers } = process.memoryUsage();
  return arrayBuffers;
}
