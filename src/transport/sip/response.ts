/** Responses of a UAS (RFC 3261 8.2.6). */

import type { SipAnswer } from '../../ports.js';
import type { HeaderField, SipRequest } from '../../wire/sip/message.js';
import { tagOf } from '../../wire/sip/name-addr.js';
import { headerLine, serialiseResponse } from '../../wire/sip/serialise.js';

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
  const { status, reason, headers, body } = answer;
  let lines = '';
  for (const via of draft.vias) lines += headerLine('Via', via);
  lines += headerLine('From', from);
  const isTagged = localTag === undefined || toTag !== undefined;
  lines += headerLine('To', isTagged ? to : `${to};tag=${localTag}`);
  lines += headerLine('Call-ID', callId) + headerLine('CSeq', cseq);
  if (opensDialog(request.method, status)) lines += recordRoute(request, headers);
  return serialiseResponse({ status, reason, lines, headers, body });
}

function opensDialog(method: string, status: number): boolean {
  if (status <= 100 || status >= 300) return false;
  return method === 'INVITE' || method === 'SUBSCRIBE' || method === 'REFER';
}

/** 12.1.1: copied in order, with all parameters. */
function recordRoute(request: SipRequest, answered: readonly HeaderField[]): string {
  if (answered.some(([name]) => name.toLowerCase() === 'record-route')) return '';
  let lines = '';
  for (const value of request.fields('Record-Route')) lines += headerLine('Record-Route', value);
  return lines;
}
