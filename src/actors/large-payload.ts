/** The forms in which a large message leaves (D-48), its content streamed from the store. */

import type { MessageFacts } from '../machines/events.js';
import type { Content } from '../ports.js';
import { wrapCpim } from '../wire/cpim.js';
import { formatDateTime } from '../wire/date-time.js';
import { WireError } from '../wire/error.js';
import { parseRecordedHeaders } from '../wire/recorded-headers.js';
import type { RecordedHeaders } from '../wire/recorded-headers.js';
import { parseContentType } from '../wire/sip/content-type.js';
import { formatSipDate } from '../wire/sip/date.js';
import { FieldList } from '../wire/sip/field-list.js';
import { pertinentFields } from '../wire/sip/sipfrag.js';
import type { Made, PayloadWish } from './payload.js';
import { readExactly } from './payload-stream.js';
import type { Slice } from './payload-stream.js';

/** Octets that header sets have at most, whatever the bounds were when they were written. */
const headersMax = 1_048_576;

type Parts = readonly (Buffer | Slice)[];

/** A large message is stored as its content, and its header sets behind it (D-14). */
export async function largeForm(
  content: Content,
  message: MessageFacts,
  wish: PayloadWish,
): Promise<Made | undefined> {
  const body = { content, offset: 0, size: message.size };
  const contentType = message.contentType ?? 'text/plain';
  switch (wish.form) {
    case 'original':
      return { contentType, parts: [body] };
    case 'message/cpim':
      return { contentType: 'message/cpim', parts: cpimOf(message, contentType, wish, body) };
    case 'message/msrp': {
      const headers = await headersOf(content, message.size);
      return { contentType: 'message/msrp', parts: sendOf(headers, body) };
    }
    case 'multipart/mixed': {
      const headers = await headersOf(content, message.size);
      return {
        contentType: `multipart/mixed;boundary=${headers.token}`,
        parts: mixedOf(headers, wish, body),
      };
    }
    case 'message/sip':
    case 'message/sipfrag':
      return undefined;
    default:
      return wish.form satisfies never;
  }
}

async function headersOf(content: Content, offset: number): Promise<RecordedHeaders> {
  const size = content.size - offset;
  if (size <= 0 || size > headersMax) {
    throw new WireError('RECORDED_HEADERS', 'a large message has no header sets', 500);
  }
  return parseRecordedHeaders(await readExactly(content, offset, size));
}

/** FRAG-03: one SEND request, that of the sender if it was one, else all of them re-assembled. */
function sendOf({ sends, chunks, transactionId, token }: RecordedHeaders, body: Slice): Parts {
  const id = chunks === 1 && transactionId !== undefined ? transactionId : token;
  let head = `MSRP ${id} SEND\r\n`;
  for (const [name, value] of sends[0] ?? []) {
    const isRange = name.toLowerCase() === 'byte-range' && chunks > 1;
    head += `${name}: ${isRange ? rangeOf(body.size) : value}\r\n`;
  }
  return [Buffer.from(`${head}\r\n`), body, Buffer.from(`\r\n-------${id}$\r\n`)];
}

/** MSRP-05: no octets are 1-0/0. */
function rangeOf(size: number): string {
  return `1-${size}/${size}`;
}

/** What the INVITE says of the sender, then the SEND (S2 step 8). */
function mixedOf(headers: RecordedHeaders, wish: PayloadWish, body: Slice): Parts {
  const { privacy, untrusted, receivedAt } = wish;
  const { invite, token } = headers;
  const date = formatSipDate(receivedAt);
  const shown = { privacy, unproven: untrusted, date };
  const fragment = pertinentFields(new FieldList(invite), shown);
  const opening =
    `--${token}\r\nContent-Type: message/sipfrag;version=2.0\r\n\r\n${fragment}` +
    `\r\n--${token}\r\nContent-Type: message/msrp\r\n\r\n`;
  return [Buffer.from(opening), ...sendOf(headers, body), Buffer.from(`\r\n--${token}--\r\n`)];
}

/** CPIM-01: what came as CPIM leaves bit-identical; anything else is wrapped. */
function cpimOf(
  { from, to, date }: MessageFacts,
  contentType: string,
  { receivedAt }: PayloadWish,
  body: Slice,
): Parts {
  if (parseContentType(contentType).type === 'message/cpim') return [body];
  const head = wrapCpim({
    from: from === '' ? 'sip:anonymous@anonymous.invalid' : from,
    to,
    dateTime: formatDateTime(date ?? receivedAt),
    contentType,
    body: Buffer.alloc(0),
  });
  return [head, body];
}
