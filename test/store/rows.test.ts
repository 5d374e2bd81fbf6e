import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { decodeOctets, decodeRow, encodeOctets, encodeRow } from '../../src/store/rows.js';

const key = Buffer.from('key');
const damaged = expect.objectContaining({ code: 'STORE_DAMAGED' }) as Error;

describe('records', () => {
  test('give back plain data', () => {
    const plain = fc.jsonValue({ maxDepth: 4 }).filter((value) => !hasPrototypeKey(value));
    fc.assert(
      fc.property(plain, (value) => {
        // -0 is a whole number and comes back as 0, as it does from JSON.
        const plainValue: unknown = JSON.parse(JSON.stringify(value));
        expect(decodeRow(key, encodeRow(key, value))).toEqual(plainValue);
      }),
    );
  });

  test('give back octets, in memory of their own', () => {
    const record = encodeRow(key, { octets: Buffer.from('abc') });
    const { octets } = decodeRow(key, record) as { octets: Buffer };
    record.fill(0);
    expect(Buffer.from(octets).toString()).toBe('abc');
  });

  test('STORE_DAMAGED: one flipped bit anywhere is found', () => {
    const record = encodeRow(key, { state: 'idle', list: [1, 2, 3], octets: Buffer.alloc(20, 1) });
    for (let bit = 0; bit < record.length * 8; bit++) {
      record[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeRow(key, record), `bit ${bit}`).toThrow(damaged);
      record[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(decodeRow(key, record)).toMatchObject({ state: 'idle' });
  });

  test('STORE_DAMAGED: a record under another key, or cut short, is found', () => {
    const record = encodeOctets(key, Buffer.from('content'));
    expect(() => decodeOctets(Buffer.from('kez'), record)).toThrow(damaged);
    for (let size = 0; size < record.length; size++) {
      expect(() => decodeOctets(key, record.subarray(0, size))).toThrow(damaged);
    }
  });

  test('STORE_DAMAGED: what is whole and no MessagePack', () => {
    const record = encodeOctets(key, Buffer.from([0x93, 1]));
    expect(() => decodeRow(key, record)).toThrow(damaged);
  });

  test('STORE_INVALID: refuses a value that ends nowhere', () => {
    const round: unknown[] = [];
    round.push(round);
    const invalid: Error = expect.objectContaining({ code: 'STORE_INVALID' }) as Error;
    expect(() => encodeRow(key, round)).toThrow(invalid);
    expect(decodeRow(key, encodeRow(key, 'still works'))).toBe('still works');
  });
});

/** MessagePack maps are decoded without `__proto__`, which no row of ours has. */
function hasPrototypeKey(value: unknown): boolean {
  return JSON.stringify(value).includes('__proto__');
}
