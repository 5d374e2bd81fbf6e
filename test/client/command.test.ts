import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mainPath } from '../server-process.js';
import { useStage } from './stage.js';

const stage = useStage();
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'poste-client-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

async function run(args: readonly string[], input?: Buffer): Promise<Ended> {
  const env = { ...process.env, TMPDIR: directory };
  const child = spawn(process.execPath, [mainPath, ...args], { env });
  let out = '';
  let error = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text));
  child.stdin.end(input);
  await once(child, 'close');
  return { code: child.exitCode, out, error };
}

function client(command: string, ...args: string[]): string[] {
  const { host, port } = stage.peer.server();
  const common = ['--server', `${host}:${port}`, '--user', 'sip:bob@example.org', '--json'];
  return ['client', command, ...common, ...args];
}

const to = ['--to', 'sip:nia@example.com'];

describe('poste-restante client', () => {
  test('send: standard input goes out byte by byte; 202 ends with 0', async () => {
    const body = Buffer.from([0, 255, 10, 13]);
    const type = ['--content-type', 'application/octet-stream', '--trace'];
    const ended = run(client('send', ...to, ...type, '-'), body);
    const received = await stage.peer.requests.take();
    expect(Buffer.from(received.request.body)).toEqual(body);
    stage.peer.respond(received, { status: 202 });
    const { code, out, error } = await ended;
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ event: 'sent', status: 202 });
    expect(error).toContain('202 Accepted (MESSAGE)');
  });

  test('send: a refusal is printed and ends with 1', async () => {
    const ended = run(client('send', ...to, '--body', 'hello'));
    stage.peer.respond(await stage.peer.requests.take(), { status: 603 });
    const { code, out } = await ended;
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ event: 'refused', status: 603 });
  });

  test('send: no answer in time ends with 3 and one line', async () => {
    const { code, error } = await run(client('send', ...to, '--body', 'x', '--timeout', '1'));
    expect(code).toBe(3);
    expect(error).toMatch(/^poste-restante: CLIENT_TIMEOUT: [^\n]+\n$/);
  });

  test.each([
    ['no recipient', ['send', '--body', 'x']],
    ['no message', ['send', ...to]],
    ['two messages', ['send', ...to, '--body', 'x', '--file', 'y']],
    ['no such file', ['send', ...to, '--file', '/nonexistent']],
    ['no SIP URI', ['send', '--to', 'nia', '--body', 'x']],
    ['no number', ['watch', '--expires', 'soon']],
    ['no such command', ['forget']],
  ])('wrong usage ends with 2 and no stack trace: %s', async (_, [command, ...args]) => {
    const { code, error } = await run(client(command!, ...args));
    expect(code).toBe(2);
    expect(error).not.toContain('    at ');
    expect(error).not.toBe('');
  });

  test('retrieve: bodies are written byte by byte', async () => {
    const output = join(directory, 'out');
    const ended = run(client('retrieve', '--output', output));
    await stage.peer.accept(await stage.peer.requests.take(), 'focus');
    const body = Buffer.from([0, 200, 10, 13, 65]);
    stage.peer.send('focus', 'd70000001', 'application/octet-stream', body);
    await stage.peer.reported.take();
    expect(readdirSync(output)).toEqual(['d70000001.bin']);
    stage.peer.sip.bye('focus', 'bye', []);
    const { code, out } = await ended;
    expect(code).toBe(0);
    expect(readFileSync(join(output, 'd70000001.bin'))).toEqual(body);
    const lines = out.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual([
      'message',
      'retrieved',
    ]);
  });
});

describe('poste-restante demo', () => {
  test('ends well, within its time, and leaves nothing behind', async () => {
    const { code, out, error } = await run(['demo']);
    expect(error).toBe('');
    expect(out).toContain('everything as promised');
    expect(code).toBe(0);
    expect(readdirSync(directory)).toEqual([]);
  });
});
