/** docs/examples/ifc.xml: its form (3GPP TS 29.228 annex E), and which requests it brings here. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseXml } from '../../src/wire/xml/tree.js';
import type { XmlElement } from '../../src/wire/xml/tree.js';

const file = new URL('../../docs/examples/ifc.xml', import.meta.url);
const root = parseXml(readFileSync(file));

/** Children in the order of the schema; `?`, `+` and `*` as in a grammar. */
const schema: Record<string, string> = {
  IMSSubscription: 'PrivateID ServiceProfile+ Extension?',
  ServiceProfile:
    'PublicIdentity+ CoreNetworkServicesAuthorization? InitialFilterCriteria* Extension?',
  PublicIdentity: 'BarringIndication? Identity Extension?',
  InitialFilterCriteria:
    'Priority TriggerPoint? ApplicationServer ProfilePartIndicator? Extension?',
  TriggerPoint: 'ConditionTypeCNF SPT+ Extension?',
  SPT: 'ConditionNegated? Group+ RequestURI? Method? SIPHeader? SessionCase? SessionDescription? Extension?',
  SIPHeader: 'Header Content? Extension?',
  ApplicationServer: 'ServerName DefaultHandling? ServiceInfo? Extension?',
  'SPT/Extension': 'RegistrationType*',
  'ApplicationServer/Extension': 'IncludeRegisterRequest? IncludeRegisterResponse?',
};

const texts: Record<string, RegExp> = {
  PrivateID: /^[^@\s]+@[^@\s]+$/,
  Identity: /^(?:sip|tel):\S+$/,
  Priority: /^\d+$/,
  ConditionTypeCNF: /^[01]$/,
  ConditionNegated: /^[01]$/,
  Group: /^\d+$/,
  Method: /^[A-Z]+$/,
  SessionCase: /^[0-4]$/,
  RegistrationType: /^[012]$/,
  ServerName: /^sip:\S+$/,
  DefaultHandling: /^[01]$/,
  Header: /^[\w-]+$/,
  Content: /./,
  IncludeRegisterRequest: /^$/,
  IncludeRegisterResponse: /^$/,
};

const elementsOf = (element: XmlElement): XmlElement[] =>
  element.children.filter((child): child is XmlElement => typeof child !== 'string');
const named = (element: XmlElement, name: string): XmlElement[] =>
  elementsOf(element).filter((child) => child.name === name);
const textOf = ({ children }: XmlElement): string =>
  children
    .filter((child) => typeof child === 'string')
    .join('')
    .trim();
const textsOf = (element: XmlElement, name: string): string[] => named(element, name).map(textOf);

function check(element: XmlElement, parent = ''): void {
  const name = element.name === 'Extension' ? `${parent}/Extension` : element.name;
  expect(element.namespace).toBe('');
  const children = schema[name];
  if (children === undefined) {
    expect(textOf(element), name).toMatch(texts[name] ?? /no such element/);
    return;
  }
  const pattern = children.replaceAll(/(\w+)([?+*]?)(?: |$)/g, '(?:$1 )$2');
  const found = elementsOf(element).map((child) => `${child.name} `);
  expect(found.join(''), name).toMatch(new RegExp(`^${pattern}$`));
  for (const child of elementsOf(element)) check(child, element.name);
}

test('U22: the example has the form of a user profile', () => {
  check(root);
  const priorities = criteria.flatMap((one) => textsOf(one, 'Priority'));
  expect(new Set(priorities).size).toBe(criteria.length);
});

const criteria = named(named(root, 'ServiceProfile')[0]!, 'InitialFilterCriteria');

interface Asked {
  readonly method: string;
  readonly sessionCase?: number;
  readonly registration?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Whether one criterion brings it here: every group has a condition that holds. */
function triggers(one: XmlElement, asked: Asked): boolean {
  const groups = new Map<string, boolean>();
  for (const spt of named(named(one, 'TriggerPoint')[0]!, 'SPT')) {
    const [group] = textsOf(spt, 'Group');
    const isNegated = textsOf(spt, 'ConditionNegated')[0] === '1';
    groups.set(group!, (groups.get(group!) ?? false) || holds(spt, asked) !== isNegated);
  }
  return [...groups.values()].every(Boolean);
}

function holds(spt: XmlElement, asked: Asked): boolean {
  const [method] = textsOf(spt, 'Method');
  if (method !== undefined) {
    const types = named(spt, 'Extension').flatMap((one) => textsOf(one, 'RegistrationType'));
    const isType = types.length === 0 || types.includes(String(asked.registration));
    return method === asked.method && isType;
  }
  const [sessionCase] = textsOf(spt, 'SessionCase');
  if (sessionCase !== undefined) return sessionCase === String(asked.sessionCase);
  const [header] = named(spt, 'SIPHeader');
  const value = asked.headers?.[textsOf(header!, 'Header')[0]!];
  const content = textsOf(header!, 'Content')[0]!;
  return value !== undefined && new RegExp(`^(?:${content})$`).test(value);
}

const large = { 'Accept-Contact': '*;+g.oma.sip-im.large-message;require' };

test.each<[string, Asked, boolean]>([
  ['the first registration', { method: 'REGISTER', registration: 0 }, true],
  ['the next one', { method: 'REGISTER', registration: 1 }, true],
  ['the last one', { method: 'REGISTER', registration: 2 }, true],
  ['a message for who is registered', { method: 'MESSAGE', sessionCase: 1 }, true],
  ['a message for who is not', { method: 'MESSAGE', sessionCase: 2 }, true],
  ['a message of the user', { method: 'MESSAGE', sessionCase: 0 }, false],
  ['a large message', { method: 'INVITE', sessionCase: 2, headers: large }, true],
  ['a call', { method: 'INVITE', sessionCase: 1, headers: {} }, false],
  [
    'message waiting',
    { method: 'SUBSCRIBE', sessionCase: 0, headers: { Event: 'message-summary' } },
    true,
  ],
  ['settings', { method: 'PUBLISH', sessionCase: 0, headers: { Event: 'im-settings' } }, true],
  ['presence', { method: 'PUBLISH', sessionCase: 0, headers: { Event: 'presence' } }, false],
])('U22: by the example %s comes here, or not', (_name, asked, comes) => {
  expect(criteria.filter((one) => triggers(one, asked))).toHaveLength(comes ? 1 : 0);
});
