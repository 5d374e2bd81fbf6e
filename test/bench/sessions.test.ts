/** Many MSRP sessions at a time with the built server, whose memory is bounded. */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startServerProcess } from '../server-process.js';

const program = fileURLToPath(new URL('../../bench/sessions.mjs', import.meta.url));
const sessions = 200;
const messages = 5;

interface Outcome {
  readonly idle: number;
  readonly taken: { readonly resident: number; readonly kept: number };
  readonly pushed: Record<'resident' | 'atOnce' | 'expected' | 'delivered' | 'disorder', number>;
}

test('MSRP-13, D-16, S2-PUSH-FLOW: 200 sessions stop half-way in, then 200 out', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'poste-sessions-'));
  const server = await startServerProcess({ directory });
  const options = { port: server.sipPort, pid: server.pid, sessions, messages, large: 16_384 };
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...args]);
    const { idle, taken, pushed } = JSON.parse(stdout) as Outcome;
    expect(taken.kept).toBe(sessions);
    // A message that is under way has one chunk of 64 KiB, and no slab of the socket beside it.
    expect(taken.resident - idle).toBeLessThan(sessions * 0.5);
    expect(pushed).toMatchObject({ expected: sessions * messages, disorder: 0 });
    expect(pushed.delivered).toBe(pushed.expected);
    expect(pushed.atOnce).toBeGreaterThanOrEqual(sessions);
    expect(pushed.resident - idle).toBeLessThan(sessions * 1);
  } finally {
    await server.end('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
});
