/** A server in a process of its own with room for large messages, and what it takes of memory. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServerProcess } from '../server-process.js';
import type { ServerProcess } from '../server-process.js';

const gigabytes = 4 * 1024 ** 3;

export interface LargeProcess {
  server: ServerProcess;
  readonly directory: string;
  /** `kill -9`, and another one on the same store. */
  crash(): Promise<void>;
  end(): Promise<void>;
}

export async function startLargeProcess(): Promise<LargeProcess> {
  const root = mkdtempSync(join(tmpdir(), 'poste-large-'));
  const directory = join(root, 'store');
  const config = join(root, 'poste.yaml');
  writeFileSync(
    config,
    [
      'identity: { hostname: store.example.org }',
      `limits: { quota: { octets: ${gigabytes} }, recording: { octets: ${gigabytes} } }`,
      'log: { level: info }',
      '',
    ].join('\n'),
  );
  const start = () => startServerProcess({ directory, args: ['--config', config] });
  const running: LargeProcess = {
    server: await start(),
    directory,
    async crash() {
      await running.server.end('SIGKILL');
      running.server = await start();
    },
    async end() {
      await running.server.end('SIGTERM');
      rmSync(root, { recursive: true, force: true });
    },
  };
  return running;
}

/** Octets of memory of a process, those shared with files left out; Linux only. */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
}

/** Looks at the memory of a process while something is under way; the most that was seen. */
export async function peakDuring(pid: number, act: () => Promise<void>): Promise<number> {
  let peak = residentBytes(pid);
  const look = setInterval(() => {
    peak = Math.max(peak, residentBytes(pid));
  }, 50);
  try {
    await act();
  } finally {
    clearInterval(look);
  }
  return peak;
}
