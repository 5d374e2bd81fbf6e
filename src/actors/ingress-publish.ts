/** PUBLISH comes in: the user says how deferred messages are to reach him (RFC 3903, D-41). */

import type { PublishFacts, SettingsFacts } from '../machines/events.js';
import type { HeaderField, SipRequest } from '../wire/sip/message.js';
import { parseDigits } from '../wire/sip/number.js';
import { parseSettings } from '../wire/xml/settings.js';
import { originator } from './identity.js';
import type { Identified } from './identity.js';
import { allowedAt } from './ingress-options.js';
import { refuse, requiresUnsupported } from './ingress-parts.js';
import type { IngressParts } from './ingress-parts.js';
import { bodyParts } from './request-body.js';

/** How settings travel; neither name was recovered from the documents (1.3). */
export interface SettingsPackage {
  /** Values of Event that are taken, in lower case. */
  readonly events: readonly string[];
  /** Content types, in lower case. */
  readonly types: readonly string[];
}

export const defaultSettingsPackage: SettingsPackage = {
  events: ['im-settings'],
  types: ['application/im-settings+xml'],
};

const etagLength = 16;

/** RFC 3903 6, steps 1 to 3 and the form of the body; the mailbox does the others. */
export function receivePublish(parts: IngressParts, received: Identified): void {
  const { request, transaction } = received;
  const named = parts.users.named(request.uri);
  const own = originator(parts, received);
  // As with SUBSCRIBE, the store takes it for whoever sends it (D-45).
  const account = named.kind === 'user' ? named.account : own;
  switch (named.kind) {
    case 'user':
    case 'deferred':
      break;
    case 'scheme':
      refuse(parts, received, 416);
      return;
    case 'message':
    case 'delete':
      refuse(parts, received, 405, { headers: [['Allow', allowedAt(parts, received)]] });
      return;
    default:
      refuse(parts, received, 404);
      return;
  }
  const { events } = parts.settingsPackage;
  if (!events.includes(packageOf(request) ?? '')) {
    refuse(parts, received, 489, { headers: [['Allow-Events', events.join(', ')]] });
    return;
  }
  if (requiresUnsupported(parts, received, [])) return;
  if (account === undefined || own !== account) {
    refuse(parts, received, 403, { warning: '127 Service not authorised' });
    return;
  }
  const publish = publishFacts(parts, received);
  if (publish === undefined) return;
  const at = parts.clock.now();
  parts.submit(account, {
    kind: 'event',
    to: 'mailbox',
    event: { type: 'settings.published', at, transaction, publish, limits: parts.limits },
  });
}

/** Undefined: answered. */
function publishFacts(parts: IngressParts, received: Identified): PublishFacts | undefined {
  const { request } = received;
  const settings = settingsOf(parts, request);
  if (settings === 'unsupported') {
    const headers: HeaderField[] = [
      ['Accept', parts.settingsPackage.types.join(', ')],
      ['Accept-Encoding', 'identity'],
    ];
    refuse(parts, received, 415, { headers });
    return undefined;
  }
  const expires = parseDigits(request.header('expires'));
  const ifMatch = request.header('sip-if-match')?.trim();
  return {
    etag: parts.random.token(etagLength),
    ...(ifMatch !== undefined && { ifMatch }),
    ...(expires !== undefined && { expires }),
    ...(settings && { settings }),
  };
}

function settingsOf(
  { bounds, settingsPackage }: IngressParts,
  request: SipRequest,
): SettingsFacts | 'unsupported' | undefined {
  if (request.body.length === 0) return undefined;
  let settings: SettingsFacts | undefined;
  for (const { type, optional, body } of bodyParts(request, bounds.bodyBytes)) {
    if (settingsPackage.types.includes(type)) settings ??= parseSettings(body);
    else if (!optional) return 'unsupported';
  }
  return settings ?? 'unsupported';
}

function packageOf(request: SipRequest): string | undefined {
  return request.header('event')?.split(';', 1)[0]?.trim().toLowerCase();
}
