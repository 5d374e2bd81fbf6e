/** Admission by measured latency: what is taken of more than can be done in time (ADR 0016). */

import { expect, test } from 'vitest';
import { Admission, admissionLimits } from '../../src/actors/admission.js';
import type { AdmissionLimits } from '../../src/actors/admission.js';
import { ManualClock } from '../../src/testing/clock.js';

interface Scene {
  readonly clock: ManualClock;
  readonly admission: Admission;
  /** Sends so many a second for so long, evenly; returns how many were taken. */
  flood(account: string, perSecond: number, ms: number, latencyMs: number): number;
}

function scene(more: Partial<AdmissionLimits> = {}): Scene {
  const clock = new ManualClock();
  const limits = { ...admissionLimits, latencyMs: 500, rateMin: 10, ...more };
  const admission = new Admission(limits, clock);
  let number = 0;
  const flood: Scene['flood'] = (account, perSecond, ms, latencyMs) => {
    let taken = 0;
    for (let sent = 0; sent < (perSecond * ms) / 1_000; sent++) {
      clock.advance(1_000 / perSecond);
      const transaction = String(number++);
      if (!admission.admit(account, transaction, 100)) continue;
      taken++;
      admission.waited(latencyMs);
      admission.answered(transaction);
    }
    return taken;
  };
  return { clock, admission, flood };
}

function counter({ admission }: Scene, name: string): number | undefined {
  return admission.counters()[`actors.admission.${name}`];
}

test('while nothing is slow everything is taken', () => {
  const world = scene();
  expect(world.flood('bob', 10_000, 3_000, 20)).toBe(30_000);
  expect(counter(world, 'rate')).toBe(0);
});

test('too slow: the rate falls, and everything is taken again when it is quick', () => {
  const world = scene();
  world.flood('bob', 1_000, 1_000, 20);
  const slow = world.flood('bob', 1_000, 2_000, 800);
  expect(slow).toBeLessThan(700);
  const rate = counter(world, 'rate')!;
  expect(rate).toBeGreaterThanOrEqual(10);
  expect(rate).toBeLessThan(100);
  const mending = world.flood('bob', 1_000, 6_000, 20);
  expect(mending).toBeGreaterThan(slow);
  world.flood('bob', 1_000, 12_000, 20);
  expect(counter(world, 'rate')).toBe(0);
  expect(world.flood('bob', 1_000, 1_000, 20)).toBe(1_000);
});

test('however slow it is, the least rate is taken', () => {
  const world = scene({ rateMin: 50 });
  world.flood('bob', 1_000, 3_000, 5_000);
  const taken = world.flood('bob', 1_000, 4_000, 5_000);
  expect(taken).toBeGreaterThan(150);
  expect(taken).toBeLessThanOrEqual(220);
});

test('what was slow while nearly nobody asked is no reason to refuse those who come then', () => {
  const world = scene({ rateMin: 50 });
  // A mailbox of 200,000 messages is loaded, for its operator.
  world.admission.waited(3_000);
  expect(world.flood('bob', 1_000, 1_000, 20)).toBe(1_000);
  world.flood('bob', 20, 1_000, 3_000);
  expect(world.flood('bob', 1_000, 1_000, 20)).toBe(1_000);
  expect(counter(world, 'rate')).toBe(0);
  // And those who make it slow are refused as ever.
  expect(world.flood('bob', 1_000, 1_000, 3_000)).toBeLessThan(600);
});

test('a commit that does not end counts while it lasts', () => {
  const world = scene();
  const commit = world.admission.commits();
  expect(world.flood('eve', 1_000, 400, 0)).toBe(400);
  const stuck = world.flood('eve', 1_000, 2_000, 0);
  expect(stuck).toBeLessThan(700);
  world.admission.committed(commit);
  world.flood('eve', 1_000, 20_000, 0);
  expect(counter(world, 'rate')).toBe(0);
});

test('fairness: one mailbox under attack is refused, the others are served', () => {
  const world = scene({ rateMin: 100 });
  world.flood('bob', 5_000, 2_000, 1_000);
  const { admission, clock } = world;
  let served = 0;
  let asked = 0;
  let attacked = 0;
  for (let sent = 0; sent < 10_000; sent++) {
    clock.advance(0.2);
    const attack = `a${sent}`;
    if (admission.admit('bob', attack, 100)) attacked++;
    admission.waited(1_000);
    admission.answered(attack);
    if (sent % 200 !== 0) continue;
    // Twenty others, who ask for little.
    const transaction = `o${sent}`;
    asked++;
    if (admission.admit(`user${(sent / 200) % 20}`, transaction, 100)) served++;
    admission.answered(transaction);
  }
  expect(served).toBe(asked);
  expect(attacked).toBeLessThan(250);
  expect(counter(world, 'refused.share')).toBeGreaterThan(8_000);
});

test('bounds of requests without an answer, and of their octets; what has one makes room', () => {
  const world = scene({ requests: 3, octets: 1_000 });
  const { admission } = world;
  expect(admission.admit('a', '1', 5_000)).toBe(true);
  expect(admission.admit('a', '2', 1)).toBe(false);
  admission.answered('1');
  for (const transaction of ['2', '3', '4']) {
    expect(admission.admit('a', transaction, 300)).toBe(true);
  }
  expect(admission.admit('a', '5', 1)).toBe(false);
  admission.answered('3');
  expect(admission.admit('a', '5', 400)).toBe(true);
  expect(counter(world, 'octets')).toBe(1_000);
  expect(counter(world, 'refused.bound')).toBe(2);
});

test('what is never answered is forgotten when its transaction has ended', () => {
  const world = scene({ requests: 1 });
  const { admission, clock } = world;
  expect(admission.admit('a', '1', 10)).toBe(true);
  clock.advance(63_000);
  expect(admission.admit('a', '2', 10)).toBe(false);
  clock.advance(2_000);
  expect(admission.admit('a', '2', 10)).toBe(true);
  expect(counter(world, 'octets')).toBe(10);
});
