/** Fuzzing of a running server: batches of hostile input, and what must hold between them. */

import { expect } from 'vitest';
import type { HostileServer } from '../torture/server.js';
import { User } from '../torture/user.js';
import { drawFrom } from './draw.js';
import type { Draw } from './draw.js';
import { fuzzMinutes, fuzzSeed, memoryInUse, tell } from './duration.js';
import { mutate } from './mutate.js';
import type { Material } from './mutate.js';

export interface LiveTarget {
  readonly name: string;
  readonly material: Material;
  readonly mend?: (bytes: Buffer) => Buffer;
  /** Sends inputs and resolves when the server has had its time with them. */
  send(inputs: readonly Buffer[], draw: Draw): Promise<void>;
}

const batchSize = 40;
const batchesInCi = 6;
/** Batches before memory is looked at, so that caches are as full as they get. */
const warmUp = 100;
const growthMax = 96 * 1024 * 1024;

/** Runs until the time is over, or a fixed number of batches. */
export async function fuzzLive(target: LiveTarget, hostile: HostileServer): Promise<void> {
  const draw = drawFrom(fuzzSeed);
  const isLong = fuzzMinutes > 0;
  const end = Date.now() + fuzzMinutes * 60_000;
  const unhandled: unknown[] = [];
  const watch = (error: unknown): number => unhandled.push(error);
  process.on('unhandledRejection', watch);
  let before = memoryInUse();
  let executions = 0;
  for (let batch = 0; isLong ? Date.now() < end : batch < batchesInCi; batch++) {
    const inputs = inputsOf(target, draw);
    executions += inputs.length;
    await target.send(inputs, draw);
    await expectHealthy(hostile);
    expect(unhandled).toEqual([]);
    if (batch === warmUp) before = memoryInUse();
  }
  process.off('unhandledRejection', watch);
  const after = memoryInUse();
  const grown = { heap: after.heap - before.heap, outside: after.outside - before.outside };
  if (isLong) {
    const [heap, outside] = [grown.heap, grown.outside].map((octets) => Math.round(octets / 1024));
    tell(
      `${target.name} seed ${fuzzSeed}: ${executions} inputs, heap ${heap} KiB, other ${outside} KiB more`,
    );
    tell(`counters ${JSON.stringify(hostile.server.counters())}`);
  }
  expect(grown.heap).toBeLessThan(growthMax);
  expect(grown.outside).toBeLessThan(growthMax);
}

function inputsOf({ material, mend }: LiveTarget, draw: Draw): Buffer[] {
  return Array.from({ length: batchSize }, () => {
    const changed = onLoopback(mutate(draw.pick(material.corpus), draw, material));
    return mend && !draw.once(4) ? mend(changed) : changed;
  });
}

/** The server lives, serves, has stopped no account, and logs codes and no stacks. */
async function expectHealthy(hostile: HostileServer): Promise<void> {
  const user = await User.at(hostile.tcp);
  try {
    expect(await user.options()).toBe(200);
    expect(await user.message('sip:witness@example.invalid')).toBeOneOf([202, 603]);
  } finally {
    await user.close();
  }
  expect(hostile.server.counters()['actors.accounts.stopped']).toBe(0);
  for (const { level, code, text } of hostile.lines.splice(0)) {
    expect(text).not.toMatch(/\n|\bat .*:\d+:\d+/);
    if (level === 'error' || level === 'warn') expect(code, text).toMatch(/^[A-Z]+(_[A-Z0-9]+)*$/);
  }
}

/** An answer or a connection to a changed address must not leave this machine. */
function onLoopback(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1').replace(/\b\d{1,3}(?=(?:\.\d+){3})/g, '127');
  return Buffer.from(text.replace(/example\.(?:org|com|net)/g, 'example.invalid'), 'latin1');
}
