/** Whether a 2xx comes from whom we asked (RFC 7616 3.5). */

import type { SipResponse } from '../../wire/sip/message.js';
import type { ClientRequest } from './client-request.js';
import type { SipCounters } from './flow.js';
import type { SipSettings } from './options.js';

/** False: whoever sent it does not know the credentials, so that it counts as none. */
export function isProven(
  { retries, dispatch }: ClientRequest,
  response: SipResponse,
  { counters, settings }: { readonly counters: SipCounters; readonly settings: SipSettings },
): boolean {
  if (retries?.isProven(dispatch.draft, response) ?? true) return true;
  counters.unprovenAnswers++;
  const fields = { code: 'SIP_UNPROVEN', method: dispatch.draft.method };
  settings.log.warn(fields, 'an answer without the proof of its sender');
  return false;
}
