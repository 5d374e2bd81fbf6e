/** What all paths together say of each item. */

import { items, type Item, type ItemId } from './items.js';
import type { Check } from './judge.js';
import type { Played } from './play.js';

export type Verdict = 'passed' | 'failed' | 'inconclusive' | 'not tried' | 'not applicable';

/** Something that was not as expected, or could not be looked at. */
export interface Trouble {
  readonly clause: string;
  readonly expected: string;
  /** What came instead, or why nothing could be said. */
  readonly seen: string;
  /** The steps of the shortest path that shows it. */
  readonly steps: readonly string[];
  /** In so many places. */
  readonly times: number;
}

export interface ItemVerdict {
  readonly id: ItemId;
  readonly title: string;
  readonly clause: string;
  readonly verdict: Verdict;
  /** Things that were looked at, and those of them that were as expected. */
  readonly checks: number;
  readonly passed: number;
  readonly failures: readonly Trouble[];
  readonly unknown: readonly Trouble[];
}

/** A path or a case with what it has shown. */
export interface Result {
  /** In words. */
  readonly steps: readonly string[];
  readonly played: Played;
}

interface Shown {
  readonly check: Check;
  readonly steps: readonly string[];
}

/** Different troubles of one item that are told. */
const troublesMax = 20;

export function verdictsOf(results: readonly Result[]): readonly ItemVerdict[] {
  const byItem = new Map<ItemId, Shown[]>();
  for (const { steps, played } of results) {
    for (const check of played.checks) {
      const known = byItem.get(check.item);
      if (known) known.push({ check, steps });
      else byItem.set(check.item, [{ check, steps }]);
    }
  }
  return items.map((item) => verdictOf(item, byItem.get(item.id) ?? []));
}

function verdictOf(item: Item & { readonly id: ItemId }, all: readonly Shown[]): ItemVerdict {
  const failed = all.filter(({ check }) => check.seen !== undefined);
  const seen = all.filter(({ check }) => check.unknown === undefined);
  const { id, title, clause } = item;
  const looked = seen.length;
  // What could not be looked at in one path was perhaps in another one.
  const known = new Set(seen.map(({ check }) => nameOf(check)));
  const unknown = all.filter(({ check }) => !known.has(nameOf(check)));
  return {
    ...{ id, title, clause, checks: looked, passed: looked - failed.length },
    verdict: verdictFrom(item, {
      ...{ looked, failed: failed.length },
      unknown: unknown.filter(({ check }) => check.untried === undefined).length,
    }),
    failures: troubles(failed, ({ seen }) => seen!),
    unknown: troubles(unknown, (check) => check.unknown!),
  };
}

function nameOf({ clause, expected }: Check): string {
  return `${clause}\n${expected}`;
}

function verdictFrom(
  item: Item,
  { looked, failed, unknown }: { looked: number; failed: number; unknown: number },
): Verdict {
  if (item.of === 'client') return 'not applicable';
  if (failed > 0) return 'failed';
  if (unknown > 0) return 'inconclusive';
  return looked === 0 ? 'not tried' : 'passed';
}

/** The same trouble is told once, with the path that shows it with the fewest steps. */
function troubles(all: readonly Shown[], seenOf: (check: Check) => string): Trouble[] {
  const found = new Map<string, Trouble>();
  for (const { check, steps } of all) {
    const { clause, expected } = check;
    const seen = seenOf(check);
    const until = steps.slice(0, check.step + 1);
    const key = [clause, expected, seen].join('\n');
    const known = found.get(key);
    const shorter = known && known.steps.length <= until.length ? known.steps : until;
    found.set(key, { clause, expected, seen, steps: shorter, times: (known?.times ?? 0) + 1 });
  }
  return [...found.values()].slice(0, troublesMax);
}
