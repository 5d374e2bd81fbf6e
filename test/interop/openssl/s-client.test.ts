import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RecordingHandler } from '../../../src/testing/sip-peer.js';
import type { SipEndpoint } from '../../../src/transport/sip/endpoint.js';
import { isInstalled } from '../../server-process.js';
import { authority, certificate } from '../../transport/sip/certificates.js';
import { message, openEndpoint } from '../../transport/sip/fixture.js';

const vector = (name: string): string =>
  fileURLToPath(new URL(`../../vectors/tls/${name}`, import.meta.url));

let endpoint: SipEndpoint;
let handler: RecordingHandler;
let running: ChildProcessWithoutNullStreams[];

beforeEach(async () => {
  running = [];
  handler = new RecordingHandler();
  ({ endpoint } = openEndpoint({
    listeners: [{ transport: 'tls', host: '127.0.0.1', port: 0 }],
    tls: {
      ...certificate('server'),
      ca: [authority],
      requestCertificate: 'request',
      servers: [certificate('second')],
    },
  }));
  await endpoint.start(handler);
});

afterEach(async () => {
  for (const child of running) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill();
    await once(child, 'exit');
  }
  await endpoint.stop(0);
});

interface Client {
  write(text: string): void;
  /** Waits until the output has that in it; what it has then. */
  shows(pattern: RegExp): Promise<string>;
  ended: Promise<number>;
}

function sClient(...args: string[]): Client {
  const to = ['-connect', `127.0.0.1:${endpoint.addresses[0]!.port}`];
  const trust = ['-CAfile', vector('authority.pem'), '-verify_return_error'];
  const child = spawn('openssl', ['s_client', ...to, ...trust, '-nocommands', ...args]);
  running.push(child);
  let output = '';
  const seen = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('latin1').on('data', (text: string) => {
      output += text;
      for (const look of [...seen]) look();
    });
  }
  child.stdin.on('error', () => undefined);
  const ended = once(child, 'close').then(([code]) => Number(code));
  return {
    write: (text) => child.stdin.write(text),
    shows(pattern) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          if (!pattern.test(output)) return;
          seen.delete(look);
          resolve(output);
        };
        seen.add(look);
        look();
        void ended.then(() => reject(new Error(`openssl ended:\n${output}`)));
      });
    },
    ended,
  };
}

describe.skipIf(!isInstalled('openssl'))(
  'openssl s_client (skipped where openssl is not installed)',
  () => {
    test.each(['-tls1_2', '-tls1_3'])('TP-01: SIP is spoken over %s', async (version) => {
      const client = sClient(version, '-quiet');
      client.write(message('SIP/2.0/TLS client.example.com;branch=z9hG4bKs'));
      const { received } = await handler.next('request');
      expect(received.peer.transport).toBe('tls');
      endpoint.respond(received.transaction, { status: 202, headers: [] });
      await client.shows(/^SIP\/2\.0 202 [\s\S]*Content-Length: 0\r\n\r\n/m);
    });

    test.each(['-tls1', '-tls1_1'])('TP-01: %s is refused', async (version) => {
      expect(await sClient(version, '-cipher', 'DEFAULT@SECLEVEL=0').ended).not.toBe(0);
      expect(endpoint.counters()['received']).toBe(0);
    });

    test.each([
      ['second.example.net', 'test server of another domain'],
      ['im.example.org', 'test server'],
    ])('TP-01: whoever asks for %s is shown the certificate of "%s"', async (domain, subject) => {
      const output = await sClient('-servername', domain).shows(/Verify return code: 0 \(ok\)/);
      expect(output).toMatch(new RegExp(`^subject=CN = ${subject}$`, 'm'));
    });

    test('PAI-01: a client certificate gives the peer its name', async () => {
      const own = ['-cert', vector('proxy.pem'), '-key', vector('proxy.key')];
      sClient('-quiet', ...own).write(message('SIP/2.0/TLS c.example;branch=z9hG4bKs'));
      const { received } = await handler.next('request');
      expect(received.peer.names).toEqual(['proxy.example.com']);
    });

    test('after a reload the renewed certificate is shown', async () => {
      endpoint.reloadTls({ ...certificate('renewed'), ca: [authority] });
      const output = await sClient().shows(/Verify return code: 0 \(ok\)/);
      expect(output).toMatch(/^subject=CN = "test server, renewed"$/m);
    });
  },
);
