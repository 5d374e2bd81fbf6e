/** A chapter of docs/conformance.md: requirements of one kind, and what it takes to show them. */

import type { Chapter } from '../docs/requirement.js';

/** `mandatory` rows are shown on the wire only; decisions and field requirements in flows too. */
export type Level = 'mandatory' | 'decision' | 'field';

export interface ConformanceChapter extends Chapter {
  readonly level: Level;
}
