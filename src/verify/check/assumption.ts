/** What a trace does not tell of a server: the settings under which it may behave as it does. */

import type { Limits } from '../../machines/events.js';

export interface Assumption {
  /** D-41: offline-delivery is active when the user has not set it. */
  readonly pushes: boolean;
  /** D-32: what becomes of a message that was delivered. */
  readonly afterPush: 'delete' | 'keep';
  readonly afterRetrieve: 'delete' | 'keep';
}

/** Every server is one of these as long as nothing that is seen speaks against it. */
const assumptions: readonly Assumption[] = [true, false].flatMap((pushes) =>
  (['delete', 'keep'] as const).flatMap((afterPush) =>
    (['keep', 'delete'] as const).map((afterRetrieve) => ({ pushes, afterPush, afterRetrieve })),
  ),
);

/** Those that agree with what is known of the server. */
export function assumptionsWith(known: Partial<Assumption> = {}): readonly Assumption[] {
  return assumptions.filter((one) =>
    (['pushes', 'afterPush', 'afterRetrieve'] as const).every(
      (name) => known[name] === undefined || known[name] === one[name],
    ),
  );
}

/** Assumptions between which nothing has decided, and the limits that are so under all of them. */
export interface Undecided {
  readonly all: readonly Assumption[];
  readonly limits: Limits;
  /** Settings that were looked at since it was emptied: by them it may have to be decided. */
  readonly lookedAt: Set<keyof Assumption>;
  readonly course: Course;
}

/** What all explanations of a user have in common. */
export interface Course {
  /** Turns that were taken. */
  turns: number;
  /** Messages of a session that may be under way at a time. */
  readonly window: number;
}

export function undecidedBetween(all: readonly Assumption[], course: Course): Undecided {
  const lookedAt = new Set<keyof Assumption>();
  return { all, limits: limitsUnder(all[0]!, lookedAt, course.window), lookedAt, course };
}

/** Apart by what was looked at; itself when that is the same under all of them. */
export function decided(undecided: Undecided): readonly Undecided[] {
  const { all, lookedAt, course } = undecided;
  if (lookedAt.size === 0 || all.length === 1) return [undecided];
  const groups = new Map<string, Assumption[]>();
  for (const one of all) {
    const value = [...lookedAt].map((setting) => one[setting]).join();
    groups.set(value, [...(groups.get(value) ?? []), one]);
  }
  if (groups.size === 1) return [undecided];
  return [...groups.values()].map((some) => undecidedBetween(some, course));
}

/** Seconds; longer than any trace. */
const ever = 4_000_000_000;
/** More of anything than one account has. */
const many = 1_000_000;

/**
 * Limits that stand in nobody's way: a trace shows what a server has refused, so that the event
 * itself is given the limit that makes the machines refuse.
 */
function limitsUnder(
  { pushes, afterPush, afterRetrieve }: Assumption,
  lookedAt: Set<keyof Assumption>,
  window: number,
): Limits {
  const looked = <Value>(setting: keyof Assumption, value: Value): Value => {
    lookedAt.add(setting);
    return value;
  };
  return {
    expiry: { enabled: true, default: ever, max: ever, large: ever, skewMs: 86_400_000 },
    quota: { messages: many, octets: Number.MAX_SAFE_INTEGER },
    register: { min: 0, default: 3_600, max: ever, contacts: many, burstMs: 2_000 },
    subscribe: { min: 0, default: 3_600, max: ever, count: many, throttleMs: 1_000, headers: many },
    publish: { min: 0, default: 3_600, max: ever, count: many },
    deletion: { batch: many, removalMs: 32_000 },
    push: {
      ...{ window, retryMs: 1_000, retryMaxMs: 1_000 },
      get default() {
        return looked('pushes', pushes);
      },
      get after() {
        return looked('afterPush', afterPush);
      },
    },
    retrieval: {
      ...{ whenPushActive: 'serve', recvonly: 'effective' },
      ...{ count: many, waitMs: 32_000, emptyMs: 2_000 },
      get after() {
        return looked('afterRetrieve', afterRetrieve);
      },
    },
    recording: {
      ...{ sendonly: true, files: true, count: many, messages: many },
      ...{ octets: Number.MAX_SAFE_INTEGER, idleMs: 60_000 },
    },
    forward: {
      ...{ mode: 'off', devices: 'one', count: 1, waitMs: 16_000 },
      ...{ bridges: 1, ringMs: 120_000, sessionMs: 3_600_000 },
    },
    conference: { min: 0, default: 3_600, max: ever, count: many, throttleMs: 5_000, users: many },
    reportGraceMs: 30_000,
    reportOnUserDelete: 'failed',
    profile: { forms, bySender: false, carryMax: 0, lookAhead: 0 },
  };
}

/** Best first; whether a server may send a message as it came is judged apart from its flow. */
const forms = {
  pager: ['message/sipfrag', 'message/sip', 'message/cpim', 'original'],
  large: ['multipart/mixed', 'message/msrp', 'original', 'message/cpim'],
} as const;

/** The same, with no room for another message. */
export function full(limits: Limits): Limits {
  return { ...limits, quota: { ...limits.quota, messages: 0, octets: 0 } };
}
