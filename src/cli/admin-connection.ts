/** How the commands of the operator reach the administration of a server. */

import { readFileSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { readSettings, settingsOf } from '../config.js';

export interface ConnectionOptions {
  readonly url?: string;
  readonly token?: string;
  readonly ca?: string;
  readonly config?: string;
}

/** Where results go: one JSON value in a line. */
export type Print = (value: unknown) => void;

export const printLine: Print = (value) => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};

/** Refused: `code` and text are the server's. Unreachable: nobody answered. */
export class OperatorError extends Error {
  readonly code: string;
  readonly exitCode: number;

  constructor(code: string, message: string, exitCode = 1) {
    super(message);
    this.name = 'OperatorError';
    this.code = code;
    this.exitCode = exitCode;
  }
}

export function withConnection(command: Command): Command {
  return command
    .option('--url <url>', 'the administration; or POSTE_RESTANTE_URL, or from --config')
    .option('--token <token>', 'what authorises; better POSTE_RESTANTE_TOKEN, or from --config')
    .option('--ca <file>', 'who vouches for the certificate of the server (PEM)')
    .option('-c, --config <file>', 'settings of the server on this machine (YAML)');
}

interface Target {
  readonly url: URL;
  readonly token: string | undefined;
  readonly ca: Buffer | undefined;
}

function targetOf(options: ConnectionOptions): Target {
  const admin = options.config === undefined ? undefined : adminOf(options.config);
  const text = options.url ?? process.env['POSTE_RESTANTE_URL'] ?? admin?.url;
  const url = URL.canParse(text ?? '') ? new URL(text!) : new URL('http://127.0.0.1:8060');
  if (text !== undefined && !URL.canParse(text)) throw unusable(`${text} is no URL`);
  const token = options.token ?? process.env['POSTE_RESTANTE_TOKEN'] ?? admin?.token;
  const ca = options.ca === undefined ? undefined : readFileSync(options.ca);
  return { url, token, ca };
}

function adminOf(path: string): { readonly url: string; readonly token: string | undefined } {
  const { admin } = settingsOf(readSettings(path));
  if (!admin) throw unusable(`${path} has no section admin`);
  const { host, port, tls, tokens } = admin;
  const name = host.includes(':') ? `[${host}]` : host;
  const url = `${tls ? 'https' : 'http'}://${name}:${port}`;
  return { url, token: tokens.find(({ token }) => token !== undefined)?.token };
}

function unusable(message: string): OperatorError {
  return new OperatorError('OPERATOR_USAGE', message, 2);
}

/** Octets of an answer; a page of a thousand messages is far below. */
const answerMax = 64 * 1024 * 1024;
const waitMs = 60_000;

/** The body of a 2xx; throws `OperatorError` for everything else. */
export function ask(
  options: ConnectionOptions,
  method: string,
  path: string,
  body?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Record<string, unknown>> {
  const { url, token, ca } = targetOf(options);
  const text = body === undefined ? undefined : JSON.stringify(body);
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const unreachable = (error: Error): void =>
      reject(new OperatorError('OPERATOR_UNREACHABLE', `${url.origin}: ${error.message}`, 3));
    const asked = send(new URL(path, url), {
      method,
      timeout: waitMs,
      ...(ca && { ca }),
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(text !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
    });
    asked.on('error', unreachable);
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.on('response', (answer) => {
      let received = '';
      answer.setEncoding('utf8').on('data', (piece: string) => {
        received += piece;
        if (received.length > answerMax) answer.destroy(new Error('the answer is too long'));
      });
      answer.on('error', unreachable);
      answer.on('end', () => {
        try {
          resolve(outcomeOf(answer.statusCode ?? 0, received));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
    asked.end(text);
  });
}

/** The octets of a 200, piece by piece; throws `OperatorError` for everything else. */
export function fetchOctets(options: ConnectionOptions, path: string): Promise<IncomingMessage> {
  const { url, token, ca } = targetOf(options);
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const unreachable = (error: Error): void =>
      reject(new OperatorError('OPERATOR_UNREACHABLE', `${url.origin}: ${error.message}`, 3));
    const asked = send(new URL(path, url), {
      timeout: waitMs,
      ...(ca && { ca }),
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    });
    asked.on('error', unreachable);
    asked.on('timeout', () => asked.destroy(new Error('no answer in time')));
    asked.on('response', (answer) => {
      if (answer.statusCode === 200) {
        resolve(answer);
        return;
      }
      textOf(answer)
        .then((text) => outcomeOf(answer.statusCode ?? 0, text))
        .catch(reject);
    });
    asked.end();
  });
}

/** Sends octets piece by piece; the body of a 2xx, or an `OperatorError`. */
export async function sendOctets(
  options: ConnectionOptions,
  path: string,
  type: string,
  octets: Readable,
): Promise<Record<string, unknown>> {
  const { url, token, ca } = targetOf(options);
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const asked = send(new URL(path, url), {
    method: 'POST',
    ...(ca && { ca }),
    headers: {
      'content-type': type,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    asked.on('response', resolve).on('error', reject);
  });
  octets.on('error', (error) => asked.destroy(error));
  octets.pipe(asked);
  try {
    const answer = await answered;
    const text = await textOf(answer);
    return outcomeOf(answer.statusCode ?? 0, text);
  } catch (error) {
    if (error instanceof OperatorError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new OperatorError('OPERATOR_UNREACHABLE', `${url.origin}: ${why}`, 3);
  } finally {
    octets.destroy();
    asked.destroy();
  }
}

/** Of an answer that is no JSON. */
export async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const piece of answer.setEncoding('utf8')) {
    text += String(piece);
    if (text.length > answerMax) throw unusable('the answer is too long');
  }
  return text;
}

function outcomeOf(status: number, text: string): Record<string, unknown> {
  let body: Record<string, unknown>;
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Something else than our server answers there.
    throw new OperatorError('OPERATOR_UNREACHABLE', `status ${status}, and no JSON`, 3);
  }
  if (status >= 200 && status < 300) return body;
  const { code, detail } = body;
  throw new OperatorError(
    typeof code === 'string' ? code : 'OPERATOR_UNREACHABLE',
    typeof detail === 'string' ? detail : `status ${status}`,
  );
}

export function accountPath(aor: string, rest = ''): string {
  return `/v1/accounts/${encodeURIComponent(aor)}${rest}`;
}
