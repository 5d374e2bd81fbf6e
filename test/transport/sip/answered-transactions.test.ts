/** Answered transactions as octets. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CountingRandom, ManualClock } from '../../../src/testing/clock.js';
import { AnsweredTransactions } from '../../../src/transport/sip/answered-transactions.js';
import type { Flow } from '../../../src/transport/sip/flow.js';
import { keyedHash, TextHash } from '../../../src/transport/sip/keyed-hash.js';
import { TimerWheel } from '../../../src/transport/sip/timer-wheel.js';

const lifeMs = 32_000;
const hash = new TextHash(new CountingRandom());
const flow: Flow = { transport: 'udp', isOpen: true, send: () => undefined };

function scene(octetsMax = 64 * 1024 * 1024, shiftMs = () => 0) {
  const clock = new ManualClock();
  const wheel = new TimerWheel({
    now: () => clock.now() + shiftMs(),
    after: (delayMs, call) => clock.after(delayMs, call),
  });
  const table = new AnsweredTransactions(wheel, octetsMax);
  const keep = (name: string, response = Buffer.from(`answer to ${name}`)): boolean =>
    table.keep(
      {
        key: hash.of(`key ${name}`),
        mergeKey: hash.of(`merge ${name}`),
        flow,
        address: '::1',
        port: 7,
        response,
      },
      lifeMs,
    );
  return { clock, wheel, table, keep };
}

test('TX-04: what was answered is found with its answer and its way, until Timer J', () => {
  const { clock, wheel, table, keep } = scene();
  expect(keep('a')).toBe(true);
  clock.advance(5);
  expect(keep('b')).toBe(true);
  const response = Buffer.from('answer to a');
  expect(table.find(hash.of('key a'))).toEqual({ flow, address: '::1', port: 7, response });
  expect(table.hasMerged(hash.of('merge a'))).toBe(true);
  expect(table.find(hash.of('merge a'))).toBeUndefined();
  expect(table.hasMerged(hash.of('key a'))).toBe(false);
  clock.advance(lifeMs - 5);
  expect([table.size, table.find(hash.of('key a')), table.hasMerged(hash.of('merge a'))]).toEqual([
    1,
    undefined,
    false,
  ]);
  expect(table.find(hash.of('key b'))?.response.toString()).toBe('answer to b');
  clock.advance(10);
  expect([table.size, wheel.size]).toEqual([0, 0]);
});

test('a clock that is set back keeps them a second longer at most', () => {
  let shiftMs = 0;
  const { clock, table, keep } = scene(undefined, () => shiftMs);
  keep('a');
  shiftMs = -3_600_000;
  clock.advance(lifeMs + 1_010);
  expect(table.size).toBe(0);
});

test('beyond the bound of octets the oldest make room, whole', () => {
  const { table, keep } = scene(2 * 1024 * 1024);
  const response = Buffer.alloc(100_000, 'x');
  for (let nth = 0; nth < 100; nth++) expect(keep(`${nth}`, response)).toBe(true);
  expect(table.size).toBeLessThanOrEqual(20);
  expect(table.size).toBeGreaterThanOrEqual(10);
  const kept = Array.from(
    { length: 100 },
    (_, nth) => table.find(hash.of(`key ${nth}`)) !== undefined,
  );
  expect(kept).toEqual(Array.from({ length: 100 }, (_, nth) => nth >= 100 - table.size));
});

test('what is not ASCII is taken as ASCII that nothing else becomes', () => {
  const { table, keep } = scene();
  expect([keep('é'), keep('ê')]).toEqual([true, true]);
  expect(table.find(hash.of('key é'))?.response.toString()).toBe('answer to é');
  expect(table.find(hash.of('key \u00ea'))?.response.toString()).toBe('answer to ê');
  expect(table.hasMerged(hash.of('merge é'))).toBe(true);
  expect(table.find(hash.of('key e'))).toBeUndefined();
});

test('what is larger than a piece is not taken', () => {
  const { table, keep } = scene();
  expect(keep('large', Buffer.alloc(1024 * 1024))).toBe(false);
  expect([table.size, table.find(hash.of('key large'))]).toEqual([0, undefined]);
});

test('a request inside a dialog has no merge key', () => {
  const { table } = scene();
  const response = Buffer.from('x');
  const key = hash.of('k');
  table.keep({ key, mergeKey: undefined, flow, address: '', port: 1, response }, lifeMs);
  expect([table.hasMerged(hash.of('')), table.find(key)?.response]).toEqual([false, response]);
});

test('as a Map would, for any order of requests, lengths and times', () => {
  const acts = fc.array(
    fc.record({ size: fc.nat(9_000), wait: fc.nat(4_000), name: fc.nat(5_000) }),
    { minLength: 1, maxLength: 1_500 },
  );
  fc.assert(
    fc.property(acts, (list) => {
      const { clock, table, keep } = scene();
      const oracle = new Map<string, { at: number; size: number }>();
      for (const { size, wait, name } of list) {
        clock.advance(wait % 50);
        for (const [one, { at }] of oracle) if (at + lifeMs <= clock.now()) oracle.delete(one);
        if (!oracle.has(`${name}`)) {
          expect(table.find(hash.of(`key ${name}`))).toBeUndefined();
          keep(`${name}`, Buffer.alloc(size, name));
          oracle.set(`${name}`, { at: clock.now(), size });
        }
        expect(table.find(hash.of(`key ${name}`))?.response.length).toBe(
          oracle.get(`${name}`)!.size,
        );
      }
      for (const [one, { size }] of oracle) {
        expect(table.find(hash.of(`key ${one}`))?.response).toEqual(
          Buffer.alloc(size, Number(one)),
        );
      }
      clock.advance(lifeMs + 10);
      expect(table.size).toBe(0);
    }),
    { numRuns: 20 },
  );
});

test('the hash differs by key, by every character and by length', () => {
  const key = { low: 0x03020100, high: 0x07060504 };
  const text = 'z9hG4bK-one-two-three';
  const texts = [text, `${text}\0`, text.slice(1), ''];
  for (let at = 0; at < text.length; at++) {
    texts.push(`${text.slice(0, at)}~${text.slice(at + 1)}`);
  }
  const hashes = texts.map((one) => keyedHash(key, one));
  expect(new Set(hashes).size).toBe(texts.length);
  expect(keyedHash({ low: 1, high: 2 }, text)).not.toBe(hashes[0]);
  expect(keyedHash(key, 'ä')).toBeUndefined();
});
