/** NDJSON: the trace of a server of this project, and a plain form for everybody else. */

import type { Findings } from './conversation.js';
import type { Observed } from './observed.js';
import type { OctetSource } from './octet-source.js';
import { startAt } from './start.js';
import { isWireRecord, recordSeen } from './trace-line.js';

const lf = 10;
const pieceBytes = 65_536;
const addressForm = /^(\[[0-9A-Fa-f:.%\w]+\]|[^\s:[\]]+):\d{1,5}$/;
const transports: readonly Observed['transport'][] = ['udp', 'tcp', 'tls', 'ws', 'wss'];

export function isLines(start: Buffer): boolean {
  return /^(\xef\xbb\xbf)?\s*\{/.test(start.toString('latin1'));
}

export function readLines(source: OctetSource, findings: Findings): void {
  for (let number = 1; source.peek(1).length > 0; number++) {
    const line = nextLine(source, findings.limits.blockBytes);
    if (line === undefined) {
      findings.remarks.count('lines that are too long', number);
      continue;
    }
    if (line.trim() === '') continue;
    const value = valueOf(line);
    const message = value && messageOf(value, number, findings.limits.messageBytes);
    if (message === undefined) findings.remarks.count('lines that are no record', number);
    else if (message !== 'none') findings.messages.add(message);
  }
}

/** Undefined when it is longer than that. */
function nextLine(source: OctetSource, max: number): string | undefined {
  for (let length = pieceBytes, from = 0; ; from = length, length *= 2) {
    const piece = source.peek(Math.min(length, max));
    const end = piece.indexOf(lf, from);
    const isLast = piece.length < Math.min(length, max);
    if (end >= 0 || isLast) {
      const text = piece.toString('utf8', 0, end < 0 ? piece.length : end);
      source.discard(end < 0 ? piece.length : end + 1);
      return text.replace(/^\ufeff/, '');
    }
    if (length >= max) break;
  }
  for (let piece = source.peek(pieceBytes); piece.length > 0; piece = source.peek(pieceBytes)) {
    const end = piece.indexOf(lf);
    source.discard(end < 0 ? piece.length : end + 1);
    if (end >= 0) break;
  }
  return undefined;
}

function valueOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(line) as unknown;
    const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isRecord ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined; // cut off, or no JSON
  }
}

/** `none`: a record of something else. */
function messageOf(
  value: Readonly<Record<string, unknown>>,
  number: number,
  bytesMax: number,
): Observed | 'none' | undefined {
  if (isWireRecord(value)) return recordSeen(value, number);
  const isOther = value['kind'] === 'turn';
  return isOther ? 'none' : plainSeen(value, number, bytesMax);
}

/**
 * `{"at", "source", "target", "transport", "message" | "base64", "protocol"?, "cut"?}`: `at` in
 * milliseconds since 1970 or as ISO 8601 writes a time; `message` is text with its line ends.
 */
function plainSeen(
  value: Readonly<Record<string, unknown>>,
  number: number,
  bytesMax: number,
): Observed | undefined {
  const at = timeOf(value['at']);
  const source = addressOf(value['source']);
  const target = addressOf(value['target']);
  const transport = transports.find((name) => name === value['transport']);
  const bytes = octetsOf(value);
  if (at === undefined || bytes === undefined || transport === undefined) return undefined;
  if (source === undefined || target === undefined) return undefined;
  const protocol = startAt(bytes, 0, bytes.length, true);
  if (protocol !== 'sip' && protocol !== 'msrp') return undefined;
  if ('protocol' in value && value['protocol'] !== protocol) return undefined;
  const cut = value['cut'] === true || bytes.length > bytesMax;
  return { number, at, protocol, transport, source, target, bytes, cut };
}

function timeOf(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : value;
  return typeof time === 'number' && Number.isFinite(time) ? time : undefined;
}

function addressOf(value: unknown): string | undefined {
  return typeof value === 'string' && addressForm.test(value) ? value : undefined;
}

function octetsOf({ message, base64 }: Readonly<Record<string, unknown>>): Buffer | undefined {
  if (typeof message === 'string') return Buffer.from(message);
  const isBase64 = typeof base64 === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(base64);
  return isBase64 ? Buffer.from(base64, 'base64') : undefined;
}
