/** Our requests as drachtio-srf takes them (RFC 3261 8.1.1, 12.2.1.1). */

import type { Random, SipOutgoing } from '../../ports.js';
import { requestTarget, routedTarget, type RequestTarget } from '../../wire/sip/dialog.js';
import type { HeaderField } from '../../wire/sip/message.js';
import { DrachtioError } from './error.js';
import type { SrfRequestOptions } from './srf.js';
import { bodyText, checkSize, headersOf } from './text.js';

export interface OutgoingText {
  readonly uri: string;
  readonly options: SrfRequestOptions;
  readonly callId: string;
  readonly localTag: string;
  readonly localUri: string;
}

/** Throws DrachtioError, SerialiseError or WireError when it cannot leave undamaged. */
export function outgoingText(
  outgoing: SipOutgoing,
  random: Random,
  frameBytes: number,
): OutgoingText {
  const { method, dialog, body, cseq } = outgoing;
  const localTag = dialog?.localTag ?? outgoing.localTag ?? random.token(10);
  const callId = dialog?.callId ?? outgoing.callId ?? random.token(24);
  const localUri = dialog?.localUri ?? outgoing.from;
  const from = dialog ? `<${dialog.localUri}>` : nameAddr(outgoing.from);
  const number = dialog?.localCseq ?? cseq;
  const fields: HeaderField[] = [
    ['From', `${from};tag=${localTag}`],
    ['To', remoteOf(outgoing)],
    ['Call-ID', callId],
    ...(number === undefined ? [] : [['CSeq', `${number} ${method}`] as const]),
    ...outgoing.headers,
  ];
  const headers = headersOf(fields);
  const { uri, proxy } = wayOf(outgoing);
  checkSize(`${method} ${uri} ${proxy ?? ''}`, headers, body, frameBytes);
  const options = {
    method,
    headers,
    ...(body && body.length > 0 ? { body: bodyText(body) } : {}),
    ...(proxy === undefined ? {} : { proxy }),
  };
  return { uri, options, callId, localTag, localUri };
}

/**
 * The server writes the Route of the dialogs it knows, by Call-ID, and drops every other. What is
 * left to us is where to send to: enough for one loose router.
 */
function wayOf(outgoing: SipOutgoing): { readonly uri: string; readonly proxy?: string } {
  const { dialog, route } = outgoing;
  const target: RequestTarget = dialog ? requestTarget(dialog) : routedTarget(outgoing.uri, route);
  if (target.route.length === 0) return { uri: target.uri };
  const isStrict = target.uri !== (dialog ? dialog.remoteTarget : outgoing.uri);
  if (isStrict || (!dialog && route.length > 1)) {
    throw new DrachtioError('DRACHTIO_ROUTE', 'the server would drop this route set');
  }
  return { uri: target.uri, proxy: target.nextHop };
}

function remoteOf({ dialog, to }: SipOutgoing): string {
  if (!dialog) return nameAddr(to);
  const { remoteUri, remoteTag } = dialog;
  return remoteTag === '' ? `<${remoteUri}>` : `<${remoteUri}>;tag=${remoteTag}`;
}

function nameAddr(address: string): string {
  return address.includes('<') ? address : `<${address}>`;
}
