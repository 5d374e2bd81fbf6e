/** How a resource declares what it answers: one declaration is route, check and documentation. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { JsonSchema } from './schema.js';

export interface RouteAnswer {
  readonly description: string;
  readonly schema?: JsonSchema;
  readonly type?: string;
}

export interface Route {
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';
  /** As fastify writes it, with `:name`. */
  readonly url: string;
  readonly summary: string;
  readonly params?: JsonSchema;
  readonly query?: JsonSchema;
  readonly body?: JsonSchema;
  /** Of a body that is read piece by piece. */
  readonly bodyType?: string;
  readonly answers: Readonly<Record<number, RouteAnswer>>;
  handle(request: FastifyRequest, reply: FastifyReply): unknown;
}

export function addRoutes(app: FastifyInstance, routes: readonly Route[]): void {
  for (const { method, url, params, query, body, handle } of routes) {
    app.route({
      method,
      url,
      schema: {
        ...(params && { params }),
        ...(query && { querystring: query }),
        ...(body && { body }),
      },
      handler: handle,
    });
  }
}
