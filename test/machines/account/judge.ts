/** The invariants of the explorer, asked of accounts that a path has led to. */

import {
  firstState,
  defaultBounds,
  type AccountState,
} from '../../../src/verify/bounded-account.js';
import { invariants } from '../../../src/verify/invariants.js';
import type { Row } from '../../../src/ports.js';
import type { Composite } from './composite.js';

const nobody = firstState(defaultBounds);

/** What is wrong with the account; undefined: nothing. */
export function brokenIn(state: Composite): string | undefined {
  const { now, rows, contents, actors, timers, document } = state;
  const sends = state.sends.map((one) => ({ ...one, answered: false, successReport: false }));
  return broken({
    ...nobody,
    now,
    store: { rows, contents },
    memory: { actors, timers },
    peers: { ...nobody.peers, sends, document, legs: legsOf(state) },
  });
}

/** A path ends a MESSAGE that is passed on and who does that with one answer. */
function legsOf({ actors }: Composite): AccountState['peers']['legs'] {
  const forwards = [...actors.keys()].filter((address) => address.startsWith('forward/'));
  return new Map(forwards.map((forward) => [`${forward} message`, 'asked']));
}

/** The same of what a store has, when nobody has the account in memory. */
export function brokenAtRest(
  { now, document }: Composite,
  rows: readonly Row[],
  contents: readonly number[],
): string | undefined {
  const byName = new Map(rows.map((row) => [row.key.join(' '), row]));
  return broken({
    ...nobody,
    now,
    store: { rows: byName, contents: new Set(contents) },
    memory: undefined,
    peers: { ...nobody.peers, document },
  });
}

function broken(state: AccountState): string | undefined {
  for (const { name, broken: asked } of invariants) {
    const text = asked(state);
    if (text !== undefined) return `${name}: ${text}`;
  }
  return undefined;
}
