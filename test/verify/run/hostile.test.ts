/** Targets that are silent, talk nonsense or hang up: the tester ends, and says what it knows. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { verifyRunCommand } from '../../../src/cli/verify-run.js';
import type { Path } from '../../../src/verify/run/play.js';
import { runTarget, type RunReport } from '../../../src/verify/run/run.js';
import { parseTarget, runSettings } from '../../../src/verify/run/settings.js';

const paths: readonly Path[] = [
  [
    { do: 'submit', message: 0, kind: 'plain' },
    { do: 'register', client: 'im' },
  ],
  [{ do: 'subscribe' }],
];

function judge(port: number, transport: 'udp' | 'tcp', deadlineMs = 100_000): Promise<RunReport> {
  const target = { host: '127.0.0.1', port, transport };
  const given = { timeoutMs: 300, quietMs: 50, deadlineMs };
  return runTarget({ settings: runSettings(target, given), paths });
}

/** 500 to that request. */
function response(octets: Buffer): Buffer {
  const lines = octets.toString('latin1').split('\r\n');
  const kept = lines.filter((line) => /^(?:Via|From|Call-ID|CSeq):/.test(line));
  const to = `${lines.find((line) => line.startsWith('To:'))!};tag=x`;
  return Buffer.from(['SIP/2.0 500 No', ...kept, to, 'Content-Length: 0', '', ''].join('\r\n'));
}

/** NOTIFY and MESSAGE that nobody has asked for. */
function request(uri: string, number: number): Buffer {
  const method = number % 2 === 0 ? 'NOTIFY' : 'MESSAGE';
  const lines = [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKflood${number}`,
    'Max-Forwards: 70',
    `From: <sip:flood@example.org>;tag=${number}`,
    `To: <${uri}>`,
    `Call-ID: flood-${number}`,
    `CSeq: 1 ${method}`,
    'Event: message-summary',
    'Content-Length: 0',
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
}

/** Nothing is known of any item, and nothing is held against the target. */
function expectUnheard(report: RunReport): void {
  expect(report).toMatchObject({ reachable: false, verdict: 'inconclusive', checks: 0 });
  const seen = report.items.filter(({ verdict }) => verdict === 'failed' || verdict === 'passed');
  expect(seen).toEqual([]);
}

async function datagrams(answer: (octets: Buffer) => readonly Buffer[]) {
  const socket = createSocket('udp4');
  socket.on('message', (octets, { port, address }) => {
    for (const one of answer(octets)) socket.send(one, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { port: socket.address().port, close: () => socket.close() };
}

async function streams(serve: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

test('a silent target over UDP', async () => {
  const target = await datagrams(() => []);
  expectUnheard(await judge(target.port, 'udp'));
  target.close();
});

test('garbage over UDP, and responses to nobody', async () => {
  const target = await datagrams(() => [
    Buffer.from([0, 255, 13, 10]),
    Buffer.from('SIP/2.0 200 OK\r\n\r\n'),
    Buffer.from('MESSAGE sip:x SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n'),
  ]);
  expectUnheard(await judge(target.port, 'udp'));
  target.close();
});

test('a target that closes every connection', async () => {
  const target = await streams((socket) => socket.destroy());
  expectUnheard(await judge(target.port, 'tcp'));
  target.close();
});

test('a target that answers with endless octets', async () => {
  const target = await streams((socket) => {
    socket.write('x'.repeat(1_000_000));
    socket.resume();
  });
  expectUnheard(await judge(target.port, 'tcp'));
  target.close();
});

test('a target that takes connections and says nothing', async () => {
  const target = await streams((socket) => socket.resume());
  expectUnheard(await judge(target.port, 'tcp'));
  target.close();
});

test('a target that answers, and hangs up in the middle of its answer', async () => {
  const target = await streams((socket) => {
    socket.once('data', (octets) => socket.end(response(octets).subarray(0, 40)));
  });
  expectUnheard(await judge(target.port, 'tcp'));
  target.close();
});

test('a target that floods with requests and answers nothing', async () => {
  const flood = (octets: Buffer): Buffer[] => {
    const head = octets.toString('latin1');
    const contact = /^Contact: <([^>;]+)/m.exec(head)?.[1] ?? 'sip:sender@127.0.0.1';
    return Array.from({ length: 500 }, (_, i) => request(contact, i));
  };
  const target = await datagrams(flood);
  expectUnheard(await judge(target.port, 'udp'));
  target.close();
});

test('a target that is not there', async () => {
  const target = await streams(() => undefined);
  target.close();
  expectUnheard(await judge(target.port, 'tcp'));
});

test('a target that says 500 to everything fails, and the deadline ends the run', async () => {
  const refuse = (octets: Buffer): Buffer[] =>
    /^(?:SIP|ACK)/.test(octets.toString('latin1')) ? [] : [response(octets)];
  const target = await datagrams(refuse);
  const report = await judge(target.port, 'udp');
  expect(report).toMatchObject({ reachable: true, verdict: 'failed', paths: { stopped: 2 } });
  const none = await judge(target.port, 'udp', 0);
  expect(none).toMatchObject({ paths: { played: 0, left: 2 }, verdict: 'inconclusive' });
  target.close();
});

test('exit codes and output of the command: 2 where nothing is known, 2 for no target', async () => {
  const silent = await datagrams(() => []);
  const written: string[] = [];
  const run = async (...args: string[]): Promise<number | string | undefined> => {
    process.exitCode = undefined;
    const command = verifyRunCommand((text) => written.push(text));
    await command.parseAsync(['--timeout', '200', ...args], { from: 'user' });
    const code = process.exitCode as number | undefined;
    process.exitCode = undefined;
    return code;
  };
  expect(await run('--target', `sip:127.0.0.1:${silent.port}`, '--json')).toBe(2);
  expect(JSON.parse(written.pop()!)).toMatchObject({ reachable: false, verdict: 'inconclusive' });
  expect(await run('--target', `sip:127.0.0.1:${silent.port}`)).toBe(2);
  expect(written.pop()).toContain('the target has not answered');
  expect(await run('--target', 'http://127.0.0.1')).toBe(2);
  silent.close();
}, 120_000);

test('targets as they are written', () => {
  expect(parseTarget('sip:h')).toEqual({ host: 'h', port: 5060, transport: 'udp' });
  const tcp = { host: '::1', port: 5070, transport: 'tcp' };
  expect(parseTarget('sip:[::1]:5070;transport=TCP')).toEqual(tcp);
  for (const text of ['', 'h:5060', 'tel:+1', 'sip:h;transport=ws', 'sips:h;transport=udp']) {
    expect(() => parseTarget(text)).toThrow(expect.objectContaining({ code: 'VERIFY_TARGET' }));
  }
});
