/** What is kept of a large message beside its content: header sets, as octets behind it (D-14). */

import { WireError } from './error.js';
import type { HeaderField } from './sip/message.js';

export interface RecordedHeaders {
  /** Of the INVITE, without credentials. */
  readonly invite: readonly HeaderField[];
  /** Of our 200 to it. */
  readonly answer: readonly HeaderField[];
  /** Sets of the SENDs that differ in more than their Byte-Range, the first one first. */
  readonly sends: readonly (readonly HeaderField[])[];
  /** How many SENDs there were. */
  readonly chunks: number;
  /** Transaction id of the only SEND; absent when there were several. */
  readonly transactionId?: string;
  /** Drawn when the message came in, unknown to its sender: it delimits what encloses the content. */
  readonly token: string;
}

const version = 1;

export function formatRecordedHeaders(headers: RecordedHeaders): Buffer {
  const { invite, answer, sends, chunks, transactionId, token } = headers;
  return Buffer.from(
    JSON.stringify([version, invite, answer, sends, chunks, token, transactionId]),
  );
}

/** Throws WireError `RECORDED_HEADERS` when these are not such octets. */
export function parseRecordedHeaders(octets: Buffer): RecordedHeaders {
  const parsed = jsonOf(octets);
  if (!Array.isArray(parsed)) throw damaged();
  const [given, invite, answer, sends, chunks, token, transactionId] = parsed as unknown[];
  if (given !== version || typeof chunks !== 'number' || typeof token !== 'string') throw damaged();
  if (!isFields(invite) || !isFields(answer)) throw damaged();
  if (!Array.isArray(sends) || !sends.every(isFields)) throw damaged();
  const headers = { invite, answer, sends, chunks, token };
  return typeof transactionId === 'string' ? { ...headers, transactionId } : headers;
}

function jsonOf(octets: Buffer): unknown {
  try {
    return JSON.parse(octets.toString('utf8'));
  } catch {
    // Whatever the parser says, the octets are not ours.
    throw damaged();
  }
}

function isFields(value: unknown): value is readonly HeaderField[] {
  if (!Array.isArray(value)) return false;
  return value.every(
    (field: unknown) =>
      Array.isArray(field) && field.length === 2 && field.every((text) => typeof text === 'string'),
  );
}

function damaged(): WireError {
  return new WireError('RECORDED_HEADERS', 'the header sets of a message cannot be read', 500);
}
