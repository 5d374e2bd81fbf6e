/** What is said of a trace: whether it conforms, and if not where, why, and what was allowed. */

import type { Clause } from './clause.js';

export interface Violation {
  readonly by: 'server' | 'client';
  /** Of the message that violates; of the one that was owed something, where that is missing. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly source: string;
  readonly target: string;
  readonly clause: Clause;
  /** The served user it is about, if it is about one. */
  readonly user?: string;
  /** What was seen, or what was not. */
  readonly found: string;
  /** What the served user's actors could have been in. */
  readonly states: readonly string[];
  readonly allowed: readonly string[];
}

/** A served user, as far as the trace tells of it. */
export interface JudgedUser {
  readonly user: string;
  /** Messages that were judged as events and effects of the account. */
  readonly messages: number;
  /** What the actors may be in at the end. */
  readonly states: readonly string[];
  /** What has to have been before the trace for the rest to be explained. */
  readonly assumed: readonly string[];
  /** Turns of the machines that it took to explain it, or to find that nothing does. */
  readonly turns: number;
}

/** What was seen and is not judged. */
export interface Unjudged {
  readonly what: string;
  readonly count: number;
}

export interface Verdict {
  readonly conforms: boolean;
  /** In the order of the messages; the first is the one that counts. */
  readonly violations: readonly Violation[];
  /** What the trace does not explain, and may not explain because something is missing in it. */
  readonly undecided: readonly Violation[];
  /** What is missing in it. */
  readonly lost: readonly string[];
  readonly servers: readonly string[];
  readonly users: readonly JudgedUser[];
  /** Clients that were judged, by what they call themselves. */
  readonly clients: readonly string[];
  readonly messages: number;
  readonly retransmissions: number;
  readonly unjudged: readonly Unjudged[];
  readonly remarks: readonly string[];
}
