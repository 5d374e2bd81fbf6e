/** `poste-restante why` and `poste-restante ladder`: what the trace of a server tells. */

import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { callOf, ladderSvg, ladderText, whyOf, type Ladder } from '../verify/ladder.js';
import { readTrace, type TraceRecord } from '../verify/trace-record.js';
import {
  accountPath,
  fetchOctets,
  OperatorError,
  textOf,
  withConnection,
  type ConnectionOptions,
} from './admin-connection.js';

interface TraceOptions extends ConnectionOptions {
  readonly file?: readonly string[];
  readonly format: 'text' | 'svg' | 'json';
}

interface WhyOptions extends TraceOptions {
  readonly user?: string;
}

type Write = (text: string) => unknown;
const toOutput: Write = (text) => process.stdout.write(text);

export function whyCommand(write: Write = toOutput): Command {
  return withTrace(new Command('why'))
    .description('tell the life of a message: of a running server, or from a file of its trace')
    .argument('<message-id>', 'such as sip:7@store.example.org')
    .option('-u, --user <account>', 'whose it is, such as bob@example.org; a running server asks')
    .action(async (messageId: string, options: WhyOptions) => {
      const { file, user } = options;
      if (file) {
        tell(file, options, write, (all) => whyOf(all, messageId, user));
      } else if (user !== undefined) {
        const path = accountPath(user, `/messages/${encodeURIComponent(messageId)}/ladder`);
        await ask(path, options, write);
      } else {
        throw new OperatorError('OPERATOR_USAGE', 'needs --user, or --file', 2);
      }
    });
}

export function ladderCommand(write: Write = toOutput): Command {
  return withTrace(new Command('ladder'))
    .description('tell a call: of a running server, or from a file of its trace')
    .argument('<call-id>', 'as in the header field')
    .action(async (callId: string, options: TraceOptions) => {
      const { file } = options;
      if (file) tell(file, options, write, (all) => callOf(all, callId));
      else await ask(`/v1/calls/${encodeURIComponent(callId)}/ladder`, options, write);
    });
}

function withTrace(command: Command): Command {
  return withConnection(command)
    .option('-f, --file <file...>', 'a trace (serve --trace), oldest first, in place of a server')
    .addOption(
      new Option('--format <format>', 'form').choices(['text', 'svg', 'json']).default('text'),
    );
}

function tell(
  file: readonly string[],
  { format }: TraceOptions,
  write: Write,
  make: (records: readonly TraceRecord[]) => Ladder,
): void {
  const read = file.map((name) => readTrace(readFileSync(name, 'utf8')));
  const unreadable = read.reduce((sum, one) => sum + one.unreadable, 0);
  if (unreadable > 0) process.stderr.write(`${unreadable} lines are no records of a trace\n`);
  const ladder = make(read.flatMap(({ records }) => records));
  if (format === 'json') write(`${JSON.stringify(ladder)}\n`);
  else write(format === 'svg' ? ladderSvg(ladder) : ladderText(ladder));
  process.exitCode = ladder.rungs.length > 0 ? 0 : 1;
}

/** What the server holds of it (admin.traceOctets). */
async function ask(path: string, options: TraceOptions, write: Write): Promise<void> {
  const answer = await fetchOctets(options, `${path}?format=${options.format}`);
  write(await textOf(answer));
}
