import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { settingsOf } from '../../src/config.js';
import { startServer } from '../../src/server.js';
import { freePort } from '../loopback-port.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'poste-start-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a start that fails names its code, leaves nothing open and logs nothing', async () => {
  const settings = (name: string, port: number) =>
    settingsOf({
      sip: { listen: [{ transport: 'udp', port }] },
      msrp: { port: 0 },
      store: { directory: join(directory, name) },
      log: { level: 'silent' },
    });
  const lines: string[] = [];
  const line = (_fields: object, message: string): void => {
    lines.push(message);
  };
  const log = { debug: line, info: line, warn: line, error: line };
  const port = await freePort();
  const first = await startServer(settings('one', port));
  const second = startServer(settings('two', port), { log });
  await expect(second).rejects.toMatchObject({ code: 'SIP_LISTEN' });
  await expect(startServer(settings('one', 0), { log })).rejects.toMatchObject({
    code: 'STORE_LOCKED',
  });
  await first.stop(0);
  const third = await startServer(settings('two', port), { log });
  await third.stop(0);
  expect(lines).toEqual([]);
});
