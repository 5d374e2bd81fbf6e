import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Observed } from '../../../src/verify/capture/observed.js';
import { readCapture } from '../../../src/verify/capture/read.js';
import { writePcap, writePcapng } from '../../../src/verify/capture/write.js';
import { isInstalled } from '../../server-process.js';
import { observed, sipMessage, tcpMessages } from './scene.js';

const recorded = fileURLToPath(new URL('recorded/', import.meta.url));
const names = readdirSync(recorded);
const files = names.map((name) => join(recorded, name));

describe.skipIf(!isInstalled('tshark'))('tshark (skipped where it is not installed)', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'poste-capture-'));
  });

  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const path = (name: string): string => join(directory, name);

  test.each(names)('reads the same messages in the same frames: %s', (name) => {
    const file = join(recorded, name);
    const { messages, remarks } = readCapture(file);
    expect(remarks).toEqual([]);
    expect(messages.length).toBeGreaterThan(10);
    expect(identified(messages)).toEqual(tsharkOf(file, messages));
    const times = timesOf(file);
    expect(messages.filter(({ number, at }) => Math.abs(at - times.get(number)!) > 0.001)).toEqual(
      [],
    );
  });

  test.each([
    ['pcap', writePcap],
    ['pcapng', writePcapng],
  ])('reads what is written as %s, and finds nothing wrong in it', (form, write) => {
    const long = { bytes: sipMessage('long', 'x'.repeat(4_000)) };
    const host6 = { source: '[2001:db8::1]:5060', target: '[2001:db8::2]:5060' };
    const messages = [observed(long), ...tcpMessages(), observed({ ...host6, ...long })];
    writeFileSync(path(form), write(messages));
    const seen = readCapture(path(form));
    expect(seen.remarks).toEqual([]);
    expect(seen.messages.map(({ bytes }) => bytes)).toEqual(messages.map(({ bytes }) => bytes));
    expect(identified(seen.messages)).toEqual(tsharkOf(path(form), seen.messages));
    const sums = ['ip', 'tcp', 'udp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]);
    const wrong = '_ws.malformed || _ws.expert.severity >= 0x00600000';
    expect(tshark(path(form), messages, ...sums, '-Y', wrong)).toEqual([]);
    expect(tshark(path(form), messages, ...sums, '-Y', 'tcp.checksum.status == 1')).not.toEqual([]);
  });

  test.each(['pcap', 'nsecpcap', 'pcapng', 'modpcap', 'snoop'])(
    'editcap writes %s, which is read or refused',
    (form) => {
      const [file] = files;
      execFileSync('editcap', ['-F', form, file!, path(form)], { stdio: 'ignore' });
      if (form === 'modpcap' || form === 'snoop') {
        expect(() => readCapture(path(form))).toThrow(/^CAPTURE_FORM/);
        return;
      }
      const { messages, remarks } = readCapture(path(form));
      const whole = readCapture(file!).messages;
      expect(remarks).toEqual([]);
      expect(messages.map(({ bytes }) => bytes)).toEqual(whole.map(({ bytes }) => bytes));
      expect(messages.every(({ at }, index) => Math.abs(at - whole[index]!.at) < 0.002)).toBe(true);
    },
  );

  test('frames that editcap has shortened give messages that are cut', () => {
    execFileSync('editcap', ['-s', '200', files[0]!, path('short')]);
    const { messages } = readCapture(path('short'));
    expect(messages.length).toBe(readCapture(files[0]!).messages.length);
    expect(messages.every(({ cut }) => cut)).toBe(true);
  });

  test('mergecap puts several interfaces into one file', () => {
    execFileSync('mergecap', ['-w', path('merged'), ...files]);
    const { messages, remarks } = readCapture(path('merged'));
    const each = files.flatMap((file) => readCapture(file).messages);
    expect(remarks).toEqual([]);
    expect(messages.map(({ bytes }) => bytes).sort(Buffer.compare)).toEqual(
      each.map(({ bytes }) => bytes).sort(Buffer.compare),
    );
    expect(identified(messages)).toEqual(tsharkOf(path('merged'), messages));
  });

  test('sections one after the other are one capture', () => {
    writeFileSync(path('sections'), Buffer.concat(files.map((file) => readFileSync(file))));
    const { messages, remarks } = readCapture(path('sections'));
    expect(remarks).toEqual([]);
    expect(messages).toHaveLength(files.flatMap((file) => readCapture(file).messages).length);
    expect(identified(messages)).toEqual(tsharkOf(path('sections'), messages));
  });

  test.each([
    ['-u', '5060,5062', [observed()]],
    ['-T', '5060,5062', [observed({ transport: 'tcp' })]],
  ] as const)('text2pcap writes %s %s', (form, ports, [message]) => {
    writeFileSync(path('text'), hexDumpOf(message.bytes));
    execFileSync('text2pcap', ['-q', form, ports, path('text'), path('file')], { stdio: 'ignore' });
    const { messages } = readCapture(path('file'));
    expect(messages.map(({ bytes }) => bytes)).toEqual([message.bytes]);
  });
});

/** Per frame what tells its messages: the Call-IDs of SIP, and the first transaction of MSRP. */
function identified(messages: readonly Observed[]): string[] {
  const frames = new Map<number, string>();
  for (const { number, protocol, bytes } of messages) {
    const text = bytes.toString('latin1');
    // tshark tells of several MSRP messages in a segment the first only.
    if (protocol === 'msrp' && frames.has(number)) continue;
    const form = protocol === 'msrp' ? /^MSRP (\S+)/ : /^Call-ID: (\S+)\r$/im;
    const known = frames.get(number);
    frames.set(number, `${known === undefined ? '' : `${known},`}${form.exec(text)![1]!}`);
  }
  return [...frames].map(([number, ids]) => `${number} ${ids}`);
}

function tsharkOf(file: string, messages: readonly Observed[]): string[] {
  const told = ['frame.number', 'sip.Call-ID', 'msrp.transaction.id'];
  const fields = told.flatMap((name) => ['-e', name]);
  return tshark(file, messages, '-Y', 'sip || msrp', '-T', 'fields', ...fields).map((line) => {
    const [number, callIds, transactionIds] = line.split('\t');
    return `${number} ${callIds === '' ? transactionIds!.split(',')[0] : callIds}`;
  });
}

/** Milliseconds by frame. */
function timesOf(file: string): Map<number, number> {
  const lines = tshark(file, [], '-T', 'fields', '-e', 'frame.number', '-e', 'frame.time_epoch');
  return new Map(
    lines.map((line) => {
      const [number, time] = line.split('\t');
      return [Number(number), Number(time) * 1e3];
    }),
  );
}

/** Told what is spoken where, for ports are free ones. */
function tshark(file: string, messages: readonly Observed[], ...more: string[]): string[] {
  const rules = new Set(
    messages.flatMap(({ source, target, protocol, transport }) =>
      [source, target].map((at) => `${transport}.port==${at.split(':').at(-1)},${protocol}`),
    ),
  );
  const decoded = [...rules].flatMap((rule) => ['-d', rule]);
  const output = execFileSync('tshark', ['-n', '-r', file, ...decoded, ...more], {
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
  });
  return output.split('\n').filter((line) => line !== '');
}

function hexDumpOf(bytes: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const octets = [...bytes.subarray(at, at + 16)].map((octet) =>
      octet.toString(16).padStart(2, '0'),
    );
    lines.push(`${at.toString(16).padStart(6, '0')} ${octets.join(' ')}\n`);
  }
  return lines.join('');
}
