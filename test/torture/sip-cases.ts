/** The SIP cases with what may be answered to them. */

import { readFileSync } from 'node:fs';

export interface SipCase {
  /** Folder and name. */
  readonly file: string;
  readonly note: string;
  /** `should` cases are a matter of taste; the answer must be one of `expect` all the same. */
  readonly level: 'must' | 'should';
  /** `ok`, `none`, or a status. */
  readonly expect: readonly string[];
  /** What the parser makes of the octets as a datagram: `ok`, or a code and more. */
  readonly datagram: string;
  /** And of the same octets on a stream, event by event. */
  readonly stream: readonly string[];
  /** Whether the octets are one and the same message on a stream. */
  readonly isFramed: boolean;
  /** The octets, filled in for one run. */
  bytes(fill: Filling): Buffer;
}

/** What the cases leave open. */
export interface Filling {
  /** host:port in Via and Contact. */
  readonly sentBy: string;
  /** Unique: tag, branch and Call-ID. */
  readonly token: string;
  /** The served user in To and in the Request-URI. */
  readonly user: string;
}

interface Parsed {
  readonly file: string;
  readonly datagram: string;
  readonly stream: readonly string[];
  readonly pending: number;
}

const vectorFolder = new URL('../vectors/sip/', import.meta.url);

export function sipCases(): SipCase[] {
  const parsed = new Map(
    (read(new URL('index.json', vectorFolder)) as Parsed[]).map((entry) => [entry.file, entry]),
  );
  const expectations = read(new URL('expectations.json', import.meta.url)) as Pick<
    SipCase,
    'file' | 'note' | 'level' | 'expect'
  >[];
  return expectations.map((entry) => {
    const { datagram, stream, pending } = parsed.get(entry.file)!;
    const raw = readFileSync(new URL(entry.file, vectorFolder));
    return {
      ...entry,
      datagram,
      stream,
      isFramed: pending === 0 && stream.length === 1 && stream[0] === datagram,
      bytes: (fill) => (entry.file.startsWith('own-') ? filled(raw, fill) : raw),
    };
  });
}

/** The head is filled in, the body stays as it is, so that every Content-Length stays true. */
function filled(raw: Buffer, { sentBy, token, user }: Filling): Buffer {
  const empty = raw.indexOf('\r\n\r\n');
  const end = empty < 0 ? raw.length : empty;
  const head = raw
    .toString('latin1', 0, end)
    .replaceAll('127.0.0.1:5070', sentBy)
    .replaceAll('r4nd0m', token)
    .replaceAll('sip:tomas@', `sip:${user}@`);
  return Buffer.concat([Buffer.from(head, 'latin1'), raw.subarray(end)]);
}

function read(url: URL): unknown {
  return JSON.parse(readFileSync(url, 'utf8'));
}
