/** The description of the interface (OpenAPI 3.1), made of the declarations of its routes. */

import type { Route, RouteAnswer } from './route.js';
import type { JsonSchema } from './schema.js';
import * as schema from './schema.js';

export interface ApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: unknown;
}

/** What each request that needs to be authorised may get. */
const refused: Readonly<Record<number, RouteAnswer>> = {
  400: { description: 'The request is not understood', schema: schema.problem },
  401: { description: 'Neither token nor certificate', schema: schema.problem },
  429: { description: 'Too many requests of one address', schema: schema.problem },
  503: { description: 'The store or the account takes nothing now', schema: schema.problem },
};

export function apiDocument(
  version: string,
  routes: { readonly open: readonly Route[]; readonly authorised: readonly Route[] },
): ApiDocument {
  const paths: Record<string, Record<string, unknown>> = {};
  const add = (route: Route, isAuthorised: boolean): void => {
    const path = route.url.replaceAll(/:(\w+)/g, '{$1}');
    const operations = (paths[path] ??= {});
    operations[route.method.toLowerCase()] = operation(route, isAuthorised);
  };
  for (const route of routes.open) add(route, false);
  for (const route of routes.authorised) add(route, true);
  const token = { type: 'http', scheme: 'bearer' };
  return {
    openapi: '3.1.0',
    info: { title: 'Poste Restante: administration', version },
    paths,
    components: { securitySchemes: { token, certificate: { type: 'mutualTLS' } } },
  };
}

function operation(route: Route, isAuthorised: boolean): unknown {
  const { summary, params, query, body, bodyType } = route;
  const parameters = [...fields(params, 'path'), ...fields(query, 'query')];
  const answers = isAuthorised ? { ...refused, ...route.answers } : route.answers;
  return {
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: content('application/json', body) }),
    ...(bodyType !== undefined && { requestBody: content(bodyType, { type: 'string' }) }),
    responses: Object.fromEntries(
      Object.entries(answers).map(([status, answer]) => [status, response(answer)]),
    ),
    ...(isAuthorised && { security: [{ token: [] }, { certificate: [] }] }),
  };
}

function content(type: string, of: JsonSchema): unknown {
  return { required: true, content: { [type]: { schema: of } } };
}

function response({ description, schema: of, type }: RouteAnswer): unknown {
  const isProblem = of === schema.problem;
  const name = type ?? (isProblem ? 'application/problem+json' : 'application/json');
  const given = of ?? { type: 'string' };
  return { description, content: { [name]: { schema: given } } };
}

function fields(of: JsonSchema | undefined, place: 'path' | 'query'): unknown[] {
  if (!of) return [];
  return Object.entries(of['properties'] as Record<string, JsonSchema>).map(([name, field]) => ({
    name,
    in: place,
    required: place === 'path',
    schema: field,
  }));
}
