/** The Contact of each actor: its URI here, and what it is (STANDARDS 5). */

import type { Address } from '../machines/events.js';
import type { AccountId, Peer, SipPort } from '../ports.js';
import { imTag, largeMessageTag } from './product.js';

/** The Contact of an actor, as name-addr with parameters. */
export function contactOf(
  sip: SipPort,
  account: AccountId,
  by: Address,
  transport?: Peer['transport'],
): string {
  const number = by.slice(by.indexOf('/') + 1);
  if (by.startsWith('push/')) return `<${sip.contactUri(`push${number}`)}>;automata;${imTag}`;
  if (by.startsWith('focus/')) {
    const uri = sip.contactUri(focusUser(account, Number(number)), transport);
    return `<${uri}>;automata;isfocus;${imTag}`;
  }
  // Its features are those of the party behind it.
  if (by.startsWith('bridge/')) return `<${sip.contactUri(`bridge-${number}`, transport)}>`;
  if (by.startsWith('recording/')) {
    const uri = sip.contactUri(`rec-${number}`, transport);
    return `<${uri}>;automata;${imTag};${largeMessageTag}`;
  }
  return `<${sip.contactUri(watcherUser(account))}>;automata`;
}

/** The same towards the client of a session that is passed on: it names whose client that is. */
export function clientContactOf(
  sip: SipPort,
  account: AccountId,
  by: Address,
  transport?: Peer['transport'],
): string {
  const number = Number(by.slice(by.indexOf('/') + 1));
  return `<${sip.contactUri(bridgeUser(account, number), transport)}>`;
}

/** The user part, unescaped, under which requests of such a client come back. */
function bridgeUser(account: AccountId, bridge: number): string {
  return `bridge-${bridge}.${account}`;
}

/** The account in such a user part, escaped as it came; undefined when it is not one of ours. */
export function bridgedAccount(user: string): AccountId | undefined {
  const [, account] = /^bridge-[1-9][0-9]{0,14}\.(.+)$/.exec(user) ?? [];
  return account === undefined ? undefined : unescaped(account);
}

/** The user part, unescaped, of a conference: whose it is, and which. */
export function focusUser(account: AccountId, focus: number): string {
  return `conf-${focus}.${account}`;
}

/** Whose conference, and which. */
export interface ConferenceName {
  readonly account: AccountId;
  readonly focus: number;
}

/** The conference that such a user part names, escaped as it came; undefined when it is none. */
export function conferenceUri(user: string): ConferenceName | undefined {
  const [, focus, account] = /^conf-([1-9][0-9]{0,14})\.(.+)$/.exec(user) ?? [];
  const name = account === undefined ? undefined : unescaped(account);
  return name === undefined ? undefined : { account: name, focus: Number(focus) };
}

/** The user part, unescaped, under which refreshes of a subscription come back. */
export function watcherUser(account: AccountId): string {
  return `mwi.${account}`;
}

/** The account in such a user part, escaped as it came; undefined when it is not one of ours. */
export function watchedAccount(user: string): AccountId | undefined {
  return user.startsWith('mwi.') ? unescaped(user.slice(4)) : undefined;
}

function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    // The only failure is a malformed escape, which we never wrote.
    return undefined;
  }
}
