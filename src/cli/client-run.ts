/** Runs one command of the client: starts it, does the work, tells the outcome by exit code. */

import { ClientError, createImClient } from '../client/connect.js';
import type { ImClient, ImClientOptions } from '../client/connect.js';
import { createLadder } from '../testing/ladder.js';
import type { ClientOptions } from './client-options.js';
import { createOutput, printable, type Output } from './client-output.js';

/** Exit codes of the client commands. */
export const exitCode = { ok: 0, refused: 1, usage: 2, unreachable: 3 } as const;

export interface Work {
  readonly client: ImClient;
  readonly output: Output;
  /** Aborted by SIGINT and SIGTERM; the client stops in good order. */
  readonly signal: AbortSignal;
}

export async function runClient(
  options: ClientOptions,
  more: Partial<ImClientOptions>,
  work: (work: Work) => Promise<number>,
): Promise<void> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    const client = createImClient({ ...imOptions(options), ...more });
    const output = createOutput(options.json ?? false);
    try {
      await client.start();
      process.exitCode = await work({ client, output, signal: stopping.signal });
    } finally {
      await client.stop();
    }
  } catch (error) {
    process.exitCode = exitCodeOf(error);
    process.stderr.write(`poste-restante: ${printable(lineOf(error))}\n`);
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

/** Prints a refusal in one line; the exit code that goes with a status. */
export function told(
  output: Output,
  method: string,
  { status, reason, warning }: { status: number; reason: string; warning?: string },
): number {
  if (status < 300) return exitCode.ok;
  const hint = warning === undefined ? '' : ` (${warning})`;
  output.print(`${method} refused: ${status} ${reason}${hint}`, {
    event: 'refused',
    ...{ method, status, reason, warning },
  });
  return exitCode.refused;
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Never, when no time is given. */
export function elapsed(seconds: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (seconds !== undefined) setTimeout(resolve, seconds * 1000);
  });
}

function imOptions(options: ClientOptions): ImClientOptions {
  const { user, server, transport, local, displayName, deferred, assert, timeout } = options;
  const { password, authUser, md5, ca, xcap } = options;
  const asserted = assert && password === undefined ? ({ identity: 'asserted' } as const) : {};
  const named = authUser === undefined ? {} : { username: authUser };
  return {
    aor: user,
    server: { ...server, transport },
    ...(ca !== undefined && { tls: { ca: [ca] } }),
    ...(local !== undefined && { local: { host: local } }),
    ...(displayName !== undefined && { displayName }),
    ...(deferred !== undefined && { deferredUri: deferred }),
    // RFC 3325 9.1: an identity is asserted among those who trust each other, proven elsewhere.
    ...asserted,
    ...(xcap !== undefined && { xcap: { root: xcap, ...asserted } }),
    ...(password !== undefined && { credentials: { password, ...named, md5: md5 ?? false } }),
    ...(options.trace && { trace: ladderOnError(user) }),
    limits: { answerMs: timeout * 1000, bindMs: timeout * 1000, graceMs: 1_000 },
  };
}

function ladderOnError(user: string) {
  const ladder = createLadder({
    participants: [user, 'server'],
    gap: 60,
    onLine: (line) => process.stderr.write(`${line}\n`),
  });
  return ladder.trace(user);
}

/** System calls that fail because of the network; those of files are a matter of usage. */
const networkCalls = new Set(['bind', 'listen', 'connect', 'getaddrinfo', 'send']);

function exitCodeOf(error: unknown): number {
  if (!(error instanceof ClientError)) {
    return networkCalls.has(syscallOf(error)) ? exitCode.unreachable : exitCode.usage;
  }
  switch (error.code) {
    case 'CLIENT_TIMEOUT':
    case 'CLIENT_UNREACHABLE':
    case 'CLIENT_SESSION_LOST':
      return exitCode.unreachable;
    case 'CLIENT_USAGE':
      return exitCode.usage;
    default:
      return exitCode.refused;
  }
}

function syscallOf(error: unknown): string {
  return error instanceof Error && 'syscall' in error ? String(error.syscall) : '';
}

function lineOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : error.name;
  return error.message.startsWith(code) ? error.message : `${code}: ${error.message}`;
}
