/** Requests of a UAC (RFC 3261 8.1.1, 9.1, 12.2.1.1, 13.2.2.4, 17.1.1.3). */

import type { Random, SipOutgoing } from '../../ports.js';
import { requestTarget, routedTarget, type SipDialog } from '../../wire/sip/dialog.js';
import type { HeaderField, SipResponse } from '../../wire/sip/message.js';
import { serialiseRequest } from '../../wire/sip/serialise.js';

/** A request without its Via, which belongs to the way it takes. */
export interface RequestDraft {
  readonly method: string;
  readonly uri: string;
  readonly route: readonly string[];
  /** The URI that is resolved. */
  readonly nextHop: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly localTag: string;
  readonly cseq: number;
  readonly headers: readonly HeaderField[];
  readonly body: Buffer | undefined;
}

/** Throws WireError when a URI of the target cannot be read. */
export function draftOf(outgoing: SipOutgoing, random: Random): RequestDraft {
  const { dialog, method, headers, body } = outgoing;
  if (dialog) return { ...dialogDraft(dialog, method, dialog.localCseq), headers, body };
  const localTag = outgoing.localTag ?? random.token(10);
  return {
    ...routedTarget(outgoing.uri, outgoing.route),
    method,
    from: `${nameAddr(outgoing.from)};tag=${localTag}`,
    to: nameAddr(outgoing.to),
    callId: outgoing.callId ?? random.token(24),
    localTag,
    cseq: outgoing.cseq ?? 1,
    headers,
    body,
  };
}

/** A request of a dialog without further fields or body. Throws WireError. */
export function dialogDraft(dialog: SipDialog, method: string, cseq: number): RequestDraft {
  const { remoteTag } = dialog;
  return {
    ...requestTarget(dialog),
    method,
    from: `<${dialog.localUri}>;tag=${dialog.localTag}`,
    to: remoteTag === '' ? `<${dialog.remoteUri}>` : `<${dialog.remoteUri}>;tag=${remoteTag}`,
    callId: dialog.callId,
    localTag: dialog.localTag,
    cseq,
    headers: [],
    body: undefined,
  };
}

/** 9.1: everything that routes it is that of the INVITE. */
export function cancelDraft(invite: RequestDraft, headers: readonly HeaderField[]): RequestDraft {
  return { ...invite, method: 'CANCEL', headers, body: undefined };
}

/** 17.1.1.3: the ACK of a final response other than 2xx. */
export function refusalAckDraft(invite: RequestDraft, response: SipResponse): RequestDraft {
  const to = response.header('To') ?? invite.to;
  return { ...invite, method: 'ACK', to, headers: credentialsIn(invite), body: undefined };
}

/** 22.1: an ACK cannot be challenged, so that it has the credentials of its INVITE. */
export function credentialsIn({ headers }: RequestDraft): readonly HeaderField[] {
  return headers.filter(([name]) => /^(?:proxy-)?authorization$/i.test(name));
}

/** Throws SerialiseError. */
export function buildRequest(draft: RequestDraft, via: string): Buffer {
  const headers: HeaderField[] = [['Via', via]];
  if (!draft.headers.some(([name]) => name.toLowerCase() === 'max-forwards')) {
    headers.push(['Max-Forwards', '70']);
  }
  for (const value of draft.route) headers.push(['Route', value]);
  headers.push(['From', draft.from], ['To', draft.to], ['Call-ID', draft.callId]);
  headers.push(['CSeq', `${draft.cseq} ${draft.method}`]);
  for (const field of draft.headers) headers.push(field);
  const { method, uri, body } = draft;
  return serialiseRequest({ method, uri, headers, body });
}

function nameAddr(address: string): string {
  return address.includes('<') ? address : `<${address}>`;
}
