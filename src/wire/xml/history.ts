/** Metadata of deferred messages: `urn:oma:xml:im:history-list`. */

export interface History {
  /** `history-reference`: the Message-ID as a SIP URI. */
  readonly reference: string;
  /** Octets. */
  readonly size: number;
  /** RFC 3339; absent when messages do not expire (D-26). */
  readonly expiry?: string;
  readonly subject?: string;
  readonly pager: {
    /** RFC 3339: when it was received. */
    readonly timeStamp: string;
    readonly from: string;
    readonly to: string;
    readonly authId?: string;
  };
  /** RFC 3339: the sender's date. */
  readonly date?: string;
}

/** One `<history>` element, as PUT by itself. */
export function writeHistory(history: History): string {
  throw new Error(history.reference);
}

/** A whole document of these elements. */
export function writeHistoryList(histories: readonly History[]): Buffer {
  throw new Error(String(histories.length));
}

/** One `<history>` element by itself. Throws WireError `XML_…`, `HISTORY_…`. */
export function parseHistory(body: Buffer): History {
  throw new Error(String(body.length));
}

/** Throws WireError `XML_…`, `HISTORY_…`; entries that are no deferred messages are left out. */
export function parseHistoryList(body: Buffer): History[] {
  throw new Error(String(body.length));
}
