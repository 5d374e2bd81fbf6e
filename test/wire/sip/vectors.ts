/** Cases of malformed and odd messages, one file each, with what the parser makes of them. */

import { readFileSync } from 'node:fs';

export interface SipVector {
  /** Name of the RFC case or of our own. */
  readonly name: string;
  readonly note: string;
  readonly bytes: Buffer;
  /** `ok`, or code, status and whether it can be answered. */
  readonly datagram: string;
  /** The events when the same octets come over a stream. */
  readonly stream: readonly string[];
  /** Octets that the stream still holds afterwards. */
  readonly pending: number;
  /** A case that we read otherwise than the RFC wants. */
  readonly fails: boolean;
}

interface Entry {
  readonly file: string;
  readonly source: string;
  readonly note: string;
  readonly datagram: string;
  readonly stream: readonly string[];
  readonly pending: number;
  readonly fails?: boolean;
}

const FOLDER = new URL('../../vectors/sip/', import.meta.url);

export function sipVectors(): SipVector[] {
  const index = JSON.parse(readFileSync(new URL('index.json', FOLDER), 'utf8')) as Entry[];
  return index.map((entry) => ({
    name: `${entry.source} ${entry.file.replace(/^.*\/|\.dat$/g, '')}`,
    note: entry.note,
    bytes: readFileSync(new URL(entry.file, FOLDER)),
    datagram: entry.datagram,
    stream: entry.stream,
    pending: entry.pending,
    fails: entry.fails ?? false,
  }));
}
