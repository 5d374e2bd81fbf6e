/** `poste-restante verify run`: is another server a deferred messaging server of OMA SIMPLE IM? */

import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { allCases } from '../verify/run/cases.js';
import { parseCredentials } from '../verify/run/credentials.js';
import { planPaths } from '../verify/run/plan.js';
import { describeRun } from '../verify/run/report.js';
import { runTarget, type RunReport } from '../verify/run/run.js';
import {
  parseTarget,
  profiles,
  runSettings,
  type ProfileName,
  type RunSettings,
} from '../verify/run/settings.js';
import { VerifyError } from '../verify/verify-error.js';

/** Other users of the machine see the arguments of a command, and not its environment. */
const credentialsVariable = 'POSTE_RESTANTE_CREDENTIALS';

interface Options {
  readonly target: string;
  readonly profile: ProfileName;
  readonly domain?: string;
  readonly deferred?: string;
  readonly deleteUri?: string;
  readonly xcapRoot?: string;
  readonly users?: readonly string[];
  /** PEM of who vouches for the target. */
  readonly ca?: string;
  /** As it stands in the file or in the environment. */
  readonly credentials?: string;
  readonly identity?: RunSettings['identity'];
  readonly registration?: RunSettings['registration'];
  readonly timeout?: number;
  readonly quiet?: number;
  readonly patience?: number;
  readonly deadline?: number;
  readonly parallel?: number;
  readonly json?: boolean;
}

export function verifyRunCommand(
  write = (text: string): unknown => process.stdout.write(text),
): Command {
  const defaults = profiles['oma-im'];
  return new Command('run')
    .description('tests a deferred messaging server, and says of each item whether it is met')
    .requiredOption('--target <uri>', 'sip:host:port, with ;transport=tcp or tls, or sips:host')
    .addOption(
      new Option('--profile <name>', 'what the defaults are for')
        .choices(Object.keys(profiles))
        .default('oma-im'),
    )
    .option('--domain <domain>', `of the users and the registrar (${defaults.domain})`)
    .option('--deferred <uri>', 'where messages are retrieved (sip:Deferred@ the domain)')
    .option('--delete-uri <uri>', 'where messages are deleted by a list (Delete@ the same host)')
    .option(
      '--xcap-root <uri>',
      'of the XDMS with metadata and settings, which are tried then',
      root,
    )
    .option('--ca <file>', 'over TLS: who vouches for the target (PEM)', contentOf)
    .addOption(
      new Option(
        '--credentials <file>',
        `lines user:password, the first one the sender; or in ${credentialsVariable}`,
      ).argParser(contentOf),
    )
    .option('--users <list>', 'user parts to test with, one for each path (made up)', list)
    .addOption(
      new Option('--identity <how>', 'P-Asserted-Identity, or From alone').choices([
        'asserted',
        'from',
      ]),
    )
    .addOption(
      new Option('--registration <how>', 'by the user, or told by an S-CSCF').choices([
        'plain',
        'third-party',
      ]),
    )
    .option('--timeout <ms>', 'for each thing that is owed', count)
    .option('--quiet <ms>', 'of silence behind a path', count)
    .option('--patience <s>', 'for a subscription to run out', count)
    .option('--deadline <s>', 'after which the run ends', count)
    .option('--parallel <n>', 'paths at the same time', count)
    .option('--json', 'one JSON value')
    .action(async (options: Options) => {
      process.exitCode = await run(options, write);
    });
}

const exitCodes: Record<RunReport['verdict'], number> = { passed: 0, failed: 1, inconclusive: 2 };

async function run(options: Options, write: (text: string) => unknown): Promise<number> {
  let report: RunReport;
  try {
    const settings = settingsOf(options);
    const { paths } = planPaths();
    report = await runTarget({ settings, paths, cases: allCases, onPath: progress });
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    const { code, message } = error;
    process.stderr.write(`poste-restante: ${message}\n`);
    if (options.json === true) write(`${JSON.stringify({ code, error: message })}\n`);
    return 2;
  }
  if (process.stderr.isTTY) process.stderr.write('\r');
  write(options.json === true ? `${JSON.stringify(report)}\n` : describeRun(report));
  return exitCodes[report.verdict];
}

function settingsOf(options: Options): RunSettings {
  const { target, profile, timeout, quiet, patience, deadline } = options;
  const { domain, deferred, deleteUri, xcapRoot, ca } = options;
  const { users, identity, registration, parallel } = options;
  const text = options.credentials ?? process.env[credentialsVariable];
  const given = {
    ...(domain !== undefined && { domain }),
    ...(deferred !== undefined && { deferred }),
    ...(deleteUri !== undefined && { deleteUri }),
    ...(xcapRoot !== undefined && { xcapRoot }),
    ...(ca !== undefined && { ca }),
    ...(text !== undefined && { credentials: parseCredentials(text) }),
    ...(users !== undefined && { users }),
    ...(identity !== undefined && { identity }),
    ...(registration !== undefined && { registration }),
    ...(parallel !== undefined && { parallel }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(quiet !== undefined && { quietMs: quiet }),
    ...(patience !== undefined && { patienceMs: patience * 1000 }),
    ...(deadline !== undefined && { deadlineMs: deadline * 1000 }),
  };
  return runSettings(parseTarget(target), given, profile);
}

/** Where nobody reads along there is no progress to be seen. */
function progress(played: number, of: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${played} of ${of} paths`);
}

function count(text: string): number {
  const number = Number(text);
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('a number is wanted');
  return number;
}

function list(text: string): readonly string[] {
  const users = text.split(',').map((user) => user.trim());
  if (users.some((user) => !/^[\w.!~*'()&=+$,;?/-]+$/.test(user))) {
    throw new InvalidArgumentError('user parts, separated by commas');
  }
  return users;
}

function root(text: string): string {
  if (!/^https?:\/\/[^\s/]/i.test(text) || !URL.canParse(text)) {
    throw new InvalidArgumentError('an http or https URI is wanted');
  }
  return text;
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError((error as NodeJS.ErrnoException).code ?? 'cannot be read');
  }
}
