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

/** What must have run out by then, done in its order; none of the timers of messages must. */
export function withDueTimers(
  account: TrackedAccount,
  at: number,
  number: number,
  rounds = roundsMax,
): readonly TrackedAccount[] {
  const due = earliest([...account.timers.values()].filter((timer) => mustRunOut(timer, at)));
  if (due === undefined || rounds === 0) return [account];
  const after = account.expire(due, Math.min(at, due.at), number);
  if (after.length === 0) return [account];
  return after.flatMap((one) => withDueTimers(one, at, number, rounds - 1));
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
    yield* account.expire(timer, Math.max(at, timer.at), number);
  }
  for (const [address] of account.actors) {
    for (const event of unseen(address, account, at)) {
      yield* account.take({ to: address, event, number });
    }
  }
}

/** A connection that breaks, and the response to a NOTIFY that took another way. */
function unseen(address: Address, { limits }: TrackedAccount, at: number): AccountEvent[] {
  if (/^(?:push|focus|recording)\//.test(address)) return [{ type: 'msrp.lost', at, limits }];
  if (!/^(?:subscription|conference)\//.test(address)) return [];
  return [{ type: 'notify.answered', at, status: 200, limits }];
}
