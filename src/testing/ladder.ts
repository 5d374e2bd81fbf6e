/** A signalling ladder: what named participants said to each other, as text. */

import type { Trace } from '../ports.js';

export interface LadderOptions {
  /** Participants from left to right. */
  readonly participants: readonly string[];
  /** Entries kept; the oldest go first. */
  readonly entriesMax?: number;
  /** Hears every line as it is made. */
  readonly onLine?: (line: string) => void;
}

export interface Ladder {
  /** Names an address `host:port`; both protocols of a participant may have several. */
  name(address: string, participant: string): void;
  /** The trace of one participant, to be given to its client or server. */
  trace(participant: string): Trace;
  /** A line across the ladder. */
  note(text: string): void;
  /** The head line and every line so far. */
  render(): string;
}

export function createLadder(options: LadderOptions): Ladder {
  throw new Error(options.participants.join());
}
