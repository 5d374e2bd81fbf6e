/** `poste-restante why` and `poste-restante ladder`: what the trace of a server tells. */

import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { callOf, ladderSvg, ladderText, whyOf, type Ladder } from '../verify/ladder.js';
import { readTrace, type TraceRecord } from '../verify/trace-record.js';

interface WhyOptions {
  readonly file: readonly string[];
  readonly format: 'text' | 'svg' | 'json';
  readonly user?: string;
}

type Write = (text: string) => unknown;
const toOutput: Write = (text) => process.stdout.write(text);

export function whyCommand(write: Write = toOutput): Command {
  return withTrace(new Command('why'))
    .description('tell the life of a message from the trace of the server (serve --trace)')
    .argument('<message-id>', 'such as sip:7@store.example.org')
    .option('-u, --user <account>', 'of this user, such as bob@example.org: others count as well')
    .action((messageId: string, options: WhyOptions) =>
      tell(options, write, (records) => whyOf(records, messageId, options.user)),
    );
}

export function ladderCommand(write: Write = toOutput): Command {
  return withTrace(new Command('ladder'))
    .description('tell a call from the trace of the server (serve --trace)')
    .argument('<call-id>', 'as in the header field')
    .action((callId: string, options: WhyOptions) =>
      tell(options, write, (records) => callOf(records, callId)),
    );
}

function withTrace(command: Command): Command {
  return command
    .requiredOption('-f, --file <file...>', 'the trace, oldest first; the server may be running')
    .addOption(
      new Option('--format <format>', 'form').choices(['text', 'svg', 'json']).default('text'),
    );
}

function tell(
  { file, format }: WhyOptions,
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
