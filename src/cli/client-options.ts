/** The options that every command of the client has. */

import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option, type Command } from 'commander';

export interface ClientOptions {
  readonly server: ServerAddress;
  readonly transport: Transport;
  /** PEM of who vouches for the server. */
  readonly ca?: string;
  readonly user: string;
  readonly local?: string;
  readonly displayName?: string;
  readonly deferred?: string;
  /** XCAP root URI. */
  readonly xcap?: string;
  readonly assert: boolean;
  /** Never printed. */
  readonly password?: string;
  readonly authUser?: string;
  readonly md5?: boolean;
  /** Seconds. */
  readonly timeout: number;
  readonly json?: boolean;
  readonly trace?: boolean;
}

type Transport = 'udp' | 'tcp' | 'tls';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

const defaultServer: ServerAddress = { host: '127.0.0.1', port: 5060 };
const defaultTimeout = 10;
/** Other users of the machine see the arguments of a command, and not its environment. */
const passwordVariable = 'POSTE_RESTANTE_PASSWORD';
const passwordHelp = 'answer challenges with it; better given in the environment';

export function withClientOptions(command: Command): Command {
  return command
    .requiredOption('-u, --user <uri>', 'own address, such as sip:bob@example.org', sipUri)
    .option('-s, --server <host:port>', 'address of the server', serverAddress, defaultServer)
    .option('-t, --transport <transport>', 'udp, tcp or tls', transportOf, 'udp')
    .option('--ca <file>', 'with tls: who vouches for the server (PEM)', contentOf)
    .option('--local <host>', 'own host to listen on')
    .option('--display-name <name>', 'name shown with the own address')
    .option('--deferred <uri>', 'the Deferred Messaging Function (deferred-msg-func-uri)', sipUri)
    .option('--xcap <uri>', 'XCAP root of the XDMS, such as https://xdms.example.org/xcap', rootUri)
    .option('--no-assert', 'send no P-Asserted-Identity, as with a password')
    .addOption(new Option('--password <password>', passwordHelp).env(passwordVariable))
    .option('--auth-user <name>', 'name to authenticate with; the user part of the own address')
    .option('--md5', 'authenticate with MD5 where a server knows nothing better')
    .option('--timeout <seconds>', 'wait at most so long for an answer', secondsOf, defaultTimeout)
    .option('--json', 'print one JSON object per line')
    .option('--trace', 'show the signalling as a ladder on standard error');
}

export function sipUri(text: string): string {
  if (!/^sips?:[^@\s<>"]+@[^@\s<>"]+$/i.test(text)) {
    throw new InvalidArgumentError('not a SIP URI such as sip:bob@example.org');
  }
  return text;
}

function rootUri(text: string): string {
  if (!/^https?:\/\/[^\s/]/i.test(text) || !URL.canParse(text)) {
    throw new InvalidArgumentError('not an http or https URI');
  }
  return text;
}

export function secondsOf(text: string): number {
  const seconds = Number(text);
  if (!/^\d{1,10}$/.test(text) || seconds > 4_294_967_295) {
    throw new InvalidArgumentError('not a number of seconds');
  }
  return seconds;
}

export function serverAddress(text: string): ServerAddress {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? defaultServer.port);
  if (host === undefined || port === 0 || port > 65_535) {
    throw new InvalidArgumentError('not an address such as 192.0.2.20:5060');
  }
  return { host, port };
}

function transportOf(text: string): Transport {
  if (text === 'udp' || text === 'tcp' || text === 'tls') return text;
  throw new InvalidArgumentError('neither udp nor tcp nor tls');
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new InvalidArgumentError((error as NodeJS.ErrnoException).code ?? 'cannot be read');
  }
}
