/** A day with the client as somebody has it in a terminal: every command, in processes of their own. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeSettings } from '../../src/wire/xml/settings.js';
import { mainPath } from '../server-process.js';
import { RawHttp } from '../transport/xcap/raw-http.js';
import { hostname, startWorld, type World } from './world.js';

interface Told {
  readonly event: string;
  readonly [name: string]: unknown;
}

interface Ended {
  readonly code: number | null;
  readonly told: readonly Told[];
}

let world: World;
let directory: string;
const running = new Set<ChildProcess>();

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'poste-story-'));
  world = await startWorld({ forward: { mode: 'off' } }, 'udp', { xcap: { port: 0 } });
});
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  await world.end();
  rmSync(directory, { recursive: true, force: true });
});

/** A command of the client of that user: what it printed, and how it ended. */
async function client(user: string, command: string, ...args: string[]): Promise<Ended> {
  return (await begin(user, command, ...args)).ended;
}

/** The same, not waited for: `first` resolves with what it says first. */
async function begin(user: string, command: string, ...args: string[]) {
  const { port } = world.server.sip[0]!;
  const common = [
    ...['--user', `sip:${user}@example.org`, '--server', `127.0.0.1:${port}`],
    ...['--deferred', `sip:Deferred@${hostname}`, '--json', '--timeout', '60'],
    ...['--xcap', `http://127.0.0.1:${world.server.xcap!.port}/xcap`],
  ];
  const line = [mainPath, 'client', command, ...common, ...args];
  const child = spawn(process.execPath, line, { stdio: ['ignore', 'pipe', 'inherit'] });
  running.add(child);
  let out = '';
  const lines = (): Told[] =>
    out.split('\n').flatMap((one) => (one === '' ? [] : [JSON.parse(one) as Told]));
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  const ended = once(child, 'close').then((): Ended => {
    running.delete(child);
    return { code: child.exitCode, told: lines() };
  });
  const first = Promise.race([once(child.stdout, 'data'), ended]);
  await Promise.resolve();
  return { child, first, ended };
}

const bob = ['--to', 'sip:bob@example.org'];

async function send(body: string, ...more: string[]): Promise<void> {
  const { code, told } = await client('alice', 'send', ...bob, '--body', body, ...more);
  expect(told).toMatchObject([{ event: 'sent', status: 202 }]);
  expect(code).toBe(0);
}

async function listed(): Promise<readonly string[]> {
  const { code, told } = await client('bob', 'list');
  expect(code).toBe(0);
  return told.map(({ id }) => id as string);
}

const bodiesOf = ({ told }: Ended): string[] =>
  told
    .filter(({ event }) => event === 'message')
    .map(({ body }) => Buffer.from(body as string, 'base64').toString());

/** The user puts the setting into the document of his own by hand. */
async function put(active: boolean): Promise<void> {
  const connection = new RawHttp(world.server.xcap!.port);
  const body = writeSettings({ offlineDelivery: active }).toString();
  const path = `/xcap/org.openmobilealliance.im-service-settings/users/sip:bob@example.org/im-settings`;
  const head = [
    `PUT ${path} HTTP/1.1`,
    'Host: xdms',
    'X-3GPP-Asserted-Identity: "sip:bob@example.org"',
    'Content-Type: application/im-settings+xml',
    `Content-Length: ${body.length}`,
  ];
  connection.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  expect((await connection.response('PUT')).line).toMatch(/ 20[01] /);
  connection.end();
}

const slow = { timeout: 180_000 };

test(
  'IMSpec-DMT-C-001, IMSpec-DMT-C-002, IMSpec-DMT-C-003: send, send --large, watch, list, retrieve by id and all',
  slow,
  async () => {
    const large = join(directory, 'large.bin');
    const octets = Buffer.from(Array.from({ length: 300_000 }, (_, n) => (n * 7 + (n >> 8)) % 256));
    writeFileSync(large, octets);
    await send('first', '--subject', 'Keys');
    const type = ['--content-type', 'application/octet-stream'];
    const sent = await client('alice', 'send', ...bob, '--large', '--file', large, ...type);
    expect(sent.told).toMatchObject([{ event: 'sent', msrpStatus: 200, reported: true }]);
    const watched = await client('bob', 'watch', '--once');
    expect(watched.told).toMatchObject([
      {
        waiting: true,
        classes: [
          { class: 'Pager-Message', new: 1 },
          { class: 'Multimedia-Message', new: 1 },
        ],
      },
    ]);
    const [first, second] = await listed();
    expect([first, second]).toEqual([`sip:1@${hostname}`, `sip:2@${hostname}`]);
    const one = await client('bob', 'retrieve', '--id', first!);
    expect(bodiesOf(one)).toEqual(['first']);
    const all = await client('bob', 'retrieve', '--output', directory);
    const files = all.told.filter(({ event }) => event === 'message').map(({ file }) => file);
    expect(files).toHaveLength(2);
    expect(readFileSync(files[0] as string, 'utf8')).toBe('first');
    expect(readFileSync(files[1] as string).equals(octets)).toBe(true);
    const nothing = await client('bob', 'retrieve', '--id', 'sip:99@store.example.org');
    expect([nothing.code, nothing.told]).toMatchObject([1, [{ event: 'refused', status: 404 }]]);
  },
);

test('S1-DEL-USER, D-31: delete by REFER, by a URI list and over XCAP', slow, async () => {
  for (const body of ['one', 'two', 'three', 'four']) await send(body);
  const ids = await listed();
  expect(ids).toHaveLength(4);
  for (const [index, by] of ['refer', 'list', 'xcap'].entries()) {
    const { code, told } = await client('bob', 'delete', '--id', ids[index]!, '--by', by);
    expect([code, told]).toMatchObject([0, [{ event: 'deleted' }]]);
  }
  expect(await listed()).toEqual([ids[3]]);
  const again = await client('bob', 'delete', '--id', ids[0]!);
  expect([again.code, again.told]).toMatchObject([1, [{ event: 'refused', status: 404 }]]);
});

test(
  'IMSpec-DMT-S-008, D-41: settings by PUBLISH and over XCAP decide about the push',
  slow,
  async () => {
    await send('kept');
    const register = ['register', '--take-push', '--for', '1'] as const;
    const publisher = await begin('bob', 'settings', '--push', 'off');
    await publisher.first;
    expect(bodiesOf(await client('bob', ...register))).toEqual([]);
    publisher.child.kill('SIGINT');
    expect((await publisher.ended).code).toBe(0);
    await put(false);
    expect(bodiesOf(await client('bob', ...register))).toEqual([]);
    await put(true);
    expect(bodiesOf(await client('bob', 'register', '--take-push', '--for', '3'))).toEqual([
      'kept',
    ]);
    expect(await listed()).toEqual([]);
  },
);

test('U10, D-50: of several devices each message is for one, and none is lost', slow, async () => {
  for (const body of ['one', 'two']) await send(body);
  const devices = [1, 2].map(() => begin('bob', 'register', '--take-push'));
  const both = await Promise.all(devices);
  for (const { first } of both) await first;
  await send('three');
  while ((await listed()).length > 0);
  for (const { child } of both) child.kill('SIGINT');
  const bodies = (await Promise.all(both.map(({ ended }) => ended))).flatMap(bodiesOf);
  expect(bodies.sort()).toEqual(['one', 'three', 'two']);
});
