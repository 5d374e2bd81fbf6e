/** Why a call of the user got no answer, as an error with a code. */

import { ClientError } from './im-client.js';
import type { ClientWorld } from './world.js';

export function callFailure(
  cause: 'timeout' | 'transport' | 'withdrawn',
  method: string,
  world: ClientWorld,
): ClientError {
  const { host, port, transport } = world.options.server;
  const server = `${host}:${port} (${transport})`;
  switch (cause) {
    case 'timeout':
      return new ClientError('CLIENT_TIMEOUT', `${server} did not answer ${method} in time`);
    case 'transport':
      return new ClientError('CLIENT_UNREACHABLE', `${server} cannot be reached`);
    case 'withdrawn':
      return new ClientError('CLIENT_CANCELLED', `${method} was cancelled`);
  }
}
