import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { RowKey } from '../../src/ports.js';
import type { StoreKey } from '../../src/store/keys.js';
import { decodeKey, encodeKey, loadRange, rowRange, wakeRange } from '../../src/store/keys.js';

/** Text with the characters that trouble a codec, and no lone surrogates. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('\0', '\x01', '\x02', 'a', '\u00ff', '\uffff', '𝒳') }),
);
const number = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 1, 255, 256, 2 ** 32, 2 ** 53 - 1));
const index = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const shard = fc.integer({ min: 0, max: 4095 });

const rowKey: fc.Arbitrary<RowKey> = fc.oneof(
  fc.tuple(fc.constant('actor' as const), text),
  fc.tuple(fc.constant('ua' as const), number),
  fc.tuple(fc.constant('outbox' as const), number),
  fc.tuple(fc.constant('timer' as const), number, text),
  fc.tuple(fc.constant('seen' as const), number, text),
);

const storeKey: fc.Arbitrary<StoreKey> = fc.oneof(
  fc.constant(['schema'] as const),
  fc.tuple(fc.constant('counter' as const), text),
  fc.tuple(fc.constant('wake' as const), shard, number, text),
  fc.tuple(fc.constant('upload' as const), number, number),
  fc.tuple(fc.constant('chunk' as const), number, index),
  fc.tuple(fc.constant('wakeAt' as const), text),
  fc.tuple(fc.constant('row' as const), text, rowKey),
  fc.tuple(fc.constant('content' as const), text, number),
  fc.tuple(fc.constant('large' as const), text, number),
);

const order = ['schema', 'counter', 'wake', 'upload', 'chunk'];
const kinds = ['wakeAt', 'actor', 'outbox', 'timer', 'ua', 'seen', 'content', 'large'];

/** The tuple a key stands for, in the order the layout promises. */
function tuple(key: StoreKey): (number | string)[] {
  const table = order.indexOf(key[0]);
  if (table >= 0) return [table, ...(key.slice(1) as (number | string)[])];
  const [kind, ...rest] = key[0] === 'row' ? key[2] : [key[0], ...key.slice(2)];
  return [order.length, key[1] as string, kinds.indexOf(kind), ...rest];
}

function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (let at = 0; at < a.length; at++) {
    const [left, right] = [a[at]!, b[at]!];
    const sign =
      typeof left === 'string'
        ? Buffer.compare(Buffer.from(left), Buffer.from(right as string))
        : Math.sign(left - (right as number));
    if (sign !== 0) return sign;
  }
  return 0;
}

