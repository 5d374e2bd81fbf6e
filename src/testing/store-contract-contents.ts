/** The contract of StorePort on contents and uploads. */

import assert from 'node:assert/strict';

import type { Change, Content, Upload } from '../ports.js';
import type { StoreCheck } from './store-contract-rows.js';
import { inTwoLives, nothing, rejects, write } from './store-contract-rows.js';

const bob = 'bob@example.org';

/** Octets that differ from place to place, from chunk to chunk. */
function octets(size: number): Buffer {
  const buffer = Buffer.alloc(size);
  for (let at = 0; at < size; at++) buffer[at] = (at * 31 + (at >>> 8) * 7 + (at >>> 16)) & 0xff;
  return buffer;
}

function keep(serial: number, content: Buffer | string): Change {
  return { ...nothing, keeps: [{ serial, content }] };
}

async function readAll(content: Content, step: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let at = 0; at < content.size; at += step) parts.push(await content.read(at, step));
  return Buffer.concat(parts);
}

async function fill(upload: Upload, whole: Buffer, step: number): Promise<void> {
  for (let at = 0; at < whole.length; at += step) {
    await upload.write(at, whole.subarray(at, at + step));
  }
}

const sizes = [0, 1, 400, 65_535, 65_536, 65_537, 200_000, 1_048_576, 1_114_113, 1_310_720];

