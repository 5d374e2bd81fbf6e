/** Responses of a UAS (RFC 3261 8.2.6). */

import type { SipAnswer } from '../../ports.js';
import type { HeaderField, SipRequest } from '../../wire/sip/message.js';
import { tagOf } from '../../wire/sip/name-addr.js';
import { serialiseResponse } from '../../wire/sip/serialise.js';

/** The fields of a request that its responses copy, besides Via. */
export interface CopiedFields {
  readonly from: string;
  readonly to: string;
  readonly toTag: string | undefined;
  readonly callId: string;
  readonly cseq: string;
}

/** Reads them once, for the transaction and all of its answers. */
export function copiedFields(request: SipRequest): CopiedFields {
  const to = request.header('To') ?? '';
  return {
    from: request.header('From') ?? '',
    to,
    toTag: tagOf(to),
    callId: request.header('Call-ID') ?? '',
    cseq: request.header('CSeq') ?? '',
  };
}

/** What goes into a response: that of the request, and the answer. */
export interface ResponseDraft {
  readonly request: SipRequest;
  readonly copied: CopiedFields;
  /** Via values, topmost first, with the source of the request in the first. */
  readonly vias: readonly string[];
  /** Undefined for 100. */
  readonly localTag: string | undefined;
  readonly answer: Pick<SipAnswer, 'status' | 'reason' | 'headers' | 'body'>;
}

/** Throws SerialiseError. */
export function buildResponse(draft: ResponseDraft): Buffer {
  const { request, copied, answer, localTag } = draft;
  const { from, to, toTag, callId, cseq } = copied;
  const headers: HeaderField[] = [];
  for (const via of draft.vias) headers.push(['Via', via]);
  headers.push(['From', from]);
  const isTagged = localTag === undefined || toTag !== undefined;
  headers.push(['To', isTagged ? to : `${to};tag=${localTag}`]);
  headers.push(['Call-ID', callId], ['CSeq', cseq]);
  if (opensDialog(request.method, answer.status)) addRecordRoute(headers, request, answer.headers);
  for (const field of answer.headers) headers.push(field);
  const { status, reason, body } = answer;
  return serialiseResponse({ status, reason, headers, body });
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
