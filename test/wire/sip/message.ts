/** Messages for tests, composed line by line. */

import { parseSip } from '../../../src/wire/sip/parse.js';
import type { SipRequest, SipResponse } from '../../../src/wire/sip/message.js';

export const MANDATORY = [
  'Via: SIP/2.0/UDP pcscf.example.com;branch=z9hG4bK5b20',
  'From: <sip:nia@example.com>;tag=n1a',
  'To: <sip:tomas@example.net>',
  'Call-ID: c5d1f@ua.example.com',
];

/** A MESSAGE with those further header lines; Content-Length is added for the body. */
export function messageBytes(lines: readonly string[], body: string | Buffer = ''): Buffer {
  return withBody(
    ['MESSAGE sip:tomas@example.net SIP/2.0', ...MANDATORY, 'CSeq: 3 MESSAGE', ...lines],
    body,
  );
}

export function withBody(lines: readonly string[], body: string | Buffer = ''): Buffer {
  const octets = Buffer.from(body);
  const head = [...lines, `Content-Length: ${octets.length}`, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head), octets]);
}

export function request(bytes: Buffer): SipRequest {
  const message = parseSip(bytes);
  if (message.kind !== 'request') throw new Error('no request');
  return message;
}

export function response(bytes: Buffer): SipResponse {
  const message = parseSip(bytes);
  if (message.kind !== 'response') throw new Error('no response');
  return message;
}

/** The code of the error that the call throws. */
export function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
  return 'no error';
}
