/** `poste-restante verify run`: is another server a deferred messaging server of OMA SIMPLE IM? */

import { Command, InvalidArgumentError, Option } from 'commander';
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

interface Options {
  readonly target: string;
  readonly profile: ProfileName;
  readonly domain?: string;
  readonly deferred?: string;
  readonly users?: readonly string[];
  readonly identity?: RunSettings['identity'];
  readonly registration?: RunSettings['registration'];
  readonly timeout?: number;
  readonly quiet?: number;
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
    .requiredOption('--target <uri>', 'sip:host:port, with ;transport=tcp for TCP')
    .addOption(
      new Option('--profile <name>', 'what the defaults are for')
        .choices(Object.keys(profiles))
        .default('oma-im'),
    )
    .option('--domain <domain>', `of the users and the registrar (${defaults.domain})`)
    .option('--deferred <uri>', 'where messages are retrieved (sip:Deferred@ the domain)')
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
    .option('--deadline <s>', 'after which nothing further is begun', count)
    .option('--parallel <n>', 'paths at the same time', count)
    .option('--json', 'one JSON value')
    .action(async (options: Options) => {
      process.exitCode = await run(options, write);
    });
}

const exitCodes: Record<RunReport['verdict'], number> = { passed: 0, failed: 1, inconclusive: 2 };

async function run(options: Options, write: (text: string) => unknown): Promise<number> {
  let settings: RunSettings;
  try {
    settings = settingsOf(options);
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    process.stderr.write(`poste-restante: ${error.message}\n`);
    return 2;
  }
  const report = await runTarget({ settings, paths: planPaths().paths, onPath: progress });
  if (process.stderr.isTTY) process.stderr.write('\r');
  write(options.json === true ? `${JSON.stringify(report)}\n` : describeRun(report));
  return exitCodes[report.verdict];
}

function settingsOf(options: Options): RunSettings {
  const { target, profile, timeout, quiet, deadline } = options;
  const { domain, deferred, users, identity, registration, parallel } = options;
  const given = {
    ...(domain !== undefined && { domain }),
    ...(deferred !== undefined && { deferred }),
    ...(users !== undefined && { users }),
    ...(identity !== undefined && { identity }),
    ...(registration !== undefined && { registration }),
    ...(parallel !== undefined && { parallel }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(quiet !== undefined && { quietMs: quiet }),
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
