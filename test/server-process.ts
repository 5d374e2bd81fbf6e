/** The built server as a child process, for tests that kill it. */

import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from './loopback-port.js';

export const mainPath = fileURLToPath(new URL('../dist/main.js', import.meta.url));

interface Ready {
  readonly ready: true;
  readonly sip: { readonly address: string; readonly port: number };
  readonly msrp: { readonly address: string; readonly port: number };
  readonly shards: number;
}

export interface ServerProcess {
  readonly sipPort: number;
  readonly msrpPort: number;
  readonly pid: number;
  readonly shards: number;
  /** The processes of its shards that run at the moment. */
  shardPids(): readonly number[];
  /** What it wrote to standard error, whole. */
  log(): string;
  /**
   * Sends the signal and waits for the end, that of its shards too; the exit code, null when a signal
   * ended it.
   */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null>;
}

/** Starts `serve` and waits until it says that it is ready. */
export async function startServerProcess(options: {
  readonly directory: string;
  /** Of an earlier process that it takes the place of; else it has ports of its own. */
  readonly sipPort?: number;
  readonly msrpPort?: number;
  readonly args?: readonly string[];
  /** One process, unless the test is about shards; `unset`: whatever the program does by itself. */
  readonly shards?: number | 'unset';
  /** Beside the environment of the test. */
  readonly env?: Readonly<Record<string, string>>;
  /** Told of the child before it is ready, for tests that kill it while it starts. */
  readonly spawned?: (child: ChildProcess) => void;
}): Promise<ServerProcess> {
  const { directory, args = [], env = {}, shards = 1 } = options;
  const divided = shards === 'unset' ? [] : ['--shards', String(shards)];
  const { sipPort = await freePort(), msrpPort = await freePort() } = options;
  const ports = ['--port', String(sipPort), '--msrp-port', String(msrpPort)];
  const child = spawn(
    process.execPath,
    [mainPath, 'serve', '--dir', directory, ...ports, ...divided, ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    },
  );
  options.spawned?.(child);
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ready = await firstLine(child, () => log);
  return {
    sipPort: ready.sip.port,
    msrpPort: ready.msrp.port,
    pid: child.pid!,
    shards: ready.shards,
    shardPids: () => childrenOf(child.pid!),
    log: () => log,
    async end(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      await endChild(child, signal);
      return child.exitCode;
    },
  };
}

/** Its shards end by themselves when it is gone. */
export async function endChild(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const shards = childrenOf(child.pid!);
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
  while (shards.some(isThere)) await new Promise(setImmediate);
}

function childrenOf(pid: number): readonly number[] {
  // On other systems tests with several shards that are killed do not know them.
  const path = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').split(' ').filter(Boolean).map(Number);
}

function isThere(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

async function firstLine(child: ChildProcess, log: () => string): Promise<Ready> {
  const lines = createInterface({ input: child.stdout! });
  const exit = once(child, 'exit').then(() => {
    throw new Error(`the server ended before it was ready: ${log()}`);
  });
  const [line] = (await Promise.race([once(lines, 'line'), exit])) as [string];
  exit.catch(() => undefined);
  return JSON.parse(line) as Ready;
}

/** Whether a program is installed; interop tests skip with its name as the reason when not. */
export function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}
