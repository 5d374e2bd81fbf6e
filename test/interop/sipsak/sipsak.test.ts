import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createImClient } from '../../../src/client/connect.js';
import { settingsOf } from '../../../src/config.js';
import { startServer, type Server } from '../../../src/server.js';
import { isInstalled } from '../../server-process.js';

const run = promisify(execFile);

describe.skipIf(!isInstalled('sipsak'))('sipsak (skipped where it is not installed)', () => {
  let directory: string;
  let server: Server;
  // sipsak sends to the host of its URI: every domain is served.
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'poste-sipsak-'));
    server = await startServer(
      settingsOf({
        sip: {
          listen: [
            { transport: 'udp', port: 0 },
            { transport: 'tcp', port: 0 },
          ],
        },
        msrp: { port: 0 },
        store: { directory: join(directory, 'store') },
        log: { level: 'silent' },
      }),
    );
  });
  afterEach(async () => {
    await server.stop(0);
    rmSync(directory, { recursive: true, force: true });
  });

  const portOf = (transport: 'udp' | 'tcp'): number =>
    server.sip.find((address) => address.transport === transport)!.port;

  /** Succeeds when the answer was 200. */
  async function ask(transport: 'udp' | 'tcp'): Promise<string> {
    const uri = `sip:bob@127.0.0.1:${portOf(transport)}`;
    return (await run('sipsak', ['-vv', '-E', transport, '-s', uri])).stdout;
  }

  async function jobIsDone(): Promise<void> {
    const client = createImClient({
      aor: 'sip:bob@example.org',
      server: { host: '127.0.0.1', port: portOf('tcp'), transport: 'tcp' },
      identity: 'asserted',
      deferredUri: 'sip:Deferred@poste.localhost',
    });
    await client.start();
    expect((await client.send('sip:bob@example.org', 'hello')).status).toBe(202);
    const { messages } = await client.retrieve();
    expect(messages.map(({ body }) => body.toString())).toEqual(['hello']);
    await client.stop();
  }

  test.each(['udp', 'tcp'] as const)(
    'SIP-08: OPTIONS over %s is answered 200 with what we can',
    async (transport) => {
      const shown = await ask(transport);
      expect(shown).toMatch(/^Allow: .*\bMESSAGE\b/m);
      expect(shown).toMatch(/^Accept: .*\bapplication\/sdp\b/m);
      expect(shown).toMatch(/^Supported: .*\btimer\b/m);
      expect(shown).toMatch(/^Allow-Events: .*\bmessage-summary\b/m);
      // It adds a parameter to Via that nobody knows.
      expect(shown).toMatch(/^Via: SIP\/2\.0\/(UDP|TCP) .*;alias/m);
    },
  );

  test('after a flood of OPTIONS the job is done as before', async () => {
    await run('sipsak', ['-F', '-e', '2000', '-s', `sip:bob@127.0.0.1:${portOf('udp')}`]);
    await ask('udp');
    await jobIsDone();
  });

  test('after requests with trashed characters too', async () => {
    // It gives up at the first one that is too broken to be answered.
    const trashed = run('sipsak', ['-R', '-t', '50', '-s', `sip:127.0.0.1:${portOf('udp')}`]);
    const { code = 0 } = (await trashed.catch((error: unknown) => error)) as { code?: number };
    expect([0, 3]).toContain(code);
    await ask('udp');
    await jobIsDone();
  });
});
