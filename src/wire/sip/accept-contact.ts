/** Feature preferences and capabilities of contacts (RFC 3840, RFC 3841). */

import { WireError } from '../error.js';
import { splitList } from './list.js';
import { parseNameAddr } from './name-addr.js';
import { parseParams } from './params.js';
import type { Params } from './params.js';

const IM = '+g.oma.sip-im';
const LARGE_MESSAGE = '+g.oma.sip-im.large-message';

/** Base tags of RFC 3840 9 that stand without a leading plus. */
const BASE_TAGS = new Set([
  'audio',
  'automata',
  'class',
  'duplex',
  'data',
  'control',
  'mobility',
  'description',
  'events',
  'priority',
  'methods',
  'schemes',
  'application',
  'video',
  'language',
  'type',
  'isfocus',
  'actor',
  'text',
  'extensions',
]);

/** D-61: any Accept-Contact value asks for +g.oma.sip-im; FALSE or !TRUE does not count. */
export function namesImTag(values: readonly string[]): boolean {
  return namesTag(values, IM);
}

/** The same for +g.oma.sip-im.large-message (D-15), in Accept-Contact or Contact values. */
export function namesLargeMessageTag(values: readonly string[]): boolean {
  return namesTag(values, LARGE_MESSAGE);
}

/**
 * CAP-04: what the parameters of a Contact say of +g.oma.sip-im. A contact without any feature
 * parameter is unknown: it is immune to preferences and has to be taken as available.
 */
export function imCapability(contactParams: Params): boolean | 'unknown' {
  const value = contactParams.get(IM);
  if (value !== undefined) return isTrue(value);
  for (const name of contactParams.keys()) {
    if (isFeature(name)) return false;
  }
  return 'unknown';
}

/** What a user agent says of itself, by tag: TRUE, or a list of values that it has (RFC 3840 5). */
export type Capabilities = ReadonlyMap<string, true | readonly string[]>;

/** CAP-03: a preference that is demanded by `require` and `explicit` is not met (RFC 3841 6). */
export function failsPreference(values: readonly string[], capabilities: Capabilities): boolean {
  return values.flatMap(splitList).some((value) => {
    const asked = featuresOf(value);
    if (asked?.has('require') !== true || !asked.has('explicit')) return false;
    for (const [tag, wanted] of asked) {
      if (isFeature(tag) && !meets(capabilities.get(tag), wanted)) return true;
    }
    return false;
  });
}

function namesTag(values: readonly string[], tag: string): boolean {
  return values.flatMap(splitList).some((value) => {
    const asked = featuresOf(value)?.get(tag);
    return asked !== undefined && isTrue(asked);
  });
}

/** The parameters of `*;…` or of an address; undefined when unreadable. */
function featuresOf(value: string): Params | undefined {
  try {
    return value.startsWith('*') ? parseParams(value, 1) : parseNameAddr(value).params;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** RFC 3840 9: without value TRUE; a list is any-of; `!` negates. */
function isTrue(value: string): boolean {
  if (value === '') return true;
  return value.split(',').some((item) => {
    const text = item.trim().toLowerCase();
    return text === 'true' || text === '!false';
  });
}

/** RFC 3840 9: other tags have a plus. `+sip.instance` names a device and tells no capability. */
function isFeature(name: string): boolean {
  return BASE_TAGS.has(name) || (name.startsWith('+') && name !== '+sip.instance');
}

/** RFC 3841 7.2.4: any of the values asked for; a negated one is met by whoever lacks it. */
function meets(has: true | readonly string[] | undefined, wanted: string): boolean {
  if (has === undefined) return false;
  if (has === true) return isTrue(wanted);
  return wanted.split(',').some((item) => {
    const text = item.trim().toLowerCase();
    return text.startsWith('!') ? !has.includes(text.slice(1)) : has.includes(text);
  });
}
