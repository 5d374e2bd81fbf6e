/** Answers of actors made into SIP: the header fields of each kind (STANDARDS 5). */

import type { SipRespond } from '../machines/effects.js';
import type { SipAnswer } from '../ports.js';
import type { HeaderField } from '../wire/sip/message.js';
import type { AnswerParts } from './account-world.js';
import { warningField } from './product.js';
import type { Product } from './product.js';

/** `contact` is the Contact of ours, for an answer that opens or refreshes a dialog. */
export function answerOf(
  effect: SipRespond,
  product: Product,
  contact: string,
  asked: AnswerParts | undefined,
): SipAnswer {
  const { status, reason, contacts, localTag } = effect;
  const headers: HeaderField[] = [['Server', product.name]];
  if (effect.contact === true) headers.push(['Contact', contact]);
  if (contacts) {
    for (const { uri, expires } of contacts) {
      headers.push(['Contact', `<${uri}>;expires=${expires}`]);
    }
  }
  if (effect.etag !== undefined) headers.push(['SIP-ETag', effect.etag]);
  number(headers, 'Expires', effect.expires);
  number(headers, 'Min-Expires', effect.minExpires);
  if (effect.cause !== undefined) {
    headers.push(['Reason', `SIP;cause=${status};text="${effect.cause}"`]);
  }
  number(headers, 'Retry-After', effect.retryAfter);
  if (effect.allowEvents === true) headers.push(['Allow-Events', 'message-summary']);
  if (effect.accept !== undefined) headers.push(['Accept', effect.accept]);
  if (effect.unsupported !== undefined) headers.push(['Unsupported', effect.unsupported]);
  if (effect.warning !== undefined) headers.push(warningField(product, effect.warning));
  if (asked?.headers && status >= 200 && status < 300) headers.push(...asked.headers);
  if (reason === undefined && localTag === undefined) return { status, headers };
  return {
    status,
    headers,
    ...(reason !== undefined && { reason }),
    ...(localTag !== undefined && { localTag }),
  };
}

/** A refusal that no actor decided. */
export function refusal(
  status: number,
  product: Product,
  more: { readonly warning?: string; readonly headers?: readonly HeaderField[] } = {},
): SipAnswer {
  const headers: HeaderField[] = [['Server', product.name]];
  if (more.headers) headers.push(...more.headers);
  if (more.warning !== undefined) headers.push(warningField(product, more.warning));
  return { status, headers };
}

function number(headers: HeaderField[], name: string, value: number | undefined): void {
  if (value !== undefined) headers.push([name, String(value)]);
}
