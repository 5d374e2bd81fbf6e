/** By which message of a trace the server has said that it stores a message. */

import type { Exchange } from './exchange.js';

export class Settled {
  /** Numbers of messages, by Call-ID. */
  readonly #at = new Map<string, number>();

  constructor(exchanges: readonly Exchange[]) {
    const large = new Set<string>();
    for (const { method, inbound, callId } of exchanges) {
      if (method === 'INVITE' && inbound) large.add(callId);
    }
    for (const { method, callId, final } of exchanges) {
      // A large message is stored before its session ends.
      const isLast = method === (large.has(callId) ? 'BYE' : 'MESSAGE');
      if (!isLast) continue;
      const number = final?.observed.number ?? Infinity;
      this.#at.set(callId, Math.max(number, this.#at.get(callId) ?? 0));
    }
  }

  isBefore(callId: string, number: number): boolean {
    return (this.#at.get(callId) ?? Infinity) < number;
  }
}
