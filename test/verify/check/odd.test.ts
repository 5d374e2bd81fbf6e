/** Captures as they come from the field: each is judged rightly, or it is said why it cannot be. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Capture, Observed } from '../../../src/verify/capture/observed.js';
import { readCapture } from '../../../src/verify/capture/read.js';
import { writePcap, writePcapng } from '../../../src/verify/capture/write.js';
import { checkTrace } from '../../../src/verify/check/check.js';
import type { Verdict } from '../../../src/verify/check/verdict.js';
import { isTestPort } from '../../loopback-port.js';
import { isInstalled } from '../../server-process.js';
import { pcapOf as ofSegments, segment } from '../capture/scene.js';
import { plays } from './plays.js';
import { recorded } from './recorded.js';

const names = ['push', 'retrieveSome', 'large', 'watch', 'settings'];
const traces = new Map<string, readonly Observed[]>();

beforeAll(async () => {
  for (const name of names) {
    const { play, limits } = plays[name]!;
    traces.set(name, apart(await recorded(play, limits)));
  }
});

/** Everybody has a host of his own, as in a network. */
function apart(trace: readonly Observed[]): Observed[] {
  const { servers } = checkTrace({ messages: trace, remarks: [] });
  const store = servers[0]!.split(':')[0]!;
  const ports = new Set(servers.map((one) => one.split(':')[1]));
  const msrp = new Set(
    trace
      .filter(({ protocol }) => protocol === 'msrp')
      .flatMap(({ source, target }) => [source, target]),
  );
  const host = (address: string): string => {
    const [, port] = address.split(':');
    const isServer = ports.has(port) || (msrp.has(address) && isTestPort(Number(port)));
    return isServer ? address.replace(store, '192.0.2.1') : address.replace(store, '192.0.2.2');
  };
  return trace.map((one) => ({ ...one, source: host(one.source), target: host(one.target) }));
}

function judged(capture: Capture): Verdict {
  return checkTrace(capture, { role: 'both' });
}

describe.each(names)('%s', (name) => {
  const trace = (): readonly Observed[] => traces.get(name)!;
  const frames = (): Buffer[] => framesOf(writePcap(trace()));

  test.each([60, 120, 250, 400, 700])('cut at %i octets: nothing is held against it', (length) => {
    const { violations } = judged(readCapture(pcapOf(frames(), { snap: length })));
    expect(violations).toEqual([]);
  });

  test('each frame twice, as on two interfaces', () => {
    const twice = frames().flatMap((frame) => [frame, frame]);
    const { violations, undecided } = judged(readCapture(pcapOf(twice)));
    expect([violations, undecided]).toEqual([[], []]);
  });

  test('each message twice, as before and behind a translation of addresses', () => {
    const inside = (address: string): string => address.replace('192.0.2.', '10.0.0.');
    const messages = trace().flatMap((one) => [
      one,
      { ...one, source: inside(one.source), target: inside(one.target) },
    ]);
    expect(judged({ messages, remarks: [] }).violations).toEqual([]);
  });

  test.each(['192.0.2.1', '192.0.2.2'])('only what %s says: it cannot be told', (host) => {
    const messages = trace().filter(({ source }) => source.startsWith(`${host}:`));
    const { violations, lost } = judged({ messages, remarks: [] });
    expect(violations).toEqual([]);
    expect(lost.join()).toContain('nothing was captured from');
  });

  test('the clock goes back, and is said to', () => {
    const place = Math.floor(trace().length / 2);
    const messages = trace().map((one, index) =>
      index < place ? one : { ...one, at: one.at - 7_200_000 },
    );
    const { violations, remarks } = judged({ messages, remarks: [] });
    expect(violations).toEqual([]);
    expect(remarks.join()).toMatch(/the clock goes back by 7\d\d\d s/);
  });

  test('every frame that was lost alone', () => {
    const all = frames();
    for (const lost of all) {
      const capture = readCapture(pcapOf(all.filter((frame) => frame !== lost)));
      // A datagram leaves no trace; a segment leaves a gap, and then nothing is certain.
      if (capture.losses !== undefined) expect(judged(capture).violations).toEqual([]);
    }
  });

  test('a file that ends in the middle of a frame', () => {
    const file = writePcapng(trace());
    const { violations } = judged(readCapture(file.subarray(0, file.length - 33)));
    expect(violations).toEqual([]);
  });

  test('lines, the last of which is torn', () => {
    const text = trace()
      .map(({ at, source, target, transport, bytes }) =>
        JSON.stringify({ at, source, target, transport, base64: bytes.toString('base64') }),
      )
      .join('\n');
    const capture = readCapture(Buffer.from(text.slice(0, -40)));
    expect(capture.remarks).toHaveLength(1);
    expect(judged(capture).violations).toEqual([]);
  });
});

