/** What an operator does while the server runs: pause, requeue, drain (U25). */

import type { FastifyRequest } from 'fastify';
import { accountAt } from './identity.js';
import { serialOf } from './message-resource.js';
import type { AdminParts } from './parts.js';
import { AdminError } from './problem.js';
import type { Route } from './route.js';
import * as schema from './schema.js';

const params = schema.accountParams;
const noAccount = { description: 'Nobody is served so', schema: schema.problem };

export function operationRoutes(parts: AdminParts): Route[] {
  return [
    ...(['pause', 'resume'] as const).map((word): Route => {
      const paused = word === 'pause';
      return {
        ...{ method: 'POST', url: `/v1/accounts/:aor/${word}`, params },
        summary: paused
          ? 'Stops delivery: nothing is pushed or passed on; storing, retrieval and expiry go on'
          : 'Resumes delivery, and pushes what waits',
        answers: { 200: { description: 'Done', schema: schema.paused }, 404: noAccount },
        handle: async (request) => {
          await parts.accounts.pause(await accountAt(parts, aorOf(request)), paused);
          return { paused };
        },
      };
    }),
    {
      ...{ method: 'POST', url: '/v1/accounts/:aor/messages/:id/requeue' },
      params: schema.messageParams,
      summary: 'A message that was delivered and kept is new again, and is pushed',
      answers: {
        200: { description: 'It is new', schema: schema.requeued },
        404: { description: 'No such account or message', schema: schema.problem },
      },
      handle: async (request) => {
        const { id } = request.params as { readonly id: string };
        const account = await accountAt(parts, aorOf(request));
        const serial = serialOf(parts, id);
        if (serial > 0 && (await parts.accounts.requeue(account, serial))) {
          return { requeued: true };
        }
        throw new AdminError('ADMIN_NO_MESSAGE', `${id} is not stored`);
      },
    },
    ...drainRoutes(parts),
  ];
}

function drainRoutes({ intake }: AdminParts): Route[] {
  const draining = { description: 'How it stands', schema: schema.draining };
  return (['GET', 'PUT', 'DELETE'] as const).map((method) => ({
    ...{ method, url: '/v1/drain' },
    summary: {
      GET: 'Whether the server takes requests that begin something',
      PUT: 'Requests that begin something get 503 until this is taken back or the server restarts',
      DELETE: 'Requests are taken again',
    }[method],
    answers: { 200: draining },
    handle: () => {
      if (method !== 'GET') intake.drain(method === 'PUT');
      return { draining: intake.isDraining() };
    },
  }));
}

function aorOf(request: FastifyRequest): string {
  return (request.params as { readonly aor: string }).aor;
}
