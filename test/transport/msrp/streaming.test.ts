/** Large messages pass through in bounded memory. */

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Content } from '../../../src/ports.js';
import { outgoing, patternBytes } from '../../../src/testing/msrp-recorder.js';
import type { MsrpHeard } from '../../../src/testing/msrp-recorder.js';
import { memoryInUse } from '../../fuzz/duration.js';
import { startEndpoint } from './raw-peer.js';

const mebibyte = 1_048_576;
/** As many as the environment says; by default few enough for every run of the tests. */
const mebibytes = Number(process.env['MSRP_STREAM_MEBIBYTES'] ?? 96);
const size = mebibytes * mebibyte + 7;
/** In use after a collection: far below the message, above the buffers of two sockets. */
const memoryMax = 24 * mebibyte;
/** The process as a whole, with what its collector has not given back yet. */
const residentMax = 160 * mebibyte;

test(`MSRP-06: ${mebibytes} MiB stream from a content into a sink in bounded memory`, async () => {
  const block = patternBytes(mebibyte);
  const sentHash = createHash('sha256');
  const receivedHash = createHash('sha256');
  let peak = 0;
  let peakResident = 0;
  let lookAt = 4 * mebibyte;
  const before = memoryInUse().outside;
  const residentBefore = process.memoryUsage.rss();
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
  const limits = { messageBytes: size };
  const [alice, bob] = [await startEndpoint(), await startEndpoint({ limits })];
  let expected = 0;
  bob.recorder.onReceive = () => ({
    write: async (offset, bytes) => {
      expect(offset).toBe(expected);
      expected += bytes.length;
      receivedHash.update(bytes);
      peakResident = Math.max(peakResident, process.memoryUsage.rss() - residentBefore);
      if (expected >= lookAt) {
        peak = Math.max(peak, memoryInUse().outside - before);
        lookAt += 4 * mebibyte;
      }
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
  expect(peakResident).toBeLessThan(residentMax);
  await alice.endpoint.stop(0);
  await bob.endpoint.stop(0);
}, 600_000);

test('MSRP-07: contents, readers and sinks of any speed make the same messages', async () => {
  const [alice, bob] = [await startEndpoint(), await startEndpoint({ chunkSize: 2_048 })];
  let seed = 20_261_120;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (const { recorder } of [alice, bob]) {
    recorder.onReceive = (owner, incoming) => {
      const sink = recorder.sink(owner, incoming);
      const write = async (offset: number, bytes: Buffer): Promise<void> => {
        await turn();
        await sink.write(offset, bytes);
      };
      return random(2) === 0 ? sink : { ...sink, write };
    };
  }
  const bodies = new Map<string, Buffer>();
  for (let session = 0; session < 4; session++) {
    const owner = `s${session}`;
    const uri = bob.endpoint.reserve(owner);
    bob.endpoint.connect(owner, { path: [alice.endpoint.reserve(owner)], active: false });
    alice.endpoint.connect(owner, { path: [uri], active: true });
    await bob.recorder.hears('connected', owner);
    for (let index = 0; index < 20; index++) {
      const bytes = patternBytes(random(4) === 0 ? random(300_000) : random(3_000));
      const messageId = `${owner}-m${index}`;
      bodies.set(messageId, bytes);
      const read = (offset: number, length: number): Buffer | Promise<Buffer> => {
        const piece = bytes.subarray(offset, offset + Math.min(length, 1 + random(90_000)));
        return random(2) === 0 ? piece : turn().then(() => piece);
      };
      const content: Content = { size: bytes.length, read };
      const sender = index % 2 === 0 ? alice : bob;
      sender.endpoint.send(outgoing(owner, messageId, '', { content, successReport: true }));
    }
  }
  for (const { recorder } of [alice, bob]) {
    await recorder.until(({ heard }) => heard.filter(isReport).length === 40);
    expect(recorder.of('reported').every((line) => line.endsWith(' 200'))).toBe(true);
    expect(recorder.of('sent').every((line) => line.endsWith(' 200'))).toBe(true);
    for (const heard of recorder.heard) {
      if (heard.type !== 'received') continue;
      expect(heard.body.equals(bodies.get(heard.text)!)).toBe(true);
      bodies.delete(heard.text);
    }
  }
  expect(bodies.size).toBe(0);
  await alice.endpoint.stop(0);
  await bob.endpoint.stop(0);
});

function isReport({ type }: MsrpHeard): boolean {
  return type === 'reported';
}

/** Octets in buffers; garbage is counted too, hence the generous bound. */
