/** application/reginfo+xml: who is registered for an address of record (RFC 3680 5). */

import { WireError } from '../error.js';
import { parseDigits } from '../sip/number.js';
import { unquoted } from '../sip/params.js';
import type { Params } from '../sip/params.js';
import { attributeOf, childrenOf, parseXml, textOf } from './tree.js';
import type { XmlElement } from './tree.js';

export const reginfoType = 'application/reginfo+xml';

const namespace = 'urn:ietf:params:xml:ns:reginfo';

export interface ReginfoContact {
  /** Unique within its registration. */
  readonly id: string;
  readonly uri: string;
  readonly state: 'active' | 'terminated';
  /** Seconds left. */
  readonly expires?: number;
  /** Parameters of the Contact that the registrar has no element for: features among them. */
  readonly params: Params;
}

export interface ReginfoRegistration {
  readonly id: string;
  readonly aor: string;
  readonly state: 'init' | 'active' | 'terminated';
  readonly contacts: readonly ReginfoContact[];
}

export interface Reginfo {
  readonly version: number;
  readonly state: 'full' | 'partial';
  readonly registrations: readonly ReginfoRegistration[];
}

export interface ReginfoLimits {
  /** Octets of the document. */
  readonly size: number;
  readonly registrations: number;
  /** Of all registrations. */
  readonly contacts: number;
}

export const reginfoLimits: ReginfoLimits = { size: 65_536, registrations: 64, contacts: 256 };

/** Throws WireError `XML_…`, `REGINFO_…`. */
export function parseReginfo(body: Buffer, limits: Partial<ReginfoLimits> = {}): Reginfo {
  const bounds = { ...reginfoLimits, ...limits };
  const root = parseXml(body, { size: bounds.size });
  if (root.name !== 'reginfo' || root.namespace !== namespace) {
    throw new WireError('REGINFO_ROOT', 'the root is not reginfo');
  }
  const version = parseDigits(attributeOf(root, 'version')?.trim());
  if (version === undefined) throw new WireError('REGINFO_VERSION', 'there is no version');
  const state = stateOf(root, ['full', 'partial']);
  const elements = childrenOf(root, 'registration', namespace);
  if (elements.length > bounds.registrations) {
    throw new WireError('REGINFO_CONTACTS', 'there are too many registrations');
  }
  const registrations = elements.map(readRegistration);
  const contacts = registrations.reduce((sum, one) => sum + one.contacts.length, 0);
  if (contacts > bounds.contacts) {
    throw new WireError('REGINFO_CONTACTS', 'there are too many contacts');
  }
  return { version, state, registrations };
}

function readRegistration(element: XmlElement): ReginfoRegistration {
  return {
    id: required(element, 'id'),
    aor: required(element, 'aor'),
    state: stateOf(element, ['init', 'active', 'terminated']),
    contacts: childrenOf(element, 'contact', namespace).map(readContact),
  };
}

function readContact(element: XmlElement): ReginfoContact {
  const uri = textOf(childrenOf(element, 'uri', namespace)[0]);
  if (uri === undefined || uri === '') throw new WireError('REGINFO_URI', 'a contact has no URI');
  const expires = parseDigits(attributeOf(element, 'expires')?.trim());
  const params = new Map<string, string>();
  for (const param of childrenOf(element, 'unknown-param', namespace)) {
    const name = required(param, 'name').toLowerCase();
    if (!params.has(name)) params.set(name, unquoted(textOf(param) ?? ''));
  }
  return {
    id: required(element, 'id'),
    uri,
    state: stateOf(element, ['active', 'terminated']),
    ...(expires !== undefined && { expires }),
    params,
  };
}

function stateOf<State extends string>(element: XmlElement, states: readonly State[]): State {
  const value = attributeOf(element, 'state')?.trim();
  const state = states.find((one) => one === value);
  if (state === undefined) {
    throw new WireError('REGINFO_STATE', `the state of ${element.name} is missing or unknown`);
  }
  return state;
}

function required(element: XmlElement, name: string): string {
  const value = attributeOf(element, name)?.trim();
  if (value === undefined || value === '') {
    throw new WireError('REGINFO_ATTRIBUTE', `${element.name} has no ${name}`);
  }
  return value;
}
