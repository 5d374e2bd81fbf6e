/** Who is the deferred messaging server in a trace: told by what is said to it and by it. */

import { WireError } from '../../wire/error.js';
import type { SipMessage } from '../../wire/sip/message.js';
import { parseUri } from '../../wire/sip/uri.js';
import { parseVia } from '../../wire/sip/via.js';
import { parseCseq } from '../../wire/sip/cseq.js';
import type { Spoken, SpokenSip } from './spoken.js';

const product = /^IM-serv\//i;
/** Users of the URIs that only a deferred messaging server has (S3 11.3.1.1, D-31). */
const services = new Set(['Deferred', 'Delete']);

/**
 * The addresses of the server, each `host:port`. Sure signs are its own name and its own URIs;
 * where there are none, what only a store is asked or says.
 */
export function serversOf(spoken: readonly Spoken[]): ReadonlySet<string> {
  const sure = new Set<string>();
  const likely = new Map<string, number>();
  for (const one of spoken) {
    if (one.kind !== 'sip') continue;
    const { source, target } = one.observed;
    if (names(one.message)) sure.add(source);
    if (isForService(one.message)) sure.add(target);
    for (const address of suspects(one)) likely.set(address, (likely.get(address) ?? 0) + 1);
  }
  const found = sure.size > 0 ? sure : mostOf(likely);
  return withSentBy(spoken, found);
}

function names(message: SipMessage): boolean {
  const field = message.kind === 'request' ? 'user-agent' : 'server';
  return product.test(message.header(field) ?? '');
}

function isForService(message: SipMessage): boolean {
  if (message.kind !== 'request') return false;
  return services.has(userOf(message.uri) ?? '');
}

/** Whoever stores answers MESSAGE with 202 or 603, and tells of messages that wait. */
function suspects({ message, observed: { source, target } }: SpokenSip): readonly string[] {
  const method = methodOf(message);
  if (message.kind === 'response') {
    const { status } = message;
    return method === 'MESSAGE' && (status === 202 || status === 603) ? [source] : [];
  }
  const event = message.header('event')?.split(';')[0]?.trim().toLowerCase();
  if (event !== 'message-summary') {
    return method === 'REGISTER' || method === 'MESSAGE' ? [target] : [];
  }
  return method === 'SUBSCRIBE' ? [target, target] : method === 'NOTIFY' ? [source, source] : [];
}

function mostOf(counted: ReadonlyMap<string, number>): ReadonlySet<string> {
  const most = Math.max(0, ...counted.values());
  return new Set([...counted].filter(([, count]) => count === most).map(([address]) => address));
}

/** Over TCP it also speaks from ports that it does not listen at, and says in Via who it is. */
function withSentBy(spoken: readonly Spoken[], found: ReadonlySet<string>): ReadonlySet<string> {
  const servers = new Set(found);
  for (const one of spoken) {
    if (one.kind !== 'sip' || one.message.kind !== 'request') continue;
    const sentBy = sentByOf(one.message);
    if (sentBy !== undefined && found.has(sentBy)) servers.add(one.observed.source);
  }
  return servers;
}

/** `host:port` of the topmost Via. */
export function sentByOf(message: SipMessage): string | undefined {
  try {
    const { host, port = 5060 } = parseVia(message.list('via')[0] ?? '');
    return `${host}:${port}`;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** The method a message is about: of a response that of its CSeq. */
export function methodOf(message: SipMessage): string {
  if (message.kind === 'request') return message.method;
  try {
    return parseCseq(message.header('cseq') ?? '').method;
  } catch (error) {
    if (error instanceof WireError) return '';
    throw error;
  }
}

/** The user part of a sip URI. */
export function userOf(uri: string): string | undefined {
  try {
    const parsed = parseUri(uri);
    return parsed.scheme === 'sip' || parsed.scheme === 'sips' ? parsed.user : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
