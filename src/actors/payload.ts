/** A stored message made into what one SEND carries (D-48, D-49). */

import assert from 'node:assert';
import type { PayloadForm } from '../machines/effects.js';
import type { Content } from '../ports.js';
import { wrapCpim } from '../wire/cpim.js';
import { formatDateTime, formatMailDate } from '../wire/date-time.js';
import { parseContentType } from '../wire/sip/content-type.js';
import { formatSipDate, parseSipDate } from '../wire/sip/date.js';
import type { HeaderField, SipRequest } from '../wire/sip/message.js';
import { uriOf } from '../wire/sip/name-addr.js';
import { parseSip } from '../wire/sip/parse.js';
import { maskedSip, sipfragOf } from '../wire/sip/sipfrag.js';

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

/**
 * Undefined when a message of this kind has no such form. `bytes` is the SIP request as it was
 * stored: what it carried is never converted, only framed.
 */
export function payloadOf(bytes: Buffer, wish: PayloadWish): Payload | undefined {
  const request = parseSip(bytes, { bodyBytes: bytes.length, headerBytes: bytes.length });
  assert(request.kind === 'request', 'a stored message is a request');
  const made = formOf(request, wish);
  if (made === undefined) return undefined;
  const created = formatMailDate(wish.receivedAt);
  return {
    contentType: made.contentType,
    headers: [['Content-Disposition', `render;creation-date="${created}"`]],
    content: contentOf(made.body),
  };
}

/** Octets that are in memory anyhow. */
export function contentOf(bytes: Buffer): Content {
  return {
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  };
}

interface Made {
  readonly contentType: string;
  readonly body: Buffer;
}

function formOf(
  request: SipRequest,
  { form, receivedAt, privacy, untrusted }: PayloadWish,
): Made | undefined {
  const shown = { privacy, unproven: untrusted, date: formatSipDate(receivedAt) };
  switch (form) {
    case 'message/sipfrag': {
      const body = sipfragOf(request, shown);
      return { contentType: 'message/sipfrag;version=2.0', body };
    }
    case 'message/sip':
      return { contentType: 'message/sip', body: maskedSip(request, shown) };
    case 'message/cpim':
      return cpimOf(request, receivedAt);
    case 'original':
      return { contentType: contentTypeOf(request), body: request.body };
    case 'message/msrp':
    case 'multipart/mixed':
      return undefined;
    default:
      return form satisfies never;
  }
}

/** CPIM-01: what came as CPIM leaves bit-identical; anything else is wrapped. */
function cpimOf(request: SipRequest, receivedAt: number): Made {
  const contentType = contentTypeOf(request);
  if (parseContentType(contentType).type === 'message/cpim') {
    return { contentType: 'message/cpim', body: request.body };
  }
  const sent = parseSipDate(request.header('date') ?? '') ?? receivedAt;
  const disposition = request.header('content-disposition');
  const encoding = request.header('content-encoding');
  const contentHeaders: HeaderField[] = [];
  if (disposition !== undefined) contentHeaders.push(['Content-Disposition', disposition]);
  if (encoding !== undefined) contentHeaders.push(['Content-Encoding', encoding]);
  const body = wrapCpim({
    from: uriOf(request.header('from')) ?? 'sip:anonymous@anonymous.invalid',
    to: uriOf(request.header('to')) ?? request.uri,
    dateTime: formatDateTime(sent),
    contentType,
    contentHeaders,
    body: request.body,
  });
  return { contentType: 'message/cpim', body };
}

/** RFC 3261 7.4.1: a body without Content-Type has none we could know; text is the usual case. */
function contentTypeOf(request: SipRequest): string {
  return request.header('content-type') ?? 'text/plain';
}
