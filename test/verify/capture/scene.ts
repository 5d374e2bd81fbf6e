/** Messages that captures of tests are made of. */

import type { Observed } from '../../../src/verify/capture/observed.js';

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
