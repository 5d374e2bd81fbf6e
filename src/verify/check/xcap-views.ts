/** Which XDMSes of a trace show the store of the server itself, and which keep what they are told. */

import type { SipMessage } from '../../wire/sip/message.js';
import type { Conversation } from './conversation.js';
import { isChange, type XcapExchange } from './xcap-exchange.js';

/**
 * Addresses of those on a host of the server that call themselves by the name of its product, and in
 * which nobody but the owners has changed metadata, as a store does that keeps its own elsewhere.
 */
export function viewsOf(
  { servers, xcap, exchanges }: Conversation,
  isOfOwner: (exchange: XcapExchange) => boolean,
): ReadonlySet<string> {
  const hosts = new Set([...servers].map(hostOf));
  const products = new Set<string>();
  for (const { inbound, request, final } of exchanges) {
    const said = inbound ? final?.message : request.message;
    for (const product of said === undefined ? [] : productsIn(saidIn(said))) products.add(product);
  }
  const views = new Set<string>();
  const kept = new Set<string>();
  for (const exchange of xcap) {
    const { target } = exchange.request.observed;
    const own = productsIn(exchange.answer?.fields.get('server'));
    if (hosts.has(hostOf(target)) && own.some((product) => products.has(product))) {
      views.add(target);
    }
    if (isOfStore(exchange) && !isOfOwner(exchange)) kept.add(target);
  }
  for (const target of kept) views.delete(target);
  return views;
}

function isOfStore(exchange: XcapExchange): boolean {
  const { subject, method, asker } = exchange;
  const isNamed = asker !== undefined || method === 'PUT';
  return subject === 'history' && method !== 'GET' && isNamed && isChange(exchange);
}

function saidIn(message: SipMessage): string | undefined {
  return message.header(message.kind === 'request' ? 'user-agent' : 'server');
}

/** Without versions, and without what every server of its kind says. */
function productsIn(said: string | undefined): string[] {
  const names = (said ?? '').split(/\s+/).map((token) => token.split('/', 1)[0]!);
  return names.filter((name) => name !== '' && !/^(?:IM|XDM)-(?:serv|client)$/i.test(name));
}

function hostOf(address: string): string {
  return address.replace(/:\d+$/, '');
}
