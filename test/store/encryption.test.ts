/** Encryption at rest: what lies on the disk, who can read it, and when nobody can any more. */

import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Change, KeyProvider } from '../../src/ports.js';
import { DataKey } from '../../src/store/encryption/data-key.js';
import { createFileKeys } from '../../src/store/encryption/file-keys.js';
import { openLevelStore } from '../../src/store/level.js';
import type { LevelStore } from '../../src/store/level.js';
import { openMaintenance } from '../../src/store/maintenance.js';
import { silent } from './silent.js';

const bob = 'bob@example.org';
const secret = 'the blue pot by the door';
const nothing: Change = { puts: [], deletes: [], keeps: [], drops: [] };
const mailbox = ['actor', 'mailbox'] as const;

const texts = new Map(['one', 'two'].map((name) => [name, randomBytes(32).toString('base64')]));
const only = (name: string): Map<string, string> => new Map([[name, texts.get(name)!]]);

let root: string;
let directory: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'poste-sealed-'));
  directory = join(root, 'store');
});
afterEach(() => rm(root, { recursive: true }));

function open(keys?: KeyProvider): Promise<LevelStore> {
  const options = { directory, durability: 'fsync', log: silent } as const;
  return openLevelStore({ ...options, ...(keys && { keys }) });
}

