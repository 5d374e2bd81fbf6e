/** A real server with its administration, and requests to it over real sockets. */

import type { SettingsInput } from '../../src/config.js';
import { startWorld } from '../e2e/world.js';
import type { World } from '../e2e/world.js';

export interface Message {
  readonly id: string;
  readonly serial: number;
  readonly expiresAt: string;
}

/** Whatever an answer may have in it; the test knows what it asked for. */
export interface AnswerBody {
  readonly code: string;
  readonly next?: string;
  readonly accounts: readonly { account: string; provisioned: boolean; disabled: boolean }[];
  readonly messages: number;
  readonly octets: number;
  readonly oldestAt: string;
  readonly limits: object;
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface Operation {
  readonly security?: unknown;
  readonly requestBody: { readonly content: Record<string, { readonly schema: object }> };
  readonly parameters: readonly object[];
  readonly responses: object;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: AnswerBody;
}

export interface Asking {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly token?: string | null;
}

export interface AdminWorld extends World {
  ask(method: string, path: string, more?: Asking): Promise<Answer>;
  readonly url: () => string;
}

export const token = 'a-token-of-the-tests';

export async function startAdmin(
  more: {
    readonly admin?: SettingsInput['admin'];
    readonly identity?: SettingsInput['identity'];
    readonly limits?: SettingsInput['limits'];
    readonly bounds?: SettingsInput['bounds'];
  } = {},
): Promise<AdminWorld> {
  const admin = { port: 0, tokens: [{ name: 'tests', token }], ...more.admin };
  const identity = more.identity && { identity: more.identity };
  const bounds = more.bounds && { bounds: more.bounds };
  const world = await startWorld(more.limits, 'udp', { admin, ...identity, ...bounds });
  const url = (): string => `http://127.0.0.1:${world.server.admin!.port}`;
  return Object.assign(world, {
    url,
    async ask(method: string, path: string, asking: Asking = {}): Promise<Answer> {
      const { body, headers = {}, token: given = token } = asking;
      const response = await fetch(`${url()}${path}`, {
        method,
        headers: {
          ...(given !== null && { authorization: `Bearer ${given}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && {
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
      });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get('content-type') ?? '');
      const { status, headers: fields } = response;
      return {
        status,
        headers: fields,
        text,
        body: (isJson ? JSON.parse(text) : {}) as AnswerBody,
      };
    },
  });
}

export function account(aor: string): string {
  return `/v1/accounts/${encodeURIComponent(aor)}`;
}

export function messagesOf({ body }: Answer): readonly Message[] {
  return body.messages as unknown as readonly Message[];
}