test('what is encrypted is missing, and nobody is blamed for it', () => {
  const trace = traces.get('push')!;
  const isOfBob = ({ bytes }: Observed): boolean =>
    /^(?:INVITE|MSRP)/.test(bytes.toString('latin1'));
  const messages = trace.filter((one) => !isOfBob(one));
  const loss = { number: 3, what: 'an encrypted connection (TLS)' };
  const ends = { source: '192.0.2.2:4000', target: '192.0.2.1:5061' };
  const seen = judged({ messages, remarks: [], losses: [{ ...loss, ...ends }] });
  expect(seen.violations).toEqual([]);
  expect(seen.lost).toEqual(['an encrypted connection (TLS): 1, the first at 3']);
  // What others encrypt is nothing to the server.
  const others = { source: '198.51.100.1:4000', target: '198.51.100.2:443' };
  const verdict = checkTrace(
    { messages, remarks: [], losses: [{ ...loss, ...others }] },
    { fromStart: true },
  );
  expect(verdict.lost).toEqual([]);
});

test('what may be changed over XCAP is missing where it is not known, or was not captured', () => {
  const document = '/xcap/settings/users/sip:bob@example.org/im-settings';
  const asked = Buffer.from(`GET ${document} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const changed = Buffer.from(`DELETE ${document} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const read = readCapture(ofSegments([segment(10, asked)]));
  expect([read.losses, checkTrace(read).lost]).toEqual([undefined, []]);
  const both = readCapture(ofSegments([segment(10, asked), segment(10 + asked.length, changed)]));
  expect(both.messages.map(({ protocol }) => protocol)).toEqual(['http', 'http']);
  expect(checkTrace(both).lost).toEqual(['changes over XCAP of documents that are not known: 1']);
  const gap = segment(20 + asked.length, changed);
  const torn = readCapture(ofSegments([segment(10, asked), gap]));
  expect(torn.losses).toMatchObject([{ what: 'octets of HTTP that were not captured' }]);
});

describe.skipIf(!isInstalled('editcap'))('editcap (skipped where it is not installed)', () => {
  test.each([
    ['duplicates, some ms apart', ['-t', '0.002']],
    ['shortened frames', ['-s', '150']],
    ['nanoseconds', ['-F', 'nsecpcap']],
    ['another link layer', ['-T', 'ether', '-C', '0']],
  ])('%s', (_name, options) => {
    const directory = mkdtempSync(join(tmpdir(), 'poste-odd-'));
    try {
      const [from, to] = [join(directory, 'from'), join(directory, 'to')];
      writeFileSync(from, writePcapng(traces.get('push')!));
      execFileSync('editcap', [...options, from, to], { stdio: 'ignore' });
      expect(judged(readCapture(readFileSync(to))).violations).toEqual([]);
      execFileSync('mergecap', ['-w', join(directory, 'both'), from, to], { stdio: 'ignore' });
      expect(judged(readCapture(join(directory, 'both'))).violations).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

/** The records of a pcap file that was written here, without their headers. */
function framesOf(file: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 24; at + 16 <= file.length;) {
    const length = file.readUInt32LE(at + 8);
    frames.push(file.subarray(at, at + 16 + length));
    at += 16 + length;
  }
  return frames;
}

function pcapOf(records: readonly Buffer[], { snap = 262_144 } = {}): Buffer {
  const cut = records.map((record) => {
    const copy = Buffer.from(record.subarray(0, 16 + snap));
    copy.writeUInt32LE(copy.length - 16, 8);
    return copy;
  });
  return Buffer.concat([writePcap([]).subarray(0, 24), ...cut]);
}
