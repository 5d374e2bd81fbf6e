/**
 * Loaded into the server in front of everything else: SIGUSR2 begins a CPU profile of its main
 * thread, the next one ends it and writes it to the file `BENCH_PROFILE`.
 */

import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import process from 'node:process';

const file = process.env.BENCH_PROFILE;
const session = new Session();
let isOn = false;

process.on('SIGUSR2', () => {
  isOn = !isOn;
  void (isOn ? begin() : end());
});

async function begin() {
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 200 });
  await session.post('Profiler.start');
}

async function end() {
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  // Whoever waits for it finds it whole.
  writeFileSync(`${file}.part`, JSON.stringify(profile));
  renameSync(`${file}.part`, file);
}
