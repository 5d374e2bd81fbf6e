import { expect, test } from 'vitest';
import { lineTrace } from '../../../src/verify/trace-record.js';
import { readCapture } from '../../../src/verify/capture/read.js';
import { parseSipHead } from '../../../src/wire/sip/parse.js';
import { startWorld } from '../../e2e/world.js';
import { msrpSend, observed, sipMessage } from './scene.js';

const plain = {
  at: 1_700_000_000_000.5,
  source: '192.0.2.1:5060',
  target: '[2001:db8::1]:5062',
  transport: 'tcp',
};

test('plain lines have text or base64, and a time as a number or as ISO 8601', () => {
  const text = sipMessage('one', 'text').toString();
  const base64 = msrpSend('abcd', Buffer.from([0, 255, 13, 10])).toString('base64');
  const file = linesOf(
    { ...plain, message: text },
    { ...plain, at: '2023-11-14T22:13:20.750Z', protocol: 'msrp', base64 },
    { ...plain, message: text, cut: true, transport: 'wss' },
  );
  const ends = { at: plain.at, source: plain.source, target: plain.target, cut: false };
  const sip = { ...ends, protocol: 'sip', transport: 'tcp', bytes: Buffer.from(text) };
  expect(readCapture(file)).toEqual({
    remarks: [],
    messages: [
      { ...sip, number: 1 },
      {
        ...{ ...ends, number: 2, at: 1_700_000_000_750, protocol: 'msrp', transport: 'tcp' },
        bytes: msrpSend('abcd', Buffer.from([0, 255, 13, 10])),
      },
      { ...sip, number: 3, cut: true, transport: 'wss' },
    ],
  });
});

test('lines that are none are counted, and those behind them read', () => {
  const good = { ...plain, message: sipMessage('good').toString() };
  const file = Buffer.concat([
    linesOf(
      { ...good, source: 'nobody' },
      { ...good, at: 'never' },
      { ...good, transport: 'pigeon' },
      { ...good, message: 'no message' },
      { ...good, protocol: 'msrp' },
      { ...plain, base64: '***' },
      { ...plain },
      { kind: 'turn', at: 1, account: 'a', told: [] },
      { kind: 'xcap', at: 1, direction: 'in', local: '', remote: '', head: 'GET /' },
    ),
    Buffer.from('[]\nnull\n\n'),
    Buffer.from(`{"padding":"${'x'.repeat(3_000)}"}\n`),
    linesOf(good),
    Buffer.from('{"at":17000'),
  ]);
  const { messages, remarks } = readCapture(file, { blockBytes: 2_000 });
  expect(messages).toMatchObject([{ number: 14 }]);
  expect(remarks).toEqual([
    'lines that are no record: 10, the first at 1',
    'lines that are too long: 1, the first at 13',
  ]);
});

test('an address of the trace that is IPv6 gets its brackets', () => {
  const head = sipMessage('six').toString().split('\r\n\r\n')[0]!;
  const record = { kind: 'sip', at: 1, local: '::1:5060', remote: '::ffff:192.0.2.1:7', head };
  const { messages } = readCapture(linesOf({ ...record, direction: 'out' }));
  expect(messages).toEqual([
    observed({ at: 1, source: '[::1]:5060', target: '192.0.2.1:7', bytes: sipMessage('six') }),
  ]);
});

test('a trace of this server is read: what has a body is cut, and the rest is whole', async () => {
  const lines: string[] = [];
  const trace = lineTrace((line) => lines.push(line), false);
  const world = await startWorld({}, 'udp', {}, { trace, turns: trace });
  try {
    const alice = await world.client('alice');
    await alice.send('sip:bob@example.org', 'hello');
    const bob = await world.client('bob');
    const deliveries = bob.deliveries();
    await bob.register();
    await deliveries.next();
    await bob.stop();
  } finally {
    await world.end();
  }
  const { messages, remarks } = readCapture(Buffer.from(lines.join('')));
  const records = lines.map((line) => JSON.parse(line) as { kind: string; direction: string });
  const wire = records.filter(({ kind }) => kind === 'sip' || kind === 'msrp');
  expect(remarks).toEqual([]);
  expect(messages).toHaveLength(wire.length);
  expect(new Set(messages.map(({ protocol, transport }) => `${protocol} ${transport}`))).toEqual(
    new Set(['sip udp', 'msrp tcp']),
  );
  const server = `127.0.0.1:${world.server.sip[0]!.port}`;
  for (const { number, protocol, bytes, source, target, cut } of messages) {
    const isOut = records[number - 1]!.direction === 'out';
    if (protocol === 'msrp') {
      expect(bytes.toString()).toMatch(/^MSRP (\S+) [^]*\r\n-------\1[$+#]\r\n$/);
      expect(cut).toBe(/\r\n\r\n/.test(bytes.toString()));
      continue;
    }
    expect(isOut ? source : target).toBe(server);
    const { message } = parseSipHead(bytes);
    expect(cut).toBe(Number(message.header('Content-Length')) > 0);
  }
  const said = messages.map(({ bytes }) => bytes.toString().split(/[ \r]/, 3).join(' '));
  expect(said.filter((line) => / SEND/.test(line)).length).toBeGreaterThan(0);
});

function linesOf(...values: readonly object[]): Buffer {
  return Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
}
