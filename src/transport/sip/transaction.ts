/** The four transactions of RFC 3261 17 with RFC 6026, as tables: state and input give a step. */

import type { SipTimers } from './options.js';

export type TransactionKind = 'inviteClient' | 'client' | 'inviteServer' | 'server';

/** `trying` is `Calling` of the INVITE client transaction; the others are as in the RFCs. */
export type TransactionState =
  'initial' | 'trying' | 'proceeding' | 'completed' | 'confirmed' | 'accepted' | 'terminated';

/** The timers of RFC 3261 and RFC 6026; X ends a transaction that nobody ends otherwise. */
export type TimerName =
  'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M' | 'X';

/**
 * `provisional`, `success` and `failure` are responses: of the peer to a client transaction, of
 * the transaction user to a server one. `request` is a retransmission of the request.
 */
export type TransactionInput =
  | 'start'
  | 'request'
  | 'ack'
  | 'provisional'
  | 'success'
  | 'failure'
  | 'transportError'
  | `timer ${TimerName}`;

/**
 * `send` the message at hand; `resend` the last one sent; `pass` the message up; `ack` build and
 * send the ACK; `timeout` and `failed` tell the user; `cancel` asks the user to cancel.
 */
export type TransactionAction =
  'send' | 'resend' | 'pass' | 'ack' | 'timeout' | 'failed' | 'cancel';

export interface TransactionStep {
  readonly to: TransactionState;
  readonly actions: readonly TransactionAction[];
  /** Timers to start. A running timer that means nothing in the new state stops. */
  readonly timers: readonly TimerName[];
}

type Table = Readonly<
  Partial<Record<TransactionState, Readonly<Partial<Record<TransactionInput, TransactionStep>>>>>
>;

/** What the transaction does, or undefined when the input means nothing in that state. */
export function stepTransaction(
  kind: TransactionKind,
  state: TransactionState,
  input: TransactionInput,
): TransactionStep | undefined {
  return tables[kind][state]?.[input];
}

/** The input that a response is. */
export function responseInput(status: number): 'provisional' | 'success' | 'failure' {
  if (status < 200) return 'provisional';
  return status < 300 ? 'success' : 'failure';
}

/** How long a timer runs at first. Zero: it runs out at once. Undefined: it is not started. */
export function timerDelay(
  timer: TimerName,
  reliable: boolean,
  timers: SipTimers,
  inviteMs: number,
): number | undefined {
  switch (timer) {
    case 'A':
    case 'E':
    case 'G':
      return reliable ? undefined : timers.t1;
    case 'I':
    case 'K':
      return reliable ? 0 : timers.t4;
    case 'D':
      // 17.1.1.2: the server may have another T1.
      return reliable ? 0 : Math.max(32_000, 64 * timers.t1);
    case 'J':
      return reliable ? 0 : 64 * timers.t1;
    case 'C':
      return inviteMs;
    default:
      return 64 * timers.t1;
  }
}

function step(
  to: TransactionState,
  actions: readonly TransactionAction[] = [],
  timers: readonly TimerName[] = [],
): TransactionStep {
  return { to, actions, timers };
}

/** RFC 3261 17.1.1.2, RFC 6026 8.4. Timers C and X bound the time in `proceeding`. */
const inviteClient: Table = {
  initial: { start: step('trying', ['send'], ['A', 'B']) },
  trying: {
    'timer A': step('trying', ['resend'], ['A']),
    'timer B': step('terminated', ['timeout']),
    'timer X': step('terminated', ['timeout']),
    transportError: step('terminated', ['failed']),
    provisional: step('proceeding', ['pass'], ['C']),
    success: step('accepted', ['pass'], ['M']),
    failure: step('completed', ['ack', 'pass'], ['D']),
  },
  proceeding: {
    'timer C': step('proceeding', ['cancel'], ['X']),
    'timer X': step('terminated', ['timeout']),
    provisional: step('proceeding', ['pass'], ['C']),
    success: step('accepted', ['pass'], ['M']),
    failure: step('completed', ['ack', 'pass'], ['D']),
  },
  completed: {
    failure: step('completed', ['ack']),
    'timer D': step('terminated'),
  },
  accepted: {
    success: step('accepted', ['pass']),
    'timer M': step('terminated'),
  },
};

const clientFinal = step('completed', ['pass'], ['K']);

/** RFC 3261 17.1.2.2. */
const client: Table = {
  initial: { start: step('trying', ['send'], ['E', 'F']) },
  trying: {
    'timer E': step('trying', ['resend'], ['E']),
    'timer F': step('terminated', ['timeout']),
    transportError: step('terminated', ['failed']),
    provisional: step('proceeding', ['pass']),
    success: clientFinal,
    failure: clientFinal,
  },
  proceeding: {
    'timer E': step('proceeding', ['resend'], ['E']),
    'timer F': step('terminated', ['timeout']),
    transportError: step('terminated', ['failed']),
    provisional: step('proceeding', ['pass']),
    success: clientFinal,
    failure: clientFinal,
  },
  completed: { 'timer K': step('terminated') },
};

/** RFC 3261 17.2.1, RFC 6026 8.1: a transport error leaves the transaction as it is. */
const inviteServer: Table = {
  initial: { start: step('proceeding', ['pass'], ['C']) },
  proceeding: {
    request: step('proceeding', ['resend']),
    provisional: step('proceeding', ['send']),
    success: step('accepted', ['send'], ['L']),
    failure: step('completed', ['send'], ['G', 'H']),
    'timer C': step('proceeding', ['timeout']),
  },
  completed: {
    request: step('completed', ['resend']),
    ack: step('confirmed', [], ['I']),
    'timer G': step('completed', ['resend'], ['G']),
    'timer H': step('terminated'),
  },
  confirmed: { 'timer I': step('terminated') },
  accepted: {
    ack: step('accepted', ['pass']),
    'timer L': step('terminated'),
  },
};

const serverFinal = step('completed', ['send'], ['J']);

/** RFC 3261 17.2.2. Timer X: the client has given up, an answer would reach nobody. */
const server: Table = {
  initial: { start: step('trying', ['pass'], ['X']) },
  trying: {
    provisional: step('proceeding', ['send']),
    success: serverFinal,
    failure: serverFinal,
    'timer X': step('terminated'),
  },
  proceeding: {
    request: step('proceeding', ['resend']),
    provisional: step('proceeding', ['send']),
    success: serverFinal,
    failure: serverFinal,
    'timer X': step('terminated'),
  },
  completed: {
    request: step('completed', ['resend']),
    'timer J': step('terminated'),
  },
};

const tables: Readonly<Record<TransactionKind, Table>> = {
  inviteClient,
  client,
  inviteServer,
  server,
};
