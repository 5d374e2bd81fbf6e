/** The administration over HTTP: a listener of its own, and what every request goes through. */

import type { AddressInfo } from 'node:net';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { accountRoutes } from './account-resource.js';
import { createAuthorise } from './authorisation.js';
import type { AdminToken } from './authorisation.js';
import { backupRoutes } from './backup-resource.js';
import { healthRoutes } from './health.js';
import { ladderRoutes } from './ladder-resource.js';
import { mailboxRoutes } from './mailbox-resource.js';
import type { ImportLimits } from './mailbox-resource.js';
import { messageRoutes } from './message-resource.js';
import { metricsRoutes } from './metrics.js';
import { mailboxStreamType } from '../wire/mailbox-stream/frame.js';
import { operationRoutes } from './operation-resource.js';
import { apiDocument } from './openapi.js';
import type { AdminParts } from './parts.js';
import { AdminError, problemOf } from './problem.js';
import { addRoutes } from './route.js';
import type { Route } from './route.js';

/** PEM. With authorities, a client whose certificate they vouch for needs no token. */
export interface AdminTls {
  readonly certificate: Buffer;
  readonly key: Buffer;
  readonly authorities?: readonly Buffer[];
}

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  readonly tokens: readonly AdminToken[];
  /** Names of client certificates that count; absent: every one of the authorities. */
  readonly clientNames?: readonly string[];
  /** Whether metrics need no authorisation, as health does. */
  readonly openMetrics: boolean;
  readonly tls?: AdminTls;
  readonly limits: {
    /** Requests of one address within a minute. */
    readonly requestsPerMinute: number;
    readonly connections: number;
    readonly bodyOctets: number;
    /** ms for a request to come in. */
    readonly requestMs: number;
  } & ImportLimits;
}

export interface AdminEndpoint {
  /** Rejects with `ADMIN_LISTEN`. */
  start(): Promise<void>;
  readonly address: { readonly address: string; readonly port: number; readonly secure: boolean };
  /** Certificates for connections to come. */
  reload(tls: AdminTls): void;
  stop(): Promise<void>;
}

/** Addresses whose requests are counted. */
const addressesMax = 10_000;

export class AdminListenError extends Error {
  readonly code = 'ADMIN_LISTEN';
}

export async function createAdminEndpoint(
  parts: AdminParts,
  options: AdminOptions,
): Promise<AdminEndpoint> {
  let stopping = false;
  const app = openApp(options);
  await secure(app, options);
  app.setErrorHandler((error, request, reply) => refuse(parts, error, request, reply));
  app.addContentTypeParser(mailboxStreamType, (_request, payload, done) => done(null, payload));
  timeBodies(app, options.limits.requestMs);
  app.setNotFoundHandler((request, reply) => {
    const what = `${request.method} ${request.url.split('?', 1)[0]!}`;
    return refuse(parts, new AdminError('ADMIN_NOT_FOUND', `no ${what}`), request, reply);
  });
  const metrics = metricsRoutes(parts);
  const open = [...healthRoutes(parts, { isStopping: () => stopping })];
  const authorised = [
    ...[...accountRoutes(parts), ...messageRoutes(parts), ...operationRoutes(parts)],
    ...[...mailboxRoutes(parts, options.limits), ...backupRoutes(parts)],
    ...ladderRoutes(parts),
  ];
  (options.openMetrics ? open : authorised).push(...metrics);
  open.push(documentRoute(() => apiDocument(parts.version, { open, authorised })));
  addRoutes(app, open);
  await app.register((scope, _options, done) => {
    const authorise = createAuthorise(options.tokens, options.clientNames);
    scope.addHook('onRequest', (request, reply, next) => {
      if (authorise(request.raw) !== undefined) {
        next();
        return;
      }
      reply.header('WWW-Authenticate', 'Bearer');
      next(new AdminError('ADMIN_UNAUTHORISED', 'needs a token or a certificate'));
    });
    addRoutes(scope, authorised);
    done();
  });
  return {
    start: () => listen(app, options),
    get address() {
      const { address, port } = app.server.address() as AddressInfo;
      return { address, port, secure: options.tls !== undefined };
    },
    reload: (tls) => {
      if ('setSecureContext' in app.server) {
        (app.server as SecureServer).setSecureContext(secureContext(tls));
      }
    },
    stop: () => {
      stopping = true;
      return app.close();
    },
  };
}

