/** The MSRP endpoint: listener, sessions and connections behind `MsrpPort` (RFC 4975). */

import { MsrpError } from './options.js';
import type { MsrpEndpoint, MsrpEndpointOptions } from './options.js';

export type { MsrpEndpoint, MsrpEndpointOptions, MsrpLimits } from './options.js';

/** Makes an endpoint that serves both roles: active and passive, sender and receiver. */
export function createMsrpEndpoint(options: MsrpEndpointOptions): MsrpEndpoint {
  throw new MsrpError('MSRP_UNAVAILABLE', `cannot listen on ${options.host}`);
}
