/** `poste-restante client`: the IM client on the command line. */

import { readFile } from 'node:fs/promises';
import { Argument, Command } from 'commander';
import { ClientError, FileContent, type DeliveredMessage } from '../client/connect.js';
import { secondsOf, sipUri, withClientOptions, type ClientOptions } from './client-options.js';
import { addDelete, addList, addSettings } from './client-mailbox.js';
import { BodyDirectory, printMessage, printWaiting, type Output } from './client-output.js';
import { aborted, elapsed, exitCode, runClient, told } from './client-run.js';

/** Octets read from standard input or a file. */
const bodyMax = 10_485_760;

const exitCodes = `
Exit codes: 0 done, 1 refused by the server, 2 wrong usage, 3 unreachable or no answer in time.`;

/** The command `client` with its subcommands. */
export function clientCommand(): Command {
  const client = new Command('client')
    .description('act as an IM client: register, send, watch for messages, retrieve them')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? exitCode.ok : exitCode.usage))
    .addHelpText('after', exitCodes);
  addRegister(client);
  addSend(client);
  addWatch(client);
  addRetrieve(client);
  addList(client);
  addDelete(client);
  addSettings(client);
  return client;
}

interface RegisterOptions extends ClientOptions {
  readonly expires: number;
  readonly takePush?: boolean;
  readonly output?: string;
  readonly for?: number;
}

function addRegister(client: Command): void {
  withClientOptions(client.command('register'))
    .description('register until interrupted, and take what is pushed if asked to')
    .option('--expires <seconds>', 'registration interval to ask for', secondsOf, 3600)
    .option('--take-push', 'take pushed messages; without it a push is answered 480')
    .option('-o, --output <directory>', 'write the bodies of pushed messages to files')
    .option('--for <seconds>', 'de-register and end after so many seconds', secondsOf)
    .action(register);
}

async function register(options: RegisterOptions): Promise<void> {
  let files: BodyDirectory | undefined;
  let printTo: Output | undefined;
  const onDelivery = async (message: DeliveredMessage): Promise<void> => {
    const file = await files?.write(message);
    if (printTo) printMessage(printTo, message, file);
  };
  const onTrouble = (error: ClientError): void => {
    process.stderr.write(`poste-restante: ${error.code}: ${error.message}\n`);
  };
  const push = options.takePush ? ('take' as const) : ('decline' as const);
  const more = { push, onDelivery, onTrouble, ...spoolOf(options.output) };
  await runClient(options, more, async ({ client, output, signal }) => {
    printTo = output;
    files = await directoryOf(options.output);
    const outcome = await client.register({ expires: options.expires });
    if (outcome.status >= 300) return told(output, 'REGISTER', outcome);
    const { status, expires } = outcome;
    output.print(`registered for ${expires} s`, { event: 'registered', status, expires });
    await Promise.race([aborted(signal), elapsed(options.for)]);
    return exitCode.ok;
  });
}

interface SendOptions extends ClientOptions {
  readonly to: string;
  readonly body?: string;
  readonly file?: string;
  readonly contentType?: string;
  readonly subject?: string;
  readonly expires?: number;
  readonly urgent?: boolean;
  readonly report?: boolean;
  readonly large?: boolean;
}

function addSend(client: Command): void {
  withClientOptions(client.command('send'))
    .description('send one message')
    .requiredOption('--to <uri>', 'recipient', sipUri)
    .option('--body <text>', 'the message')
    .option('--file <path>', 'the message is the content of a file, byte by byte')
    .addArgument(new Argument('[-]', 'the message comes from standard input').choices(['-']))
    .option('--content-type <type>', 'media type; text/plain;charset=utf-8 unless told otherwise')
    .option('--subject <text>', 'Subject')
    .option('--expires <seconds>', 'the server is to keep it at most so long', secondsOf)
    .option('--urgent', 'Priority: urgent')
    .option('--report', 'ask for reports: stored, and failed (IMDN)')
    .option('--large', 'send it over MSRP (large message mode); --file may be of any size')
    .action(send);
}

async function send(dash: string | undefined, options: SendOptions): Promise<void> {
  if (options.large) return sendLarge(dash, options);
  await runClient(options, {}, async ({ client, output }) => {
    const body = await bodyOf(dash, options);
    const { contentType, subject, expires, urgent, report } = options;
    const outcome = await client.send(options.to, body, {
      ...(contentType !== undefined && { contentType }),
      ...(subject !== undefined && { subject }),
      ...(expires !== undefined && { expires }),
      ...(urgent && { urgent }),
      ...(report && { requestReports: true }),
    });
    if (outcome.status >= 300) return told(output, 'MESSAGE', outcome);
    output.print(`${outcome.status} ${outcome.reason}`, { event: 'sent', ...outcome });
    return exitCode.ok;
  });
}

