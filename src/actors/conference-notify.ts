/** The conference of a retrieval as it is sent: NOTIFY with conference-info (RFC 4575, CNF-01). */

import type { Effect } from '../machines/effects.js';
import type { ConferenceUser, UserStatus } from '../machines/events.js';
import type { HeaderField } from '../wire/sip/message.js';
import { conferenceInfoType, writeConferenceInfo } from '../wire/xml/conference-info.js';
import type { ConferenceUserInfo } from '../wire/xml/conference-info.js';
import { isXmlText } from '../wire/xml/write.js';
import { subscriptionState } from './notify.js';

type Notify = Extract<Effect, { type: 'conference.notify' }>;

/** URIs of the conference, of whoever retrieves, and the host of Message-IDs. */
export interface ConferenceNames {
  readonly conference: string;
  readonly client: string;
  readonly hostname: string;
}

/** Header fields of a NOTIFY but for Contact, and its body. */
export function conferenceNotifyParts(
  effect: Notify,
  names: ConferenceNames,
): { readonly headers: HeaderField[]; readonly body: Buffer } {
  const { full, version, count, users, client } = effect;
  const body = writeConferenceInfo({
    entity: names.conference,
    state: full ? 'full' : 'partial',
    version,
    // Whoever retrieves is one of them.
    userCount: count + 1,
    active: client !== 'disconnected',
    users: [
      { entity: names.client, ...clientInfo(client) },
      ...users.filter(isWritable).map((user) => userInfo(user, names.hostname)),
    ],
  });
  return {
    headers: [
      ['Event', 'conference'],
      ['Subscription-State', subscriptionState(effect)],
      ['Content-Type', conferenceInfoType],
    ],
    body,
  };
}

function clientInfo(client: Notify['client']): Omit<ConferenceUserInfo, 'entity'> {
  const joining = 'dialed-in';
  return client === 'disconnected'
    ? { status: client, joining, disconnection: 'departed' }
    : { status: client, joining };
}

function userInfo({ entity, status }: ConferenceUser, hostname: string): ConferenceUserInfo {
  const uri = typeof entity === 'number' ? `sip:${entity}@${hostname}` : entity;
  return { entity: uri, ...outcomes[status] };
}

/** A URI of the list comes from the client: XML held it once, and may hold it again. */
function isWritable({ entity }: ConferenceUser): boolean {
  return typeof entity === 'number' || isXmlText(entity);
}

function failed(cause: number): Omit<ConferenceUserInfo, 'entity'> {
  return {
    status: 'disconnected',
    joining: 'dialed-out',
    disconnection: 'failed',
    reason: `SIP;cause=${cause}`,
  };
}

const outcomes: Record<UserStatus, Omit<ConferenceUserInfo, 'entity'>> = {
  pending: { status: 'pending' },
  'dialing-out': { status: 'dialing-out' },
  connected: { status: 'connected', joining: 'dialed-out' },
  departed: { status: 'disconnected', joining: 'dialed-out', disconnection: 'departed' },
  booted: { status: 'disconnected', joining: 'dialed-out', disconnection: 'booted' },
  '404': failed(404),
  '413': failed(413),
  '480': failed(480),
  '488': failed(488),
};
