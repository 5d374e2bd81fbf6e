/** The machines of the product by name: of the account, of the client, of SIP transactions. */

import { deletion } from '../machines/client/deletion.js';
import { delivery } from '../machines/client/delivery.js';
import { largeMessage } from '../machines/client/large-message.js';
import { publication } from '../machines/client/publication.js';
import { registration } from '../machines/client/registration.js';
import { retrieval } from '../machines/client/retrieval.js';
import { submission } from '../machines/client/submission.js';
import { watcher } from '../machines/client/watcher.js';
import { describeMachine, type MachineDescription } from '../machines/description.js';
import * as account from '../machines/index.js';
import * as sip from '../machines/sip/index.js';
import { VerifyError } from './verify-error.js';

const machines: ReadonlyMap<string, account.Definition['machine']> = new Map([
  ['mailbox', account.mailbox.machine],
  ['virtual-ua', account.virtualUa.machine],
  ['push', account.push.machine],
  ['focus', account.focus.machine],
  ['conference', account.conference.machine],
  ['recording', account.recording.machine],
  ['subscription', account.subscription.machine],
  ['forward', account.forward.machine],
  ['bridge', account.bridge.machine],
  ['client-submission', submission.definition.machine],
  ['client-large-message', largeMessage.definition.machine],
  ['client-delivery', delivery.definition.machine],
  ['client-retrieval', retrieval.definition.machine],
  ['client-registration', registration.definition.machine],
  ['client-watcher', watcher.definition.machine],
  ['client-deletion', deletion.definition.machine],
  ['client-publication', publication.definition.machine],
  ['sip-invite-server', sip.inviteServer.definition.machine],
  ['sip-server', sip.server.definition.machine],
  ['sip-invite-client', sip.inviteClient.definition.machine],
  ['sip-client', sip.client.definition.machine],
]);

export const machineNames: readonly string[] = [...machines.keys()];

/** The machine of that name as data. Throws for a name that no machine has. */
export function machineNamed(name: string): MachineDescription {
  const machine = machines.get(name);
  if (machine === undefined) throw new VerifyError('VERIFY_MACHINE_UNKNOWN', name);
  return describeMachine(name, machine);
}
