/** Removes from time to time what came in and was never kept: a crash cannot do so itself. */

import type { Clock, Log, StorePort } from '../ports.js';

export interface SweeperParts {
  readonly store: Pick<StorePort, 'sweep'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly bounds: { readonly uploadMs: number; readonly sweepMs: number };
}

export class UploadSweeper {
  readonly #parts: SweeperParts;
  #withdraw: (() => void) | undefined;
  #stopped = true;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#stopped = false;
    void this.#sweep();
  }

  stop(): void {
    this.#stopped = true;
    this.#withdraw?.();
  }

  async #sweep(): Promise<void> {
    const { store, clock, log, bounds } = this.#parts;
    try {
      const swept = await store.sweep(clock.now() - bounds.uploadMs);
      if (swept > 0) log.info({ swept }, 'unfinished uploads removed');
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : String(error);
      // The next look finds them again.
      if (!this.#stopped) log.warn({ code }, 'unfinished uploads not removed');
    }
    if (this.#stopped) return;
    this.#withdraw = clock.after(bounds.sweepMs, () => void this.#sweep());
  }
}
