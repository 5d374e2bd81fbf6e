/** The server of the demo: a child process on free ports, with a store in a temporary directory. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { freePort } from '../client/free-port.js';

/** What is not as it was promised, in one line. */
export class DemoError extends Error {
  readonly code: 'DEMO_FAILED' | 'DEMO_SERVER' | 'DEMO_TIMEOUT';

  constructor(code: DemoError['code'], message: string) {
    super(message);
    this.name = 'DemoError';
    this.code = code;
  }
}

const mainPath = fileURLToPath(new URL('../main.js', import.meta.url));
const errorTextMax = 2_000;

export class DemoServer {
  readonly #directory = mkdtempSync(join(tmpdir(), 'poste-restante-demo-'));
  readonly #onExit = (): void => this.remove();
  #child: ChildProcess | undefined;
  #ports = { sip: 0, msrp: 0 };

  constructor() {
    process.once('exit', this.#onExit);
  }

  get sipPort(): number {
    return this.#ports.sip;
  }

  /** Starts it, the second time on the ports of the first. */
  async start(): Promise<void> {
    const { sip, msrp } = this.#ports.sip === 0 ? await freePorts() : this.#ports;
    const directory = join(this.#directory, 'store');
    const ports = ['--port', String(sip), '--msrp-port', String(msrp)];
    const child = spawn(
      process.execPath,
      [mainPath, 'serve', '--dir', directory, ...ports, '--log-level', 'error'],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#child = child;
    this.#ports = await readyPorts(child);
  }

  /** kill -9; resolves when the process is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** Nothing is left of it: no process, no directory. */
  remove(): void {
    process.off('exit', this.#onExit);
    this.#child?.kill('SIGKILL');
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** UDP and TCP of the server share a port, for a long request leaves by TCP (RFC 3261 18.1.1). */
async function freePorts(): Promise<{ sip: number; msrp: number }> {
  return { sip: await freePort('127.0.0.1'), msrp: 0 };
}

async function readyPorts(child: ChildProcess): Promise<{ sip: number; msrp: number }> {
  let errorText = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errorText = (errorText + text).slice(-errorTextMax);
  });
  const { stdout } = child;
  if (!stdout) throw new DemoError('DEMO_SERVER', 'the server has no output');
  const lines = createInterface({ input: stdout });
  const failed = Promise.race([once(child, 'exit'), once(child, 'error')]).then(() => {
    const why = errorText.trim().split('\n').at(-1) ?? '';
    throw new DemoError('DEMO_SERVER', `the server ended before it was ready: ${why}`);
  });
  // The process ends some time, but then nobody waits for it any more.
  failed.catch(() => undefined);
  const [line] = (await Promise.race([once(lines, 'line'), failed])) as [string];
  const ready: unknown = JSON.parse(line);
  return { sip: portIn(ready, 'sip'), msrp: portIn(ready, 'msrp') };
}

function portIn(ready: unknown, name: 'sip' | 'msrp'): number {
  const address = (ready as Partial<Record<string, { readonly port?: unknown }>>)[name];
  if (typeof address?.port === 'number') return address.port;
  throw new DemoError('DEMO_SERVER', `the server does not tell its ${name} port`);
}
