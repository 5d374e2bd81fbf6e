/** What the content of a SEND holds: the stored message as it was encapsulated (D-48). */

import { parseCpim } from '../wire/cpim.js';
import { WireError } from '../wire/error.js';
import { MsrpParser } from '../wire/msrp/parse.js';
import { isMultipart, parseMultipart, partHeader, type Part } from '../wire/multipart.js';
import { parseContentType } from '../wire/sip/content-type.js';
import { parseSipDate } from '../wire/sip/date.js';
import type { HeaderField } from '../wire/sip/message.js';
import { uriOf } from '../wire/sip/name-addr.js';
import { parseParams } from '../wire/sip/params.js';
import { parseSip } from '../wire/sip/parse.js';
import { parseSipfrag } from '../wire/sip/sipfrag.js';
import type { DeliveredMessage, EncapsulationForm } from './im-client.js';

/** A SEND that is complete. */
export interface Received {
  readonly messageId: string;
  readonly contentType: string | undefined;
  readonly headers: readonly HeaderField[];
  readonly payload: Buffer;
}

interface Opened {
  readonly form: EncapsulationForm;
  readonly headers: readonly HeaderField[];
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

/**
 * Opens what was received. What breaks the standard is handed over closed, in form `original` with
 * the code of the fault: the message is the user's, and refusing it would not mend it.
 */
export function openMessage(received: Received, duplicate: boolean): DeliveredMessage {
  let opened: Opened;
  let fault: string | undefined;
  try {
    opened = open(received.contentType, received.payload);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    fault = error.code;
    opened = closed(received.contentType, received.payload);
  }
  return describe(received, opened, duplicate, fault);
}

/** A pager message that came by itself, as MESSAGE. */
export function pagerMessage(
  messageId: string,
  headers: readonly HeaderField[],
  body: Buffer,
  payload: Buffer,
): DeliveredMessage {
  const received = { messageId, contentType: undefined, headers: [], payload };
  const contentType = field(headers, 'content-type');
  return describe(received, { form: 'page', headers, contentType, body }, false);
}

function describe(
  { messageId, headers: outer, payload }: Received,
  { form, headers, contentType, body }: Opened,
  duplicate: boolean,
  fault?: string,
): DeliveredMessage {
  const receivedAt = creationDate(field(outer, 'content-disposition'));
  const from = uriOf(field(headers, 'from'));
  const to = uriOf(field(headers, 'to'));
  const callId = field(headers, 'call-id');
  const sent = parseSipDate(field(headers, 'date') ?? '');
  const subject = field(headers, 'subject');
  return {
    messageId,
    duplicate,
    form,
    headers,
    body,
    payload,
    ...(fault !== undefined && { fault }),
    ...(receivedAt && { receivedAt }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(callId !== undefined && { callId }),
    ...(sent !== undefined && { date: new Date(sent) }),
    ...(subject !== undefined && { subject }),
    ...(contentType !== undefined && { contentType }),
  };
}

function open(contentType: string | undefined, payload: Buffer): Opened {
  if (contentType === undefined) return closed(undefined, payload);
  if (isMultipart(contentType)) return openMultipart(contentType, payload);
  switch (parseContentType(contentType).type) {
    case 'message/sipfrag': {
      const fragment = parseSipfrag(payload);
      const headers = fragment.all();
      const type = fragment.header('Content-Type');
      return {
        form: 'sipfrag',
        headers: longNames(headers),
        contentType: type,
        body: fragment.body,
      };
    }
    case 'message/sip': {
      const message = parseSip(payload);
      const type = message.header('Content-Type');
      const headers = longNames(message.all());
      return { form: 'sip', headers, contentType: type, body: message.body };
    }
    case 'message/cpim': {
      const { headers, contentType: type, body } = parseCpim(payload);
      return { form: 'cpim', headers, contentType: type, body };
    }
    case 'message/msrp':
      return openMsrp(payload);
    default:
      return closed(contentType, payload);
  }
}

function closed(contentType: string | undefined, payload: Buffer): Opened {
  return { form: 'original', headers: [], contentType, body: payload };
}

/** Large messages: a part with the header fields of the stored INVITE, a part with the message. */
function openMultipart(contentType: string, payload: Buffer): Opened {
  const parts = parseMultipart(payload, contentType);
  const fragment = parts.find((part) => typeOf(part) === 'message/sipfrag');
  const message = parts.find((part) => part !== fragment);
  if (!fragment || !message) return closed(contentType, payload);
  const headers = longNames(parseSipfrag(fragment.body).all());
  const inner = open(partHeader(message, 'content-type'), message.body);
  return { ...inner, form: 'mixed', headers: [...headers, ...inner.headers] };
}

function typeOf(part: Part): string | undefined {
  const value = partHeader(part, 'content-type');
  return value === undefined ? undefined : parseContentType(value).type;
}

/** The exact octets of one SEND request (FRAG-03). */
function openMsrp(payload: Buffer): Opened {
  let headers: readonly HeaderField[] = [];
  let contentType: string | undefined;
  const pieces: Buffer[] = [];
  let complete = false;
  const parser = new MsrpParser({
    head(head) {
      headers = head.headers;
      contentType = head.kind === 'request' ? head.contentType : undefined;
    },
    body: (bytes) => void pieces.push(bytes),
    end: (flag) => (complete = flag === '$'),
    fault({ error }) {
      throw error;
    },
  });
  parser.push(payload);
  if (!complete) throw new WireError('MSRP_TRUNCATED', 'the encapsulated SEND does not end');
  return { form: 'msrp', headers, contentType, body: whole(payload, pieces) };
}

/** The pieces are views of the payload, one behind the other: so is the body. */
function whole(payload: Buffer, pieces: readonly Buffer[]): Buffer {
  const [first] = pieces;
  if (!first) return Buffer.alloc(0);
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  const offset = first.byteOffset - payload.byteOffset;
  const isView = first.buffer === payload.buffer;
  return isView ? payload.subarray(offset, offset + size) : Buffer.concat(pieces);
}

/** RFC 3261 7.3.3. */
const compact = new Map([
  ['f', 'From'],
  ['t', 'To'],
  ['i', 'Call-ID'],
  ['s', 'Subject'],
  ['c', 'Content-Type'],
  ['l', 'Content-Length'],
  ['m', 'Contact'],
  ['v', 'Via'],
  ['e', 'Content-Encoding'],
  ['k', 'Supported'],
]);

function longNames(headers: readonly HeaderField[]): HeaderField[] {
  return headers.map(([name, value]) => [compact.get(name.toLowerCase()) ?? name, value]);
}

function field(headers: readonly HeaderField[], name: string): string | undefined {
  return headers.find(([own]) => own.toLowerCase() === name)?.[1];
}

/** D-49: the receipt time is the creation-date of RFC 2183. */
function creationDate(disposition: string | undefined): Date | undefined {
  const semicolon = disposition?.indexOf(';') ?? -1;
  if (disposition === undefined || semicolon < 0) return undefined;
  try {
    const at = Date.parse(parseParams(disposition.slice(semicolon)).get('creation-date') ?? '');
    return Number.isNaN(at) ? undefined : new Date(at);
  } catch (error) {
    // An unreadable disposition takes nothing from the message but its receipt time.
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
