/** The trace of a real server: SIP, MSRP and XCAP of one message in one ladder. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openTraceFile, type TraceFile } from '../../src/cli/trace-file.js';
import { ladderCommand, whyCommand } from '../../src/cli/why.js';
import { startXdmsPeer, type XdmsPeer } from '../../src/testing/xdms.js';
import { lineTrace, readTrace } from '../../src/verify/index.js';
import { expectInOrder, spoken } from '../verify/spoken.js';
import { RawHttp } from '../transport/xcap/raw-http.js';
import { hostname, withServer, type SipScene } from './sip-scene.js';

const tomas = 'sip:tomas@example.org';
const secret = 'a secret of Nia';
const document = '/xcap/org.openmobilealliance.deferred-list/users';

let directory: string;
let trace: TraceFile;
let xdms: XdmsPeer;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'poste-trace-'));
  trace = openTraceFile(fileOf(), 10_000_000, (error) => expect.fail(String(error)));
  xdms = await startXdmsPeer({ stores: [`sip:Deferred@${hostname}`] });
});
afterEach(async () => {
  await xdms.stop();
  trace.close();
  rmSync(directory, { recursive: true, force: true });
});

const fileOf = (): string => join(directory, 'trace.ndjson');

/** With an external XDMS, and an embedded one beside it. */
function traced(hashed: boolean, play: (scene: SipScene) => Promise<void>): Promise<void> {
  const lines = lineTrace((line) => trace.write(line), hashed);
  const faces = { xcap: { port: 0 }, xdms: { root: xdms.root } };
  return withServer(play, {}, 'udp', faces, { trace: lines, turns: lines });
}

async function get(scene: SipScene, xui: string, more: readonly string[] = []): Promise<string> {
  const connection = new RawHttp(scene.world.server.xcap!.port);
  const head = [
    `GET ${document}/${xui}/deferred-list HTTP/1.1`,
    'Host: xdms',
    `X-3GPP-Asserted-Identity: "${tomas}"`,
    ...more,
  ];
  connection.write(`${head.join('\r\n')}\r\n\r\n`);
  const { line } = await connection.response('GET');
  connection.end();
  return line;
}

/** A message that is said twice, listed by its user, and pushed. */
async function life(scene: SipScene): Promise<void> {
  const headers = [['Content-Type', 'text/plain']] as const;
  const message = { method: 'MESSAGE', uri: tomas, headers, body: secret, callId: 'said-twice' };
  for (let time = 0; time < 2; time++) {
    expect((await scene.ask({ ...message, branch: 'same', cseq: 1 })).status).toBe(202);
  }
  const listed = (references: readonly string[]) =>
    vi.waitFor(async () => expect(await xdms.references(tomas)).toEqual(references), 60_000);
  await listed([`sip:1@${hostname}`]);
  expect(await get(scene, tomas)).toContain(' 200 ');
  const client = await scene.world.client('tomas', { onDelivery: () => undefined });
  expect((await client.register()).status).toBe(200);
  await listed([]);
}

function told(make: typeof whyCommand, ...args: string[]): Promise<string> {
  return spoken(make, [...args, '--file', fileOf()]);
}

test('U28: one ladder has SIP with what is sent again, XCAP of both sides, and MSRP', async () => {
  await traced(false, life);
  const text = await told(whyCommand, `sip:1@${hostname}`);
  const message = 'MESSAGE sip:tomas@example.org';
  expectInOrder(text, [
    message,
    '202 Accepted (MESSAGE)',
    message,
    '202 Accepted (MESSAGE)',
    'XCAP GET',
  ]);
  const list = `${tomas}/deferred-list`;
  const element = `${list}/~~/history-list/history[@history-reference="sip:1@${hostname}"]`;
  expectInOrder(text, [
    `XCAP PUT ${element}`,
    'XCAP 201 Created',
    `XCAP GET ${list}`,
    'XCAP 200 OK',
    'INVITE sip:tomas@',
    'MSRP SEND',
    'MSRP 200',
    `XCAP DELETE ${element}`,
    'XCAP 200 OK',
  ]);
  const call = await told(ladderCommand, 'said-twice');
  expectInOrder(call, [message, `XCAP PUT ${element}`, 'XCAP 201 Created']);
});

test('U28: no body stands in the file, no proof of identity, and no line without bound', async () => {
  await traced(false, async (scene) => {
    await life(scene);
    const long = `X-Long: ${'x'.repeat(12_000)}`;
    expect(await get(scene, tomas, ['Authorization: Digest response="0123"', long])).toMatch(
      / 200 /,
    );
  });
  const file = readFileSync(fileOf(), 'utf8');
  expect(file).not.toContain(secret);
  expect(file).not.toContain('<history');
  expect(file).not.toContain('0123');
  const { records, unreadable } = readTrace(file);
  expect(unreadable).toBe(0);
  const xcap = records.flatMap((record) => (record.kind === 'xcap' ? [record] : []));
  expect(xcap.some(({ head }) => head.includes('Authorization: Digest\r\n'))).toBe(true);
  expect(Math.max(...xcap.map(({ head }) => head.length))).toBe(8_192);
});

test('U28: hashed users are told apart and not named, however they are written', async () => {
  await traced(true, async (scene) => {
    await life(scene);
    expect(await get(scene, 'sip%3Atomas%40example.org')).toContain(' 200 ');
    expect(await get(scene, 'tel:%2B12025550147')).toContain(' 40');
  });
  const file = readFileSync(fileOf(), 'utf8');
  expect(file).toContain('/users/');
  expect(file).not.toMatch(/tomas@|tomas%40|12025550147/);
  // The account of the turns is that of the paths.
  expect(await told(whyCommand, `sip:1@${hostname}`)).toContain('XCAP DELETE sip:u');
});
