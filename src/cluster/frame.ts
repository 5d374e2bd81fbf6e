/** What passes between the process with the sockets, the front, and that of a shard. */

export const frameKind = {
  /** A SIP message has come in, or is to leave. */
  arrival: 1,
  departure: 2,
  /** A connection is gone; a message has not left. */
  closed: 3,
  failed: 4,
  question: 5,
  answer: 6,
  /** A datagram that a shard has read in place of the front. */
  stray: 7,
  /** What a trace is told that only a shard sees. */
  traced: 8,
} as const;
