/** Where a session connects to (MSRP-15). */

import type { MsrpRemote } from '../../ports.js';
import { WireError } from '../../wire/error.js';
import { isMsrpUri, parseMsrpUri } from '../../wire/msrp/uri.js';
import type { Target } from './carrier.js';

/** The discard port: a path with it is never connected to (SDP-06). */
const discardPort = 9;

/** Where the leftmost URI of a path leads, if it can be connected to. */
export function targetOf(path: readonly string[]): Target | undefined {
  if (!path.every(isMsrpUri)) return undefined;
  try {
    const { host, port, secure, transport } = parseMsrpUri(path[0] ?? '');
    if (transport !== 'tcp' || port === undefined || port === discardPort) return undefined;
    return { secure, host: host.startsWith('[') ? host.slice(1, -1) : host, port };
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return undefined;
  }
}

/** RFC 6714: an address given beside the path counts instead of that of its leftmost URI. */
export function remoteTarget(
  path: readonly string[],
  address: MsrpRemote['address'],
): Target | undefined {
  const target = targetOf(path);
  return target && address ? { ...target, ...address } : target;
}
