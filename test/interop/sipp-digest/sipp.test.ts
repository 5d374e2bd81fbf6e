import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { World, credentials } from '../../e2e/identity-world.js';
import { isInstalled } from '../../server-process.js';

const run = promisify(execFile);
const scenario = fileURLToPath(new URL('register.xml', import.meta.url));
const registrations = 200;

describe.skipIf(!isInstalled('sipp'))(
  'SIPp that registers (skipped where sipp is not installed)',
  () => {
    let world: World;
    afterEach(() => world.end());

    test.each(['auth', 'auth-int'] as const)(
      `AUTH-02: ${registrations} registrations with MD5 and %s prove who they are`,
      async (qop) => {
        const digest = { algorithms: ['MD5' as const], qop: [qop] };
        world = await new World({ credentials, digest }).start();
        const to = `127.0.0.1:${world.place().port}`;
        const load = ['-m', String(registrations), '-r', '200', '-timeout', '110s'];
        // SIPp takes the address of the server for the digest URI unless it is told.
        const uri = ['-auth_uri', 'example.org'];
        await run('sipp', [to, '-i', '127.0.0.1', '-sf', scenario, ...load, ...uri]);
        expect(world.counters()).toMatchObject({
          'actors.authentication.challenges': registrations,
          'actors.authentication.proven': registrations,
          'actors.authentication.wrong': 0,
        });
      },
    );
  },
);
