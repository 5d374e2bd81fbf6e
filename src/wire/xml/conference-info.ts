/** application/conference-info+xml: a conference as its focus tells of it (RFC 4575). */

import { WireError } from '../error.js';
import { attributeOf, childrenOf, parseXml, textOf } from './tree.js';
import type { XmlElement } from './tree.js';
import { xmlDocument, xmlElement } from './write.js';

export const conferenceInfoType = 'application/conference-info+xml';

const namespace = 'urn:ietf:params:xml:ns:conference-info';

export type EndpointStatus =
  | 'pending'
  | 'dialing-out'
  | 'dialing-in'
  | 'alerting'
  | 'on-hold'
  | 'connected'
  | 'muted-via-focus'
  | 'disconnecting'
  | 'disconnected';

/** A participant with the one endpoint that each has here. */
export interface ConferenceUserInfo {
  /** URI. */
  readonly entity: string;
  readonly status: EndpointStatus;
  readonly joining?: 'dialed-in' | 'dialed-out';
  readonly disconnection?: 'departed' | 'booted' | 'failed' | 'busy';
  /** As in a Reason header field. */
  readonly reason?: string;
}

export interface ConferenceInfo {
  /** The conference URI. */
  readonly entity: string;
  readonly state: 'full' | 'partial' | 'deleted';
  readonly version: number;
  /** Of all users, those that are not told included. */
  readonly userCount?: number;
  readonly active?: boolean;
  readonly users: readonly ConferenceUserInfo[];
}

export interface ConferenceInfoLimits {
  /** Octets of the document. */
  readonly size: number;
  readonly users: number;
}

export const conferenceInfoLimits: ConferenceInfoLimits = { size: 1_048_576, users: 2_048 };

const versionMax = 4_294_967_295;
const statuses: ReadonlySet<string> = new Set<EndpointStatus>([
  'pending',
  'dialing-out',
  'dialing-in',
  'alerting',
  'on-hold',
  'connected',
  'muted-via-focus',
  'disconnecting',
  'disconnected',
]);
const joinings: ReadonlySet<string> = new Set(['dialed-in', 'dialed-out']);
const disconnections: ReadonlySet<string> = new Set(['departed', 'booted', 'failed', 'busy']);

/** Throws WireError `XML_CHARACTER`. */
export function writeConferenceInfo(info: ConferenceInfo): Buffer {
  const { entity, state, version, userCount, active, users } = info;
  const isPartial = state !== 'full';
  const told = [
    ...(userCount === undefined ? [] : [xmlElement('user-count', [], String(userCount))]),
    ...(active === undefined ? [] : [xmlElement('active', [], String(active))]),
  ];
  const children = [
    ...(told.length === 0 ? [] : [xmlElement('conference-state', [], told)]),
    ...(users.length === 0
      ? []
      : [xmlElement('users', [['state', isPartial ? 'partial' : undefined]], users.map(user))]),
  ];
  const attributes = [
    ['xmlns', namespace],
    ['entity', entity],
    ['state', state],
    ['version', String(version)],
  ] as const;
  return xmlDocument(xmlElement('conference-info', attributes, children));
}

/** Throws WireError `XML_…`, `CONFERENCE_…`. */
export function parseConferenceInfo(
  body: Buffer,
  limits: Partial<ConferenceInfoLimits> = {},
): ConferenceInfo {
  const bounds = { ...conferenceInfoLimits, ...limits };
  const root = parseXml(body, { size: bounds.size });
  if (root.name !== 'conference-info' || root.namespace !== namespace) {
    throw new WireError('CONFERENCE_ROOT', 'the root is not conference-info');
  }
  const state = attributeOf(root, 'state') ?? 'full';
  const version = attributeOf(root, 'version') ?? '';
  const entity = attributeOf(root, 'entity');
  if (state !== 'full' && state !== 'partial' && state !== 'deleted') {
    throw new WireError('CONFERENCE_STATE', 'the state is neither full, partial nor deleted');
  }
  if (!/^\d{1,10}$/.test(version) || Number(version) > versionMax || entity === undefined) {
    throw new WireError('CONFERENCE_VERSION', 'version or entity is missing or malformed');
  }
  const [told] = childrenOf(root, 'conference-state', namespace);
  const users = childrenOf(root, 'users', namespace).flatMap((list) =>
    childrenOf(list, 'user', namespace),
  );
  if (users.length > bounds.users) {
    throw new WireError('CONFERENCE_USERS', 'there are too many users');
  }
  return {
    entity,
    state,
    version: Number(version),
    ...(told && readState(told)),
    users: users.map(readUser),
  };
}

function user({ entity, status, joining, disconnection, reason }: ConferenceUserInfo): string {
  const endpoint = [
    xmlElement('status', [], status),
    ...(joining === undefined ? [] : [xmlElement('joining-method', [], joining)]),
    ...(disconnection === undefined ? [] : [xmlElement('disconnection-method', [], disconnection)]),
    ...(reason === undefined
      ? []
      : [xmlElement('disconnection-info', [], [xmlElement('reason', [], reason)])]),
  ];
  const inner = xmlElement('endpoint', [['entity', entity]], endpoint);
  return xmlElement('user', [['entity', entity]], [inner]);
}

function readState(told: XmlElement): Pick<ConferenceInfo, 'userCount' | 'active'> {
  const count = textOf(childrenOf(told, 'user-count', namespace)[0]);
  const active = textOf(childrenOf(told, 'active', namespace)[0]);
  return {
    ...(count !== undefined && /^\d{1,10}$/.test(count) && { userCount: Number(count) }),
    ...(active !== undefined && { active: active === 'true' || active === '1' }),
  };
}

function readUser(element: XmlElement): ConferenceUserInfo {
  const entity = attributeOf(element, 'entity');
  if (entity === undefined) throw new WireError('CONFERENCE_USER', 'a user has no entity');
  const [endpoint] = childrenOf(element, 'endpoint', namespace);
  const text = (name: string) => endpoint && textOf(childrenOf(endpoint, name, namespace)[0]);
  const status = text('status') ?? 'pending';
  if (!statuses.has(status)) throw new WireError('CONFERENCE_USER', 'an unknown status');
  const joining = text('joining-method');
  const disconnection = text('disconnection-method');
  const [info] = endpoint ? childrenOf(endpoint, 'disconnection-info', namespace) : [];
  const reason = info && textOf(childrenOf(info, 'reason', namespace)[0]);
  return {
    entity,
    status: status as EndpointStatus,
    ...(joining !== undefined && joinings.has(joining) && { joining: joining as 'dialed-in' }),
    ...(disconnection !== undefined &&
      disconnections.has(disconnection) && { disconnection: disconnection as 'departed' }),
    ...(reason !== undefined && { reason }),
  };
}
