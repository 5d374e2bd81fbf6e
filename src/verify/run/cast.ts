/** Who is who in a path or a case. */

import { bracketed, type RunSettings, type Target } from './settings.js';

export interface Cast {
  readonly settings: RunSettings;
  /** URIs. */
  readonly user: string;
  readonly sender: string;
  /** Contact of the tester, without parameters. */
  readonly contact: string;
  /** Tells the messages of this path from those of all others. */
  readonly mark: string;
  /** Call-ID and CSeq of the registration go on over its requests. */
  readonly registration: { readonly callId: string; cseq: number };
}

/** Where the tester is. */
interface Place {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly token: string;
  contactUri(user: string, transport: Target['transport']): string;
}

export function castOf(settings: RunSettings, place: Place): Cast {
  const { host, port, user, token } = place;
  const { credentials, domain, target } = settings;
  return {
    settings,
    user: `sip:${user}@${domain}`,
    sender: credentials
      ? `sip:${credentials.sender}@${domain}`
      : `sip:sender@${bracketed(host)}:${port}`,
    contact: place.contactUri(user, target.transport),
    mark: token,
    registration: { callId: `registration-${token}`, cseq: 0 },
  };
}
