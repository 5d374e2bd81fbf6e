/** Runs that know how much the rest of the machine disturbed them. */

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { allProcesses, dropDirectory, newDirectory, usageOf } from './processes.mjs';
import { median } from './statistics.mjs';

/** Cores that others may use before a run starts, and while it runs. */
const quietCores = Number(process.env.BENCH_QUIET ?? 0.12);
const noisyCores = Number(process.env.BENCH_NOISE ?? 0.3);
const quietSeconds = Number(process.env.BENCH_QUIET_WAIT ?? 60);
const tries = Number(process.env.BENCH_TRIES ?? 3);

/**
 * Runs `run` while the processes are metered, again when others disturbed it, and answers the run
 * that was disturbed least, with what it cost.
 */
export async function metered(pids, run, { once = false } = {}) {
  let best;
  for (let i = 0; i < (once ? 1 : tries); i++) {
    await quiet(pids);
    const fsyncUs = fsyncTime();
    const before = usageOf(pids);
    const others = cpuOfOthers(pids);
    const began = performance.now();
    const result = await run();
    const seconds = (performance.now() - began) / 1000;
    const after = usageOf(pids);
    const noise = used(others, cpuOfOthers(pids)) / seconds;
    const measured = {
      ...result,
      cpuSeconds: after.cpu - before.cpu,
      seconds,
      memory: after.memory,
      noise: Math.round(noise * 100) / 100,
      fsyncUs,
    };
    if (!best || measured.noise < best.noise) best = measured;
    if (noise < noisyCores) break;
  }
  return best;
}

/** Resolves when the machine is left alone, or has not been for a minute. */
async function quiet(pids) {
  const end = performance.now() + quietSeconds * 1000;
  for (let calm = 0; calm < 2 && performance.now() < end;) {
    const before = cpuOfOthers(pids);
    const began = performance.now();
    await setTimeout(400);
    const cores = used(before, cpuOfOthers(pids)) / ((performance.now() - began) / 1000);
    calm = cores < quietCores ? calm + 1 : 0;
  }
}

/** Kernel threads have the parent 2. */
function cpuOfOthers(pids) {
  const all = allProcesses();
  const mine = new Set([process.pid, ...pids]);
  const isMine = (pid) => {
    for (let at = pid, i = 0; at > 1 && i < 50; i++, at = all.get(at)?.parent ?? 0) {
      if (mine.has(at)) return true;
    }
    return false;
  };
  const others = new Map();
  for (const [pid, { parent, cpu }] of all) {
    if (pid !== 2 && parent !== 2 && !isMine(pid)) others.set(pid, cpu);
  }
  return others;
}

function used(before, after) {
  let cpu = 0;
  for (const [pid, now] of after) cpu += Math.max(0, now - (before.get(pid) ?? 0));
  return cpu;
}

/** Median microseconds of an append of 4 KiB and its fdatasync, now. */
export function fsyncTime(count = 60) {
  const directory = newDirectory();
  const file = openSync(join(directory, 'probe'), 'w');
  const block = Buffer.alloc(4096, 1);
  const times = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    times.push((performance.now() - began) * 1000);
  }
  closeSync(file);
  dropDirectory(directory);
  return Math.round(median(times));
}
