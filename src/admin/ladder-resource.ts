/** `…/messages/{id}/ladder` and `/v1/calls/{callId}/ladder`: what passed, as far as it is held. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { accountAt } from './identity.js';
import type { AdminParts, LadderForm } from './parts.js';
import { AdminError } from './problem.js';
import type { Route } from './route.js';
import * as schema from './schema.js';

const types: Readonly<Record<LadderForm, string>> = {
  text: 'text/plain; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/json',
};

const answers = {
  200: { description: 'The ladder', type: types.text },
  404: { description: 'Nothing of it is held', schema: schema.problem },
  501: { description: 'This server holds no trace', schema: schema.problem },
};

export function ladderRoutes(parts: AdminParts): Route[] {
  const ladders = () => {
    if (parts.ladders) return parts.ladders;
    throw new AdminError('ADMIN_NO_TRACE', 'admin.traceOctets is 0');
  };
  return [
    {
      ...{ method: 'GET', url: '/v1/accounts/:aor/messages/:id/ladder' },
      ...{ params: schema.messageParams, query: schema.ladderQuery, answers },
      summary: 'The life of a message across SIP, MSRP, XCAP and turns, also when it is gone',
      handle: async (request, reply) => {
        const { message } = ladders();
        const { aor, id } = request.params as { readonly aor: string; readonly id: string };
        const account = await accountAt(parts, aor);
        return shown(request, reply, (form) => message(id, account, form));
      },
    },
    {
      ...{ method: 'GET', url: '/v1/calls/:callId/ladder' },
      ...{ params: schema.callParams, query: schema.ladderQuery, answers },
      summary: 'A call, by its Call-ID',
      handle: (request, reply) => {
        const { call } = ladders();
        const { callId } = request.params as { readonly callId: string };
        return shown(request, reply, (form) => call(callId, form));
      },
    },
  ];
}

function shown(
  { query }: FastifyRequest,
  reply: FastifyReply,
  make: (form: LadderForm) => string | undefined,
): FastifyReply {
  const { format = 'text' } = query as { readonly format?: LadderForm };
  const ladder = make(format);
  if (ladder === undefined) throw new AdminError('ADMIN_NO_LADDER', 'nothing of it is held');
  return reply.type(types[format]).send(ladder);
}