/** A body has to be there in time; whoever reads a stream sees to that himself. */
function timeBodies(app: FastifyInstance, ms: number): void {
  app.addHook('onRequest', ({ raw, headers }, _reply, next) => {
    if (headers['content-type'] !== mailboxStreamType) {
      const timer = setTimeout(() => raw.destroy(), ms);
      raw.on('close', () => clearTimeout(timer));
    }
    next();
  });
}

interface SecureServer {
  setSecureContext(context: ReturnType<typeof secureContext>): void;
}

/** Throws `ADMIN_LISTEN` for certificates that cannot be used. */
function openApp(options: AdminOptions): FastifyInstance {
  try {
    return createApp(options);
  } catch (error) {
    throw unusable('certificate or key', error);
  }
}

function createApp({ limits, tls }: AdminOptions): FastifyInstance {
  const base = {
    logger: false,
    bodyLimit: limits.bodyOctets,
    // Streams take their time: see `timeBodies`.
    requestTimeout: 0,
    connectionTimeout: 60_000,
    keepAliveTimeout: 30_000,
    // What nobody understands is refused, never mended.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false } },
    routerOptions: { maxParamLength: 3_072 },
    forceCloseConnections: true,
  } as const;
  const app = tls
    ? (fastify({ ...base, https: secureContext(tls) }) as unknown as FastifyInstance)
    : fastify(base);
  app.server.maxConnections = limits.connections;
  app.server.headersTimeout = limits.requestMs;
  return app;
}

function secureContext({ certificate, key, authorities }: AdminTls) {
  return {
    cert: certificate,
    key,
    minVersion: 'TLSv1.2',
    ...(authorities && { ca: [...authorities], requestCert: true, rejectUnauthorized: false }),
  } as const;
}

async function secure(app: FastifyInstance, { limits }: AdminOptions): Promise<void> {
  await app.register(helmet);
  await app.register(rateLimit, {
    global: false,
    max: limits.requestsPerMinute,
    timeWindow: 60_000,
    cache: addressesMax,
    errorResponseBuilder: () => new AdminError('ADMIN_TOO_MANY', 'too many requests; slow down'),
  });
  // Of the root, so that it comes before anybody's token is looked at.
  app.addHook('onRequest', app.rateLimit());
}

function documentRoute(document: () => unknown): Route {
  return {
    ...{ method: 'GET', url: '/openapi.json', summary: 'This document' },
    answers: { 200: { description: 'OpenAPI 3.1', schema: { type: 'object' } } },
    handle: document,
  };
}

function refuse(
  { log }: AdminParts,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const problem = problemOf(error);
  const { status, code } = problem;
  const fields = { code, method: request.method, route: request.routeOptions.url ?? '' };
  if (code === 'ADMIN_FAILED') log.error({ ...fields, err: error }, 'request failed');
  else if (status >= 500) log.warn(fields, 'request failed');
  if (status === 503) reply.header('Retry-After', '5');
  // What is left of the body is not waited for.
  if (!request.raw.complete) reply.header('Connection', 'close');
  return reply.code(status).type('application/problem+json').send(problem);
}

async function listen(app: FastifyInstance, { host, port }: AdminOptions): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw unusable(`${host}:${port}`, error);
  }
}

function unusable(what: string, error: unknown): AdminListenError {
  const why = error instanceof Error ? error.message : String(error);
  return new AdminListenError(`ADMIN_LISTEN: ${what}: ${why}`, { cause: error });
}
