/** A stored message made into what one SEND carries (D-48, D-49). */

import assert from 'node:assert';
import type { PayloadForm } from '../machines/effects.js';
import type { MessageFacts } from '../machines/events.js';
import type { Content } from '../ports.js';
import { wrapCpim } from '../wire/cpim.js';
import { formatDateTime, formatMailDate } from '../wire/date-time.js';
import { parseContentType } from '../wire/sip/content-type.js';
import { formatSipDate, parseSipDate } from '../wire/sip/date.js';
import type { HeaderField, SipRequest } from '../wire/sip/message.js';
import { uriOf } from '../wire/sip/name-addr.js';
import { parseSipHead } from '../wire/sip/parse.js';
import { maskedSip, sipfragHead } from '../wire/sip/sipfrag.js';
import { largeForm } from './large-payload.js';
import { readExactly, spliced } from './payload-stream.js';
import type { Slice } from './payload-stream.js';

export interface Payload {
  readonly contentType: string;
  readonly headers: readonly HeaderField[];
  readonly content: Content;
}

/** What is to be made of a stored message. */
export interface PayloadWish {
  readonly form: PayloadForm;
  readonly receivedAt: number;
  /** Whether Privacy: id is honoured (PAI-03). */
  readonly privacy: boolean;
  /** The identities in its header fields are not to be shown (PAI-01). */
  readonly untrusted: boolean;
}

/** What a form consists of, before it is one content. */
export interface Made {
  readonly contentType: string;
  readonly parts: readonly (Buffer | Slice)[];
}

/**
 * Undefined when a message of this kind has no such form. What it carried is never converted, only
 * framed, and read no sooner than it is sent. Throws WireError when what is stored is damaged.
 */
export async function payloadOf(
  content: Content,
  message: MessageFacts,
  wish: PayloadWish,
  headBytes: number,
): Promise<Payload | undefined> {
  const isLarge = message.class === 'Multimedia-Message';
  const made = isLarge
    ? await largeForm(content, message, wish)
    : await pagerForm(content, wish, headBytes);
  if (made === undefined) return undefined;
  const created = formatMailDate(wish.receivedAt);
  return {
    contentType: made.contentType,
    headers: [['Content-Disposition', `render;creation-date="${created}"`]],
    content: await spliced(made.parts),
  };
}

/** A pager message is stored as the SIP request that it was. */
async function pagerForm(
  content: Content,
  wish: PayloadWish,
  headBytes: number,
): Promise<Made | undefined> {
  const beginning = await readExactly(content, 0, Math.min(headBytes, content.size));
  const { message: request, bodyStart } = parseSipHead(beginning);
  assert(request.kind === 'request', 'a stored message is a request');
  const body = { content, offset: bodyStart, size: content.size - bodyStart };
  const { form, receivedAt, privacy, untrusted } = wish;
  const shown = { privacy, unproven: untrusted, date: formatSipDate(receivedAt) };
  switch (form) {
    case 'message/sipfrag': {
      const head = sipfragHead(request, shown, body.size);
      return { contentType: 'message/sipfrag;version=2.0', parts: [head, body] };
    }
    case 'message/sip':
      return { contentType: 'message/sip', parts: [maskedSip(request, shown), body] };
    case 'message/cpim':
      return cpimOf(request, receivedAt, body);
    case 'original':
      return { contentType: contentTypeOf(request), parts: [body] };
    case 'message/msrp':
    case 'multipart/mixed':
      return undefined;
    default:
      return form satisfies never;
  }
}

/** CPIM-01: what came as CPIM leaves bit-identical; anything else is wrapped. */
function cpimOf(request: SipRequest, receivedAt: number, body: Slice): Made {
  const contentType = contentTypeOf(request);
  if (parseContentType(contentType).type === 'message/cpim') {
    return { contentType: 'message/cpim', parts: [body] };
  }
  const sent = parseSipDate(request.header('date') ?? '') ?? receivedAt;
  const disposition = request.header('content-disposition');
  const encoding = request.header('content-encoding');
  const contentHeaders: HeaderField[] = [];
  if (disposition !== undefined) contentHeaders.push(['Content-Disposition', disposition]);
  if (encoding !== undefined) contentHeaders.push(['Content-Encoding', encoding]);
  const head = wrapCpim({
    from: uriOf(request.header('from')) ?? 'sip:anonymous@anonymous.invalid',
    to: uriOf(request.header('to')) ?? request.uri,
    dateTime: formatDateTime(sent),
    contentType,
    contentHeaders,
    body: Buffer.alloc(0),
  });
  return { contentType: 'message/cpim', parts: [head, body] };
}

/** RFC 3261 7.4.1: a body without Content-Type has none we could know; text is the usual case. */
function contentTypeOf(request: SipRequest): string {
  return request.header('content-type') ?? 'text/plain';
}
