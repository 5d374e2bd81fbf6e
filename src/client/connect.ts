/** The IM client joined to real sockets: the one file of the client that knows the transports. */

import type { ImClient, ImClientOptions } from './im-client.js';

/** Makes a client; nothing is opened before `start`. */
export function createImClient(options: ImClientOptions): ImClient {
  throw new Error(options.aor);
}
