/** Digest authentication of users by the HTTP faces, with the credentials of SIP (RFC 7616). */

import type { Clock, HttpAuthentication, HttpVerdict, Log, Random } from '../ports.js';
import { Authentication } from './authentication.js';
import type { AuthenticationOptions, Verdict } from './authentication.js';

/** Nonces and failures are its own: those of SIP count for SIP. */
export function createHttpAuthentication(
  options: AuthenticationOptions,
  world: { readonly clock: Clock; readonly random: Random; readonly log: Log },
): HttpAuthentication {
  const authentication = new Authentication(options, world);
  return {
    challenges: (address, stale) =>
      authentication.challenges({ address }, stale).map(([, value]) => value),
    judge: ({ method, uri, authorization, body, address }) => {
      const fields = (name: string) => (name === 'authorization' ? [...authorization] : []);
      const verdict = authentication.judge({ method, uri, body, fields }, { address });
      return verdict instanceof Promise ? verdict.then(httpVerdict) : httpVerdict(verdict);
    },
  };
}

function httpVerdict(verdict: Verdict): HttpVerdict {
  switch (verdict.kind) {
    case 'authenticated':
      return { kind: 'proven', identity: verdict.identity };
    case 'unproven':
      return { kind: 'unproven', stale: verdict.cause === 'stale' };
    default:
      return verdict;
  }
}
