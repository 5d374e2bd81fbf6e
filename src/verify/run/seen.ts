/** What the tester sees of a server, beside the answers to its requests. */

import type { DeliveredMessage } from '../../client/im-client.js';
import type { HeaderField, SipRequest } from '../../wire/sip/message.js';

export type Seen =
  | { readonly kind: 'invite'; readonly request: SipRequest; readonly transaction: string }
  /** BYE in the dialog of `session`, or CANCEL of an INVITE that was not answered. */
  | { readonly kind: 'bye'; readonly session: string; readonly how: 'BYE' | 'CANCEL' }
  | { readonly kind: 'notify'; readonly request: SipRequest }
  | SeenSend
  /** MESSAGE for the user, or for the sender. */
  | { readonly kind: 'message'; readonly request: SipRequest }
  /** An MSRP connection is closed, refused or broken. */
  | { readonly kind: 'lost'; readonly session: string; readonly cause: string };

export interface SeenSend {
  readonly kind: 'send';
  readonly session: string;
  readonly messageId: string;
  readonly headers: readonly HeaderField[];
  readonly contentType: string | undefined;
  /** With the original message inside. */
  readonly message: DeliveredMessage;
  /** Answers it. */
  settle(status: number): void;
}

/** A request or a SEND in a few words. */
export function describeSeen(seen: Seen): string {
  switch (seen.kind) {
    case 'invite':
      return 'INVITE';
    case 'bye':
      return seen.how;
    case 'notify': {
      const { request } = seen;
      return `NOTIFY ${request.header('Event') ?? ''} ${bodyLine(request)}`.trim();
    }
    case 'send':
      return `MSRP SEND ${seen.contentType ?? 'without a body'}`;
    case 'message':
      return `MESSAGE with ${seen.request.header('Content-Type') ?? 'no body'}`;
    case 'lost':
      return `the MSRP connection was lost (${seen.cause})`;
  }
}

/** The counts, not what messages say. */
function bodyLine({ body }: SipRequest): string {
  const lines = body.toString('utf8').split(/\r?\n/);
  return lines.find((line) => /^[\w-]+: \d+\/\d+/.test(line)) ?? lines[0] ?? '';
}
