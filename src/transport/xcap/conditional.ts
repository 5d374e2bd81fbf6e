/** Conditional requests: If-Match and If-None-Match (RFC 7232, RFC 4825 7.11). */

import { WireError } from '../../wire/error.js';

export interface Conditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

interface EntityTag {
  readonly weak: boolean;
  /** With its quotes. */
  readonly tag: string;
}

/** Tags of one header field. */
const tagsMax = 64;
const tagForm = /[\s,]*(W\/)?("[\x21\x23-\x7e\x80-\xff]*")\s*(?=,|$)/y;

/** An entity-tag out of any text. */
export function entityTag(text: string): string {
  return `"${encodeURIComponent(text)}"`;
}

/**
 * The status that a condition which fails is answered with; undefined: go on. `tag` is undefined
 * when there is no document. Throws WireError `XCAP_CONDITION`.
 */
export function failedCondition(
  { ifMatch, ifNoneMatch }: Conditions,
  tag: string | undefined,
  reads: boolean,
): 304 | 412 | undefined {
  if (ifMatch !== undefined && !matches(ifMatch, tag, false)) return 412;
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, tag, true)) return reads ? 304 : 412;
  return undefined;
}

/** If-Match compares strongly, so that a weak tag never matches it (RFC 7232 2.3.2, 3.1). */
function matches(field: string, tag: string | undefined, weakly: boolean): boolean {
  if (field.trim() === '*') return tag !== undefined;
  return tagsOf(field).some((one) => one.tag === tag && (weakly || !one.weak));
}

function tagsOf(field: string): EntityTag[] {
  const tags: EntityTag[] = [];
  let at = 0;
  while (at < field.length && tags.length < tagsMax) {
    tagForm.lastIndex = at;
    const match = tagForm.exec(field);
    if (!match) throw new WireError('XCAP_CONDITION', 'a condition is no list of entity-tags');
    tags.push({ weak: match[1] !== undefined, tag: match[2]! });
    at = tagForm.lastIndex;
  }
  return tags;
}
