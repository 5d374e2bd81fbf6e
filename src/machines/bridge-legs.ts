/** The legs of a bridge: whom it asks, whom it has joined, and how they are let go. */

import type { Effect } from './effects.js';
import type { Leg, TargetFacts } from './events.js';

export interface BridgeContext {
  readonly bridge: number;
  /** The INVITE of the sender. */
  readonly transaction: string;
  /** The clients in the order in which they are asked; the n-th has the n-th leg. */
  readonly targets: readonly TargetFacts[];
  /** Legs without a final response. */
  readonly pending: readonly Leg[];
  /** The target that is asked next. */
  readonly next: number;
  /** Provisional responses that were passed back. */
  readonly rings: number;
  /** A client has refused while others were asked. */
  readonly refusal: number | undefined;
  /** The client that has accepted. */
  readonly callee: Leg | undefined;
  /** Digests of what each side has said of its media. */
  readonly offer: string;
  readonly answer: string | undefined;
  /** Legs whose end is waited for. */
  readonly open: readonly Leg[];
  /** When the timer `wait` is set for. */
  readonly waitAt: number;
}

export function legName(number: number): Leg {
  return `callee/${number}`;
}

/** The leg that ends with this one. */
export function other({ callee }: BridgeContext, leg: Leg): readonly Leg[] {
  if (leg !== 'caller') return ['caller'];
  return callee === undefined ? [] : [callee];
}

type Of<Type extends Effect['type']> = Extract<Effect, { readonly type: Type }>;

export function byes(legs: readonly Leg[], reason?: string): Of<'sip.bye'>[] {
  return legs.map((leg) => ({
    ...{ type: 'sip.bye', leg },
    ...(reason !== undefined && { reason }),
  }));
}

export function forgets(legs: readonly Leg[]): Of<'sip.forget'>[] {
  return legs.map((leg) => ({ type: 'sip.forget', leg }));
}
