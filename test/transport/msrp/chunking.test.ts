/** Any content, cut, repeated, interrupted and delivered in any way, arrives as it was. */

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Content } from '../../../src/ports.js';
import { outgoing } from '../../../src/testing/msrp-recorder.js';
import { RawPeer, startEndpoint } from './raw-peer.js';
import type { Running } from './raw-peer.js';

let alice: Running;
let bob: Running;
let raw: RawPeer;
let rawTo: string;
let number = 0;

beforeAll(async () => {
  [alice, bob] = [
    await startEndpoint(),
    await startEndpoint({ chunkMax: 4_096, limits: { idleMs: 60_000 } }),
  ];
  for (const owner of ['one', 'two']) {
    const path = [bob.endpoint.reserve(owner)];
    bob.endpoint.connect(owner, { path: [alice.endpoint.reserve(owner)], active: false });
    alice.endpoint.connect(owner, { path, active: true });
    await bob.recorder.hears('connected', owner);
  }
  raw = await RawPeer.to(bob.endpoint);
});

afterAll(async () => {
  raw.socket.destroy();
  await Promise.all([alice.endpoint.stop(0), bob.endpoint.stop(0)]);
});

/** Bodies with much of what ends a chunk in them. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 2_000 }),
      fc
        .constantFrom('\r\n', '-------', '\r\n-------tx', '$\r\n', '\r', 'MSRP tx SEND\r\n')
        .map((text) => Uint8Array.from(Buffer.from(text))),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => Buffer.concat(pieces));

/** From octet, octets, and whether range-end is left open. */
const piece = fc.record({ from: fc.double({ min: 0, max: 1, noNaN: true }), isOpen: fc.boolean() });

interface Chunk {
  readonly start: number;
  readonly bytes: Buffer;
  readonly isOpen: boolean;
}

/** The whole body cut at the given places, plus pieces that come twice. */
function chunksOf(
  body: Buffer,
  cuts: readonly { from: number; isOpen: boolean }[],
  repeats: readonly { from: number; isOpen: boolean }[],
): Chunk[] {
  const at = (part: number): number => Math.floor(part * body.length);
  const bounds = [...new Set([0, ...cuts.map(({ from }) => at(from)), body.length])].sort(
    (a, b) => a - b,
  );
  const cut = bounds.slice(0, -1).map((start, index) => ({
    start,
    bytes: body.subarray(start, bounds[index + 1]),
    isOpen: cuts[index]?.isOpen ?? false,
  }));
  const again = repeats.map(({ from, isOpen }) => {
    const start = at(from);
    return { start, bytes: body.subarray(start, start + 1 + (body.length >> 2)), isOpen };
  });
  return cut.length === 0 ? [{ start: 0, bytes: body, isOpen: false }] : [...cut, ...again];
}

function frame(id: string, messageId: string, chunk: Chunk, total: number, flag: string): Buffer {
  const { start, bytes, isOpen } = chunk;
  const range = `${start + 1}-${isOpen ? '*' : start + bytes.length}/${total}`;
  const head = [
    `MSRP ${id} SEND`,
    `To-Path: ${rawTo}`,
    'From-Path: msrp://127.0.0.1:9/raw;tcp',
    `Message-ID: ${messageId}`,
    `Byte-Range: ${range}`,
    'Content-Type: application/octet-stream',
  ];
  const text = `${head.join('\r\n')}\r\n\r\n`;
  return Buffer.concat([Buffer.from(text), bytes, Buffer.from(`\r\n-------${id}${flag}\r\n`)]);
}

test('MSRP-07: chunks of any size, in any order, repeated, after an abort, in any pieces', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        body: content,
        cuts: fc.array(piece, { maxLength: 12 }),
        repeats: fc.array(piece, { maxLength: 4 }),
        order: fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        isAborted: fc.boolean(),
        writes: fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
      }),
      async ({ body, cuts, repeats, order, isAborted, writes }) => {
        const messageId = `in${number++}`;
        // A chunk from octet 1 on that comes late begins the message again: not in the next run.
        rawTo = bob.endpoint.reserve(messageId);
        const keyed = chunksOf(body, cuts, repeats).map((chunk) => ({
          chunk,
          key: order.next().value as number,
        }));
        const chunks = keyed.sort((a, b) => a.key - b.key).map(({ chunk }) => chunk);
        const id = (index: number) => `t${messageId}.${index}`;
        const isFirst = chunks[0]?.start === 0;
        const frames = chunks.map((chunk, index) => {
          const isLast = chunk.start + chunk.bytes.length === body.length;
          return frame(id(index), messageId, chunk, body.length, isLast ? '$' : '+');
        });
        // An interrupted attempt comes before; the message begins again at its first octet.
        if (isAborted && isFirst) {
          const begun = { start: 0, bytes: body.subarray(0, body.length >> 1), isOpen: true };
          frames.unshift(frame(`${id(0)}a`, messageId, begun, body.length, '#'));
        }
        const bytes = Buffer.concat(frames);
        for (let offset = 0, turn = 0; offset < bytes.length; turn++) {
          const length = writes[turn % writes.length]!;
          raw.write(bytes.subarray(offset, offset + length));
          offset += length;
        }
        const done = (line: string): boolean => line === `${messageId} ${messageId}`;
        await bob.recorder.until((recorder) => recorder.of('received').some(done));
        const received = bob.recorder.heard.find(
          (heard) => heard.type === 'received' && heard.text === messageId,
        );
        expect(received?.type === 'received' && received.body.equals(body)).toBe(true);
        bob.endpoint.release(messageId);
        bob.recorder.heard.length = 0;
        raw.frames.length = 0;
      },
    ),
    { numRuns: 150 },
  );
});

test('MSRP-06: contents read in any pieces, interrupted by other sessions, arrive as they were', async () => {
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          body: content,
          reads: fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1 }),
        }),
        {
          minLength: 1,
          maxLength: 6,
        },
      ),
      fc.boolean(),
      async (messages, isLater) => {
        const expected = new Map<string, Buffer>();
        for (const [index, { body, reads }] of messages.entries()) {
          const messageId = `out${number++}`;
          expected.set(messageId, body);
          let count = 0;
          const read = (offset: number, length: number): Buffer | Promise<Buffer> => {
            const most = reads[count++ % reads.length]!;
            const bytes = body.subarray(offset, offset + Math.min(length, most));
            return isLater && count % 2 === 0 ? turn().then(() => bytes) : bytes;
          };
          const given: Content = { size: body.length, read };
          const owner = index % 2 === 0 ? 'one' : 'two';
          // Both ways at once: responses interrupt chunks.
          const sender = index % 3 === 0 ? bob : alice;
          sender.endpoint.send(outgoing(owner, messageId, '', { content: given }));
        }
        const all = () => [...alice.recorder.heard, ...bob.recorder.heard];
        const sent = () => all().filter(({ type }) => type === 'sent').length;
        while (sent() < messages.length) {
          await Promise.race([alice, bob].map(({ recorder }) => recorder.until(changed(recorder))));
        }
        const received = all().flatMap((heard) => (heard.type === 'received' ? [heard] : []));
        expect(received).toHaveLength(messages.length);
        for (const { text, body } of received) expect(body.equals(expected.get(text)!)).toBe(true);
        alice.recorder.heard.length = 0;
        bob.recorder.heard.length = 0;
      },
    ),
    { numRuns: 100 },
  );
});

/** Whether more has been heard than when this was made. */
function changed({ heard }: Running['recorder']): () => boolean {
  const before = heard.length;
  return () => heard.length !== before;
}
