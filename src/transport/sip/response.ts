/** Responses of a UAS (RFC 3261 8.2.6). */

import type { SipAnswer } from '../../ports.js';
import type { HeaderField, SipRequest } from '../../wire/sip/message.js';
import { tagOf } from '../../wire/sip/name-addr.js';
import { serialiseResponse } from '../../wire/sip/serialise.js';

/** What goes into a response: that of the request, and the answer. */
export interface ResponseDraft {
  readonly request: SipRequest;
  /** Via values, topmost first, with the source of the request in the first. */
  readonly vias: readonly string[];
  /** Undefined for 100. */
  readonly localTag: string | undefined;
  readonly answer: Pick<SipAnswer, 'status' | 'reason' | 'headers' | 'body'>;
}

/** Throws SerialiseError. */
export function buildResponse(draft: ResponseDraft): Buffer {
  const { request, answer, localTag } = draft;
  const headers: HeaderField[] = [];
  for (const via of draft.vias) headers.push(['Via', via]);
  const to = request.header('To') ?? '';
  headers.push(['From', request.header('From') ?? '']);
  headers.push(['To', withTag(to, localTag)]);
  headers.push(['Call-ID', request.header('Call-ID') ?? '']);
  headers.push(['CSeq', request.header('CSeq') ?? '']);
  if (opensDialog(request.method, answer.status)) addRecordRoute(headers, request, answer.headers);
  for (const field of answer.headers) headers.push(field);
  const { status, reason, body } = answer;
  return serialiseResponse({ status, reason, headers, body });
}

function withTag(to: string, tag: string | undefined): string {
  return tag === undefined || tagOf(to) !== undefined ? to : `${to};tag=${tag}`;
}

function opensDialog(method: string, status: number): boolean {
  if (status <= 100 || status >= 300) return false;
  return method === 'INVITE' || method === 'SUBSCRIBE' || method === 'REFER';
}

/** 12.1.1: copied in order, with all parameters. */
function addRecordRoute(
  headers: HeaderField[],
  request: SipRequest,
  answered: readonly HeaderField[],
): void {
  if (answered.some(([name]) => name.toLowerCase() === 'record-route')) return;
  for (const value of request.fields('Record-Route')) headers.push(['Record-Route', value]);
}
