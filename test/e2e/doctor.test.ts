/** The doctor as a program, before a server that could not start (U27). */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '../loopback-port.js';
import { mainPath } from '../server-process.js';

async function run(...args: string[]) {
  const child = spawn(process.execPath, [mainPath, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', error: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.error += text));
  await once(child, 'close');
  return { code: child.exitCode, ...said };
}

test('U27: an address that is taken is named by the doctor, and by the server that does not start', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'poste-doctor-'));
  const port = await freePort();
  const taken = createServer().listen(port, '127.0.0.1');
  await once(taken, 'listening');
  try {
    const file = join(directory, 'poste.yaml');
    const settings = {
      sip: { listen: [{ transport: 'tcp', port }] },
      msrp: { port: 0 },
      store: { directory: join(directory, 'store') },
    };
    writeFileSync(file, JSON.stringify(settings));
    const doctor = await run('doctor', '--config', file);
    expect(doctor.code).toBe(1);
    const failing = doctor.out.split('\n').filter((line) => line.startsWith('FAIL'));
    expect(failing).toEqual([expect.stringMatching(`sip.listen.*${port}.*EADDRINUSE`)]);
    const server = await run('serve', '--config', file);
    expect(server.code).not.toBe(0);
    expect(server.error).toContain(String(port));
    expect(server.error).not.toMatch(/\n\s+at /);
    taken.close();
    await once(taken, 'close');
    expect((await run('doctor', '--config', file)).code).toBe(0);
  } finally {
    taken.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
