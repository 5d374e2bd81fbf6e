/** `poste-restante verify check`: whether a trace of a deferred messaging server conforms. */

import { Command } from 'commander';
import { readCapture } from '../verify/capture/read.js';
import { checkTrace, type CheckOptions } from '../verify/check/check.js';
import type { Verdict, Violation } from '../verify/check/verdict.js';
import { VerifyError } from '../verify/verify-error.js';

interface Options {
  readonly server?: readonly string[];
  readonly json?: boolean;
  readonly all?: boolean;
  readonly fromStart?: boolean;
}

const violates = 1;
const unusable = 2;

export function verifyCheckCommand(
  write = (text: string): unknown => process.stdout.write(text),
  complain = (text: string): unknown => process.stderr.write(text),
): Command {
  return new Command('check')
    .description('judges a trace of a deferred messaging server: pcap, pcapng, HEP or NDJSON')
    .argument('<trace>', 'the file; 0: it conforms, 1: it does not, 2: it cannot be judged')
    .option('--server <host:port...>', 'the server, where it is not to be found by what it says')
    .option('--from-start', 'the server kept nothing and knew nobody when the trace began')
    .option('--all', 'every violation, not the first alone')
    .option('--json', 'one JSON value')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : unusable))
    .action((trace: string, { server = [], fromStart = false, json, all }: Options) => {
      const verdict = verdictOf(trace, { servers: server, fromStart }, complain);
      process.exitCode = exitCodeOf(verdict);
      if (verdict === undefined) return;
      if (json === true) write(`${JSON.stringify(verdict)}\n`);
      else write(describeVerdict(verdict, all === true));
    });
}

function verdictOf(
  trace: string,
  options: CheckOptions,
  complain: (text: string) => unknown,
): Verdict | undefined {
  try {
    return checkTrace(readCapture(trace), options);
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    complain(`${trace}: ${(error as Error).message}\n`);
    return undefined;
  }
}

/** Of a file that cannot be opened, or that is no capture. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof VerifyError) return error.code;
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^E[A-Z]+$/.test(code) ? code : undefined;
}

/** A trace in which no served user is found says nothing. */
function exitCodeOf(verdict: Verdict | undefined): number {
  if (verdict === undefined) return unusable;
  if (!verdict.conforms) return violates;
  return verdict.users.length === 0 ? unusable : 0;
}

export function describeVerdict(verdict: Verdict, all: boolean): string {
  const { violations, servers, users, messages, retransmissions, unjudged, remarks } = verdict;
  const lines = [
    `${messages} messages, ${retransmissions} of them sent again; server ${servers.join(', ') || 'not found'}`,
    ...users.map(
      ({ user, messages: count, states, assumed }) =>
        `  ${user}: ${count} messages judged; at the end ${states.join(', ')}` +
        (assumed.length > 0 ? `; before the trace: ${assumed.join(', ')}` : ''),
    ),
    ...unjudged.map(({ what, count }) => `  not judged: ${count} ${what}`),
    ...remarks.map((remark) => `  ${remark}`),
    ...(all ? violations : violations.slice(0, 1)).flatMap(describeViolation),
    conclusion(verdict),
  ];
  return `${lines.join('\n')}\n`;
}

function conclusion({ violations, users }: Verdict): string {
  if (violations.length > 0) return `VIOLATES: ${violations.length} in all`;
  return users.length === 0 ? 'no served user in it: nothing was judged' : 'conforms';
}

function describeViolation(violation: Violation): string[] {
  const { number, at, source, target, clause, user, found, states, allowed } = violation;
  return [
    `message ${number}, ${new Date(at).toISOString()}, ${source} -> ${target}: ${found}`,
    `  clause: ${clause.id}, ${clause.text}`,
    ...(user === undefined ? [] : [`  of ${user} in ${states.join(', ') || 'no state'}`]),
    `  allowed: ${allowed.join('; ') || 'nothing of the kind'}`,
  ];
}
