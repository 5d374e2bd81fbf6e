/** The commands of the client for what is stored: list it, delete it, say whether it is pushed. */

import { Option, type Command } from 'commander';
import { secondsOf, withClientOptions, type ClientOptions } from './client-options.js';
import { printListed } from './client-output.js';
import { aborted, elapsed, exitCode, runClient, told } from './client-run.js';

export function addList(client: Command): void {
  withClientOptions(client.command('list'))
    .description('list stored messages by the metadata of the XDMS (needs --xcap)')
    .action(list);
}

async function list(options: ClientOptions): Promise<void> {
  await runClient(options, {}, async ({ client, output }) => {
    const messages = await client.list();
    for (const message of messages) printListed(output, message);
    return exitCode.ok;
  });
}

interface DeleteOptions extends ClientOptions {
  readonly id: string[];
  readonly by: 'refer' | 'list' | 'xcap';
}

export function addDelete(client: Command): void {
  const by = new Option('--by <way>', 'REFER to the function, MESSAGE with a URI list, or XCAP');
  withClientOptions(client.command('delete'))
    .description('delete stored messages')
    .requiredOption('--id <message-id...>', 'the messages')
    .addOption(by.choices(['refer', 'list', 'xcap']).default('refer'))
    .action(remove);
}

async function remove(options: DeleteOptions): Promise<void> {
  await runClient(options, {}, async ({ client, output }) => {
    const outcome = await client.delete(options.id, { by: options.by });
    if (outcome.status >= 300) return told(output, 'deletion', outcome);
    const { status, reason } = outcome;
    output.print(`${status} ${reason}`, { event: 'deleted', ...outcome });
    return exitCode.ok;
  });
}

interface SettingsOptions extends ClientOptions {
  readonly push: 'on' | 'off';
  readonly expires: number;
  readonly for?: number;
}

export function addSettings(client: Command): void {
  const push = new Option(
    '--push <state>',
    'whether stored messages are pushed',
  ).makeOptionMandatory();
  withClientOptions(client.command('settings'))
    .description('publish settings until interrupted; the server falls back to its own then')
    .addOption(push.choices(['on', 'off']))
    .option('--expires <seconds>', 'interval to ask for', secondsOf, 3600)
    .option('--for <seconds>', 'withdraw the settings and end after so many seconds', secondsOf)
    .action(settings);
}

async function settings(options: SettingsOptions): Promise<void> {
  await runClient(options, {}, async ({ client, output, signal }) => {
    const offlineDelivery = options.push === 'on';
    const outcome = await client.publish({ offlineDelivery }, { expires: options.expires });
    if (outcome.status >= 300) return told(output, 'PUBLISH', outcome);
    const { status, expires } = outcome;
    output.print(`published for ${expires} s`, { event: 'published', status, expires });
    await Promise.race([aborted(signal), elapsed(options.for)]);
    return exitCode.ok;
  });
}
