import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { settingsOf } from '../../src/config.js';
import { startServer } from '../../src/server.js';
import type { Server } from '../../src/server.js';
import type { HeaderField } from '../../src/wire/sip/message.js';
import { serialiseRequest } from '../../src/wire/sip/serialise.js';
import { SipStream } from '../../src/wire/sip/stream.js';

const hostname = 'store.example.org';

describe('a peer with a certificate (mutual TLS)', () => {
  const file = (name: string): string =>
    fileURLToPath(new URL(`../vectors/tls/${name}`, import.meta.url));
  const pem = (name: string): string => readFileSync(file(name), 'utf8');
  let server: Server;
  const directory = mkdtempSync(join(tmpdir(), 'poste-mtls-'));
  afterEach(async () => {
    await server.stop(0);
    rmSync(directory, { recursive: true, force: true });
  });

  /** The status of a SUBSCRIBE for bob over TLS; undefined when the connection is not taken. */
  async function statusOver(certificate: string | undefined): Promise<number | undefined> {
    const shown = certificate === undefined ? {} : pairOf(certificate);
    const { port } = server.sip[0]!;
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...shown });
    const stream = new SipStream();
    const answer = new Promise<number | undefined>((resolve) => {
      socket.on('error', () => resolve(undefined));
      socket.on('close', () => resolve(undefined));
      socket.on('data', (chunk: Buffer) => {
        for (const event of stream.push(chunk)) {
          if (event.kind !== 'message' || event.message.kind !== 'response') continue;
          resolve(event.message.status);
        }
      });
    });
    const headers: HeaderField[] = [
      ['Via', 'SIP/2.0/TLS 127.0.0.1;branch=z9hG4bKmtls'],
      ['From', '<sip:bob@example.org>;tag=1'],
      ['To', '<sip:bob@example.org>'],
      ['Call-ID', `mtls-${certificate}`],
      ['CSeq', '1 SUBSCRIBE'],
      ['Contact', '<sip:bob@127.0.0.1:9;transport=tls>'],
      ['Event', 'message-summary'],
      ['P-Asserted-Identity', '<sip:bob@example.org>'],
    ];
    const uri = 'sip:bob@example.org';
    socket.write(serialiseRequest({ method: 'SUBSCRIBE', uri, headers, body: undefined }));
    const status = await answer;
    socket.destroy();
    return status;
  }

  function pairOf(name: string): { cert: string; key: string } {
    return { cert: pem(`${name}.pem`), key: pem(`${name}.key`) };
  }

  test('PAI-01: is trusted by the domain that a known authority vouches for, and by no other', async () => {
    const tls = { certificate: file('server.pem'), key: file('server.key') };
    server = await startServer(
      settingsOf({
        sip: {
          listen: [{ transport: 'tls', port: 0 }],
          tls: { ...tls, ca: [file('authority.pem')], requestCertificate: 'request' },
        },
        msrp: { port: 0 },
        store: { directory: join(directory, 'store') },
        identity: {
          ...{ hostname, domains: ['example.org'], trustedPeers: [] },
          trustedNames: ['proxy.example.com'],
        },
        log: { level: 'silent' },
      }),
    );
    expect(await statusOver('proxy')).toBe(200);
    expect(await statusOver('second')).toBe(403);
    expect(await statusOver(undefined)).toBe(403);
    // It claims the same domain, and nobody we know says so.
    expect([403, undefined]).toContain(await statusOver('stranger'));
  });
});
