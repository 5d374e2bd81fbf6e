/** application/simple-message-summary (RFC 3842 5). */

/** Counters of one message context class. */
export interface MessageSummaryClass {
  /** As in RFC 3458, such as `Pager-Message`. */
  readonly name: string;
  readonly new: number;
  readonly old: number;
  readonly newUrgent?: number;
  readonly oldUrgent?: number;
}

export interface MessageSummary {
  readonly waiting: boolean;
  /** URI of Message-Account. */
  readonly account?: string;
  readonly classes: readonly MessageSummaryClass[];
  /** Header blocks of messages added since the last one (MWI-03). */
  readonly headers: readonly (readonly (readonly [name: string, value: string])[])[];
}

export function writeMessageSummary(summary: MessageSummary): Buffer {
  throw new Error(String(summary.waiting));
}

/** Throws WireError `MWI_…`. Counters above 2^32-1 are clamped. */
export function parseMessageSummary(body: Buffer): MessageSummary {
  throw new Error(String(body.length));
}
