import { execFile, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startWorld } from '../../e2e/world.js';
import type { World } from '../../e2e/world.js';
import { isInstalled } from '../../server-process.js';

const run = promisify(execFile);
const canCapture =
  isInstalled('tshark') &&
  isInstalled('dumpcap') &&
  spawnSync('dumpcap', ['-i', 'lo', '-L']).status === 0;

describe.skipIf(!canCapture)('tshark (skipped where it is missing or may not capture)', () => {
  let world: World;
  let directory: string;
  let capture: ChildProcess;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'poste-tshark-'));
  });
  afterEach(async () => {
    if (capture.exitCode === null) {
      const ended = once(capture, 'exit');
      capture.kill('SIGKILL');
      await ended;
    }
    await world.end();
    rmSync(directory, { recursive: true, force: true });
  });

  test.each(['udp', 'tcp'] as const)(
    'finds nothing to object to in SIP, SDP and MSRP over %s',
    { timeout: 60_000 },
    async (transport) => {
      world = await startWorld({}, transport);
      const [udp, tcp] = world.server.sip.map(({ port }) => port);
      const { port: msrp } = world.server.msrp;
      const file = join(directory, 'capture.pcapng');
      const filter = `port ${udp} or port ${tcp} or port ${msrp}`;
      capture = spawn('dumpcap', ['-q', '-i', 'lo', '-f', filter, '-w', file]);
      await once(capture.stderr!, 'data');
      await captured(file, udp!, 'first');
      await mainJob(world);
      await captured(file, udp!, 'last');
      const ended = once(capture, 'exit');
      capture.kill('SIGINT');
      await ended;

      const as = ['-d', `udp.port==${udp},sip`, '-d', `tcp.port==${tcp},sip`];
      const read = ['-n', '-r', file, ...as, '-d', `tcp.port==${msrp},msrp`];
      for (const protocol of ['sip', 'sdp', 'msrp']) {
        const { stdout } = await run('tshark', [...read, '-Y', protocol]);
        expect(stdout, `${protocol} was captured`).not.toBe('');
      }
      const wrong = '_ws.malformed || ((sip || sdp || msrp) && _ws.expert.severity >= 0x00600000)';
      const fields = ['-T', 'fields', '-e', 'frame.number', '-e', '_ws.expert.message'];
      const { stdout } = await run('tshark', [...read, '-Y', wrong, ...fields]);
      const objections = stdout.split('\n').filter((line) => line !== '' && !isOfTcp(line));
      expect(objections).toEqual([]);
    },
  );
});

/** The binary body has no NUL: tshark reads bodies as text and objects to what stands behind one. */
async function mainJob(world: World): Promise<void> {
  const alice = await world.client('alice');
  await alice.send('sip:bob@example.org', 'one', { subject: 'First' });
  await alice.send('sip:bob@example.org', Buffer.from([1, 2, 255]), {
    contentType: 'application/octet-stream',
  });
  const bob = await world.client('bob');
  const states = bob.watch();
  await states.next();
  expect((await bob.retrieve()).count).toBe(2);
  const deliveries = bob.deliveries();
  await bob.register();
  await alice.send('sip:bob@example.org', 'three');
  await deliveries.next();
  await bob.unregister();
  await states.return?.();
  await Promise.all([alice.stop(), bob.stop()]);
}

/** Sends a marked datagram until it is in the file, so that everything before it is too. */
async function captured(file: string, port: number, mark: string): Promise<void> {
  const socket = createSocket('udp4');
  const marker = `OPTIONS sip:${mark}@127.0.0.1 SIP/2.0\r\n`;
  const head = `Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK${mark};rport\r\nMax-Forwards: 70\r\n`;
  const ids = `From: <sip:mark@127.0.0.1>;tag=1\r\nTo: <sip:${mark}@127.0.0.1>\r\n`;
  const call = `Call-ID: ${mark}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`;
  const send = (): void => socket.send(marker + head + ids + call, port, '127.0.0.1');
  const again = setInterval(send, 100);
  try {
    send();
    for await (const _ of watch(join(file, '..'))) if (readFileSync(file).includes(marker)) return;
  } finally {
    clearInterval(again);
    socket.close();
  }
}

/** Loopback under load retransmits and reorders; that is the kernel's, not ours. */
function isOfTcp(line: string): boolean {
  const text = line.split('\t')[1] ?? '';
  return (
    /(TCP|segment|retransmission|D-SACK|ACK|window|connection)/i.test(text) &&
    !/SIP|MSRP|SDP/.test(text)
  );
}
