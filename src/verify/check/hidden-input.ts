/** Inputs of an account that no trace shows: its timers, and connections that break. */

import type { AccountEvent, Address } from '../../machines/events.js';
import { isGranted, type SetTimer } from './set-timer.js';
import type { TrackedAccount } from './tracked-account.js';

/** A timer may be that late: servers grant some grace. */
const lateMs = 32_000;
/** How many hidden inputs may stand between two messages. */
const depthMax = 3;
const widthMax = 128;
/** Timers that may run out between two messages. */
const roundsMax = 512;

/** What must have run out by then, done in its order. */
export function withDueTimers(account: TrackedAccount, at: number, number: number): TrackedAccount {
  let next = account;
  // None of the timers of messages must.
  for (let round = 0; round < roundsMax; round++) {
    const due = earliest([...next.timers.values()].filter((timer) => mustRunOut(timer, at)));
    if (due === undefined) return next;
    const after = next.expire(due, Math.min(at, due.at), number);
    if (after === undefined) return next;
    next = after;
  }
  return next;
}

function earliest(timers: readonly SetTimer[]): SetTimer | undefined {
  return timers.reduce<SetTimer | undefined>(
    (first, timer) => (first === undefined || timer.at < first.at ? timer : first),
    undefined,
  );
}

function mustRunOut({ of, name, at: due }: SetTimer, at: number): boolean {
  if (name === 'throttle') return due <= at;
  return isGranted(of, name) && due + lateMs <= at;
}

/**
 * The accounts that hidden inputs may make of this one, the nearest first; the account itself is
 * the first. Each is looked at before the next is made.
 */
export function* afterHidden(
  account: TrackedAccount,
  at: number,
  number: number,
): Generator<TrackedAccount> {
  let layer = [account];
  let made = 0;
  yield account;
  for (let depth = 0; depth < depthMax; depth++) {
    const next: TrackedAccount[] = [];
    for (const one of layer) {
      for (const after of hiddenSteps(one, at, number)) {
        if (++made > widthMax) return;
        yield after;
        next.push(after);
      }
    }
    layer = next;
  }
}

function* hiddenSteps(
  account: TrackedAccount,
  at: number,
  number: number,
): Generator<TrackedAccount> {
  for (const timer of account.runOut(at)) {
    const after = account.expire(timer, Math.max(at, timer.at), number);
    if (after) yield after;
  }
  for (const [address] of account.actors) {
    for (const event of unseen(address, account, at)) {
      const after = account.take({ to: address, event, number });
      if (after) yield after;
    }
  }
}

/** A connection that breaks, and the response to a NOTIFY that took another way. */
function unseen(address: Address, { limits }: TrackedAccount, at: number): AccountEvent[] {
  if (/^(?:push|focus|recording)\//.test(address)) return [{ type: 'msrp.lost', at, limits }];
  if (!/^(?:subscription|conference)\//.test(address)) return [];
  return [{ type: 'notify.answered', at, status: 200, limits }];
}
