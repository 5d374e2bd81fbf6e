/** The paths to play: as few as take every transition that the wire can cause, found in the model. */

import { mailboxOf } from '../account-view.js';
import type { AccountState } from '../bounded-account.js';
import { advance, beginning } from './model.js';
import type { Path } from './play.js';
import { possibleSteps } from './possible-steps.js';
import type { Step } from './step.js';
import { allTransitions, shapesTaken, transitionsTaken } from './transitions.js';
import { variants } from './variants.js';

export interface Plan {
  readonly paths: readonly Path[];
  /** Transitions that these paths take, and those that they do not. */
  readonly taken: readonly string[];
  readonly left: readonly string[];
}

/** How far is looked, and how many states are looked at. */
const depthMax = 9;
const statesMax = 400;

interface Found {
  readonly state: AccountState;
  readonly path: Path;
  /** Shapes of the whole path. */
  readonly taken: ReadonlySet<string>;
}

/** The same plan every time. */
export function planPaths(): Plan {
  const covering = cover(explore());
  const paths = [...covering, ...variants()].map(finish);
  const taken = new Set<string>();
  for (const path of paths) for (const name of takenBy(path)) taken.add(name);
  const all = allTransitions();
  return {
    paths: withoutTwins(paths),
    taken: all.filter((name) => taken.has(name)),
    left: all.filter((name) => !taken.has(name)),
  };
}

/** Paths with which a transition is taken for the first time, nearest first. */
function explore(): readonly Found[] {
  const known = new Set<string>();
  const fresh: Found[] = [];
  const seen = new Set<string>();
  let queue: Found[] = [{ state: beginning(), path: [], taken: new Set() }];
  for (let depth = 0; depth < depthMax && queue.length > 0; depth++) {
    const next: Found[] = [];
    for (const found of queue) {
      for (const step of possibleSteps(found.state, found.path)) {
        const after = follow(found, step);
        if ([...after.taken].some((name) => !known.has(name))) fresh.push(after);
        for (const name of after.taken) known.add(name);
        const key = essenceOf(after);
        if (seen.has(key) || seen.size >= statesMax) continue;
        seen.add(key);
        next.push(after);
      }
    }
    queue = next;
  }
  return fresh;
}

function follow({ state, path, taken }: Found, step: Step): Found {
  const { state: after, told } = advance(state, step, path.length);
  const all = new Set(taken);
  for (const shape of shapesTaken(state, told)) all.add(shape);
  return { state: after, path: [...path, step], taken: all };
}

/** What tells states apart as far as a tester can see. */
function essenceOf({ state, path }: Found): string {
  const { memory, peers } = state;
  const mailbox = mailboxOf(state);
  const actors = [...(memory?.actors ?? [])].map(([address, { snapshot }]) => {
    const kind = address.replace(/\d+$/, '');
    return `${kind}${JSON.stringify(snapshot.value)}`;
  });
  return JSON.stringify([
    actors.sort(),
    mailbox?.stored,
    mailbox?.old,
    mailbox?.bindings.map(({ im }) => im),
    mailbox?.publications.map(({ active }) => active),
    [peers.invites.size, peers.dialogs.size, peers.sends.length],
    path.filter((step) => step.do === 'submit').map(({ kind }) => kind),
  ]);
}

/** Greedy: whichever takes most of what is left; of these the shortest. */
function cover(candidates: readonly Found[]): Path[] {
  const left = new Set(candidates.flatMap(({ taken }) => [...taken]));
  const chosen: Path[] = [];
  while (left.size > 0) {
    let best: Found | undefined;
    let most = 0;
    for (const found of candidates) {
      const gain = [...found.taken].filter((name) => left.has(name)).length;
      if (gain < most || (gain === most && found.path.length >= (best?.path.length ?? 0))) continue;
      [best, most] = [found, gain];
    }
    if (!best) break;
    chosen.push(best.path);
    for (const name of best.taken) left.delete(name);
  }
  return chosen;
}

/** What was begun is done: pushes are accepted, SENDs taken. */
function finish(path: Path): Path {
  let state = stateBehind(path);
  const steps = [...path];
  for (;;) {
    const { invites, sends } = state.peers;
    const refused = steps.at(-1)?.do === 'refuse';
    const step: Step | undefined =
      sends.length > 0
        ? { do: 'take' }
        : invites.size > 0 && !refused
          ? { do: 'accept', role: 'active' }
          : undefined;
    if (step === undefined) return steps;
    ({ state } = advance(state, step, steps.length));
    steps.push(step);
  }
}

function stateBehind(path: Path): AccountState {
  let state = beginning();
  for (const [index, step] of path.entries()) ({ state } = advance(state, step, index));
  return state;
}

function takenBy(path: Path): ReadonlySet<string> {
  const taken = new Set<string>();
  let state = beginning();
  for (const [index, step] of path.entries()) {
    const next = advance(state, step, index);
    for (const name of transitionsTaken(state, next.told)) taken.add(name);
    ({ state } = next);
  }
  return taken;
}

/** A path that is the beginning of another one stays: that nothing comes behind it is seen there. */
function withoutTwins(paths: readonly Path[]): Path[] {
  return [...new Map(paths.map((path) => [JSON.stringify(path), path])).values()];
}