export const contentCases: readonly StoreCheck[] = [
  {
    name: 'contents of any size come back whole, from any offset',
    async check({ store, reopen }) {
      for (const [serial, size] of sizes.entries())
        await write(store, bob, keep(serial, octets(size)));
      const again = await reopen();
      for (const [serial, size] of sizes.entries()) {
        const content = (await again.content(bob, serial))!;
        assert.equal(content.size, size);
        assert.deepEqual(await readAll(content, 2048), octets(size));
        assert.deepEqual(await content.read(0, 1e9), octets(size));
        assert.deepEqual(
          await content.read(size - 1 < 0 ? 0 : size - 1, 9),
          octets(size).subarray(-1),
        );
        assert.equal((await content.read(size, 9)).length, 0);
      }
    },
  },
  {
    name: 'a content that was not kept, or was dropped, is undefined',
    async check({ store, reopen }) {
      assert.equal(await store.content(bob, 1), undefined);
      for (const [serial, size] of sizes.entries())
        await write(store, bob, keep(serial, octets(size)));
      await write(store, bob, { ...nothing, drops: [...sizes.keys()] });
      for await (const each of inTwoLives(store, reopen)) {
        for (const serial of sizes.keys()) assert.equal(await each.content(bob, serial), undefined);
      }
    },
  },
  {
    name: 'an upload is invisible until a commit keeps it, and durable then',
    async check({ store, reopen }) {
      for (const [serial, size] of sizes.entries()) {
        const upload = await store.upload(bob);
        await fill(upload, octets(size), 10_000);
        await upload.finish(size);
        assert.equal(await store.content(bob, serial), undefined);
        await write(store, bob, keep(serial, upload.id));
      }
      const again = await reopen();
      assert.equal(await again.sweep(Number.MAX_SAFE_INTEGER), 0);
      for (const [serial, size] of sizes.entries()) {
        const content = (await again.content(bob, serial))!;
        assert.deepEqual(await readAll(content, 30_000), octets(size));
      }
    },
  },
  {
    name: 'pieces of an upload come out of order, again, and from a buffer that is used again',
    async check({ store }) {
      const size = 1_200_001;
      const whole = octets(size);
      const upload = await store.upload(bob);
      const slab = Buffer.alloc(9_001);
      const offsets: number[] = [];
      for (let at = 0; at < size; at += 9_000) offsets.push(at);
      // Every place twice, far apart, most of them not in order.
      const order = offsets.map((_, n) => offsets[(n * 37) % offsets.length]!);
      for (const at of [...order, ...order.slice(0, 30)]) {
        const piece = whole.subarray(at, at + 9_001);
        piece.copy(slab);
        await upload.write(at, slab.subarray(0, piece.length));
        slab.fill(0);
      }
      await upload.finish(size);
      await write(store, bob, keep(1, upload.id));
      assert.ok((await readAll((await store.content(bob, 1))!, 65_536)).equals(whole));
    },
  },
  {
    name: 'pieces written side by side all count',
    async check({ store }) {
      const whole = octets(1_300_000);
      const upload = await store.upload(bob);
      const writes: unknown[] = [];
      for (let at = whole.length - 2_000; at >= 0; at -= 2_000) {
        writes.push(upload.write(at, whole.subarray(at, at + 2_000)));
      }
      await Promise.all(writes);
      await upload.finish(whole.length);
      await write(store, bob, keep(1, upload.id));
      assert.ok((await readAll((await store.content(bob, 1))!, 65_536)).equals(whole));
    },
  },
  {
    name: 'STORE_INVALID: an upload with a gap, or of another length, is not finished',
    async check({ store }) {
      const upload = await store.upload(bob);
      await upload.write(0, octets(10));
      await upload.write(11, octets(10));
      await rejects(upload.finish(21), 'STORE_INVALID');
      await upload.write(10, octets(1));
      await rejects(upload.finish(20), 'STORE_INVALID');
      await rejects(upload.finish(22), 'STORE_INVALID');
      await rejects(write(store, bob, keep(1, upload.id)), 'STORE_INVALID');
      await upload.finish(21);
      await rejects(upload.write(0, octets(1)), 'STORE_INVALID');
      await write(store, bob, keep(1, upload.id));
      assert.equal((await store.content(bob, 1))?.size, 21);
    },
  },
  {
    name: 'STORE_GONE: an upload is kept once, by its account, and not after an abort',
    async check({ store }) {
      const [kept, aborted, foreign] = await Promise.all(
        ['bob', 'bob', 'eve'].map(async (name) => {
          const upload = await store.upload(name);
          await fill(upload, octets(100_000), 50_000);
          await upload.finish(100_000);
          return upload;
        }),
      );
      await write(store, 'bob', keep(1, kept!.id));
      await rejects(write(store, 'bob', keep(2, kept!.id)), 'STORE_GONE');
      await aborted!.abort();
      await rejects(write(store, 'bob', keep(3, aborted!.id)), 'STORE_GONE');
      await rejects(write(store, 'bob', keep(4, foreign!.id)), 'STORE_INVALID');
      await rejects(write(store, 'bob', keep(5, 'no such upload')), 'STORE_GONE');
      await kept!.abort();
      assert.ok((await readAll((await store.content('bob', 1))!, 65_536)).equals(octets(100_000)));
    },
  },
  {
    name: 'sweep drops what nobody kept, finished or not, and spares what came later',
    async check({ store, reopen }) {
      const finished = await store.upload(bob);
      await fill(finished, octets(100_000), 50_000);
      await finished.finish(100_000);
      const open = await store.upload(bob);
      await fill(open, octets(100_000), 50_000);
      assert.equal(await store.sweep(1), 0);
      assert.equal(await store.sweep(Number.MAX_SAFE_INTEGER), 2);
      await rejects(open.write(100_000, octets(1)), 'STORE_GONE');
      await rejects(write(store, bob, keep(1, finished.id)), 'STORE_GONE');
      const later = await store.upload(bob);
      await fill(later, octets(100_000), 50_000);
      await later.finish(100_000);
      const again = await reopen();
      assert.equal(await again.sweep(Number.MAX_SAFE_INTEGER), 1);
      await rejects(write(again, bob, keep(1, later.id)), 'STORE_GONE');
    },
  },
  {
    name: 'a refused commit keeps no upload, which can be kept by the next one',
    async check({ store }) {
      const upload = await store.upload(bob);
      await upload.write(0, octets(5));
      await upload.finish(5);
      const { version } = await store.load(bob);
      const bad: Change = { ...keep(1, upload.id), deletes: [['ua', -1]] };
      await rejects(store.commit(bob, version, bad), 'STORE_INVALID');
      await rejects(store.commit(bob, version - 1, keep(1, upload.id)), 'STORE_STALE');
      await write(store, bob, keep(1, upload.id));
      assert.equal((await store.content(bob, 1))?.size, 5);
    },
  },
  {
    name: 'a content can be dropped by the commit behind the one that keeps it',
    async check({ store }) {
      const upload = await store.upload(bob);
      await fill(upload, octets(100_000), 50_000);
      await upload.finish(100_000);
      const { version } = await store.load(bob);
      const kept = store.commit(bob, version, keep(1, upload.id));
      const dropped = store.commit(bob, version + 1, { ...nothing, drops: [1] });
      await Promise.all([kept, dropped]);
      assert.equal(await store.content(bob, 1), undefined);
    },
  },
];
