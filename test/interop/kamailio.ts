/** Kamailio as a child process on loopback, with a configuration of the test. */

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { listening } from '../loopback-port.js';

export interface KamailioOptions {
  /** Path of its configuration. */
  readonly configuration: string;
  /** What it listens on, such as `tcp:127.0.0.1:5060`. */
  readonly listen: readonly string[];
  /** A TCP port among them, which accepts connections once it is up. */
  readonly port: number;
  /** `NAME` or `NAME=value`, for its preprocessor. */
  readonly definitions?: readonly string[];
}

export interface Kamailio {
  readonly port: number;
  /** What it has logged. */
  log(): string;
  stop(): Promise<void>;
}

/** Whether it has the modules that a configuration loads. */
export function hasModules(configuration: string): boolean {
  const about = spawnSync('kamailio', ['-I']).stdout?.toString() ?? '';
  const path = /paths to modules: (\S+)/.exec(about)?.[1];
  if (path === undefined) return false;
  const wanted = readFileSync(configuration, 'utf8').matchAll(/^loadmodule "(.*)"$/gm);
  return [...wanted].every(([, name]) => existsSync(join(path, name!)));
}

/** Starts it and waits until it accepts connections. */
export async function startKamailio(options: KamailioOptions): Promise<Kamailio> {
  const { configuration, listen, port, definitions = [] } = options;
  const directory = mkdtempSync(join(tmpdir(), 'poste-kamailio-'));
  const child = spawn(
    'kamailio',
    [
      ...['-f', configuration, '-DD', '-E', '-m', '64', '-M', '16'],
      ...['-Y', directory, '-P', join(directory, 'pid')],
      ...listen.flatMap((address) => ['-l', address]),
      ...definitions.flatMap((definition) => ['-A', definition]),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (log += text));
  }
  const ended = once(child, 'exit');
  let isOver = false;
  void ended.then(() => (isOver = true));
  if (!(await listening(port, () => isOver))) throw new Error(`kamailio ended: ${log}`);
  return {
    port,
    log: () => log,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
