/** `poste-restante verify check`: whether a trace of a deferred messaging server conforms. */

import { Command, Option } from 'commander';
import { ConfigError, readSettings, settingsOf } from '../config.js';
import { readCapture } from '../verify/capture/read.js';
import { checkTrace, type CheckOptions, type Role } from '../verify/check/check.js';
import type { Verdict, Violation } from '../verify/check/verdict.js';
import { VerifyError } from '../verify/verify-error.js';

interface Options {
  readonly server?: readonly string[];
  readonly json?: boolean;
  readonly all?: boolean;
  readonly fromStart?: boolean;
  readonly role?: Role;
  readonly settings?: string;
  readonly expectPush?: boolean;
  readonly identity?: readonly string[];
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
    .addOption(
      new Option('--role <role>', 'who is judged')
        .choices(['server', 'client', 'both'])
        .default('server'),
    )
    .option('--settings <file>', 'the settings of the server, where it is one of this project')
    .option('--expect-push', 'whoever is there and has not asked for the contrary is pushed to')
    .option('--identity <alias=user...>', 'a further identity, such as tel:+12025550147, of a user')
    .option('--all', 'every violation, not the first alone')
    .option('--json', 'one JSON value')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : unusable))
    .action((trace: string, options: Options) => {
      const { json, all } = options;
      const verdict = verdictOf(trace, options, complain);
      process.exitCode = exitCodeOf(verdict);
      if (verdict === undefined) return;
      if (json === true) write(`${JSON.stringify(verdict)}\n`);
      else write(describeVerdict(verdict, all === true));
    });
}

function verdictOf(
  trace: string,
  options: Options,
  complain: (text: string) => unknown,
): Verdict | undefined {
  try {
    return checkTrace(readCapture(trace), checkOptionsOf(options));
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    const { message } = error as Error;
    const isOfSettings = error instanceof ConfigError;
    const said = isOfSettings ? `${options.settings}: ${code}: ${message}` : `${trace}: ${message}`;
    complain(`${said}\n`);
    return undefined;
  }
}

function checkOptionsOf(options: Options): CheckOptions {
  const { server = [], fromStart = false, role = 'server', identity = [] } = options;
  const known = options.settings === undefined ? undefined : serverSettings(options.settings);
  const settings = {
    ...known?.settings,
    ...(options.expectPush === true && { pushes: true }),
  };
  const identities = new Map(known?.identities ?? []);
  for (const pair of identity) {
    const at = pair.indexOf('=');
    if (at < 1) throw new VerifyError('VERIFY_IDENTITY', `${pair} is no alias=user`);
    identities.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return { servers: server, fromStart, role, settings, identities };
}

/** What the settings of a server of this project decide. */
function serverSettings(file: string): Required<Pick<CheckOptions, 'settings' | 'identities'>> {
  const { limits, identity } = settingsOf(readSettings(file));
  return {
    settings: {
      pushes: limits.push.default,
      afterPush: limits.push.after,
      afterRetrieve: limits.retrieval.after,
    },
    identities: new Map(Object.entries(identity.aliases)),
  };
}

/** Of a file that cannot be opened, that is no capture, or no settings. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof VerifyError || error instanceof ConfigError) return error.code;
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' && /^E[A-Z]+$/.test(code) ? code : undefined;
}

/** A trace in which no served user is found, or in which too much is missing, says nothing. */
function exitCodeOf(verdict: Verdict | undefined): number {
  if (verdict === undefined) return unusable;
  if (verdict.violations.length > 0) return violates;
  const isAnybody = verdict.users.length + verdict.clients.length > 0;
  return verdict.conforms && isAnybody ? 0 : unusable;
}

export function describeVerdict(verdict: Verdict, all: boolean): string {
  const {
    violations,
    undecided,
    lost,
    clients,
    servers,
    users,
    messages,
    retransmissions,
    unjudged,
    remarks,
  } = verdict;
  const lines = [
    `${messages} messages, ${retransmissions} of them sent again; server ${servers.join(', ') || 'not found'}`,
    ...users.map(
      ({ user, messages: count, states, assumed }) =>
        `  ${user}: ${count} messages judged; at the end ${states.join(', ')}` +
        (assumed.length > 0 ? `; before the trace: ${assumed.join(', ')}` : ''),
    ),
    ...(clients.length > 0 ? [`  clients judged: ${clients.join(', ')}`] : []),
    ...unjudged.map(({ what, count }) => `  not judged: ${count} ${what}`),
    ...remarks.map((remark) => `  ${remark}`),
    ...lost.map((what) => `  missing: ${what}`),
    ...(all ? violations : violations.slice(0, 1)).flatMap(describeViolation),
    ...(all ? undecided : []).flatMap(describeViolation),
    conclusion(verdict),
  ];
  return `${lines.join('\n')}\n`;
}

function conclusion({ violations, undecided, users, clients }: Verdict): string {
  if (violations.length > 0) return `VIOLATES: ${violations.length} in all`;
  if (undecided.length > 0) {
    return `CANNOT TELL: ${undecided.length} things are not explained, and parts are missing`;
  }
  const isAnybody = users.length + clients.length > 0;
  return isAnybody ? 'conforms' : 'no served user in it: nothing was judged';
}

function describeViolation(violation: Violation): string[] {
  const { number, at, source, target, by, clause, user, found, states, allowed } = violation;
  return [
    `message ${number}, ${new Date(at).toISOString()}, ${source} -> ${target}, ${by}: ${found}`,
    `  clause: ${clause.id}, ${clause.text}`,
    ...(user === undefined ? [] : [`  of ${user} in ${states.join(', ') || 'no state'}`]),
    `  allowed: ${allowed.join('; ') || 'nothing of the kind'}`,
  ];
}
