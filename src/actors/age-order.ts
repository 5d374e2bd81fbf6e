/** Things in the order in which they came; each may leave at any time. */

/** What may stand in such an order, in one at a time; the order alone writes these two. */
export interface Aged<Entry> {
  older: Entry | undefined;
  newer: Entry | undefined;
}

/** Entries are their own links: nothing is made or left behind when one comes or goes. */
export class AgeOrder<Entry extends Aged<Entry>> {
  #oldest: Entry | undefined;
  #newest: Entry | undefined;

  get oldest(): Entry | undefined {
    return this.#oldest;
  }

  /** It comes last; it must not be there already. */
  add(entry: Entry): void {
    const older = this.#newest;
    entry.older = older;
    if (older) older.newer = entry;
    else this.#oldest = entry;
    this.#newest = entry;
  }

  /** It must be there. */
  remove(entry: Entry): void {
    const { older, newer } = entry;
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
    // One that has grown old must not hold the others.
    entry.older = undefined;
    entry.newer = undefined;
  }
}
