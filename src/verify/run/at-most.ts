/** Waits that end: for a thing that may never come, and with the run at the latest. */

/** ms beyond what was wanted, however busy the tester is. */
const busyMs = 60_000;

/**
 * Undefined when it takes longer. What counts is time in which the tester has nothing to do: where
 * it does not get the processor, answers that have come lie unread, and nobody is late.
 */
export async function atMost<T>(promise: Promise<T>, withinMs: number): Promise<T | undefined> {
  let cancel = (): void => undefined;
  const over = new Promise<undefined>((resolve) => {
    const idle = idleMs();
    const latest = performance.now() + withinMs + busyMs;
    const look = (): void => {
      const leftMs = withinMs - (idleMs() - idle);
      if (leftMs < 1 || performance.now() >= latest) resolve(undefined);
      else wait(leftMs);
    };
    const wait = (ms: number): void => {
      const timer = setTimeout(look, Math.max(0, ms));
      cancel = () => clearTimeout(timer);
    };
    wait(withinMs);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    cancel();
  }
}

/** How long this thread has waited for something to happen. */
function idleMs(): number {
  return performance.eventLoopUtilization().idle;
}

/** How long the run may still take. */
export interface Deadline {
  readonly isOver: boolean;
  /** So long, or as long as there is time. */
  within(ms: number): number;
}

export const deadlinePassed = 'the deadline has passed';

export function deadlineIn(ms: number): Deadline {
  const at = performance.now() + ms;
  const leftMs = (): number => Math.max(0, at - performance.now());
  return {
    get isOver() {
      return leftMs() === 0;
    },
    within: (wantedMs) => Math.min(wantedMs, leftMs()),
  };
}

/** Nothing but time passes. */
export async function pause(ms: number): Promise<void> {
  await atMost(new Promise<never>(() => undefined), ms);
}

/** A promise, and who settles it. */
export interface Pending<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
}

export function pending<T>(): Pending<T> {
  let resolve = (_value: T): void => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve: (value) => resolve(value) };
}
