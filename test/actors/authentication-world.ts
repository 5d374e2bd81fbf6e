/** A user agent that answers challenges, for tests of whoever challenges. */

import type { Peer } from '../../src/ports.js';
import { cryptoHash } from '../../src/actors/authentication.js';
import { formatCredentials, parseChallenge } from '../../src/wire/sip/digest.js';
import type { DigestChallenge, DigestCredentials } from '../../src/wire/sip/digest.js';
import { digestAlgorithm, digestHa1, digestResponse } from '../../src/wire/sip/digest-response.js';
import type { HeaderField, SipRequest } from '../../src/wire/sip/message.js';
import { parseSip } from '../../src/wire/sip/parse.js';
import { serialiseRequest } from '../../src/wire/sip/serialise.js';

export const stranger: Peer = { transport: 'udp', address: '198.51.100.7', port: 5060 };

export interface RequestParts {
  readonly method?: string;
  readonly uri?: string;
  readonly from?: string;
  readonly to?: string;
  readonly toTag?: string;
  readonly cseq?: number;
  readonly headers?: readonly HeaderField[];
  readonly body?: Buffer;
}

let calls = 0;

export function requestBytes(parts: RequestParts = {}): Buffer {
  const { method = 'REGISTER', uri = 'sip:example.net', body } = parts;
  const from = parts.from ?? 'sip:bob@example.net';
  return serialiseRequest({
    method,
    uri,
    headers: [
      ['Via', `SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bKauth${++calls}`],
      ['Max-Forwards', '70'],
      ['From', `<${from}>;tag=f${calls}`],
      ['To', `<${parts.to ?? from}>${parts.toTag === undefined ? '' : `;tag=${parts.toTag}`}`],
      ['Call-ID', `auth-${calls}`],
      ['CSeq', `${parts.cseq ?? 1} ${method}`],
      ['Contact', '<sip:bob@198.51.100.7:5060>;+g.oma.sip-im'],
      ...(parts.headers ?? []),
    ],
    body,
  });
}

export function requestOf(parts: RequestParts = {}): SipRequest {
  const message = parseSip(requestBytes(parts));
  if (message.kind !== 'request') throw new Error('not a request');
  return message;
}

/** The challenges of header fields, in order. */
export function challengesOf(headers: readonly HeaderField[]): DigestChallenge[] {
  return headers
    .filter(([name]) => name === 'WWW-Authenticate')
    .map(([, value]) => parseChallenge(value)!);
}

export interface Answer {
  readonly username: string;
  readonly password: string;
  readonly method: string;
  readonly uri: string;
  readonly count?: number;
  readonly qop?: string;
  readonly body?: Buffer;
  /** Changes what is sent, after the digest was made. */
  readonly more?: Partial<DigestCredentials>;
}

/** The Authorization that answers a challenge. */
export function authorization(challenge: DigestChallenge, answer: Answer): HeaderField {
  const { username, password, method, uri, qop = 'auth', body = Buffer.alloc(0) } = answer;
  const { realm, nonce } = challenge;
  const algorithm = digestAlgorithm(challenge.algorithm)!;
  const nc = (answer.count ?? 1).toString(16).padStart(8, '0');
  const cnonce = 'cnonce';
  const ha1 = digestHa1(cryptoHash, algorithm.hash, { username, realm, password });
  const input = { ...algorithm, ha1, method, uri, nonce, qop, nc, cnonce, body };
  const response = digestResponse(cryptoHash, input);
  const shared = { username, realm, nonce, uri, qop, nc, cnonce };
  const credentials = { ...shared, response, algorithm: challenge.algorithm, ...answer.more };
  return ['Authorization', formatCredentials(credentials)];
}
