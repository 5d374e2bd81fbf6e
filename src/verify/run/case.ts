/** A case: what a client does where octets and documents are the point, not states of a machine. */

import type { ItemId } from './items.js';
import type { RunSettings } from './settings.js';
import type { Stage } from './stage.js';

/** Something that a case looks at. */
export interface Clause {
  readonly item: ItemId;
  readonly clause: string;
  readonly expected: string;
}

export function clause(item: ItemId, where: string, expected: string): Clause {
  return { item, clause: where, expected };
}

export interface Case {
  readonly name: string;
  /** Everything that it can say something of. */
  readonly clauses: readonly Clause[];
  /** What is not given that it needs; absent: nothing is. */
  lacks?(settings: RunSettings): string | undefined;
  /** Checks what it can. Throws Unable where the target does not let it go on. */
  play(stage: Stage): Promise<void>;
}

/** The target does not let a case go on, which is no fault in itself. */
export class Unable extends Error {
  readonly why: string;

  constructor(why: string) {
    super(why);
    this.name = 'Unable';
    this.why = why;
  }
}
