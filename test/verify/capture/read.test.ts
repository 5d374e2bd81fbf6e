import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { VerifyError } from '../../../src/verify/verify-error.js';
import { readCapture } from '../../../src/verify/capture/read.js';
import { writePcap } from '../../../src/verify/capture/write.js';
import { observed, pcapOf, segment, sipMessage, tcpMessages } from './scene.js';

test.each([
  ['CAPTURE_EMPTY', Buffer.alloc(0)],
  ['CAPTURE_COMPRESSED', gzipSync(writePcap([observed()]))],
  ['CAPTURE_FORM', sipMessage('bare')],
  ['CAPTURE_FORM', Buffer.from([0])],
  ['CAPTURE_TORN', writePcap([]).subarray(0, 20)],
  ['CAPTURE_FILE', '/nowhere/trace.pcap'],
  ['CAPTURE_FILE', tmpdir()],
])('%s: what is no capture is an error', (code, source) => {
  expect(codeOf(() => readCapture(source))).toBe(code);
});

test('a capture is the same from its file and from its octets', () => {
  const directory = mkdtempSync(join(tmpdir(), 'poste-capture-'));
  try {
    const file = join(directory, 'file');
    const octets = writePcap(tcpMessages());
    writeFileSync(file, octets);
    expect(readCapture(file)).toEqual(readCapture(octets));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test.each([
  ['CAPTURE_ADDRESS', { source: 'alice:5060' }],
  ['CAPTURE_ADDRESS', { source: '192.0.2.1:70000' }],
  ['CAPTURE_ADDRESS', { target: '[::1]:5060' }],
  ['CAPTURE_DATAGRAM', { bytes: Buffer.alloc(65_508) }],
  ['CAPTURE_TRANSPORT', { transport: 'tls' }],
] as const)('%s: what no packet can carry is not written', (code, message) => {
  expect(codeOf(() => writePcap([observed(message)]))).toBe(code);
});

test('lines that only look like messages cost no more than others', () => {
  const lines = [Buffer.from('ACK a SIP/2.0\r\n'.repeat(500_000))];
  const heads = [Buffer.from(`${'ACK a SIP/2.0\r\n'.repeat(4_000)}\r\n`.repeat(120))];
  for (const [stream] of [lines, heads] as const) {
    const frames = [];
    for (let at = 0; at < stream!.length; at += 1_400) {
      frames.push(segment(1 + at, stream!.subarray(at, at + 1_400)));
    }
    const before = process.cpuUsage();
    const file = pcapOf(frames);
    expect(readCapture(file).messages).toEqual([]);
    const { user, system } = process.cpuUsage(before);
    // 0.2 s and 1 s for 7 MB each; where every line is looked at with all behind it, 17 s.
    expect(user + system).toBeLessThan(5_000_000);
  }
});

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as VerifyError).code;
  }
  return 'none';
}
