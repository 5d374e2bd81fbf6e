/** Timers of an account, and from when on each of them may have run out unseen. */

import type { Address, MessageFacts } from '../../machines/events.js';
import type { AtRest } from '../../machines/index.js';

export interface SetTimer {
  readonly of: Address;
  readonly name: string;
  readonly at: number;
  /** It may have run out from then on: clocks differ, and servers have other settings. */
  readonly from: number;
}

/** A timer may be that early. */
const earlyMs = 5_000;
/** D-27: a message without Expires lives at least that long. */
const lifetimeMs = 3_600_000;

/** `row`: of the message that the timer is of. */
export function timerOf(
  of: Address,
  { name, at }: { readonly name: string; readonly at: number },
  row: AtRest | undefined,
): SetTimer {
  return { of, name, at, from: fromOf({ of, name, at }, row) };
}

function fromOf({ of, name, at }: Omit<SetTimer, 'from'>, row: AtRest | undefined): number {
  if (isGranted(of, name)) return at - earlyMs;
  if (name !== 'expiry') return -Infinity;
  if (row === undefined) return Infinity;
  const { receivedAt, message } = row.context as { receivedAt: number; message: MessageFacts };
  return message.expires === undefined ? Math.min(at, receivedAt + lifetimeMs) : at;
}

/** The peer was told when it runs out. */
export function isGranted(of: Address, name: string): boolean {
  if (name === 'registration' || name === 'publication') return true;
  return name === 'expiry' && !of.startsWith('ua/');
}
