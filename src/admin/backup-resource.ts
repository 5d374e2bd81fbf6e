/** `/v1/backup`: the whole store in one stream while it is served, as it was at one moment. */

import { Readable } from 'node:stream';
import type { AdminParts } from './parts.js';
import { AdminError } from './problem.js';
import type { Route } from './route.js';
import * as schema from './schema.js';

export const backupType = 'application/vnd.poste-restante.backup';

/** One at a time: each holds back what the store may clear away meanwhile. */
export function backupRoutes(parts: AdminParts): Route[] {
  let busy = false;
  return [
    {
      ...{ method: 'GET', url: '/v1/backup' },
      summary:
        'Everything that is stored, for `store restore`; the end of the stream proves it whole',
      answers: {
        200: { description: 'The backup', type: backupType },
        409: { description: 'One is being taken already', schema: schema.problem },
        501: { description: 'This store has none', schema: schema.problem },
      },
      handle: (_request, reply) => {
        const { backup, log } = parts;
        if (!backup) throw new AdminError('ADMIN_NO_BACKUP', 'this store cannot be copied so');
        if (busy) throw new AdminError('ADMIN_BACKUP_BUSY', 'a backup is being taken already');
        busy = true;
        const octets = Readable.from(backup(), { objectMode: false });
        octets.on('error', (error) => log.error({ err: error }, 'backup failed'));
        // Also when whoever asked for it has gone.
        octets.on('close', () => (busy = false));
        return reply.type(backupType).send(octets);
      },
    },
  ];
}