async function using<Result>(
  keys: KeyProvider | undefined,
  work: (store: LevelStore) => Promise<Result>,
): Promise<Result> {
  const store = await open(keys);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

async function fill(store: LevelStore, large: Buffer): Promise<void> {
  const { version } = await store.load(bob);
  const upload = await store.upload(bob);
  await upload.write(0, large);
  await upload.finish(large.length);
  await store.commit(bob, version, {
    ...nothing,
    puts: [
      { key: mailbox, value: { hint: secret } },
      { key: ['ua', 1], value: { hint: secret } },
      { key: ['timer', 5_000, 'ua/1 expiry'], value: true },
    ],
    keeps: [
      { serial: 1, content: Buffer.from(secret) },
      { serial: 2, content: upload.id },
    ],
    wakeAt: 5_000,
  });
}

async function textOf(store: LevelStore, serial: number): Promise<Buffer> {
  const content = await store.content(bob, serial);
  return Buffer.from(await content!.read(0, content!.size));
}

/** All octets of all files of the store. */
async function onDisk(): Promise<Buffer> {
  const names = await readdir(directory);
  return Buffer.concat(await Promise.all(names.map((name) => readFile(join(directory, name)))));
}

const large = Buffer.from(`${secret} `.repeat(8_000));

test('what was said is not on the disk, and comes back as it was', async () => {
  const keys = createFileKeys(only('one'), 'one');
  await using(keys, (store) => fill(store, large));
  expect((await onDisk()).includes(secret)).toBe(false);
  await using(keys, async (store) => {
    const { rows, wakeAt } = await store.load(bob);
    expect(rows).toEqual([{ key: mailbox, value: { hint: secret } }]);
    expect(wakeAt).toBe(5_000);
    expect(await store.get(bob, [['ua', 1]])).toEqual([{ hint: secret }]);
    expect(await store.scan(bob, { kind: 'timer', limit: 9 })).toHaveLength(1);
    expect((await textOf(store, 1)).toString()).toBe(secret);
    expect((await textOf(store, 2)).equals(large)).toBe(true);
  });
});

test('without encryption the same text is there: the test can fail', async () => {
  await using(undefined, (store) => fill(store, large));
  expect((await onDisk()).includes(secret)).toBe(true);
});

test('without keys, or with others, a sealed store says so', async () => {
  await using(createFileKeys(only('one'), 'one'), (store) => fill(store, large));
  await expect(open()).rejects.toMatchObject({ code: 'STORE_KEY' });
  await using(createFileKeys(only('two'), 'two'), async (store) => {
    await expect(store.load(bob)).rejects.toMatchObject({ code: 'STORE_KEY' });
    await expect(store.content(bob, 1)).rejects.toMatchObject({ code: 'STORE_KEY' });
    // Others are served.
    await expect(store.load('nia@example.org')).resolves.toMatchObject({ rows: [] });
  });
  const impostor = new Map([['one', randomBytes(32).toString('base64')]]);
  await using(createFileKeys(impostor, 'one'), (store) =>
    expect(store.load(bob)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' }),
  );
});

test('a store from before is read on, and sealed as it is written', async () => {
  const keys = createFileKeys(only('one'), 'one');
  await using(undefined, (store) => fill(store, Buffer.from('large')));
  await using(keys, async (store) => {
    const { version } = await store.load(bob);
    expect((await textOf(store, 1)).toString()).toBe(secret);
    const put = { key: ['ua', 3], value: { hint: 'sealed later' } } as const;
    await store.commit(bob, version, { ...nothing, puts: [put] });
    expect(await store.get(bob, [['ua', 3]])).toEqual([put.value]);
  });
  expect((await onDisk()).includes('sealed later')).toBe(false);
});

test('an interrupted upload of somebody new leaves a key that the next one takes', async () => {
  const keys = createFileKeys(only('one'), 'one');
  await using(keys, async (store) => {
    const upload = await store.upload(bob);
    await upload.write(0, randomBytes(200_000));
  });
  await using(keys, async (store) => {
    await fill(store, large);
    expect((await textOf(store, 2)).equals(large)).toBe(true);
  });
});

describe('rotation', () => {
  test('an account that is written is wrapped by the new key, others by rekey', async () => {
    await using(createFileKeys(only('one'), 'one'), async (store) => {
      await fill(store, large);
      const { version } = await store.load('nia@example.org');
      const puts = [{ key: mailbox, value: { hint: secret } }];
      await store.commit('nia@example.org', version, { ...nothing, puts });
    });
    const both = createFileKeys(texts, 'two');
    await using(both, async (store) => {
      const { version } = await store.load(bob);
      await store.commit(bob, version, { ...nothing, puts: [{ key: ['ua', 9], value: 9 }] });
    });
    const maintenance = await openMaintenance(directory);
    try {
      expect(await maintenance.rewrap(both)).toBe(1);
      expect(await maintenance.rewrap(both)).toBe(0);
    } finally {
      await maintenance.close();
    }
    await using(createFileKeys(only('two'), 'two'), async (store) => {
      expect((await textOf(store, 1)).toString()).toBe(secret);
      expect(await store.get(bob, [['ua', 9]])).toEqual([9]);
      expect((await store.load('nia@example.org')).rows).toHaveLength(1);
    });
  });
});

describe('erasure', () => {
  const keys = createFileKeys(only('one'), 'one');

  async function empty(store: LevelStore): Promise<void> {
    const { version } = await store.load(bob);
    await store.commit(bob, version, {
      ...nothing,
      deletes: [mailbox, ['ua', 1], ['timer', 5_000, 'ua/1 expiry']],
      drops: [1, 2],
      wakeAt: null,
    });
  }

  test('the key goes with the account: a copy of the disk is nobody’s any more', async () => {
    const wrapped: string[] = [];
    const watched: KeyProvider = {
      ...keys,
      unwrap: (name, octets) => {
        wrapped.push(octets.toString('base64'));
        return keys.unwrap(name, octets);
      },
    };
    await using(watched, (store) => fill(store, large));
    await using(watched, async (store) => {
      await empty(store);
      store.release(bob);
      await expect.poll(() => store.accounts({ limit: 9 })).toEqual([]);
    });
    expect(wrapped).toHaveLength(1);
    await using(watched, async (store) => {
      await fill(store, large);
      expect((await textOf(store, 1)).toString()).toBe(secret);
    });
    // A new account of the same name did not unwrap what had been there.
    expect(wrapped).toHaveLength(1);
  });

  test('who is written to again before the account is given up keeps the key', async () => {
    await using(keys, async (store) => {
      await fill(store, large);
      await empty(store);
      await fill(store, large);
      store.release(bob);
      expect((await textOf(store, 1)).toString()).toBe(secret);
    });
    await using(keys, async (store) => {
      expect((await textOf(store, 2)).equals(large)).toBe(true);
    });
  });
});

test('many at once make one key', async () => {
  let wraps = 0;
  const keys = createFileKeys(only('one'), 'one');
  const slow: KeyProvider = {
    ...keys,
    wrap: async (dataKey) => {
      wraps++;
      await new Promise((resolve) => setImmediate(resolve));
      return keys.wrap(dataKey);
    },
  };
  await using(slow, async (store) => {
    const uploads = await Promise.all([store.upload(bob), store.upload(bob), store.upload(bob)]);
    for (const upload of uploads) {
      await upload.write(0, large);
      await upload.finish(large.length);
    }
    const { version } = await store.load(bob);
    const keeps = uploads.map(({ id }, i) => ({ serial: i + 1, content: id }));
    await store.commit(bob, version, { ...nothing, keeps });
  });
  expect(wraps).toBeGreaterThan(0);
  await using(keys, async (store) => {
    for (const serial of [1, 2, 3]) expect((await textOf(store, serial)).equals(large)).toBe(true);
  });
});

test('a key service that fails refuses what it concerns, and nothing else', async () => {
  const keys = createFileKeys(only('one'), 'one');
  let isDown = true;
  const failing: KeyProvider = {
    ...keys,
    wrap: (dataKey) => (isDown ? Promise.reject(new Error('down')) : keys.wrap(dataKey)),
  };
  await using(failing, async (store) => {
    await expect(store.load(bob)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(store.upload(bob)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    isDown = false;
    await fill(store, large);
    expect((await textOf(store, 1)).toString()).toBe(secret);
  });
});

describe('a data key', () => {
  const key = new DataKey(randomBytes(32));

  test('opens what it sealed, under the key of the same record, unaltered', () => {
    const name = Buffer.from('name');
    const sealed = key.seal(name, Buffer.from(secret));
    expect(key.open(name, sealed).toString()).toBe(secret);
    expect(key.open(name, key.seal(name, Buffer.alloc(0)))).toHaveLength(0);
    expect(() => key.open(Buffer.from('other'), sealed)).toThrow('STORE_DAMAGED');
    for (let at = 0; at < sealed.length; at++) {
      const altered = Buffer.from(sealed);
      altered[at]! ^= 1;
      expect(() => key.open(name, altered)).toThrow('STORE_DAMAGED');
    }
    expect(() => key.open(name, sealed.subarray(0, 20))).toThrow('STORE_DAMAGED');
  });

  test('never uses a nonce twice', () => {
    const name = Buffer.from('name');
    const nonces = Array.from({ length: 2_000 }, () => key.seal(name, name).toString('hex', 0, 12));
    expect(new Set(nonces).size).toBe(2_000);
  });
});

test.each([
  ['too short', new Map([['one', 'c2hvcnQ=']]), 'one'],
  ['not there', only('one'), 'two'],
])('a wrapping key that is %s is refused', (_what, keys, current) => {
  expect(() => createFileKeys(keys, current)).toThrow('STORE_KEY');
});
