import { expect, test } from 'vitest';
import { readCapture } from '../../../src/verify/capture/read.js';
import { datagramFrames, endpointOf } from '../../../src/verify/capture/write-packet.js';
import { writePcap } from '../../../src/verify/capture/write.js';
import { observed, pcapOf, segment, sipMessage, type SceneFrame } from './scene.js';

const bytes = sipMessage('call', 'body');
const flow4 = { source: endpointOf('192.0.2.1:5060'), target: endpointOf('192.0.2.2:5062') };
const flow6 = { source: endpointOf('[::1]:5060'), target: endpointOf('[2001:db8::2:0:1]:5062') };
const ethernet = (flow = flow4): Buffer => datagramFrames(flow, bytes, 1)[0]!;
const packet = (flow = flow4): Buffer => ethernet(flow).subarray(14);
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

test.each<[string, number, Buffer]>([
  ['Ethernet', 1, ethernet()],
  ['Ethernet, IPv6', 1, ethernet(flow6)],
  ['a VLAN', 1, tagged(hex('8100 0005'))],
  ['QinQ', 1, tagged(hex('88a8 0005 8100 0006'))],
  ['cooked (SLL)', 113, Buffer.concat([Buffer.alloc(14), hex('0800'), packet()])],
  ['cooked (SLL) with a VLAN', 113, behind(14, '8100 0005 86dd', packet(flow6))],
  ['cooked (SLL2)', 276, Buffer.concat([hex('86dd'), Buffer.alloc(18), packet(flow6)])],
  ['null, little', 0, Buffer.concat([hex('02000000'), packet()])],
  ['null, big, IPv6 of FreeBSD', 0, Buffer.concat([hex('0000001c'), packet(flow6)])],
  ['loop', 108, Buffer.concat([hex('00000018'), packet(flow6)])],
  ['raw', 101, packet()],
  ['raw IPv6', 101, packet(flow6)],
  ['IPV4', 228, packet()],
  ['IPV6', 229, packet(flow6)],
])('frames of %s are read', (_name, linkType, frame) => {
  const { messages, remarks } = readCapture(pcapOf([{ at: 5, bytes: frame }], linkType));
  expect(remarks).toEqual([]);
  expect(messages).toMatchObject([{ number: 1, at: 5, bytes, cut: false }]);
  const isIpv6 = messages[0]!.source.startsWith('[');
  expect(messages[0]!.source).toBe(isIpv6 ? '[::1]:5060' : '192.0.2.1:5060');
  expect(messages[0]!.target).toBe(isIpv6 ? '[2001:db8::2:0:1]:5062' : '192.0.2.2:5062');
});

test('a link layer that is not known is told once, with the number of its frames', () => {
  const frames = [1, 2, 3].map(() => ({ at: 1, bytes: ethernet() }));
  expect(readCapture(pcapOf(frames, 127)).remarks).toEqual([
    'frames of link type 127, which is not known: 3, the first at 1',
  ]);
});

test('what is no IP, and keep-alives, are passed over; broken packets and IPsec are told', () => {
  const arp = behind(12, '0806', Buffer.alloc(28));
  const broken = behind(12, '0800', Buffer.from([0x45, 0, 0]));
  const esp = Buffer.from(ethernet());
  esp[14 + 9] = 50;
  const keepAlive = datagramFrames(flow4, Buffer.from('\r\n\r\n'), 1)[0]!;
  const frames = [arp, broken, esp, keepAlive].map((frame) => ({ at: 1, bytes: frame }));
  expect(readCapture(pcapOf(frames))).toEqual({
    messages: [],
    remarks: [
      'broken IP packets: 1, the first at 2',
      'packets of IPsec, which cannot be read: 1, the first at 3',
    ],
    losses: [{ number: 3, what: 'packets of IPsec', source: '192.0.2.1', target: '192.0.2.2' }],
  });
});

test('extension headers of IPv6 stand before the datagram', () => {
  const plain = packet(flow6);
  const extended = Buffer.concat([
    plain.subarray(0, 40),
    hex('1100 0104 00000000'),
    plain.subarray(40),
  ]);
  extended[6] = 60;
  extended.writeUInt16BE(plain.length - 40 + 8, 4);
  const { messages } = readCapture(pcapOf([{ at: 1, bytes: extended }], 101));
  expect(messages).toMatchObject([{ bytes }]);
});

test.each([
  ['IPv4', flow4],
  ['IPv6', flow6],
])('fragments of %s come in any order, twice, and late', (_name, flow) => {
  const long = sipMessage('long', 'x'.repeat(6_000));
  const parts = datagramFrames(flow, long, 7).map((frame) => ({ at: 1, bytes: frame }));
  const other = datagramFrames(flow, sipMessage('other', 'y'.repeat(3_000)), 8);
  const [p0, p1, p2, p3, p4] = parts as [
    SceneFrame,
    SceneFrame,
    SceneFrame,
    SceneFrame,
    SceneFrame,
  ];
  const frames = [p4, { at: 1, bytes: other[0]! }, p0, p0, p3, p2, p1];
  const { messages, remarks } = readCapture(pcapOf(frames));
  expect(messages).toMatchObject([{ number: 7, bytes: long, cut: false }]);
  expect(remarks).toEqual(['packets of which fragments are missing: 1, the first at 2']);
});

test('packets that wait for fragments are bounded, and so is their time', () => {
  const first = (id: number, at: number): SceneFrame => ({
    at,
    bytes: datagramFrames(flow4, sipMessage('long', 'x'.repeat(3_000)), id)[0]!,
  });
  const many = Array.from({ length: 30 }, (_, id) => first(id, 1));
  expect(readCapture(pcapOf(many), { fragmentedPackets: 10 }).remarks).toEqual([
    'packets of which fragments are missing: 30, the first at 1',
  ]);
  const rest = datagramFrames(flow4, sipMessage('long', 'x'.repeat(3_000)), 1).slice(1);
  const late = rest.map((frame) => ({ at: 100_000, bytes: frame }));
  expect(readCapture(pcapOf([first(1, 1), ...late])).messages).toEqual([]);
});

test('a datagram of which the end was not captured is cut', () => {
  const file = writePcap([observed({ bytes })]);
  const kept = file.length - 24 - 16 - 10;
  file.writeUInt32LE(kept, 24 + 8);
  const { messages } = readCapture(file.subarray(0, -10));
  expect(messages).toMatchObject([{ cut: true, bytes: bytes.subarray(0, -10) }]);
});

test('segments of which the end was not captured leave a gap', () => {
  const whole = segment(10, Buffer.concat([bytes, sipMessage('second')]));
  const file = pcapOf([whole, segment(10 + bytes.length + sipMessage('second').length, bytes)]);
  const short = whole.bytes.length - 30;
  const head = Buffer.from(file.subarray(0, 40 + short));
  head.writeUInt32BE(short, 24 + 8);
  const cut = Buffer.concat([head, file.subarray(40 + whole.bytes.length)]);
  const { messages, remarks } = readCapture(cut);
  expect(messages.map((message) => message.cut)).toEqual([false, true, false]);
  expect(remarks.at(-1)).toMatch(/30 octets before frame 1 were not captured$/);
});

function tagged(tags: Buffer): Buffer {
  const frame = ethernet();
  return Buffer.concat([frame.subarray(0, 12), tags, frame.subarray(12)]);
}

function behind(length: number, type: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(length), hex(type), payload]);
}