async function sendLarge(dash: string | undefined, options: SendOptions): Promise<void> {
  await runClient(options, {}, async ({ client, output, signal }) => {
    const isFile = dash === undefined && options.body === undefined && options.file !== undefined;
    const file = isFile ? await FileContent.open(options.file) : undefined;
    try {
      const content = file ?? (await bodyOf(dash, options));
      const { contentType, subject, urgent, report } = options;
      const outcome = await client.sendLarge(options.to, content, {
        signal,
        ...(contentType !== undefined && { contentType }),
        ...(subject !== undefined && { subject }),
        ...(urgent && { urgent }),
        ...(report && { requestReports: true }),
      });
      if (outcome.status >= 300) return told(output, 'INVITE', outcome);
      const { msrpStatus: status = 0 } = outcome;
      if (status !== 200) return told(output, 'SEND', { status, reason: 'by MSRP' });
      output.print(`${status} OK (MSRP)`, { event: 'sent', ...outcome });
      return exitCode.ok;
    } finally {
      await file?.close();
    }
  });
}

async function bodyOf(dash: string | undefined, options: SendOptions): Promise<Buffer> {
  const given = [dash, options.body, options.file].filter((source) => source !== undefined);
  if (given.length !== 1) {
    throw new ClientError('CLIENT_USAGE', 'give the message once: --body, --file, or -');
  }
  if (options.body !== undefined) return Buffer.from(options.body, 'utf8');
  if (options.file !== undefined) return bounded(await readFile(options.file));
  const pieces: Buffer[] = [];
  let octets = 0;
  for await (const piece of process.stdin as AsyncIterable<Buffer>) {
    pieces.push(piece);
    octets += piece.length;
    if (octets > bodyMax) break;
  }
  return bounded(Buffer.concat(pieces));
}

function bounded(body: Buffer): Buffer {
  if (body.length <= bodyMax) return body;
  throw new ClientError('CLIENT_USAGE', `a message has at most ${bodyMax} octets`);
}

interface WatchOptions extends ClientOptions {
  readonly expires: number;
  readonly once?: boolean;
}

function addWatch(client: Command): void {
  withClientOptions(client.command('watch'))
    .description('show message waiting until interrupted')
    .option('--once', 'show the first state and end')
    .option('--expires <seconds>', 'subscription interval to ask for', secondsOf, 3600)
    .action(watch);
}

async function watch(options: WatchOptions): Promise<void> {
  await runClient(options, {}, async ({ client, output, signal }) => {
    const states = client.watch({ expires: options.expires });
    const leave = (): void => void states.return?.();
    signal.addEventListener('abort', leave, { once: true });
    for await (const state of states) {
      printWaiting(output, state);
      if (options.once) break;
    }
    return exitCode.ok;
  });
}

interface RetrieveOptions extends ClientOptions {
  readonly id?: string[];
  readonly output?: string;
}

function addRetrieve(client: Command): void {
  withClientOptions(client.command('retrieve'))
    .description('fetch stored messages')
    .option('--id <message-id...>', 'fetch only these; without it everything is fetched')
    .option('-o, --output <directory>', 'write the bodies to files, byte by byte')
    .action(retrieve);
}

async function retrieve(options: RetrieveOptions): Promise<void> {
  const more = spoolOf(options.output);
  await runClient(options, more, async ({ client, output, signal }) => {
    const files = await directoryOf(options.output);
    const outcome = await client.retrieve({
      signal,
      ...(options.id && { ids: options.id }),
      onMessage: async (message) => printMessage(output, message, await files?.write(message)),
    });
    if (outcome.status >= 300) return told(output, 'INVITE', outcome);
    const { status, count } = outcome;
    const text = count === 1 ? '1 message' : `${count} messages`;
    output.print(text, { event: 'retrieved', status, count });
    return exitCode.ok;
  });
}

/** What does not fit into memory goes straight to where the bodies are wanted. */
function spoolOf(output: string | undefined): { readonly spool?: string } {
  return output === undefined ? {} : { spool: output };
}

async function directoryOf(path: string | undefined): Promise<BodyDirectory | undefined> {
  return path === undefined ? undefined : BodyDirectory.at(path);
}