describe('keys', () => {
  test('decode what was encoded', () => {
    fc.assert(
      fc.property(storeKey, (key) => {
        expect(decodeKey(encodeKey(key))).toEqual(key);
      }),
      { numRuns: 2000 },
    );
  });

  test('sort like the tuples they stand for', () => {
    fc.assert(
      fc.property(storeKey, storeKey, (a, b) => {
        expect(Buffer.compare(encodeKey(a), encodeKey(b))).toBe(compare(tuple(a), tuple(b)));
      }),
      { numRuns: 3000 },
    );
  });

  test('sort like their tuples within one account, and between accounts that begin alike', () => {
    const name = fc.string({ unit: fc.constantFrom('\0', '\x01', '\x02', 'a'), maxLength: 3 });
    const near = fc.tuple(fc.constant('row' as const), name, rowKey);
    fc.assert(
      fc.property(near, near, (a, b) => {
        expect(Buffer.compare(encodeKey(a), encodeKey(b))).toBe(compare(tuple(a), tuple(b)));
      }),
      { numRuns: 3000 },
    );
  });

  test('ranges hold exactly what they say', () => {
    const near = fc.integer({ min: 0, max: 4 });
    const bound = fc.option(fc.constantFrom(-1, 0, 1, 2, 3, 2 ** 53 - 1), { nil: undefined });
    const name = fc.constantFrom('a', 'a\0', 'b', '');
    fc.assert(
      fc.property(name, name, rowKey, near, bound, bound, (asked, stands, row, n, after, upTo) => {
        if (row[0] === 'actor') return;
        const key: RowKey = row.length === 2 ? [row[0], n] : [row[0], n, row[2]];
        const { from, to } = rowRange(asked, {
          kind: key[0],
          ...(after === undefined ? {} : { after }),
          ...(upTo === undefined ? {} : { upTo }),
        });
        const encoded = encodeKey(['row', stands, key]);
        const inside = Buffer.compare(from, encoded) <= 0 && Buffer.compare(encoded, to) < 0;
        const expected = asked === stands && n > (after ?? -1) && n <= (upTo ?? Infinity);
        expect(inside).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test('the range of a load holds wakeAt, actors and outbox of one account', () => {
    const { from, to } = loadRange('bob');
    const holds = (key: StoreKey): boolean => {
      const encoded = encodeKey(key);
      return Buffer.compare(from, encoded) <= 0 && Buffer.compare(encoded, to) < 0;
    };
    expect(holds(['wakeAt', 'bob'])).toBe(true);
    expect(holds(['row', 'bob', ['actor', '']])).toBe(true);
    expect(holds(['row', 'bob', ['actor', '\uffff']])).toBe(true);
    expect(holds(['row', 'bob', ['outbox', 2 ** 53 - 1]])).toBe(true);
    expect(holds(['row', 'bob', ['timer', 0, '']])).toBe(false);
    expect(holds(['wakeAt', 'bob\0'])).toBe(false);
    expect(holds(['wakeAt', 'bo'])).toBe(false);
  });

  test('the range to wake ends with the last moment', () => {
    const { from, to } = wakeRange(4095, 5, 2 ** 53 - 1);
    expect(Buffer.compare(from, encodeKey(['wake', 4095, 5, '']))).toBe(0);
    expect(Buffer.compare(encodeKey(['wake', 4095, 2 ** 53 - 1, '\uffff']), to)).toBe(-1);
  });

  test('known octets', () => {
    const hex = (key: StoreKey): string => encodeKey(key).toString('hex');
    expect(hex(['schema'])).toBe('01');
    expect(hex(['counter', 'ab'])).toBe('026162');
    expect(hex(['wake', 258, 2 ** 32 + 1, 'a'])).toBe('030102000000010000000161');
    expect(hex(['upload', 1, 2])).toBe('0400000000000000010000000000000002');
    expect(hex(['chunk', 1, 2])).toBe('05000000000000000100000002');
    expect(hex(['wakeAt', 'a\0\x01'])).toBe('1061010101020001');
    expect(hex(['row', 'a', ['actor', 'm']])).toBe('106100026d');
    expect(hex(['row', 'a', ['outbox', 1]])).toBe('106100030000000000000001');
    expect(hex(['row', 'a', ['timer', 1, 'x']])).toBe('10610004000000000000000178');
    expect(hex(['row', 'a', ['ua', 2 ** 53 - 1]])).toBe('10610005001fffffffffffff');
    expect(hex(['row', 'a', ['seen', 1, 'x']])).toBe('10610006000000000000000178');
    expect(hex(['content', 'a', 1])).toBe('106100070000000000000001');
    expect(hex(['large', 'a', 1])).toBe('106100080000000000000001');
  });

  test.each([
    ['a lone surrogate', ['counter', 'a\udc00b']],
    ['a text too long', ['counter', 'a'.repeat(4097)]],
    ['a text too long in UTF-8', ['counter', 'ü'.repeat(2049)]],
    ['a negative number', ['content', 'a', -1]],
    ['a fraction', ['content', 'a', 0.5]],
    ['a number that is not exact', ['content', 'a', 2 ** 53]],
    ['no number', ['content', 'a', Number.NaN]],
    ['a shard out of range', ['wake', 65_536, 1, 'a']],
    ['a chunk out of range', ['chunk', 1, 2 ** 32]],
  ] as const)('STORE_INVALID: refuses %s', (_name, key) => {
    expect(() => encodeKey(key)).toThrow(expect.objectContaining({ code: 'STORE_INVALID' }));
  });

  test('the longest texts fit, every octet escaped', () => {
    const key: StoreKey = ['row', '\0'.repeat(4096), ['timer', 1, '\x01'.repeat(4096)]];
    expect(decodeKey(encodeKey(key))).toEqual(key);
  });

  test('STORE_DAMAGED: refuses whatever no key is', () => {
    for (const hex of ['', '00', '0101', '030102', '04', '0500', '1061', '106100', '10610009']) {
      const refused: Error = expect.objectContaining({ code: 'STORE_DAMAGED' }) as Error;
      expect(() => decodeKey(Buffer.from(hex, 'hex')), hex).toThrow(refused);
    }
    for (const hex of ['1061010300', '10610101', '1061000700', '10610005ffffffffffffffff']) {
      const refused: Error = expect.objectContaining({ code: 'STORE_DAMAGED' }) as Error;
      expect(() => decodeKey(Buffer.from(hex, 'hex')), hex).toThrow(refused);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (octets) => {
        try {
          decodeKey(Buffer.from(octets));
        } catch (error) {
          expect(error).toMatchObject({ code: 'STORE_DAMAGED' });
        }
      }),
    );
  });
});
