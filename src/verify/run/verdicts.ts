/** What all paths together say of each item. */

import { items, type Item, type ItemId } from './items.js';
import type { Check } from './judge.js';
import type { Path, Played } from './play.js';
import { describeStep } from './step.js';

export type Verdict = 'passed' | 'failed' | 'inconclusive' | 'not applicable';

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

/** A path with what it has shown. */
export interface Result {
  readonly path: Path;
  readonly played: Played;
}

/** Different troubles of one item that are told. */
const troublesMax = 20;

export function verdictsOf(results: readonly Result[]): readonly ItemVerdict[] {
  const byItem = new Map<ItemId, { readonly check: Check; readonly path: Path }[]>();
  for (const { path, played } of results) {
    for (const check of played.checks) {
      const known = byItem.get(check.item);
      if (known) known.push({ check, path });
      else byItem.set(check.item, [{ check, path }]);
    }
  }
  return items.map((item) => verdictOf(item, byItem.get(item.id) ?? []));
}

function verdictOf(
  item: Item & { readonly id: ItemId },
  all: readonly { readonly check: Check; readonly path: Path }[],
): ItemVerdict {
  const failed = all.filter(({ check }) => check.seen !== undefined);
  const seen = all.filter(({ check }) => check.unknown === undefined);
  const { id, title, clause } = item;
  const looked = seen.length;
  // What could not be looked at in one path was perhaps in another one.
  const known = new Set(seen.map(({ check }) => nameOf(check)));
  const unknown = all.filter(({ check }) => !known.has(nameOf(check)));
  return {
    ...{ id, title, clause, checks: looked, passed: looked - failed.length },
    verdict: verdictFrom(item, looked, failed.length, unknown.length),
    failures: troubles(failed, ({ seen }) => seen!),
    unknown: troubles(unknown, (check) => check.unknown!),
  };
}

function nameOf({ clause, expected }: Check): string {
  return `${clause}\n${expected}`;
}

function verdictFrom(item: Item, looked: number, failed: number, unknown: number): Verdict {
  if (item.of === 'client') return 'not applicable';
  if (failed > 0) return 'failed';
  return unknown > 0 || looked === 0 ? 'inconclusive' : 'passed';
}

/** The same trouble is told once, with the path that shows it with the fewest steps. */
function troubles(
  all: readonly { readonly check: Check; readonly path: Path }[],
  seenOf: (check: Check) => string,
): Trouble[] {
  const found = new Map<string, Trouble>();
  for (const { check, path } of all) {
    const { clause, expected } = check;
    const seen = seenOf(check);
    const steps = path.slice(0, check.step + 1).map(describeStep);
    const key = [clause, expected, seen].join('\n');
    const known = found.get(key);
    const shorter = known && known.steps.length <= steps.length ? known.steps : steps;
    found.set(key, { clause, expected, seen, steps: shorter, times: (known?.times ?? 0) + 1 });
  }
  return [...found.values()].slice(0, troublesMax);
}
