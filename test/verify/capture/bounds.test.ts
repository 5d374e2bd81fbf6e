import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readCapture } from '../../../src/verify/capture/read.js';
import { datagramFrames, endpointOf } from '../../../src/verify/capture/write-packet.js';
import { writePcap } from '../../../src/verify/capture/write.js';
import { ackFlag, msrpSend, observed, pcapOf, segment, sipMessage, synFlag } from './scene.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'poste-capture-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a long file is read piece by piece', () => {
  const flow = { source: endpointOf('192.0.2.1:4000'), target: endpointOf('192.0.2.2:4002') };
  const media = datagramFrames(flow, Buffer.alloc(1_400), 1)[0]!;
  const thousand = pcapOf(Array.from({ length: 1_000 }, () => ({ at: 1, bytes: media })));
  const file = join(directory, 'long.pcap');
  const descriptor = openSync(file, 'w');
  writeSync(descriptor, pcapOf([]));
  for (let count = 0; count < 60; count++) writeSync(descriptor, thousand.subarray(24));
  writeSync(descriptor, writePcapRecords([observed()]));
  closeSync(descriptor);
  const before = process.memoryUsage().arrayBuffers;
  const { messages } = readCapture(file);
  expect(messages).toMatchObject([{ number: 60_001 }]);
  // Its 86 MB are never held; windows that are garbage may not have been collected yet.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1_048_576);
});

test('messages, their octets and remarks are bounded, which is told', () => {
  const many = Array.from({ length: 20 }, (_, at) =>
    observed({ bytes: sipMessage(`c${at}`, 'x'.repeat(500)) }),
  );
  const file = writePcap(many);
  const few = readCapture(file, { messages: 5 });
  expect(few.messages).toHaveLength(5);
  expect(few.remarks).toEqual(['messages beyond the bound are not told: 15, the first at 6']);
  const heads = readCapture(file, { bytes: 4_000 });
  const size = heads.messages.reduce((sum, { bytes }) => sum + bytes.length, 0);
  expect(size).toBeLessThanOrEqual(4_000);
  expect(heads.messages.some(({ cut }) => cut)).toBe(true);
  expect(heads.remarks.map((line) => line.split(':')[0])).toEqual([
    'bodies for which there is no room are left out',
    'messages for which there is no room are not told',
  ]);
  const frames = Array.from({ length: 30 }, (_, at) => [
    segment(10, sipMessage('a'), { port: 6_000 + at }),
  ]).flat();
  const told = readCapture(pcapOf(frames), { remarks: 10 });
  expect(told.messages).toHaveLength(30);
  expect(told.remarks).toHaveLength(11);
  expect(told.remarks.at(-1)).toBe('and 20 more remarks');
});

test('what is left out of an MSRP message is its body, never its end', () => {
  const body = Buffer.alloc(9_000, 'x');
  const media = { protocol: 'msrp', transport: 'tcp' } as const;
  const sent = ['aaaa', 'bbbb', 'cccc'].map((id) =>
    observed({ ...media, bytes: msrpSend(id, body) }),
  );
  for (const limits of [{ messageBytes: 2_000 }, { bytes: 20_000 }]) {
    const { messages } = readCapture(writePcap(sent), limits);
    expect(messages).toHaveLength(3);
    expect(messages[2]).toMatchObject({ cut: true });
    expect(messages[2]!.bytes.length).toBeLessThanOrEqual(2_000);
    expect(messages[2]!.bytes.toString()).toMatch(/^MSRP cccc SEND\r\n[^]*\r\n-------cccc\$\r\n$/);
  }
});

test('octets that wait for others are bounded by connection and in all', () => {
  const opening = segment(1000, Buffer.alloc(0), { flags: synFlag });
  const before = sipMessage('lost', 'x'.repeat(900));
  const ahead = Array.from({ length: 12 }, (_, at) => sipMessage(`c${at}`, 'y'.repeat(900)));
  let next = 1001 + before.length;
  const frames = ahead.map((bytes) => {
    const frame = segment(next, bytes);
    next += bytes.length;
    return frame;
  });
  // It comes when nobody waits for it any more.
  const late = segment(1001, before);
  const bounded = readCapture(pcapOf([opening, ...frames, late]), { aheadBytes: 5_000 });
  expect(bounded.messages).toHaveLength(12);
  expect(bounded.messages.some(({ bytes }) => bytes.equals(before))).toBe(false);
  const patient = readCapture(pcapOf([opening, ...frames, late]));
  expect(patient.messages).toHaveLength(13);

  const half = sipMessage('half', 'z'.repeat(1_300)).subarray(0, 1_300);
  const halves = Array.from({ length: 40 }, (_, at) => [
    segment(1000, Buffer.alloc(0), { flags: synFlag, port: 7_000 + at }),
    segment(1001, half, { port: 7_000 + at, flags: ackFlag }),
  ]).flat();
  const { remarks } = readCapture(pcapOf(halves), { heldBytes: 20_000 });
  expect(remarks).toEqual(['connections beyond the bound were given up: 25, the first at 32']);
});

function writePcapRecords(messages: Parameters<typeof writePcap>[0]): Buffer {
  const [message] = messages;
  const flow = { source: endpointOf(message!.source), target: endpointOf(message!.target) };
  const [bytes] = datagramFrames(flow, message!.bytes, 1);
  return pcapOf([{ at: 1, bytes: bytes! }]).subarray(24);
}
