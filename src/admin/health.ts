/** `/healthz`, `/readyz`: whether the process lives, and whether it can serve. */

import type { AdminParts } from './parts.js';
import { AdminError } from './problem.js';
import type { Route } from './route.js';
import * as schema from './schema.js';

export interface Readiness {
  /** The server takes no more. */
  readonly isStopping: () => boolean;
}

export function healthRoutes(parts: AdminParts, { isStopping }: Readiness): Route[] {
  const healthy = { description: 'It does', schema: schema.status };
  return [
    {
      ...{ method: 'GET', url: '/healthz', summary: 'Whether the process lives' },
      answers: { 200: healthy },
      handle: () => ({ status: 'ok' }),
    },
    {
      ...{ method: 'GET', url: '/readyz', summary: 'Whether the store can be read' },
      answers: { 200: healthy, 503: { description: 'It cannot', schema: schema.problem } },
      handle: async () => {
        if (isStopping()) throw new AdminError('ADMIN_STOPPING', 'the server is being stopped');
        if (parts.intake.isDraining()) throw new AdminError('ADMIN_DRAINING', 'is being drained');
        await parts.accounts.accounts({ limit: 1 });
        return { status: 'ready' };
      },
    },
  ];
}
