/** Octets of SIP as the UTF-8 text of drachtio's control protocol, and back. */

import { isUtf8 } from 'node:buffer';
import type { HeaderField, SipMessage } from '../../wire/sip/message.js';
import { parseSip } from '../../wire/sip/parse.js';
import { headerLine } from '../../wire/sip/serialise.js';
import { DrachtioError } from './error.js';

/** What a decoder writes where octets were no UTF-8. */
const replacement = '\uFFFD';

/** Octets of a frame around the message in it. */
const frameOverhead = 512;

/** What came in. Of a damaged message nothing but its head is to be believed. */
export interface ReceivedText {
  readonly message: SipMessage;
  readonly isDamaged: boolean;
}

/**
 * Reads a message the server sent as text. A body with a replacement character, or of another
 * length than its Content-Length says, was not what stands here now. Throws WireError.
 */
export function readText(raw: string): ReceivedText {
  const end = raw.indexOf('\r\n\r\n');
  const hasReplacement = end >= 0 && raw.includes(replacement, end);
  if (hasReplacement) return { message: parseSip(headOf(raw, end)), isDamaged: true };
  const bytes = Buffer.from(raw, 'utf8');
  const message = parseSip(bytes);
  return { message, isDamaged: message.bytes.length !== bytes.length };
}

/** The message without the body it had. Throws WireError. */
export function withoutBody(message: SipMessage): SipMessage {
  const text = message.bytes.toString('utf8');
  return parseSip(headOf(text, text.indexOf('\r\n\r\n')));
}

/** A body as text. Throws DrachtioError `DRACHTIO_BODY` when it would be damaged on its way. */
export function bodyText(body: Buffer): string {
  // The server measures bodies up to their first NUL.
  if (!isUtf8(body) || body.includes(0)) {
    throw new DrachtioError('DRACHTIO_BODY', 'the body is no UTF-8 text without NUL');
  }
  return body.toString('utf8');
}

/**
 * Header fields as drachtio-srf takes them: one value for each name. Throws SerialiseError on
 * anything that would break out of its line.
 */
export function headersOf(fields: readonly HeaderField[]): Record<string, string> {
  const byName = new Map<string, { name: string; value: string }>();
  for (const [name, value] of fields) {
    headerLine(name, value);
    const known = byName.get(name.toLowerCase());
    if (known) known.value += `, ${value}`;
    else byName.set(name.toLowerCase(), { name, value });
  }
  const headers = Object.create(null) as Record<string, string>;
  for (const { name, value } of byName.values()) headers[name] = value;
  return headers;
}

/** Throws DrachtioError `DRACHTIO_TOO_LARGE` when the server would not read such a message. */
export function checkSize(
  startLine: string,
  headers: Record<string, string>,
  body: Buffer | undefined,
  frameBytes: number,
): void {
  let size = frameOverhead + Buffer.byteLength(startLine) + (body?.length ?? 0);
  for (const [name, value] of Object.entries(headers)) {
    size += name.length + Buffer.byteLength(value) + 4;
  }
  if (size <= frameBytes) return;
  throw new DrachtioError('DRACHTIO_TOO_LARGE', `more than ${frameBytes} octets`);
}

/** The head alone, saying so. */
function headOf(raw: string, end: number): Buffer {
  // A line that begins with white space goes on with the one before it.
  const lines = raw.slice(0, end).split(/\r\n(?![ \t])/);
  const kept = lines.filter((line) => !/^(content-length|content-type|l|c)\s*:/i.test(line));
  return Buffer.from(`${kept.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`, 'utf8');
}
