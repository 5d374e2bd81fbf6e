/** Certificates of every listener: read again when asked to, and when their files change. */

import { once } from 'node:events';
import { copyFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../loopback-port.js';
import { settingsOf } from '../../src/config.js';
import { startServer, type Server } from '../../src/server.js';

const vector = (name: string): string =>
  fileURLToPath(new URL(`../vectors/tls/${name}`, import.meta.url));
const ca = readFileSync(vector('authority.pem'), 'utf8');

interface Line {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

let directory: string;
let server: Server | undefined;
let lines: Line[];
let waiting: (() => void)[];
let msrpPort: number;

beforeEach(async () => {
  msrpPort = await freePort();
  directory = mkdtempSync(join(tmpdir(), 'poste-certificates-'));
  lines = [];
  waiting = [];
  show('server');
});

afterEach(async () => {
  await server?.stop(0);
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

/** Puts that certificate where the settings point, as those who renew certificates do. */
function show(name: string): void {
  for (const kind of ['pem', 'key']) {
    copyFileSync(vector(`${name}.${kind}`), join(directory, 'coming'));
    renameSync(join(directory, 'coming'), join(directory, `own.${kind}`));
  }
}

const keep = (level: string) => (fields: object) => {
  lines.push({ level, fields: fields as Line['fields'] });
  for (const go of waiting.splice(0)) go();
};

async function logged(holds: (line: Line) => boolean): Promise<Line> {
  for (;;) {
    const found = lines.find(holds);
    if (found) return found;
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
}

async function start(certificates: { watch?: boolean; settleMs?: number }): Promise<Server> {
  const pair = { certificate: join(directory, 'own.pem'), key: join(directory, 'own.key') };
  const settings = settingsOf({
    sip: { listen: [{ transport: 'tls', port: 0 }], tls: pair },
    msrp: { port: 0, tls: { port: msrpPort, ...pair } },
    xcap: { port: 0, tls: pair },
    admin: { port: 0, tokens: [{ name: 'tests', token: 'a-token-of-the-tests' }], tls: pair },
    store: { directory: join(directory, 'store') },
    identity: { hostname: 'store.example.org', domains: ['example.org'] },
    certificates,
  });
  const log = {
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
  };
  server = await startServer(settings, { log });
  return server;
}

/** The names in the certificates of SIP, MSRP, XCAP and administration. */
async function shown({ sip, xcap, admin }: Server): Promise<string[]> {
  return Promise.all([sip[0]!.port, msrpPort, xcap!.port, admin!.port].map(shownAt));
}

async function shownAt(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', ca });
  await once(socket, 'secureConnect');
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

const all = (name: string): string[] => [name, name, name, name];

test('TP-01, MSRP-14: a reload is for SIP, MSRP, XCAP and administration; what is broken for none', async () => {
  const { reload } = await start({ watch: false });
  expect(await shown(server!)).toEqual(all('test server'));
  show('renewed');
  expect(await shown(server!)).toEqual(all('test server'));
  reload();
  expect(await shown(server!)).toEqual(all('test server, renewed'));
  // A key that belongs to another certificate.
  copyFileSync(vector('server.key'), join(directory, 'own.key'));
  expect(reload).toThrow(expect.objectContaining({ code: 'SIP_CERTIFICATE' }) as Error);
  expect(await shown(server!)).toEqual(all('test server, renewed'));
});

test('TP-01, MSRP-14: certificates whose files are replaced are shown without being asked to', async () => {
  await start({ settleMs: 10 });
  show('renewed');
  for (const of of ['sip', 'msrp', 'xcap', 'admin']) {
    await logged(({ level, fields }) => level === 'info' && fields['of'] === of);
  }
  expect(await shown(server!)).toEqual(all('test server, renewed'));
});

test('TP-01: a pair that does not fit is logged with its code, and the former one remains', async () => {
  await start({ settleMs: 10 });
  writeFileSync(join(directory, 'own.key'), 'no key');
  const codes = ['SIP_CERTIFICATE', 'MSRP_CERTIFICATE', 'TLS_CERTIFICATE', 'TLS_CERTIFICATE'];
  for (const [at, of] of ['sip', 'msrp', 'xcap', 'admin'].entries()) {
    const { level, fields } = await logged((line) => line.fields['of'] === of);
    expect([level, fields['code']]).toEqual(['error', codes[at]]);
  }
  expect(await shown(server!)).toEqual(all('test server'));
  lines.length = 0;
  rmSync(join(directory, 'own.key'));
  await logged(({ fields }) => fields['code'] === 'CONFIG_UNREADABLE');
  expect(await shown(server!)).toEqual(all('test server'));
  lines.length = 0;
  show('renewed');
  await logged(({ level, fields }) => level === 'info' && fields['of'] === 'admin');
  expect(await shown(server!)).toEqual(all('test server, renewed'));
});
