/** Messages and packets that captures of tests are made of. */

import type { Observed } from '../../../src/verify/capture/observed.js';
import { endpointOf, segmentFrame } from '../../../src/verify/capture/write-packet.js';

export const finFlag = 1;
export const synFlag = 2;
export const rstFlag = 4;
export const ackFlag = 16;

export interface SceneFrame {
  readonly at: number;
  readonly bytes: Buffer;
}

export function observed(more: Partial<Observed> = {}): Observed {
  return {
    number: 1,
    at: 1_700_000_000_000,
    protocol: 'sip',
    transport: 'udp',
    source: '192.0.2.1:5060',
    target: '192.0.2.2:5062',
    bytes: sipMessage('call'),
    cut: false,
    ...more,
  };
}

/** SIP on one connection, MSRP on another, over IPv6, in both directions, short and long. */
export function tcpMessages(): Observed[] {
  const tcp = { transport: 'tcp' } as const;
  const back = { source: '192.0.2.2:5062', target: '192.0.2.1:5060' };
  const media = { source: '[2001:db8::1]:40000', target: '[2001:db8::2]:2855', ...tcp } as const;
  const mediaBack = { source: media.target, target: media.source, ...tcp } as const;
  const msrp = { protocol: 'msrp' } as const;
  return [
    observed({ ...tcp, bytes: sipMessage('one', 'first') }),
    observed({ ...tcp, ...back, bytes: sipMessage('two', 'x'.repeat(5_000)) }),
    observed({ ...media, ...msrp, bytes: msrpSend('aaaa1', Buffer.alloc(4_000, '-----\r\n')) }),
    observed({ ...mediaBack, ...msrp, bytes: msrpAnswer('aaaa1') }),
    observed({ ...tcp, bytes: sipMessage('three', '\r\n\r\n') }),
    observed({ ...media, ...msrp, bytes: msrpSend('aaaa2') }),
  ].map((message, index) => ({ ...message, at: message.at + index }));
}

export function sipMessage(callId: string, body = ''): Buffer {
  const lines = [
    'MESSAGE sip:bob@example.org SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1',
    'Max-Forwards: 70',
    'From: <sip:alice@example.org>;tag=a',
    'To: <sip:bob@example.org>',
    `Call-ID: ${callId}`,
    'CSeq: 1 MESSAGE',
    'Content-Type: text/plain',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

export function msrpSend(transactionId: string, body: Buffer = Buffer.from('hello')): Buffer {
  const head = [
    `MSRP ${transactionId} SEND`,
    'To-Path: msrp://[2001:db8::2]:2855/b;tcp',
    'From-Path: msrp://[2001:db8::1]:40000/a;tcp',
    'Message-ID: m1',
    `Byte-Range: 1-${body.length}/${body.length}`,
    'Content-Type: application/octet-stream',
  ];
  const start = Buffer.from(`${head.join('\r\n')}\r\n\r\n`);
  return Buffer.concat([start, body, Buffer.from(`\r\n-------${transactionId}$\r\n`)]);
}

export function msrpAnswer(transactionId: string): Buffer {
  const paths = 'To-Path: msrp://a.example/a;tcp\r\nFrom-Path: msrp://b.example/b;tcp';
  return Buffer.from(`MSRP ${transactionId} 200 OK\r\n${paths}\r\n-------${transactionId}$\r\n`);
}

/** One of a connection from 192.0.2.1 to 192.0.2.2, or back. */
export function segment(
  sequence: number,
  payload: Buffer,
  more: { flags?: number; isBack?: boolean; acknowledged?: number; port?: number } = {},
): SceneFrame {
  const { flags = ackFlag, isBack = false, acknowledged = 0, port = 5060 } = more;
  const here = endpointOf(`192.0.2.1:${port}`);
  const there = endpointOf('192.0.2.2:5062');
  const flow = isBack ? { source: there, target: here } : { source: here, target: there };
  return { at: 1_000, bytes: segmentFrame(flow, { sequence, acknowledged, flags }, payload) };
}

/** A pcap file of those frames, in microseconds. */
export function pcapOf(frames: readonly SceneFrame[], linkType = 1): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32BE(0xa1b2c3d4, 0);
  header.writeUInt32BE(linkType, 20);
  const records = frames.map(({ at, bytes }) => {
    const record = Buffer.alloc(16);
    record.writeUInt32BE(Math.floor(at / 1e3), 0);
    record.writeUInt32BE(Math.round((at % 1e3) * 1e3), 4);
    record.writeUInt32BE(bytes.length, 8);
    record.writeUInt32BE(bytes.length, 12);
    return Buffer.concat([record, bytes]);
  });
  return Buffer.concat([header, ...records]);
}

/** How many frames a pcap file has that was written here. */
export function framesOf(file: Buffer): number {
  let count = 0;
  for (let at = 24; at + 16 <= file.length; count++) at += 16 + file.readUInt32LE(at + 8);
  return count;
}
