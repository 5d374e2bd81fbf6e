/** Media types in Content-Type and Accept (RFC 3261 20.15, 20.1). */

import { WireError } from '../error.js';
import { splitList } from './list.js';
import { parseParams } from './params.js';
import type { Params } from './params.js';

export interface ContentType {
  /** `type/subtype` in lower case. */
  readonly type: string;
  readonly params: Params;
}

const TYPE = /^([A-Za-z0-9\-.!%*_+`'~]+)[ \t]*\/[ \t]*([A-Za-z0-9\-.!%*_+`'~]+)$/;

/** Throws WireError `SIP_CONTENT_TYPE` or `SIP_PARAMETER`. */
export function parseContentType(value: string): ContentType {
  const semicolon = value.indexOf(';');
  const end = semicolon < 0 ? value.length : semicolon;
  const match = TYPE.exec(value.slice(0, end).trim());
  if (!match) throw new WireError('SIP_CONTENT_TYPE', 'media type is not type/subtype');
  return {
    type: `${match[1]!}/${match[2]!}`.toLowerCase(),
    params: parseParams(value, end),
  };
}

/**
 * Whether Accept admits the type. `values` are the header lines; none at all means the field is
 * absent: what that admits is up to the caller. The most specific range decides; `q=0` excludes.
 */
export function acceptsType(values: readonly string[], type: string): boolean {
  const wanted = type.toLowerCase();
  const family = `${wanted.split('/', 1)[0]!}/*`;
  let rank = 0;
  let accepted = false;
  for (const element of values.flatMap(splitList)) {
    const range = readable(element);
    const specific =
      range?.type === wanted ? 3 : range?.type === family ? 2 : range?.type === '*/*' ? 1 : 0;
    if (!range || specific <= rank) continue;
    rank = specific;
    accepted = Number(range.params.get('q') ?? 1) !== 0;
  }
  return accepted;
}

function readable(element: string): ContentType | undefined {
  try {
    return parseContentType(element);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
