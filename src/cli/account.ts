/** The command `poste-restante account`: who has an account. */

import { Command, InvalidArgumentError } from 'commander';
import { accountPath, ask, printLine, withConnection } from './admin-connection.js';
import type { ConnectionOptions, Print } from './admin-connection.js';

interface AccountOptions extends ConnectionOptions {
  readonly identity?: readonly string[];
  readonly maxMessages?: number | 'none';
  readonly maxOctets?: number | 'none';
  readonly expiry?: number | 'none';
  readonly expiryMax?: number | 'none';
  readonly push?: boolean | 'none';
  readonly disable?: boolean;
  readonly enable?: boolean;
}

/** Results are printed as JSON, one value in a line. */
export function accountCommand(print: Print = printLine): Command {
  return new Command('account')
    .description('accounts of a running server: add, list, show, set, remove')
    .addCommand(addCommand(print))
    .addCommand(listCommand(print))
    .addCommand(showCommand(print))
    .addCommand(setCommand(print))
    .addCommand(removeCommand(print));
}

function addCommand(print: Print): Command {
  return fields(withConnection(new Command('add').argument('<aor>')))
    .description('gives a user an account; an error when there is one')
    .action(async (aor: string, options: AccountOptions) => {
      const create = { 'if-none-match': '*' };
      print(await ask(options, 'PUT', accountPath(aor), bodyOf(options, false), create));
    });
}

function setCommand(print: Print): Command {
  return fields(withConnection(new Command('set').argument('<aor>')))
    .description('changes what is given; `none` takes a limit away')
    .action(async (aor: string, options: AccountOptions) => {
      print(await ask(options, 'PATCH', accountPath(aor), bodyOf(options, true)));
    });
}

function listCommand(print: Print): Command {
  return withConnection(new Command('list'))
    .description('all accounts that are provisioned or have something stored')
    .option('--after <account>', 'begin behind this one')
    .action(async (options: ConnectionOptions & { readonly after?: string }) => {
      let { after } = options;
      do {
        const query = after === undefined ? '' : `&after=${encodeURIComponent(after)}`;
        const page = await ask(options, 'GET', `/v1/accounts?limit=1000${query}`);
        for (const one of page['accounts'] as readonly unknown[]) print(one);
        after = page['next'] as string | undefined;
      } while (after !== undefined);
    });
}

function showCommand(print: Print): Command {
  return withConnection(new Command('show').argument('<aor>'))
    .description('an account, with count, octets and age of what is stored')
    .action(async (aor: string, options: ConnectionOptions) => {
      print(await ask(options, 'GET', accountPath(aor)));
    });
}

function removeCommand(print: Print): Command {
  return withConnection(new Command('remove').argument('<aor>'))
    .description('takes the account away and deletes its messages for good')
    .requiredOption('--yes', 'this cannot be undone')
    .option('--moved', 'it is served elsewhere: nobody is told that messages were lost')
    .action(async (aor: string, options: ConnectionOptions & { readonly moved?: boolean }) => {
      const query = options.moved === true ? '?moved=true' : '';
      print(await ask(options, 'DELETE', accountPath(aor, query)));
    });
}

function fields(command: Command): Command {
  return command
    .option('--identity <uri...>', 'further identities, in place of those there are')
    .option('--max-messages <count>', 'quota: messages', numberOrNone)
    .option('--max-octets <count>', 'quota: octets', numberOrNone)
    .option('--expiry <seconds>', 'what a message without Expires gets', numberOrNone)
    .option('--expiry-max <seconds>', 'what a sender may ask for', numberOrNone)
    .option('--push <yes|no>', 'whether messages are pushed to who has not said so', yesOrNone)
    .option('--disable', 'as if there were no such user; what is stored stays')
    .option('--enable', 'serve the user');
}

function bodyOf(options: AccountOptions, mayTakeAway: boolean): object {
  const { identity, maxMessages, maxOctets, expiry, expiryMax, push, disable, enable } = options;
  const limits = Object.entries({
    messages: maxMessages,
    octets: maxOctets,
    expiryDefault: expiry,
    expiryMax,
    push,
  })
    .filter(([, value]) => value !== undefined && (mayTakeAway || value !== 'none'))
    .map(([name, value]) => [name, value === 'none' ? null : value]);
  return {
    ...(identity && { identities: identity }),
    ...(limits.length > 0 && { limits: Object.fromEntries(limits) as object }),
    ...(disable === true && { disabled: true }),
    ...(enable === true && { disabled: false }),
  };
}

function numberOrNone(text: string): number | 'none' {
  if (text === 'none') return text;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('neither a number nor none');
}

function yesOrNone(text: string): boolean | 'none' {
  if (text === 'none') return text;
  if (text === 'yes' || text === 'no') return text === 'yes';
  throw new InvalidArgumentError('neither yes, no nor none');
}
