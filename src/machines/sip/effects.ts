/** The dictionary of effects of the SIP transactions: what transport, user and clock are asked. */

import type { TransactionTimer } from './events.js';

/** To the transport layer. `send` the message at hand, `repeat` the last one sent of its kind. */
export interface Transmission {
  readonly type:
    'request.send' | 'request.repeat' | 'ack.send' | 'response.send' | 'response.repeat';
}

/** The message at hand goes up to the transaction user. */
export interface Passage {
  readonly type: 'request.pass' | 'response.pass' | 'ack.pass';
}

/** The user hears of a timeout, of a transport error, or that an INVITE has waited too long. */
export interface Notice {
  readonly type: 'user.timeout' | 'user.failed' | 'user.overdue';
}

/** Starts the timer anew. Zero: it fires at once. */
export interface TimerStart {
  readonly type: 'timer.start';
  readonly name: TransactionTimer;
  readonly delayMs: number;
}

/** Stops the timer if it runs. */
export interface TimerStop {
  readonly type: 'timer.stop';
  readonly name: TransactionTimer;
}

export type TransactionEffect = Transmission | Passage | Notice | TimerStart | TimerStop;
