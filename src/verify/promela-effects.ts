/** What effects are in the Promela model: messages on channels, and timers and rows as variables. */

import type { AccountEvent, Address, Effect } from '../machines/index.js';
import { kindOf, numberOf, wordOf } from './promela-events.js';
import type { ActorName } from './promela-table.js';

/** Effects that say something to the world which nobody in the model listens to. */
export const unheard: ReadonlySet<Effect['type']> = new Set([
  'history.put',
  'history.delete',
  'serials.take',
  'message.passed',
  'message.defer',
  'account.forget',
  'sip.notify',
  'conference.notify',
  'sip.pass',
  'sip.forward',
  'msrp.confirm',
]);

/** An effect of this actor as statements; `stop` is part of where the actor goes. */
export function statementsOf(by: ActorName, effect: Effect): readonly string[] {
  const me = by === 'ua' ? 'me' : by;
  switch (effect.type) {
    case 'tell':
      return [
        tellStatement(by, me, effect.to, effect.event),
        ...(by === 'ua' && isConfirmation(effect.event) ? ['logged[me - ua] = 1'] : []),
      ];
    case 'timer.set':
      return [`${timerOf(by, effect)} = 1`];
    case 'timer.cancel':
      return [`${timerOf(by, effect)} = 0`];
    case 'message.put':
      return ['content[me - ua] = 1'];
    case 'message.delete':
      return ['deleted(me - ua)'];
    case 'sip.respond':
      return [`network!sip_respond_${effect.status},${me},${numberOf(effect.transaction)}`];
    case 'msrp.send':
      return [`network!msrp_send,${kindOf(effect.session)},me - ua`];
    case 'report.send':
      return [`network!report_send,${me},me - ua`];
    case 'stop':
      return [];
    default:
      if (unheard.has(effect.type)) return [];
      return [`network!${effect.type.replaceAll('.', '_')},${me},0`];
  }
}

/** What a virtual UA tells of a delivery that counts. */
function isConfirmation({ type }: AccountEvent): boolean {
  return type === 'ua.departed' || type === 'message.read';
}

/** Messages that `network` carries. */
export function networkSymbols(statements: Iterable<string>): string[] {
  const symbols = new Set<string>();
  for (const statement of statements) {
    const [, symbol] = /^network!(\w+),/.exec(statement) ?? [];
    if (symbol !== undefined) symbols.add(symbol);
  }
  return [...symbols].sort();
}

/** An alarm outlives a restart, a timer does not. */
function timerOf(
  by: ActorName,
  { name, durable }: { readonly name: string; readonly durable: boolean },
): string {
  const variable = `${durable ? 'alarm' : 'timer'}_${by}_${name}`;
  return by === 'ua' ? `${variable}[me - ua]` : variable;
}

function tellStatement(by: ActorName, me: string, to: Address, event: AccountEvent): string {
  const { symbol, argument } = wordOf(event);
  // The virtual UA of the first message stands for all of them.
  const given = by === 'ua' && argument === 1 ? 'me - ua' : String(argument);
  return `tells!${actorAt(to)},${me},${symbol},${given}`;
}

/** `ua + 2` for the virtual UA of the second message. */
function actorAt(to: Address): string {
  return to.startsWith('ua/') ? `ua + ${numberOf(to)}` : kindOf(to);
}
