/** Answers that are not as owed and yet say nothing of the item, and why. */

import type { SipResponse } from '../../wire/sip/message.js';
import type { RunSettings } from './settings.js';
import type { Step } from './step.js';

/** The target knows no such method, package, option or type. */
const unsupported: ReadonlySet<number> = new Set([405, 415, 416, 420, 489, 501]);
const unknownUser: ReadonlySet<number> = new Set([404, 604]);

/** Why nothing can be said; undefined: the answer is what it is judged by. */
export function excuseOf(
  step: Step,
  { status }: Pick<SipResponse, 'status'>,
  { users, credentials }: RunSettings,
): string | undefined {
  if (status === 401 || status === 407) {
    return credentials === undefined
      ? `it asks for credentials (${status}): --credentials`
      : `it does not take the credentials (${status})`;
  }
  if (unknownUser.has(status) && users === undefined && isForUser(step)) {
    return `it does not know the user that was made up (${status}): --users`;
  }
  if (!unsupported.has(status)) return undefined;
  switch (step.do) {
    case 'retrieve':
      // That it takes no retrieval is held against the item of taking one.
      return isPlain(step) ? undefined : `it takes no retrieval (${status})`;
    case 'publish':
    case 'unpublish':
      return `settings are not published there like this (${status}): OMA's way was not recovered`;
    case 'delete':
      return `messages are not deleted there by REFER (${status}): OMA's way was not recovered`;
    default:
      return undefined;
  }
}

function isForUser({ do: kind }: Step): boolean {
  return kind === 'submit' || kind === 'register' || kind === 'subscribe' || kind === 'publish';
}

function isPlain({ faults, list }: Extract<Step, { readonly do: 'retrieve' }>): boolean {
  return faults.length === 0 && list === undefined;
}
