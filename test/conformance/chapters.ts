/** Every chapter of docs/conformance.md, and the tests that name its rows. */

import { namedTests } from '../docs/named-tests.js';
import { clauseChapters } from './clause-rows.js';
import { decisionChapters } from './decisions.js';
import { fieldChapters } from './field-requirements.js';
import { scrChapters } from './scr-items.js';

export const chapters = [...scrChapters, ...clauseChapters, ...decisionChapters, ...fieldChapters];

export const ids: ReadonlySet<string> = new Set(
  chapters.flatMap(({ requirements }) => requirements.map(({ id }) => id)),
);

export const conformanceTests = namedTests(ids);
