/** What every message of ours says of itself: names, methods, and the header fields for them. */

import type { Capabilities } from '../wire/sip/accept-contact.js';
import type { HeaderField } from '../wire/sip/message.js';
import { formatWarning } from '../wire/sip/warning.js';

/** Methods of a user's mailbox, of the Deferred Messaging Function, and of a session with us. */
export const methods = {
  user: 'MESSAGE, SUBSCRIBE, PUBLISH, REGISTER, OPTIONS, INVITE, ACK, CANCEL, BYE',
  deferred: 'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, SUBSCRIBE, PUBLISH, REFER',
  /** The delete URI (D-31). */
  delete: 'MESSAGE, OPTIONS',
  dialog: 'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE',
  /** In the dialog of a focus: its conference may be watched (RFC 4575). */
  focus: 'INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, SUBSCRIBE',
} as const;

/** Event packages of a user's mailbox, of the function, and of a focus, for Allow-Events. */
export const packages = {
  user: 'message-summary',
  deferred: 'message-summary, conference',
  focus: 'conference',
} as const;

/** Bodies that are understood in an INVITE. */
export const acceptedTypes = 'application/sdp, application/resource-lists+xml, multipart/mixed';

export const imTag = '+g.oma.sip-im';
export const largeMessageTag = '+g.oma.sip-im.large-message';

export interface Product {
  /** `IM-serv/OMA1.0 PosteRestante/<version>` (1.4). */
  readonly name: string;
  /** The host in Warning. */
  readonly hostname: string;
}

export function product(version: string, hostname: string): Product {
  return { name: `IM-serv/OMA1.0 PosteRestante/${version}`, hostname };
}

export function warningField({ hostname }: Product, text: string): HeaderField {
  return ['Warning', formatWarning({ code: 399, agent: hostname, text })];
}

/** The URI of an account: its AoR, whose user part is escaped as a URI needs it. */
export function aorUri(account: string): string {
  return account.includes('@') ? `sip:${account}` : `tel:${account}`;
}

/** What the Deferred Messaging Function says of itself in Contact, and may be asked for. */
export const focusCapabilities: Capabilities = new Map<string, true | readonly string[]>([
  ['automata', true],
  ['isfocus', true],
  [imTag, true],
  ['methods', methods.deferred.toLowerCase().split(', ')],
]);
